"""The names of the shapes that cross the rooms: documents as MongoDB holds them, and JSON."""

from typing import Any, TypeAlias

__all__ = ["Document", "Json"]

Document: TypeAlias = dict[str, Any]
"""A stored document: string keys in stored order, BSON values."""

Json: TypeAlias = Any
"""What ``orjson`` reads: dict, list, str, int, float, bool, None."""
