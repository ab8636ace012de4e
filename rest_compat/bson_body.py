"""The body of a write as BSON values: read leniently, Extended JSON applied."""

from typing import Any

from content_core.documents import Document
from content_core.errors import RequestError
from content_core.relaxed_json import parse_relaxed
from rest_compat.call import Call

__all__ = ["read_bson", "read_bson_object"]


async def read_bson(call: Call) -> Any:
    """Read the body; none at all is an empty object.

    Raises:
        RequestError: it is not encoded as UTF-8, or is no JSON, with line and column.
    """
    try:
        text = (await call.read_body()).decode()
    except UnicodeDecodeError as error:
        raise RequestError("the body is not encoded as UTF-8") from error
    return parse_relaxed(text) if text.strip() else {}


async def read_bson_object(call: Call) -> Document:
    """Read a body that must be an object.

    Raises:
        RequestError: it is something else, or cannot be read.
    """
    value = await read_bson(call)
    if not isinstance(value, dict):
        raise RequestError("the body must be a JSON object")
    return value
