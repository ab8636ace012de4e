"""Cross-origin headers on every response, errors included; preflights are answered here, for any path."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from content_core.cors import cors_headers

__all__ = ["CrossOrigin"]

_ALLOWED_HEADERS = "Authorization, Content-Type, X-Requested-With, No-Auth-Challenge"


class CrossOrigin:
    """ASGI middleware.

    Args:
        app: what answers.
        allowed_origins: origins that may send credentials; all others get answers without.
    """

    def __init__(self, app: ASGIApp, *, allowed_origins: Sequence[str] = ()) -> None:
        self._app = app
        self._allowed = tuple(allowed_origins)
        self._without_origin = self._headers(None)  # what nearly all answers get

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or add the headers to the answer of the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added, vary = self._without_origin
        for name, value in scope["headers"]:
            if name == b"origin":
                added, vary = self._headers(value.decode("latin-1"))
                break

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
                if vary is not None:
                    MutableHeaders(scope=message).add_vary_header(vary)
            await send(message)

        if scope["method"] == "OPTIONS":
            preflight = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": _ALLOWED_HEADERS}
            await Response(headers=preflight)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _headers(self, origin: str | None) -> tuple[list[tuple[bytes, bytes]], str | None]:
        """Give the headers for an origin, and apart from them what ``Vary`` has to name."""
        headers = cors_headers(origin, self._allowed, exposed="")
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items() if name != "Vary"]
        return raw, headers.get("Vary")
