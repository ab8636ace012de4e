"""Start and stop of a server process, in the words of ASGI's lifespan protocol."""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from content_core.errors import ServiceError

__all__ = ["Lifespan"]


class Lifespan:
    """ASGI middleware that opens the services before the first request and closes them after the last.

    Args:
        app: what answers requests.
        start: opens the services.
        stop: closes them; also called after a start that failed half way.
        start_failed: hears why the start failed.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        start: Callable[[], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
        start_failed: Callable[[ServiceError], None],
    ) -> None:
        self._app = app
        self._start = start
        self._stop = stop
        self._start_failed = start_failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except ServiceError as error:
            self._start_failed(error)
            await self._stop()
            await send({"type": "lifespan.startup.failed", "message": error.message})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})
