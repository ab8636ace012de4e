"""The names that BSON types have in error texts."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

__all__ = ["class_name", "type_name"]

_NAMES: Final[tuple[tuple[type | tuple[type, ...], str, str], ...]] = (
    (bool, "BOOLEAN", "BsonBoolean"),
    (Int64, "INT64", "BsonInt64"),
    (int, "INT32", "BsonInt32"),
    (float, "DOUBLE", "BsonDouble"),
    (Code, "JAVASCRIPT", "BsonJavaScript"),
    (str, "STRING", "BsonString"),
    ((DBRef, Mapping), "DOCUMENT", "BsonDocument"),
    ((list, tuple), "ARRAY", "BsonArray"),
    (ObjectId, "OBJECT_ID", "BsonObjectId"),
    ((datetime, DatetimeMS), "DATE_TIME", "BsonDateTime"),
    (Decimal128, "DECIMAL128", "BsonDecimal128"),
    ((Regex, re.Pattern), "REGULAR_EXPRESSION", "BsonRegularExpression"),
    (Timestamp, "TIMESTAMP", "BsonTimestamp"),
    ((Binary, bytes), "BINARY", "BsonBinary"),
    (MinKey, "MIN_KEY", "BsonMinKey"),
    (MaxKey, "MAX_KEY", "BsonMaxKey"),
)
_INT32: Final = range(-(2**31), 2**31)


def type_name(value: Any) -> str:
    """Name the BSON type as definitions' errors do, ``INT32``."""
    return _find(value)[0]


def class_name(value: Any) -> str:
    """Name the BSON type as serialisation errors do, ``BsonInt32``."""
    return _find(value)[1]


def _find(value: Any) -> tuple[str, str]:
    if value is None:
        return "NULL", "BsonNull"
    if type(value) is int and value not in _INT32:
        return "INT64", "BsonInt64"
    for kind, name, long_name in _NAMES:
        if isinstance(value, kind):
            return name, long_name
    return type(value).__name__, type(value).__name__
