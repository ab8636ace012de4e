"""Simple conditions in memory, with MongoDB's meaning: which of the merged queries does a document answer?

Only what can be decided without doubt is decided here. Everything else is left to MongoDB.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from typing import Any, TypeAlias

from bson import DBRef, Decimal128, Int64, ObjectId

from content_core.documents import Document

__all__ = ["Condition", "Token", "UndecidedError", "read_condition", "read_token", "read_tokens"]

Token: TypeAlias = tuple[str, Any]
"""A scalar as MongoDB compares it: 1, 1.0 and a 64-bit 1 are one, true is another, "1" a third."""

_NULL: Token = ("null", None)
_KINDS: dict[type, str] = {
    NoneType: "null",
    bool: "bool",
    str: "string",
    int: "number",
    Int64: "number",
    float: "number",
    Decimal: "number",
    ObjectId: "id",
}
"""By exact type: a subclass of str may be code."""


class UndecidedError(Exception):
    """MongoDB has to say whether a document matches."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One field of a filter: it equals one of some scalars."""

    path: tuple[str, ...]
    tokens: frozenset[Token]

    def matches(self, document: Document) -> bool:
        """Say whether a document fulfils the condition.

        Raises:
            UndecidedError: null is looked for behind a list.
        """
        found, behind_list = read_tokens(document, self.path)
        if behind_list and _NULL in self.tokens:
            raise UndecidedError
        return not self.tokens.isdisjoint(found)


def read_condition(path: str, part: Any) -> Condition | None:
    """Read an equality with a scalar, or an ``$in`` of scalars; None if it is anything else."""
    segments = tuple(path.split("."))
    if any(not segment or segment.isdigit() or segment.startswith("$") for segment in segments):
        return None
    values = part["$in"] if isinstance(part, dict) and list(part) == ["$in"] else [part]
    if not isinstance(values, list):
        return None
    tokens = [read_token(value) for value in values]
    if None in tokens:
        return None
    return Condition(segments, frozenset(token for token in tokens if token is not None))


def read_token(value: Any) -> Token | None:
    """Give the token of a scalar; None for everything that is not compared here."""
    if isinstance(value, Decimal128):
        value = value.to_decimal()
    kind = _KINDS.get(type(value))
    return None if kind is None or (kind == "number" and not math.isfinite(value)) else (kind, value)


def read_tokens(value: Any, path: tuple[str, ...]) -> tuple[set[Token], bool]:
    """Collect the scalars at a path, through lists of documents; True if a list was on the way."""
    found: set[Token] = set()
    return found, _collect(value, path, found)


def _collect(value: Any, path: tuple[str, ...], found: set[Token]) -> bool:
    current = value
    for position, segment in enumerate(path):
        if isinstance(current, list):
            for element in current:
                if isinstance(element, dict | DBRef):
                    _collect(element, path[position:], found)
            return True
        if isinstance(current, DBRef):  # what the driver makes of a document with $ref and $id
            current = current.as_doc()
        if not isinstance(current, dict) or segment not in current:
            found.add(_NULL)
            return False
        current = current[segment]
    for leaf in current if isinstance(current, list) else [current]:
        token = read_token(leaf)
        if token is not None:
            found.add(token)
    return False
