"""BSON values as JSON and back: MongoDB Extended JSON in the dialect of the CaaS platform.

Output is relaxed Extended JSON with one exception: dates are numbers, ``{"$date": 1568295769260}``. Input knows the
canonical, the relaxed and the old forms.
"""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite, isnan
from typing import Any, Final

import orjson
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

from content_core.documents import Json
from content_core.errors import RequestError

__all__ = ["MAX_DEPTH", "dumps", "epoch_milliseconds", "from_epoch_milliseconds", "from_json", "parse_json", "to_json"]

MAX_DEPTH: Final = 200
"""Deepest nesting that is read or written; MongoDB itself stops at 100 levels."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)
_REGEX_FLAGS: Final = (
    (re.IGNORECASE, "i"),
    (re.LOCALE, "l"),
    (re.MULTILINE, "m"),
    (re.DOTALL, "s"),
    (re.UNICODE, "u"),
    (re.VERBOSE, "x"),
)
_FLAG_OF_OPTION: Final = {option: flag for flag, option in _REGEX_FLAGS}
_WIRE: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_LONG_DIGITS: Final = re.compile(rb"[0-9]{19}")
_TOO_DEEP: Final = f"the value is nested more than {MAX_DEPTH} levels deep"


# --- dates ---------------------------------------------------------------------------------------------------------


def epoch_milliseconds(value: datetime | DatetimeMS) -> int:
    """Give a date as MongoDB stores it; a date without a zone counts as UTC."""
    if isinstance(value, DatetimeMS):
        return int(value)
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND


def from_epoch_milliseconds(milliseconds: int) -> datetime | DatetimeMS:
    """Give the date in UTC; years that Python's calendar lacks stay as plain milliseconds in ``DatetimeMS``."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return DatetimeMS(milliseconds)


# --- BSON to JSON --------------------------------------------------------------------------------------------------


def to_json(value: Any) -> Json:
    """Turn a BSON value into one that any JSON writer takes.

    Containers that hold nothing to turn are given back as they are, not copied.

    Raises:
        RequestError: the value is nested too deeply, or of a type that BSON does not have.
    """
    return _to_json(value, 0)


def dumps(value: Any) -> bytes:
    """Write a BSON value as JSON text; plain documents go straight through ``orjson``.

    Raises:
        RequestError: the value is nested too deeply, or of a type that BSON does not have.
    """
    try:
        text = orjson.dumps(value, _wire_default, _WIRE)
        # orjson writes NaN and Infinity as null; a text without null cannot hold any.
        return orjson.dumps(to_json(value), _wire_default, _WIRE) if b"null" in text and _has_nan(value) else text
    except orjson.JSONEncodeError as error:
        raise RequestError(f"the value cannot be written as JSON: {error}") from error


def _to_json(value: Any, depth: int) -> Json:
    kind = type(value)
    if kind is str or value is None or kind is bool or kind is int:
        return value
    if kind is float:
        return value if isfinite(value) else _write_special_double(value)
    if depth > MAX_DEPTH:
        raise RequestError(_TOO_DEEP)
    if kind is dict:
        return _dict_to_json(value, depth)
    if kind is list:
        items = [_to_json(item, depth + 1) for item in value]
        return value if all(map(_same, value, items)) else items
    return _to_json(_wire_default(value), depth + 1)


def _dict_to_json(value: dict[str, Any], depth: int) -> dict[str, Json]:
    changed = {}
    for key, item in value.items():
        if (written := _to_json(item, depth + 1)) is not item:
            changed[key] = written
    return value | changed if changed else value


def _same(left: Any, right: Any) -> bool:
    return left is right


def _has_nan(value: Any) -> bool:
    pending = [value]
    for current in pending:  # grows while it is read
        for item in _children(current):
            kind = type(item)
            if kind is str or item is None or kind is bool or kind is int:
                continue
            if isinstance(item, float):
                if not isfinite(item):
                    return True
            else:
                pending.append(item)
    return isinstance(value, float) and not isfinite(value)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, Code):
        return (value.scope,)
    return value.values() if isinstance(value, Mapping) else ()


