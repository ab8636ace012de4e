"""Which names nobody may use: the database's own, the server's own, and those that cannot exist."""

from typing import Final

from content_core.errors import IllegalNameError, ReservedNameError
from content_core.names import ADMIN_DATABASE, APIKEYS

__all__ = ["PROPERTIES", "SCHEMAS", "check_collection", "check_database", "check_document", "is_tenant"]

PROPERTIES: Final = "_properties"
"""The collection that holds the metadata of a database and of its collections."""

SCHEMAS: Final = "_schemas"
"""The collection that holds a database's JSON schemas."""

_MAX_DATABASE: Final = 63
_ILLEGAL: Final = frozenset('\0 /\\."$')
_OF_MONGODB: Final = frozenset({"admin", "config", "local"})
_ADDRESSES: Final = frozenset({"_logic", "_metrics", "_size", "_meta", "_sessions", "graphql"})


def check_database(name: str) -> None:
    """Check the name of a database.

    Raises:
        ReservedNameError: it belongs to MongoDB or to an address of the server.
        IllegalNameError: no database can have it.
    """
    folded = name.lower()
    if folded in _OF_MONGODB or folded in _ADDRESSES or folded.startswith("system."):
        raise ReservedNameError("reserved resource")
    if not name or len(name.encode()) > _MAX_DATABASE or not _ILLEGAL.isdisjoint(name):
        raise IllegalNameError("illegal database name")


def check_collection(database: str, name: str) -> None:
    """Check the name of a collection.

    Raises:
        ReservedNameError: it belongs to MongoDB or to the server.
        IllegalNameError: no collection can have it.
    """
    if name.startswith("system.") or name.endswith(".chunks") or name == PROPERTIES:
        raise ReservedNameError("reserved resource")
    if database == ADMIN_DATABASE and name != APIKEYS:
        raise ReservedNameError("reserved resource")
    if not name or "\0" in name or "$" in name or ".." in name or name[0] == "." or name[-1] == ".":
        raise IllegalNameError("illegal collection name")


def check_document(name: str) -> None:
    """Check the id of a document.

    Raises:
        ReservedNameError: it is the id of a metadata document.
        IllegalNameError: it holds a NUL.
    """
    if name.lower() == PROPERTIES or name.startswith(f"{PROPERTIES}."):
        raise ReservedNameError("reserved resource")
    if "\0" in name:
        raise IllegalNameError("illegal document id")


def is_tenant(name: str) -> bool:
    """Say whether a name can be a tenant's database, and so have API keys of its own."""
    try:
        check_database(name)
    except (IllegalNameError, ReservedNameError):
        return False
    return name != ADMIN_DATABASE
