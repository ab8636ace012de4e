"""The body of a write: what kind of body is read, how much of it, and what it says."""

from typing import Final

from content_core.documents import Document, Json
from content_core.errors import BodyTooLargeError, RequestError, UnsupportedMediaTypeError
from content_core.extended_json import parse_json
from rest_compat.reply import HAL, JSON
from rest_compat.request import Request

__all__ = ["check_body_headers", "parse_body", "parse_object"]

_MEDIA_TYPES: Final = frozenset({"", JSON, HAL})


def check_body_headers(request: Request, *, max_bytes: int) -> None:
    """Check what the headers tell of the body, before a byte of it is read.

    Raises:
        UnsupportedMediaTypeError: it is no JSON, or compressed.
        BodyTooLargeError: it is announced to be over the limit.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise UnsupportedMediaTypeError(f"the body must be {JSON} or {HAL}")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaTypeError("a compressed body is not read")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and (len(length) > 18 or int(length) > max_bytes):
        raise BodyTooLargeError(f"the body is over the limit of {max_bytes} bytes")


def parse_body(raw: bytes) -> Json:
    """Read a JSON body; none at all is an empty object.

    Raises:
        RequestError: it is no JSON, with line and column.
    """
    return parse_json(raw) if raw.strip() else {}


def parse_object(body: Json) -> Document:
    """Take a body that must be an object.

    Raises:
        RequestError: it is something else.
    """
    if not isinstance(body, dict):
        raise RequestError("the body must be a JSON object")
    return body
