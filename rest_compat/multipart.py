"""A multipart body taken apart as it arrives: what each part is, then its bytes; nothing of it is kept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from typing import Final, TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from content_core.errors import BodyTooLargeError, RequestError, UnsupportedMediaTypeError, UploadStalledError
from rest_compat.request import Request

__all__ = ["MULTIPART", "Part", "PartEvent", "is_multipart", "read_parts"]

MULTIPART: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of a part.

    Args:
        name: what the form calls it.
        filename: the name of the file that it was made of, if it was.
        content_type: what it is said to be, empty for nothing.
    """

    name: str
    filename: str | None
    content_type: str


PartEvent: TypeAlias = Part | bytes | None
"""The beginning of a part, some of its bytes, or its end."""


def is_multipart(request: Request) -> bool:
    """Say whether the body of a request has parts."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == MULTIPART


async def read_parts(
    request: Request, pieces: AsyncIterator[bytes], *, max_bytes: int, max_parts: int, idle_seconds: float
) -> AsyncIterator[PartEvent]:
    """Read a body.

    Args:
        request: its headers.
        pieces: the body as it arrives.
        max_bytes: the largest body, parts and what is between them.
        max_parts: how many parts at most.
        idle_seconds: how long nothing may come.

    Raises:
        UnsupportedMediaTypeError: it has no parts, or is compressed.
        BodyTooLargeError: it is, or is announced to be, over the limit.
        UploadStalledError: nothing comes any more.
        RequestError: it is not what the headers say, or ends in the middle.
    """
    parser = _Parser(_boundary(request, max_bytes), max_parts)
    size = 0
    while True:
        try:
            async with asyncio.timeout(idle_seconds):
                piece = await anext(pieces, None)
        except TimeoutError as error:
            raise UploadStalledError(f"nothing of the body came for {idle_seconds:g} seconds") from error
        if piece is None:
            break
        size += len(piece)
        if size > max_bytes:
            raise BodyTooLargeError(f"the body is over the limit of {max_bytes} bytes")
        for event in parser.feed(piece):
            yield event
    parser.finish()


def _boundary(request: Request, max_bytes: int) -> bytes:
    if not is_multipart(request):
        raise UnsupportedMediaTypeError(f"the body must be {MULTIPART}")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaTypeError("a compressed body is not read")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and (len(length) > 18 or int(length) > max_bytes):
        raise BodyTooLargeError(f"the body is over the limit of {max_bytes} bytes")
    boundary = parse_options_header(request.headers["content-type"])[1].get(b"boundary", b"")
    if not boundary:
        raise RequestError(f"the header Content-Type names no boundary between the parts of {MULTIPART}")
    return boundary


class _Parser:
    """Turns the callbacks of the library's parser into a list of events."""

    def __init__(self, boundary: bytes, max_parts: int) -> None:
        self._events: list[PartEvent] = []
        self._headers: dict[str, bytes] = {}
        self._name = b""
        self._value = b""
        self._left = max_parts
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._on_name,
                    "on_header_value": self._on_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                    "on_part_end": lambda: self._events.append(None),
                },
            )
        except FormParserError as error:
            raise RequestError(f"the boundary cannot be one: {error}") from error

    def feed(self, piece: bytes) -> list[PartEvent]:
        """Take some of the body."""
        self._events = []
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise RequestError(f"the body is no {MULTIPART}: {error}") from error
        return self._events

    def finish(self) -> None:
        """Make sure that nothing is missing."""
        if self._parser.state is not MultipartState.END:
            raise RequestError(f"the body is no whole {MULTIPART}: it ends before its last boundary")

    def _begin(self) -> None:
        self._headers = {}
        self._left -= 1
        if self._left < 0:
            raise RequestError("the body has too many parts")

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def _end_headers(self) -> None:
        disposition = self._headers.get("content-disposition", b"")
        options = parse_options_header(disposition.decode("latin-1"))[1]
        if b"name" not in options and b"filename" not in options:
            raise RequestError("a part of the body has no name: the header Content-Disposition is missing or broken")
        filename = options.get(b"filename")
        self._events.append(
            Part(
                name=_text(options.get(b"name", b"")),
                filename=_text(filename) if filename is not None else _extended_filename(disposition),
                content_type=_text(self._headers.get("content-type", b"")),
            )
        )


def _text(raw: bytes) -> str:
    """Read what is UTF-8 with all clients of today, and was Latin-1 with those of yore."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _extended_filename(disposition: bytes) -> str | None:
    """Read ``filename*=UTF-8''…``, which has no place in forms, but which some clients send alone."""
    if b"filename*" not in disposition.lower():
        return None
    message = Message()
    message["content-disposition"] = disposition.decode("latin-1")
    return message.get_filename()
