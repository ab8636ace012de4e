"""The body of a write as BSON values: read leniently, Extended JSON applied.

Arrays may be large, and everything done per value shows. So an array that is strict JSON is asked, as text, what it
holds that needs more work; most hold nothing of the kind.
"""

import gc
import re
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final

import orjson

from content_core.documents import Document, Json
from content_core.errors import RequestError
from content_core.extended_json import from_json
from content_core.relaxed_json import parse_relaxed
from rest_compat.call import Call

__all__ = ["BsonBody", "read_bson", "read_bson_object"]

_SIGNS: Final = b'".:$\\'
_NO_SIGNS: Final = bytes(set(range(256)) - set(_SIGNS))
_DOTTED_NAME: Final = re.compile(rb'\.(?:\\"|[.:$\\])*":')
"""A name with a dot, in text that is nothing but signs; now and then it takes something else for one."""

_DIGITS_AS_ZEROS: Final = bytes(48 if chr(code) in "0123456789" else 0 for code in range(256))
_LONG: Final = b"0" * 19
_ESCAPED_SIGN: Final = b"\\u002"
"""How the escapes of a dollar and of a dot begin."""

_LARGE: Final = 2**18
"""Bytes from which on an array keeps the collector of garbage busy."""

_COLLECT_EVERY: Final = 100
_collection_due: Final = cycle((*[False] * (_COLLECT_EVERY - 1), True))


@dataclass(frozen=True, slots=True)
class BsonBody:
    """A body, read.

    Args:
        value: what it says.
        dotted: False if certainly no name in it has a dot.
    """

    value: Any
    dotted: bool = True


async def read_bson(call: Call) -> BsonBody:
    """Read the body; none at all is an empty object.

    Raises:
        RequestError: it is not encoded as UTF-8, or is no JSON, with line and column.
    """
    raw = (await call.read_body()).strip()
    if not raw:
        return BsonBody({}, dotted=False)
    return (_read_array(raw) if raw.startswith(b"[") else None) or _read_lenient(raw)


async def read_bson_object(call: Call) -> Document:
    """Read a body that must be an object.

    Raises:
        RequestError: it is something else, or cannot be read.
    """
    value = (await read_bson(call)).value
    if not isinstance(value, dict):
        raise RequestError("the body must be a JSON object")
    return value


def _read_lenient(raw: bytes) -> BsonBody:
    try:
        return BsonBody(parse_relaxed(raw.decode()))
    except UnicodeDecodeError as error:
        raise RequestError("the body is not encoded as UTF-8") from error


def _read_array(raw: bytes) -> BsonBody | None:
    """Read an array of strict JSON; None for one that only the lenient reader can read, or refuse with its place."""
    if _LONG in raw.translate(_DIGITS_AS_ZEROS):
        return None  # an integer that may not fit, which orjson would turn into a double
    try:
        value = _load(raw)
    except orjson.JSONDecodeError:
        return None
    signs = raw.translate(None, _NO_SIGNS)
    escaped = b"\\" in signs and _ESCAPED_SIGN in raw
    extended = escaped or (b"$" in signs and b'"$' in signs and b'"$' in raw)
    dotted = escaped or _DOTTED_NAME.search(signs) is not None
    return BsonBody(from_json(value) if extended else value, dotted=dotted)


def _load(raw: bytes) -> Json:
    """Read strict JSON.

    A large text becomes ten thousands of new objects, which would set off the collector of garbage again and again
    until the answer is out, for nothing: they hold no cycles. So they count as old ones at once. This resets what the
    collector counts, so it is run now and then.
    """
    if len(raw) < _LARGE:
        return orjson.loads(raw)
    if next(_collection_due):
        gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        return orjson.loads(raw)
    finally:
        gc.freeze()
        gc.unfreeze()
        if enabled:
            gc.enable()
