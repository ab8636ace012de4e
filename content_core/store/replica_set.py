"""Making a fresh ``mongod`` a replica set of one node with users, and keeping it one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from content_core.documents import Document
from content_core.errors import EmbeddedMongoError
from content_core.store.replica_set_access import APP_ROLES

__all__ = ["APP_USER", "HOST", "REPLICA_SET", "Node"]

HOST: Final = "127.0.0.1"
REPLICA_SET: Final = "opencaas"
APP_USER: Final = "opencaas"

_ROOT_USER: Final = "root"
_FIGURES: Final = "clusterMonitor"
"""More than the servers need: whoever develops has no other user to see by how MongoDB is."""

_AUTHENTICATION_FAILED: Final = 18
_NOT_YET_INITIALIZED: Final = 94
_POLL_SECONDS: Final = 0.01

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Node:
    """One running ``mongod`` on loopback, and the passwords that belong to its data.

    Args:
        port: where it listens.
        root_password: of the user that administers the node and is used for nothing else.
        app_password: of the user that the servers use.
        deadline: the time (:func:`time.monotonic`) until which waiting makes sense.
    """

    port: int
    root_password: str
    app_password: str
    deadline: float

    @property
    def address(self) -> str:
        """The member's address in the replica set's configuration."""
        return f"{HOST}:{self.port}"

    def set_up(self, progress: Progress) -> None:
        """Initiate the replica set and make the users, through the exception that MongoDB makes for localhost."""
        with self._connected() as client:
            member = {"_id": 0, "host": self.address}
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            progress("initiated")
            self._wait_for_primary(client)
            client.admin.command("createUser", _ROOT_USER, pwd=self.root_password, roles=["root"])
            progress("root")
        with self._connected(_ROOT_USER, self.root_password) as client:
            client.admin.command("createUser", APP_USER, pwd=self.app_password, roles=[*APP_ROLES, _FIGURES])
            progress("users")

    def bring_back(self) -> None:
        """Make a node with data writable again, on a port that may be another than its configuration says.

        Raises:
            EmbeddedMongoError: the passwords are not those of the data.
        """
        with self._connected(_ROOT_USER, self.root_password) as client:
            config = self._configuration(client)
            if config["members"][0]["host"] != self.address:
                self._move(client, config)
            self._wait_for_primary(client)

    def _configuration(self, client: "MongoClient[Document]") -> Document:
        while True:
            try:
                config: Document = client.admin.command("replSetGetConfig")["config"]
            except OperationFailure as error:
                if error.code == _AUTHENTICATION_FAILED:
                    raise EmbeddedMongoError(
                        "The secrets in the data directory are not those of its database",
                        hint="Restore DATA_DIR/secrets as it was when the database was made",
                    ) from None
                # Before the node has read its configuration it asks the configured address whether that is itself;
                # with another program there that may take as long as the 30 s that it waits for an answer.
                if error.code != _NOT_YET_INITIALIZED or time.monotonic() > self.deadline:
                    raise
                time.sleep(_POLL_SECONDS)
            else:
                return config

    def _move(self, client: "MongoClient[Document]", config: Document) -> None:
        config["members"][0]["host"] = self.address
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)

    def _wait_for_primary(self, client: "MongoClient[Document]") -> None:
        while not client.admin.command("hello").get("isWritablePrimary"):
            if time.monotonic() > self.deadline:
                raise EmbeddedMongoError("The embedded MongoDB did not become writable in time")
            time.sleep(_POLL_SECONDS)

    @contextmanager
    def _connected(self, user: str | None = None, password: str | None = None) -> "Iterator[MongoClient[Document]]":
        options: dict[str, Any] = {"username": user, "password": password} if user else {}
        left_ms = max(1000, int((self.deadline - time.monotonic()) * 1000))
        client: MongoClient[Document] = MongoClient(
            HOST, self.port, directConnection=True, serverSelectionTimeoutMS=left_ms, socketTimeoutMS=left_ms, **options
        )
        try:
            yield client
        except PyMongoError as error:
            code = f" {error.code}" if isinstance(error, OperationFailure) else ""
            raise EmbeddedMongoError(
                f"The embedded MongoDB did not do as told: {type(error).__name__}{code}",
                hint="mongod.log in the data directory says more",
            ) from error
        finally:
            client.close()