def _wire_default(value: Any) -> Json:
    """Turn one value that is no plain JSON type; what it gives may hold further ones."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        writer = next((found for kind, found in _WRITERS.items() if isinstance(value, kind)), None)
    if writer is None:
        raise RequestError(f"a value of type {type(value).__name__} has no form in JSON")
    return writer(value)


def _write_special_double(value: float) -> Json:
    name = "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return {"$numberDouble": name}


def _write_float(value: float) -> Json:
    return float(value) if isfinite(value) else _write_special_double(value)


def _write_binary(value: bytes) -> Json:
    subtype = value.subtype if isinstance(value, Binary) else 0
    return {"$binary": {"base64": base64.b64encode(value).decode(), "subType": f"{subtype:02x}"}}


def _write_regex(value: "Regex[Any] | re.Pattern[Any]") -> Json:
    pattern = value.pattern.decode() if isinstance(value.pattern, bytes) else value.pattern
    flags = value.flags
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        flags &= ~re.UNICODE  # Python sets it on every text pattern; MongoDB's "u" means something of its own
    return {
        "$regularExpression": {
            "pattern": pattern,
            "options": "".join(option for flag, option in _REGEX_FLAGS if flags & flag),
        }
    }


def _write_code(value: Code) -> Json:
    return {"$code": str(value)} if value.scope is None else {"$code": str(value), "$scope": value.scope}


_WRITERS: Final[Mapping[type, Callable[[Any], Json]]] = {
    ObjectId: lambda value: {"$oid": str(value)},
    datetime: lambda value: {"$date": epoch_milliseconds(value)},
    DatetimeMS: lambda value: {"$date": int(value)},
    Int64: int,
    Decimal128: lambda value: {"$numberDecimal": str(value)},
    Binary: _write_binary,
    bytes: _write_binary,
    Regex: _write_regex,
    re.Pattern: _write_regex,
    Timestamp: lambda value: {"$timestamp": {"t": value.time, "i": value.inc}},
    MinKey: lambda _: {"$minKey": 1},
    MaxKey: lambda _: {"$maxKey": 1},
    Code: _write_code,
    DBRef: lambda value: value.as_doc(),
    Mapping: dict,
    tuple: list,
    list: list,
    str: str.__str__,
    float: _write_float,
    int: int,
}
"""How a value that is no plain JSON type is written; subclasses go by the first class that fits."""


# --- JSON to BSON --------------------------------------------------------------------------------------------------


def parse_json(text: bytes | str) -> Json:
    """Read strict JSON text.

    Raises:
        RequestError: with line and column; also for integers that need more than 64 bits and for deep nesting.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        message = f"not valid JSON, line {error.lineno} column {error.colno}: {error.msg}"
        raise RequestError(message, details=place) from error
    if _LONG_DIGITS.search(raw):
        _refuse_long_integers(raw)
    return value


def from_json(value: Json) -> Any:
    """Turn Extended JSON inside parsed JSON into BSON values.

    Query operators and values that are BSON already pass untouched. The old pair ``{"$regex": …, "$options": …}``
    becomes a regular expression, except directly below ``$elemMatch``, where MongoDB wants an object.

    Raises:
        RequestError: malformed Extended JSON, with its path; also an integer beyond 64 bits and deep nesting.
    """
    return _from_json(value, "", 0)


def _refuse_long_integers(raw: bytes) -> None:
    """Read once more with Python's reader, because ``orjson`` turns long integers into doubles without a word."""
    try:
        json.loads(raw, parse_int=_parse_int64)
    except RecursionError as error:
        raise RequestError(_TOO_DEEP) from error


def _parse_int64(digits: str) -> int:
    if len(digits) > len("-9223372036854775808") or int(digits) not in _INT64:
        raise RequestError(f"the integer {digits[:40]} does not fit into 64 bits")
    return int(digits)


