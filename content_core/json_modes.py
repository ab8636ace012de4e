"""The forms in which answers may write BSON types: the platform's own, and MongoDB's EXTENDED, RELAXED and STRICT."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, Literal, TypeAlias

from bson import Binary, Int64, Regex
from bson.datetime_ms import DatetimeMS

from content_core.documents import Json
from content_core.errors import RequestError
from content_core.extended_json import MAX_DEPTH, dumps, epoch_milliseconds, to_json

__all__ = ["JsonMode", "render", "write"]

JsonMode: TypeAlias = Literal["default", "EXTENDED", "RELAXED", "STRICT"]

_INT32: Final = range(-(2**31), 2**31)
_Writer: TypeAlias = Callable[[Any], Json]


def write(value: Any, mode: JsonMode = "default") -> bytes:
    """Write a BSON value as text.

    Raises:
        RequestError: the value is nested too deeply, or of a type that BSON does not have.
    """
    if mode != "STRICT":
        return dumps(value if mode == "default" else render(value, mode))
    # NaN and infinities are bare words in this form, which is no JSON then; only Python's own writer knows them.
    text = json.dumps(render(value, mode), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def render(value: Any, mode: JsonMode) -> Json:
    """Turn a BSON value into one that a JSON writer takes; in STRICT, NaN and infinities stay numbers.

    Raises:
        RequestError: the value is nested too deeply, or of a type that BSON does not have.
    """
    return to_json(value) if mode == "default" else _render(value, _WRITERS[mode], 0)


def _render(value: Any, writers: Mapping[type, _Writer], depth: int) -> Json:
    if value is None or isinstance(value, str | bool):
        return value
    if depth > MAX_DEPTH:
        raise RequestError(f"the value is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, Mapping):
        return {key: _render(item, writers, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_render(item, writers, depth + 1) for item in value]
    writer = next((writer for kind, writer in writers.items() if isinstance(value, kind)), to_json)
    return writer(value)


def _write_canonical_int(value: int) -> Json:
    return {"$numberInt" if _is_small(value) else "$numberLong": str(int(value))}


def _write_long(value: int) -> Json:
    return {"$numberLong": str(int(value))}


def _write_strict_int(value: int) -> Json:
    return value if _is_small(value) else _write_long(value)


def _is_small(value: int) -> bool:
    # The class first: whether a range holds an instance of a subclass is found out by counting.
    return not isinstance(value, Int64) and int(value) in _INT32


def _write_canonical_double(value: float) -> Json:
    return {"$numberDouble": repr(float(value))} if isfinite(value) else to_json(value)


def _write_canonical_date(value: datetime | DatetimeMS) -> Json:
    return {"$date": _write_long(epoch_milliseconds(value))}


def _write_relaxed_date(value: datetime | DatetimeMS) -> Json:
    """Write ISO 8601 with as many digits of the second as it takes, for years 1970 to 9999."""
    milliseconds = epoch_milliseconds(value)
    if isinstance(value, DatetimeMS) or milliseconds < 0:
        return _write_canonical_date(value)
    text = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{milliseconds % 1000:03d}".rstrip("0").rstrip(".")
    return {"$date": f"{text}{fraction}Z"}


def _write_strict_binary(value: bytes) -> Json:
    subtype = value.subtype if isinstance(value, Binary) else 0
    return {"$binary": base64.b64encode(value).decode(), "$type": f"{subtype:02x}"}


def _write_strict_regex(value: "Regex[Any] | re.Pattern[Any]") -> Json:
    parts = to_json(value)["$regularExpression"]
    return {"$regex": parts["pattern"], "$options": parts["options"]}


_WRITERS: Final[Mapping[JsonMode, Mapping[type, _Writer]]] = {
    "EXTENDED": {
        int: _write_canonical_int,
        float: _write_canonical_double,
        datetime: _write_canonical_date,
        DatetimeMS: _write_canonical_date,
    },
    "RELAXED": {datetime: _write_relaxed_date, DatetimeMS: _write_relaxed_date},
    "STRICT": {
        int: _write_strict_int,
        float: float,
        bytes: _write_strict_binary,
        Regex: _write_strict_regex,
        re.Pattern: _write_strict_regex,
    },
}
"""What each mode writes in a way of its own."""
