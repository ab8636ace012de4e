"""One equality for BSON values: sensitive to types, but numbers compare by value across their types.

Every value has a canonical form, hashable, such that two values are equal exactly if their forms are. That gives
enums and type predicates the same notion of equality, and dictionaries to look it up in.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from bson import Binary, Code, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

from content_core.extended_json import epoch_milliseconds

__all__ = ["canonical", "equal_values"]

_NAN: Final = ("number", "NaN")


def equal_values(left: Any, right: Any) -> bool:
    """Compare two BSON values; the order of keys in documents does not matter."""
    return canonical(left) == canonical(right)


def canonical(value: Any) -> Hashable:
    """Give a value's canonical form; a string is its own."""
    kind = type(value)
    if kind is str:
        return str(value)
    if value is None:
        return ("null",)
    if kind is bool:
        return ("bool", value)
    for known, write in _WRITERS:
        if isinstance(value, known):
            return write(value)
    return (kind.__name__, repr(value))


def _number(value: float | Decimal) -> Hashable:
    return ("number", value) if value == value else _NAN  # noqa: PLR0124 - only NaN differs from itself


def _decimal(value: Decimal128) -> Hashable:
    number = value.to_decimal()
    return _NAN if number.is_nan() else ("number", number)


def _document(value: Mapping[str, Any]) -> Hashable:
    return ("document", frozenset((key, canonical(item)) for key, item in value.items()))


def _binary(value: bytes) -> Hashable:
    return ("binary", value.subtype if isinstance(value, Binary) else 0, bytes(value))


def _pattern(value: "re.Pattern[Any]") -> Hashable:
    native = Regex.from_native(value)
    return ("regex", native.pattern, native.flags & ~re.UNICODE)


_WRITERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], Hashable]], ...]] = (
    ((int, float), _number),
    (Decimal128, _decimal),
    (Code, lambda value: ("code", str(value), canonical(value.scope))),
    (str, str.__str__),
    (DBRef, lambda value: _document(value.as_doc())),
    (Mapping, _document),
    ((list, tuple), lambda value: ("array", tuple(canonical(item) for item in value))),
    (ObjectId, lambda value: ("objectId", value.binary)),
    ((datetime, DatetimeMS), lambda value: ("date", epoch_milliseconds(value))),
    ((Binary, bytes), _binary),
    (Regex, lambda value: ("regex", value.pattern, value.flags & ~re.UNICODE)),
    (re.Pattern, _pattern),
    (Timestamp, lambda value: ("timestamp", value.time, value.inc)),
    (MinKey, lambda _: ("minKey",)),
    (MaxKey, lambda _: ("maxKey",)),
)