def _from_json(value: Json, path: str, depth: int) -> Any:
    if isinstance(value, dict):
        if depth > MAX_DEPTH:
            raise RequestError(_TOO_DEEP)
        for key in value:
            if key in _READERS:
                return _READERS[key](value, path)
        if len(value) == 2 and _is_old_regex(value) and not path.endswith("$elemMatch"):
            return _make_regex(value["$regex"], value["$options"], path)
        return {key: _from_json(item, f"{path}.{key}" if path else key, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        if depth > MAX_DEPTH:
            raise RequestError(_TOO_DEEP)
        return [_from_json(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if type(value) is int and value not in _INT64:
        raise _malformed(path, "the integer does not fit into 64 bits")
    return value


def _malformed(path: str, reason: str) -> RequestError:
    place = path or "the value"
    return RequestError(f"malformed extended JSON at {place}: {reason}", details={"path": path})


def _is_old_regex(value: Mapping[str, Json]) -> bool:
    return isinstance(value.get("$regex"), str) and isinstance(value.get("$options"), str)


def _only(value: Mapping[str, Json], key: str, path: str, kind: type | tuple[type, ...]) -> Any:
    """Give the one member of a wrapper object, if it is the only one and of the right type."""
    inner = value[key]
    if len(value) != 1:
        raise _malformed(path, f"{key} stands alone in its object")
    if not isinstance(inner, kind) or (isinstance(inner, bool) and kind is not bool):
        raise _malformed(path, f"{key} has a value of the wrong type")
    return inner


def _read_oid(value: Mapping[str, Json], path: str) -> ObjectId:
    text = _only(value, "$oid", path, str)
    if not re.fullmatch(r"[0-9a-fA-F]{24}", text):
        raise _malformed(path, "$oid takes 24 hexadecimal digits")
    return ObjectId(text)


def _read_date(value: Mapping[str, Json], path: str) -> datetime | DatetimeMS:
    inner = _only(value, "$date", path, (str, int, float, dict))
    if isinstance(inner, dict):
        inner = int(_read_long(inner, path)) if set(inner) == {"$numberLong"} else None
    if isinstance(inner, str):
        return _read_iso_date(inner, path)
    if isinstance(inner, float) and inner.is_integer():
        inner = int(inner)
    # A plain int: a range finds out by counting whether it holds an instance of a subclass.
    if not isinstance(inner, int) or int(inner) not in _INT64:
        raise _malformed(path, "$date takes milliseconds since 1970 or an ISO 8601 date")
    return from_epoch_milliseconds(inner)


def _read_iso_date(text: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise _malformed(path, f"$date: '{text[:40]}' is no ISO 8601 date") from error


def _read_integer(value: Mapping[str, Json], key: str, path: str, allowed: range) -> int:
    inner = _only(value, key, path, (str, int))
    text = str(inner)
    if len(text) > 20 or not re.fullmatch(r"[+-]?[0-9]+", text) or int(text) not in allowed:
        raise _malformed(path, f"{key} takes an integer that fits")
    return int(text)


def _read_int(value: Mapping[str, Json], path: str) -> int:
    return _read_integer(value, "$numberInt", path, _INT32)


def _read_long(value: Mapping[str, Json], path: str) -> Int64:
    return Int64(_read_integer(value, "$numberLong", path, _INT64))


def _read_double(value: Mapping[str, Json], path: str) -> float:
    inner = _only(value, "$numberDouble", path, (str, int, float))
    try:
        return float(inner)
    except (ValueError, OverflowError) as error:
        raise _malformed(path, "$numberDouble takes a number") from error


def _read_decimal(value: Mapping[str, Json], path: str) -> Decimal128:
    inner = _only(value, "$numberDecimal", path, (str, int, float))
    try:
        return Decimal128(str(inner))
    except (ValueError, ArithmeticError) as error:
        raise _malformed(path, "$numberDecimal takes a number of at most 34 digits") from error


def _read_binary(value: Mapping[str, Json], path: str) -> Any:
    inner = value["$binary"]
    if isinstance(inner, dict) and set(inner) == {"base64", "subType"} and len(value) == 1:
        return _make_binary(inner["base64"], inner["subType"], path)
    if isinstance(inner, str) and set(value) == {"$binary", "$type"}:
        return _make_binary(inner, value["$type"], path)
    raise _malformed(path, '$binary takes {"base64": …, "subType": …}')


def _make_binary(text: Json, subtype: Json, path: str) -> Any:
    try:
        data = base64.b64decode(text, validate=True)
        number = int(subtype, 16) if isinstance(subtype, str) else int(subtype)
        return Binary(data, number)
    except (TypeError, ValueError, binascii.Error) as error:
        raise _malformed(path, "$binary takes Base64 text and a hexadecimal sub type below 100") from error


def _read_uuid(value: Mapping[str, Json], path: str) -> Binary:
    text = _only(value, "$uuid", path, str)
    try:
        return Binary.from_uuid(uuid.UUID(text))
    except ValueError as error:
        raise _malformed(path, "$uuid takes a UUID") from error


def _read_regular_expression(value: Mapping[str, Json], path: str) -> "Regex[str]":
    inner = _only(value, "$regularExpression", path, dict)
    if set(inner) - {"options"} != {"pattern"}:
        raise _malformed(path, '$regularExpression takes {"pattern": …, "options": …}')
    return _make_regex(inner["pattern"], inner.get("options", ""), path)


def _make_regex(pattern: Json, options: Json, path: str) -> "Regex[str]":
    if not isinstance(pattern, str) or not isinstance(options, str) or "\0" in pattern:
        raise _malformed(path, "a regular expression is two strings without NUL")
    if unknown := set(options) - set(_FLAG_OF_OPTION):
        raise _malformed(path, f"unknown regular expression options {''.join(sorted(unknown))}")
    flags = 0
    for option in options:
        flags |= _FLAG_OF_OPTION[option]
    return Regex(pattern, flags)


def _read_timestamp(value: Mapping[str, Json], path: str) -> Timestamp:
    inner = _only(value, "$timestamp", path, dict)
    parts = (inner.get("t"), inner.get("i"))
    if set(inner) != {"t", "i"} or not all(type(part) is int and 0 <= part < 2**32 for part in parts):
        raise _malformed(path, '$timestamp takes {"t": …, "i": …} with integers of 32 bits')
    return Timestamp(*parts)


def _read_code(value: Mapping[str, Json], path: str) -> Code:
    text, scope = value["$code"], value.get("$scope")
    if set(value) - {"$scope"} != {"$code"} or not isinstance(text, str) or not isinstance(scope, dict | None):
        raise _malformed(path, "$code takes a string and an optional $scope")
    return Code(text, _from_json(scope, f"{path}.$scope", 1))


def _read_min_key(value: Mapping[str, Json], path: str) -> MinKey:
    _only(value, "$minKey", path, (int, float))
    return MinKey()


def _read_max_key(value: Mapping[str, Json], path: str) -> MaxKey:
    _only(value, "$maxKey", path, (int, float))
    return MaxKey()


def _read_undefined(value: Mapping[str, Json], path: str) -> None:
    _only(value, "$undefined", path, bool)


_READERS: Final[Mapping[str, Callable[[Mapping[str, Json], str], Any]]] = {
    "$oid": _read_oid,
    "$date": _read_date,
    "$numberInt": _read_int,
    "$numberLong": _read_long,
    "$numberDouble": _read_double,
    "$numberDecimal": _read_decimal,
    "$binary": _read_binary,
    "$uuid": _read_uuid,
    "$regularExpression": _read_regular_expression,
    "$timestamp": _read_timestamp,
    "$code": _read_code,
    "$minKey": _read_min_key,
    "$maxKey": _read_max_key,
    "$undefined": _read_undefined,
}
