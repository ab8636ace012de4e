"""The names of the shapes that cross the rooms: documents as MongoDB holds them, and JSON."""

from typing import Any, TypeAlias

from bson import DBRef

__all__ = ["Document", "Json", "without_references"]

Document: TypeAlias = dict[str, Any]
"""A stored document: string keys in stored order, BSON values."""

Json: TypeAlias = Any
"""What ``orjson`` reads: dict, list, str, int, float, bool, None."""


def without_references(value: Any) -> Any:
    """Undo the driver's reading of ``{"$ref": …, "$id": …}`` as a reference, where it is data like any other."""
    match value:
        case dict():
            return {name: without_references(item) for name, item in value.items()}
        case list():
            return [without_references(item) for item in value]
        case DBRef():
            return {name: without_references(item) for name, item in value.as_doc().items()}
    return value
