"""Names around stored JSON schemas: their addresses, and their members that begin with a dollar."""

from typing import Any
from urllib.parse import quote

from content_core.documents import Json

__all__ = ["escape_schema", "schema_address", "unescape_schema"]


def schema_address(database: str, schema_id: Any) -> str:
    """Give the address by which schemas refer to each other, without a fragment."""
    return f"http://schema-store/{quote(database)}/{quote(str(schema_id))}"


def escape_schema(value: Json) -> Json:
    """Write names as they are stored: a leading ``$`` as ``_$``; dots stay."""
    if isinstance(value, dict):
        return {f"_{name}" if name.startswith("$") else name: escape_schema(item) for name, item in value.items()}
    return [escape_schema(item) for item in value] if isinstance(value, list) else value


def unescape_schema(value: Json) -> Json:
    """Undo :func:`escape_schema`. A client, too, writes ``_$oid`` for a property of the name ``$oid``."""
    if isinstance(value, dict):
        return {name[1:] if name.startswith("_$") else name: unescape_schema(item) for name, item in value.items()}
    return [unescape_schema(item) for item in value] if isinstance(value, list) else value
