"""The one place where the driver's exceptions become ours.

Messages name neither hosts nor users nor stored values: a server selection error of the driver quotes addresses, a
duplicate key error quotes the key, which may be somebody's secret. What MongoDB says about a malformed query is the
client's own text and is passed on.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeAlias

from bson.errors import BSONError, InvalidBSON
from pymongo import errors

from content_core.errors import (
    DuplicateKeyError,
    QueryRefusedError,
    StoreError,
    StoreTimeoutError,
    StoreUnavailableError,
)

__all__ = ["TABLE", "limited", "server_code", "translate", "translated"]

_TIME_LIMIT: Final = 50
_DUPLICATE_KEY: Final = frozenset({11000, 11001, 12582})
# fmt: off
_REFUSED: Final = frozenset({
    2, 4, 9, 14, 15, 27, 28, 40, 52, 53, 54, 56, 57, 61, 67, 72, 73, 85, 86, 121, 168, 171, 197, 224, 225, 241, 251,
    256, 263, 291, 10334, 15974, 15975, 15998, 16410, 16872, 17276, 17287, 17312, 31138, 31249, 31253, 31254, 40323,
    40352, 40353, 51091, 51108,
})
# fmt: on
"""Server codes for what the client did (RESTHeart's table of statuses and the codes that clients cause too)."""

_AWAY: Final = frozenset(
    {6, 7, 18, 89, 91, 94, 133, 134, 189, 211, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436}
)
"""Server codes of a member that is no primary any more or not yet, that stops, or that does not reach the others.

Mostly those that MongoDB's specification of retryable writes lists; the driver has tried again before we see them.
While members change their parts, they also refuse logins, since they cannot read their users (18), and times that
others have signed (211). Whatever is wrong with our login is nothing that a client did.
"""

_TELLING: Final = {28: "{", 241: "'", 16755: "{", 40228: ", but"}
"""Codes whose messages quote what is stored, and what the quotation begins with."""

_UNNAMED: Final = "Location"
"""How MongoDB names the codes that have no name: they belong to its checks of what clients send, hundreds of them."""

_FIRST_UNNAMED: Final = 10_000
# fmt: off
_NAMED: Final = frozenset({
    10003, 10057, 10058, 10107, 10334, 11000, 11001, 11600, 11601, 11602, 12582, 12586, 12587, 13113, 13297, 13388,
    13435, 13436, 14031, 17280, 46841, 50768,
})
# fmt: on
"""From there on codes have no name, but for these: failures of single writes come with their code alone."""

_GRACE_SECONDS: Final = 1.0
"""How much later than MongoDB we give up: its own answer comes first, wherever it looks at the clock."""

_Kind: TypeAlias = type[StoreError]

TABLE: Final[Mapping[type[Exception], _Kind]] = {
    errors.PyMongoError: StoreError,
    errors.ProtocolError: StoreError,
    errors.ConnectionFailure: StoreUnavailableError,
    errors.WaitQueueTimeoutError: StoreUnavailableError,
    errors.AutoReconnect: StoreUnavailableError,
    errors.NetworkTimeout: StoreUnavailableError,
    errors.NotPrimaryError: StoreUnavailableError,
    errors.ServerSelectionTimeoutError: StoreUnavailableError,
    errors._OperationCancelled: StoreUnavailableError,  # noqa: SLF001 - it can come out of the driver like any other
    errors.ConfigurationError: StoreError,
    errors.InvalidURI: StoreError,
    errors.OperationFailure: StoreError,
    errors.CursorNotFound: StoreError,
    errors.ExecutionTimeout: StoreTimeoutError,
    errors.WriteConcernError: StoreError,
    errors.WTimeoutError: StoreUnavailableError,
    errors.WriteError: StoreError,
    errors.DuplicateKeyError: DuplicateKeyError,
    errors.BulkWriteError: StoreError,
    errors.ClientBulkWriteException: StoreError,
    errors.InvalidOperation: StoreError,
    errors.InvalidName: QueryRefusedError,
    errors.CollectionInvalid: StoreError,
    errors.DocumentTooLarge: QueryRefusedError,
    errors.EncryptionError: StoreError,
    errors.EncryptedCollectionError: StoreError,
    BSONError: QueryRefusedError,
    InvalidBSON: StoreError,  # what came back could not be read
    # What the driver raises over arguments that it cannot send: a sort direction of 1.5, 2**64, a tower of brackets.
    TypeError: QueryRefusedError,
    ValueError: QueryRefusedError,
    OverflowError: QueryRefusedError,
    RecursionError: QueryRefusedError,
}
"""What each class becomes where no server code says more. A test holds it against all that ``pymongo.errors`` has."""

_PLANNER: Final = "error processing query"
_CAUSE: Final = ":: caused by :: "
"""How MongoDB begins when the planner fails: with namespace and query; the reason follows its last cause."""

_MESSAGES: Final[Mapping[_Kind, str]] = {
    StoreError: "MongoDB did not carry out the operation",
    StoreUnavailableError: "MongoDB cannot be reached",
    StoreTimeoutError: "The operation ran over its time limit",
    DuplicateKeyError: "A unique index refuses the write: another document has the same key",
    QueryRefusedError: "MongoDB refuses the query or the document",
}


@contextmanager
def translated() -> Iterator[None]:
    """Run driver calls, and nothing but driver calls; what they raise leaves as a child of StoreError."""
    try:
        yield
    except tuple(TABLE) as error:
        raise translate(error) from error


@asynccontextmanager
async def limited(max_time_ms: int) -> AsyncIterator[None]:
    """Run driver calls that MongoDB was given a time limit for, translated too.

    MongoDB looks at the clock between documents; a single expression that goes on and on is not cut off. Whoever waits
    is told in time all the same, though what MongoDB is doing then cannot be stopped.

    Args:
        max_time_ms: the limit, 0 for none.

    Raises:
        StoreTimeoutError: MongoDB has not answered in time.
    """
    with translated():
        try:
            async with asyncio.timeout(max_time_ms / 1000 + _GRACE_SECONDS if max_time_ms else None):
                yield
        except TimeoutError as error:
            raise StoreTimeoutError(_MESSAGES[StoreTimeoutError]) from error


def translate(error: Exception) -> StoreError:
    """Build our error for one of the driver's; ``details`` hold the server's code and its name where it gave them."""
    reply = _reply(error)
    code = server_code(error)
    name = reply.get("codeName")
    kind = _kind(error, code, unnamed=_is_unnamed(code, name))
    details: dict[str, Any] = {}
    if code is not None:
        details["code"] = code
    if isinstance(name, str):
        details["codeName"] = name
    if kind is DuplicateKeyError and isinstance(pattern := reply.get("keyPattern"), Mapping):
        details["keys"] = list(pattern)
    message = _MESSAGES[kind]
    if kind is QueryRefusedError:
        said = _untold(str(reply.get("errmsg", "") if reply else error), code)
        message = f"{message}: {said}" if said else message
    return kind(message, details=details)


def server_code(error: BaseException) -> int | None:
    """Give the code that the server answered with; of a bulk write, that of its first failure."""
    code = _reply(error).get("code", getattr(error, "code", None))
    return code if isinstance(code, int) else None


def _is_unnamed(code: int | None, name: Any) -> bool:
    if isinstance(name, str):
        return name.startswith(_UNNAMED)
    return code is not None and code >= _FIRST_UNNAMED and code not in _NAMED


def _untold(said: str, code: int | None) -> str:
    """Leave stored values out of what MongoDB says, and the query: it may ask for an API key."""
    if _PLANNER in said:
        said = said.rpartition(_CAUSE)[2]
    return said.partition(_TELLING[code])[0].rstrip(" :") if code in _TELLING else said


def _kind(error: Exception, code: int | None, *, unnamed: bool) -> _Kind:
    if code == _TIME_LIMIT:
        return StoreTimeoutError
    if code in _DUPLICATE_KEY:
        return DuplicateKeyError
    if code in _AWAY:
        return StoreUnavailableError
    if code in _REFUSED or unnamed:
        return QueryRefusedError
    return next(TABLE[base] for base in type(error).__mro__ if base in TABLE)


def _reply(error: BaseException) -> Mapping[str, Any]:
    """Give the part of the server's answer that says what went wrong."""
    details = getattr(error, "details", None)
    if not isinstance(details, Mapping):
        return {}
    for key in ("writeErrors", "writeConcernErrors"):
        failures = details.get(key)
        if isinstance(failures, list) and failures and isinstance(failures[0], Mapping):
            return failures[0]
    return details
