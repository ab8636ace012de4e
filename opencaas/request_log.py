"""One line per request: an id, what was asked, how it ended, how long it took. Never a key, a token or a body."""

import time
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from content_core.names import APIKEYS

__all__ = ["RequestLog"]

_log = structlog.stdlib.get_logger("opencaas.request")


class RequestLog:
    """ASGI middleware that logs each HTTP request once, after its answer.

    The query string is left out (it may hold a token), and so is what follows ``apikeys`` in a path (the id of a key
    is the key).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, size = 500, 0

        async def observe(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body" and scope["method"] != "HEAD":  # the server drops that one
                size += len(message.get("body", b""))
            await send(message)

        started = time.perf_counter()
        structlog.contextvars.bind_contextvars(request=uuid.uuid4().hex[:12])
        try:
            await self._app(scope, receive, observe)
        finally:
            _log.info(
                "request",
                method=scope["method"],
                path=loggable_path(scope["path"]),
                status=status,
                bytes=size,
                ms=round((time.perf_counter() - started) * 1000, 2),
            )
            structlog.contextvars.clear_contextvars()


def loggable_path(path: str) -> str:
    """Cut a path after ``apikeys``: what follows is a secret."""
    segments = path.split("/")
    if APIKEYS in segments:
        place = segments.index(APIKEYS)
        segments[place + 1 :] = ["…"] if len(segments) > place + 1 else []
    return "/".join(segments)
