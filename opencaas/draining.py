"""While the server drains, every answer ends its connection: clients and balancers open their next one elsewhere."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Draining"]


class Draining:
    """ASGI middleware that adds ``Connection: close`` (RFC 9112, 9.6) while the server is about to stop.

    Without it a connection that is kept alive would bring requests until the moment in which it is cut.

    Args:
        app: what answers.
        draining: says whether the server is about to stop.
    """

    def __init__(self, app: ASGIApp, *, draining: Callable[[], bool]) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._draining():
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_last)
