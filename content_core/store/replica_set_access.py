"""Who may speak to a replica set's members: users with their passwords and rights, and the key of the members.

Everything secret is in files of one directory, never on a command line; the files are read anew when asked.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from content_core.documents import Document
from content_core.errors import ReplicaSetError

__all__ = ["APP_ROLES", "EXPORTER_ROLES", "Credentials", "Login", "ensure_user", "is_refused", "read_credentials"]

APP_ROLES: Final = ("readWriteAnyDatabase", "dbAdminAnyDatabase")
"""Of the user that the servers have: contents, indexes and change streams; the second for dropping databases alone."""

EXPORTER_ROLES: Final = (("clusterMonitor", "admin"), ("read", "local"))
"""Of the user that the exporter has: figures of the members and of the oplog."""

_REFUSED: Final = frozenset({13, 18})  # Unauthorized, AuthenticationFailed
_FILES: Final = {
    "root": ("mongoRootUser", "mongoRootPassword"),
    "app": ("mongoUser", "mongoPassword"),
    "exporter": ("mongoMetricsUser", "mongoMetricsPassword"),
}
_KEY: Final = "clusterKey"


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name and password."""

    user: str
    password: str = field(repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """As the driver names them."""
        return {"username": self.user, "password": self.password, "authSource": "admin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """All that is secret about a replica set.

    Attributes:
        root: who administers it, and does nothing else.
        app: who the servers are.
        exporter: who reads MongoDB's figures.
        key: the text of the key file, by which members know each other.
    """

    root: Login
    app: Login
    exporter: Login
    key: str = field(repr=False)

    @property
    def member(self) -> dict[str, Any]:
        """Options of the driver for speaking as a member of the set: the only way to see one that has no users yet.

        ``mongod`` takes the key without its white space for the password of ``__system``.
        """
        return {"username": "__system", "password": "".join(self.key.split()), "authSource": "local"}


def read_credentials(directory: Path) -> Credentials:
    """Read the files of a directory, such as a mounted secret: ``mongoRootUser``, ``mongoRootPassword`` and so on.

    Raises:
        ReplicaSetError: files that are missing or empty, all of them named, or two users of one name.
    """
    names = [name for pair in _FILES.values() for name in pair] + [_KEY]
    texts: dict[str, str] = {}
    for name in names:
        try:
            texts[name] = (directory / name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            texts[name] = ""
    missing = [name for name in names if not texts[name]]
    if missing:
        raise ReplicaSetError(f"Missing, empty or unreadable in {directory}: {', '.join(missing)}")
    users = [texts[user] for user, _ in _FILES.values()]
    if len(set(users)) < len(users):
        raise ReplicaSetError(f"Administrator, server and exporter need different user names: {', '.join(users)}")
    logins = {who: Login(texts[user], texts[password]) for who, (user, password) in _FILES.items()}
    return Credentials(**logins, key=texts[_KEY])


def ensure_user(client: "MongoClient[Document]", login: Login, roles: "tuple[str | tuple[str, str], ...]") -> bool:
    """Make a user, or give it the password and the roles that it is to have.

    Args:
        client: connected to the primary as somebody who may.
        login: name and password.
        roles: those of the database admin, or pairs of role and database.

    Returns:
        Whether anything was changed.
    """
    wanted = [{"role": role, "db": "admin"} if isinstance(role, str) else _pair(role) for role in roles]
    found = client.admin.command("usersInfo", {"user": login.user, "db": "admin"})["users"]
    if not found:
        client.admin.command("createUser", login.user, pwd=login.password, roles=wanted, writeConcern=_MAJORITY)
        return True
    if _as_set(found[0]["roles"]) == _as_set(wanted) and _fits(client, login):
        return False
    client.admin.command("updateUser", login.user, pwd=login.password, roles=wanted, writeConcern=_MAJORITY)
    return True


def is_refused(error: Exception) -> bool:
    """Tell whether MongoDB refused for want of rights or for a wrong password."""
    return isinstance(error, OperationFailure) and error.code in _REFUSED


_MAJORITY: Final = {"w": "majority"}


def _pair(role: tuple[str, str]) -> dict[str, str]:
    return {"role": role[0], "db": role[1]}


def _as_set(roles: list[Any]) -> set[tuple[str, str]]:
    return {(role["role"], role["db"]) for role in roles}


def _fits(client: "MongoClient[Document]", login: Login) -> bool:
    """Try a password: MongoDB shows none."""
    host, port = client.address or ("", 0)
    with MongoClient[Document](
        host, port, directConnection=True, serverSelectionTimeoutMS=5_000, **login.options
    ) as tried:
        try:
            tried.admin.command("ping")
            tried.admin.command("connectionStatus")
        except OperationFailure as error:
            if is_refused(error):
                return False
            raise
        return True
