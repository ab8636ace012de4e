"""``GET /_logic/healthcheck``: whether MongoDB answers and has a primary (CaaS platform documentation 14.9.0, 6.1)."""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from content_core.store import Store

__all__ = ["HEALTH_PATH", "HealthCheck"]

HEALTH_PATH = "/_logic/healthcheck"


class HealthCheck:
    """ASGI endpoint, open to everybody, without details: 200 if every check holds, else 500."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        headers = {"access-control-allow-origin": "*", "cache-control": "no-store"}
        if request.method == "OPTIONS":
            return Response(headers=headers | {"access-control-allow-methods": "GET, HEAD, OPTIONS"})
        if request.method not in {"GET", "HEAD"}:
            return Response(status_code=405, headers=headers | {"allow": "GET, HEAD, OPTIONS"})
        health = await self._store.health()
        checks = {"mongoReachable": health.reachable, "mongoPrimaryAvailable": health.primary}
        return Response(
            orjson.dumps(checks),
            status_code=200 if all(checks.values()) else 500,
            media_type="application/json",
            headers=headers,
        )
