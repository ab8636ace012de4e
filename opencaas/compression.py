"""Compresses answers for those who ask for it: JSON and text, gzip or deflate, never small bodies and never media.

``ETag`` stays what it is, because clients compare it with the version of a document, not with bytes. An answer that
depends on ``Accept-Encoding`` says so in ``Vary``; a 304, which stands for one that may, does as well.
"""

import asyncio
import re
import zlib
from functools import lru_cache
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Compression", "choose_coding"]

_SMALLEST: Final = 500
"""Bytes from which on compressing is worth the trouble: less fits into one packet anyway."""

_THREAD_FROM: Final = 256 * 1024
"""Bytes from which on compressing would keep the event loop from others for too long; zlib works without the GIL."""

_WINDOW_BITS: Final = {"gzip": 31, "deflate": 15}
"""zlib's parameter for the container of each coding, in the order of preference."""

_TEXT: Final = re.compile(
    r"(?:application/(?:[\w.-]+\+)?(?:json|xml)|application/javascript|text/(?!event-stream)[\w.-]+|image/svg\+xml)\s*(?:;.*)?",
    re.IGNORECASE,
)


_DECIDED: Final = frozenset({b"accept-ranges", b"content-encoding", b"content-range"})
"""Headers of answers that are encoded already, or whose bytes are counted."""


class Compression:
    """ASGI middleware.

    Args:
        app: what answers, with whole bodies; what it streams in parts is passed on as it is.
        level: from 1 (fast) to 9 (small); 0 compresses nothing.
    """

    def __init__(self, app: ASGIApp, *, level: int) -> None:
        self._app = app
        self._level = level

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        if scope["type"] != "http" or not self._level:
            await self._app(scope, receive, send)
            return
        coding = None
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                coding = choose_coding(value.decode("latin-1"))
                break
        answer = _Answer(send, coding=coding, level=self._level, head=scope["method"] == "HEAD")
        await self._app(scope, receive, answer.send)


class _Answer:
    """Holds the head of an answer back until its body tells whether it is to be compressed."""

    def __init__(self, send: Send, *, coding: str | None, level: int, head: bool) -> None:
        self._send = send
        self._coding = coding
        self._level = level
        self._head = head
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 304:
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        elif message["type"] == "http.response.start" and _is_text(message):
            self._start = message
            return
        if self._start is not None and message["type"] == "http.response.body":
            start, self._start = self._start, None
            message = await self._encode(start, message)
            await self._send(start)
        await self._send(message)

    async def _encode(self, start: Message, message: Message) -> Message:
        body: bytes = message.get("body", b"")
        if message.get("more_body", False) or len(body) < _SMALLEST:
            return message
        headers = MutableHeaders(scope=start)
        headers.add_vary_header("Accept-Encoding")
        if self._coding is None:
            return message
        if len(body) >= _THREAD_FROM:
            encoded = await asyncio.to_thread(_compress, body, self._coding, self._level)
        else:
            encoded = _compress(body, self._coding, self._level)
        headers["Content-Encoding"] = self._coding
        headers["Content-Length"] = str(len(encoded))
        # The headers of HEAD are those of GET; the body itself is of no use to anybody.
        return {**message, "body": b"" if self._head else encoded}


@lru_cache(maxsize=256)
def choose_coding(accepted: str | None) -> str | None:
    """Choose how to compress by the header ``Accept-Encoding``; None for not at all."""
    if not accepted:
        return None
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[name] = next((_weight(text[2:]) for text in parameters if text.startswith("q=")), 1.0)
    # x-gzip is the old name of gzip; servers are to take the two for the same.
    best = {name: weights.get(name, weights.get(f"x-{name}", weights.get("*", 0.0))) for name in _WINDOW_BITS}
    chosen = max(best, key=best.__getitem__)
    return chosen if best[chosen] > 0 and best[chosen] >= weights.get("identity", 0.0) else None


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _is_text(start: Message) -> bool:
    content_type = b""
    for name, value in start["headers"]:
        if name in _DECIDED:
            return False
        if name == b"content-type":
            content_type = value
    return _is_text_type(content_type)


@lru_cache(maxsize=256)
def _is_text_type(content_type: bytes) -> bool:
    return _TEXT.fullmatch(content_type.decode("latin-1")) is not None


def _compress(body: bytes, coding: str, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, _WINDOW_BITS[coding])
    return packer.compress(body) + packer.flush()
