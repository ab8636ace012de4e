"""The properties of databases and collections, kept in the collection ``_properties`` of each database."""

from typing import Any, Final

from content_core.access.reserved import PROPERTIES
from content_core.documents import Document
from content_core.store import Store

__all__ = ["escape_names", "read_properties", "unescape_names"]

_DOLLAR: Final = ("$", "_$")
_DOT: Final = (".", "::")


async def read_properties(store: Store, database: str, collection: str) -> Document:
    """Read a collection's own properties as an answer shows them: ``_id`` first, and just that where there are none."""
    found = await store.get(database, PROPERTIES, f"{PROPERTIES}.{collection}") or {}
    version = {"_etag": found["_etag"]} if "_etag" in found else {}
    others = {name: value for name, value in found.items() if name not in {"_id", "_etag"}}
    return {"_id": collection, **version, **unescape_names(others)}


def escape_names(value: Any) -> Any:
    """Write names as they are kept: a leading ``$`` as ``_$``, a dot as ``::``."""
    if isinstance(value, dict):
        return {_escape(name): escape_names(item) for name, item in value.items()}
    return [escape_names(item) for item in value] if isinstance(value, list) else value


def unescape_names(value: Any) -> Any:
    """Undo :func:`escape_names`."""
    if isinstance(value, dict):
        return {_unescape(name): unescape_names(item) for name, item in value.items()}
    return [unescape_names(item) for item in value] if isinstance(value, list) else value


def _escape(name: str) -> str:
    plain, kept = _DOLLAR
    return (kept + name[1:] if name.startswith(plain) else name).replace(*_DOT)


def _unescape(name: str) -> str:
    plain, kept = _DOLLAR
    return (plain + name[len(kept) :] if name.startswith(kept) else name).replace(_DOT[1], _DOT[0])
