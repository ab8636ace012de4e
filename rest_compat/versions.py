"""Versions of what is written: which writes must show one, what is answered if they do not, and writes that look.

The version is part of the query of the write, so nothing can come between the check and the write.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from bson import ObjectId

from content_core.documents import Document
from content_core.errors import ConflictError, DuplicateKeyError
from content_core.store import WriteOutcome
from rest_compat.call import check_version, version_headers
from rest_compat.errors import render_error
from rest_compat.reply import Reply
from rest_compat.request import Request

__all__ = ["DOCUMENT", "METADATA", "Guard", "Rule", "write_guarded"]

_POLICIES: Final = frozenset({"REQUIRED", "REQUIRED_FOR_DELETE", "OPTIONAL"})
_TRIES: Final = 10

Write: TypeAlias = Callable[[Document, bool], Awaitable[WriteOutcome]]
"""Writes what fits a condition besides the ``_id``, and may make it where nothing does."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which member of the metadata holds the policy, and what holds without one."""

    member: str
    default: str


DOCUMENT: Final = Rule("etagDocPolicy", "OPTIONAL")
"""For documents, files and schemas."""

METADATA: Final = Rule("etagPolicy", "REQUIRED_FOR_DELETE")
"""For databases, collections, buckets and schema stores."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What a write has to show.

    Args:
        request: the write.
        required: whether it must show a version.
        subject: whose version, for the message.
    """

    request: Request
    required: bool
    subject: str

    @classmethod
    def of(cls, request: Request, subject: str, rule: Rule, *metadata: Document) -> "Guard":
        """Find what holds.

        Args:
            request: the write.
            subject: what is written: document, collection, database.
            rule: where the policy stands.
            metadata: the metadata documents that may hold it, the nearest first.
        """
        given = (str(document.get(rule.member, "")).upper() for document in metadata)
        policy = next((name for name in given if name in _POLICIES), rule.default)
        for_all = "checkEtag" in request.query or policy == "REQUIRED"
        return cls(request, for_all or (policy == "REQUIRED_FOR_DELETE" and request.method == "DELETE"), subject)

    @property
    def shown(self) -> bool:
        """Whether the request names a version."""
        return bool(self.request.headers.get("if-match", "").strip(" ,"))

    @property
    def looks(self) -> bool:
        """Whether what is stored matters at all."""
        return self.required or self.shown

    def refuse(self, current: Document | None) -> Reply | None:
        """Compare with what is stored; a reply ends the request. What has no version fits everything."""
        if current is None or not (version := version_headers(current)):
            return None
        if self.shown:
            return check_version(self.request, current)
        if not self.required:
            return None
        error = ConflictError(f"The {self.subject}'s ETag must be provided using the 'If-Match' header.")
        return replace(render_error(error, self.request, realm=""), headers=version)


async def write_guarded(
    guard: Guard, read: Callable[[], Awaitable[Document | None]], write: Write, *, creates: bool
) -> WriteOutcome | Reply:
    """Write if the version is right, or answer why not.

    Args:
        guard: what the write has to show.
        read: reads what is stored, ``_etag`` at least.
        write: writes; it is called again when somebody else wrote in between.
        creates: whether the write may make what is not there.

    Raises:
        DuplicateKeyError: what is there does not fit the conditions of the write, or a unique index refuses it.
        ConflictError: others keep writing the same thing.
    """
    for _ in range(_TRIES):
        current = await read() if guard.looks else None
        if refusal := guard.refuse(current):
            return refusal
        may_create = creates and not (guard.looks and _version(current))
        try:
            outcome = await write(_condition(guard, current), may_create)
        except DuplicateKeyError as error:
            if not await _came_between(error, guard, current, read):
                raise
            continue
        if outcome.created or outcome.matched or not guard.looks or _same(current, await read()):
            return outcome
    raise ConflictError("others keep writing to the same resource")


def _condition(guard: Guard, current: Document | None) -> Document:
    """Say what must still hold when the write happens."""
    if not guard.looks:
        return {}
    version = _version(current)
    return {"_etag": version} if version is not None else {"_etag": {"$not": {"$type": "objectId"}}}


async def _came_between(
    error: DuplicateKeyError, guard: Guard, current: Document | None, read: Callable[[], Awaitable[Document | None]]
) -> bool:
    """Say whether an upsert failed only because another one was faster."""
    if tuple(error.details.get("keys", ())) != ("_id",) or not guard.looks:
        return False
    return not _same(current, await read())


def _same(left: Document | None, right: Document | None) -> bool:
    return (left is None) is (right is None) and _version(left) == _version(right)


def _version(document: Document | None) -> Any:
    version = (document or {}).get("_etag")
    return version if isinstance(version, ObjectId) else None
