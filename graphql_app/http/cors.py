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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or add the headers to the answer of the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
        headers = cors_headers(origin, self._allowed, exposed="")
        added = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items() if name != "Vary"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
                if "Vary" in headers:
                    MutableHeaders(scope=message).add_vary_header(headers["Vary"])
            await send(message)

        if scope["method"] == "OPTIONS":
            preflight = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": _ALLOWED_HEADERS}
            await Response(headers=preflight)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)
