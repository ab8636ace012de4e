"""One member of a replica set, spoken to directly, as nobody, as a member, or as an administrator.

Where a member stands is told by what it has on disk: one that has just started, or was taken out of the set, answers
to ``hello`` like one that is new.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import ConfigurationError, ConnectionFailure, NotPrimaryError, OperationFailure, PyMongoError

from content_core.documents import Document
from content_core.errors import ReplicaSetError
from content_core.store.replica_set_access import Credentials, Login, is_refused

__all__ = ["AccessRefusedError", "History", "Mongod", "UnreachableError"]

_OPLOG: Final = "oplog.rs"


class UnreachableError(ReplicaSetError):
    """A member does not answer: it is not running, or its name cannot be resolved."""

    code = "OC509"


class AccessRefusedError(ReplicaSetError):
    """A member does not take a password or a key."""

    code = "OC510"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a member has on disk.

    Attributes:
        set_name: the set that it belongs to, None if it has never been in one.
        set_id: that set's own id: two sets of one name have different ones.
        oplog: whether there is an oplog, which there is once a member had data of a set.
    """

    set_name: str | None
    set_id: ObjectId | None
    oplog: bool

    @property
    def fresh(self) -> bool:
        """Whether it has never been in any set."""
        return self.set_name is None and not self.oplog


@dataclass(frozen=True, slots=True)
class Mongod:
    """A ``mongod`` at an address.

    Attributes:
        address: ``host:port``.
        timeout: seconds until it counts as unreachable.
    """

    address: str
    timeout: float = 5.0

    def hello(self) -> Document:
        """Ask who it is; anybody may.

        Raises:
            UnreachableError: no answer.
        """
        with self.connected() as client:
            answer: Document = client.admin.command("hello")
            return answer

    def history(self, credentials: Credentials) -> History:
        """Look at what it has on disk, by the key of the members.

        Raises:
            UnreachableError: no answer.
            AccessRefusedError: it has another key.
        """
        with self.connected(credentials.member, whose="the key of the members") as client:
            config = client.local["system.replset"].find_one() or {}
            oplog = _OPLOG in client.local.list_collection_names(filter={"name": _OPLOG})
        return History(set_name=config.get("_id"), set_id=config.get("settings", {}).get("replicaSetId"), oplog=oplog)

    @contextmanager
    def administered(self, login: Login, *, seconds: float = 60) -> "Iterator[MongoClient[Document]]":
        """Connect as an administrator, with time for commands that wait for other members.

        Raises:
            UnreachableError: no answer.
            AccessRefusedError: user or password are wrong.
        """
        with self.connected(login.options, seconds=seconds, whose=f"user and password of {login.user}") as client:
            client.admin.command("connectionStatus")  # logs in
            yield client

    @contextmanager
    def connected(
        self, options: dict[str, Any] | None = None, *, seconds: float | None = None, whose: str = "what was asked"
    ) -> "Iterator[MongoClient[Document]]":
        """Connect; errors of the driver become ours.

        Args:
            options: more of the driver's.
            seconds: how long a command may take, if longer than the timeout.
            whose: what is named if it is refused.

        Raises:
            UnreachableError: no answer.
            AccessRefusedError: a password or a key was not taken, or a right is missing.
            ReplicaSetError: MongoDB refused for another reason, which is quoted.
        """
        try:
            client: MongoClient[Document] = MongoClient(
                f"mongodb://{self.address}",
                directConnection=True,
                serverSelectionTimeoutMS=int(self.timeout * 1000),
                connectTimeoutMS=int(self.timeout * 1000),
                socketTimeoutMS=int((seconds or self.timeout) * 1000),
                appname="opencaas replica-set",
                **(options or {}),
            )
        except (ConfigurationError, ValueError):
            raise ReplicaSetError(f"{self.address} is no address of a member: host:port is wanted") from None
        try:
            yield client
        except OperationFailure as error:
            if is_refused(error):
                raise AccessRefusedError(f"{self.address} does not take {whose}") from error
            reason = (error.details or {}).get("errmsg") or error.code
            raise ReplicaSetError(f"{self.address} refuses: {reason}") from error
        except NotPrimaryError as error:
            raise ReplicaSetError(f"{self.address} is not the primary any more") from error
        except ConnectionFailure as error:
            raise UnreachableError(f"{self.address} does not answer") from error
        except PyMongoError as error:
            raise ReplicaSetError(f"{self.address}: {type(error).__name__}") from error
        finally:
            client.close()
