"""Stored values as scalars of a response: which BSON types fit which scalar, and what JSON they become."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final, TypeAlias

from bson import Code, DBRef, Decimal128, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

from content_core.documents import Json
from content_core.errors import RequestError
from content_core.extended_json import to_json
from graphql_app.schema.bson_types import class_name
from graphql_app.schema.errors import SerializationError

__all__ = ["OUTPUT", "Serializer"]

Serializer: TypeAlias = Callable[[Any], Json]

_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)


def _string(value: Any) -> str:
    if isinstance(value, str) and not isinstance(value, Code):
        return value
    raise _mismatch("types 'String' or 'BsonString'", value)


def _int(value: Any) -> int:
    number = _integral(value)
    if number is None or number not in _INT32:
        raise _mismatch("types 'Integer' or 'BsonInt32'", value)
    return number


def _long(value: Any) -> int:
    number = _integral(value)
    if number is None or number not in _INT64:
        raise _mismatch("types 'Long' or 'BsonInt64'", value)
    return number


def _float(value: Any) -> float:
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal128):
        raise _mismatch("types 'Double' or 'BsonDouble'", value)
    if not isfinite(number):
        raise SerializationError(f"{number} is not a JSON number.")
    return float(number)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _mismatch("types 'Boolean' or 'BsonBoolean'", value)


def _id(value: Any) -> str:
    if isinstance(value, str | int | float | ObjectId | Decimal128) and not isinstance(value, bool | Code):
        return str(value)
    raise _mismatch("types 'String', 'Number' or 'ObjectId'", value)


def _integral(value: Any) -> int | None:
    """Give the integer that a number of any type is, if it is one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value)
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    if isinstance(value, float | Decimal128) and isfinite(number) and abs(number) < 2**64 and number == int(number):
        return int(number)
    return None


def _extended(expected: str, *kinds: type) -> Serializer:
    """Serialise values of some BSON types as Extended JSON and refuse all others."""

    def serialize(value: Any) -> Json:
        if isinstance(value, kinds):
            return _to_json(value)
        raise _mismatch(f"type '{expected}'", value)

    return serialize


def _to_json(value: Any) -> Json:
    try:
        return to_json(value)
    except RequestError as error:
        raise SerializationError(error.message) from error


def _mismatch(expected: str, value: Any) -> SerializationError:
    return SerializationError(f"Expected {expected} but was '{class_name(value)}'.")


OUTPUT: Final[Mapping[str, Serializer]] = {
    "String": _string,
    "Int": _int,
    "Float": _float,
    "Boolean": _boolean,
    "ID": _id,
    "Long": _long,
    "Decimal128": _extended("Decimal128", Decimal128),
    "ObjectId": _extended("ObjectId", ObjectId),
    "DateTime": _extended("BsonDateTime", datetime, DatetimeMS),
    "Timestamp": _extended("BsonTimestamp", Timestamp),
    "Regex": _extended("BsonRegularExpression", Regex, re.Pattern),
    "BsonDocument": _extended("BsonDocument", Mapping, DBRef),
    "JSON": _to_json,
}
"""How a stored value that is not null becomes a value of each scalar.

Each raises SerializationError for a stored value that does not fit.
"""
