"""Three addresses that anybody may ask how the server is; none of them names hosts or errors.

``/_logic/healthcheck``: MongoDB answers and has a primary (CaaS platform documentation 14.9.0, 6.1).
``/_logic/live``: this process turns; it asks nobody else, so that a database that is away restarts no server.
``/_logic/ready``: requests are welcome here.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from content_core.store import ChangeFeed, Store, StoreHealth

__all__ = ["HEALTH_PATH", "HEALTH_PATHS", "LIVE_PATH", "READY_PATH", "Condition", "Health", "HealthEndpoint"]

HEALTH_PATH: Final = "/_logic/healthcheck"
LIVE_PATH: Final = "/_logic/live"
READY_PATH: Final = "/_logic/ready"
HEALTH_PATHS: Final = frozenset({HEALTH_PATH, LIVE_PATH, READY_PATH})

_FRESH_SECONDS: Final = 0.5
"""So long an answer of MongoDB counts: nobody can make the server ask faster, however many probes come."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a worker is at one moment.

    Attributes:
        ready: requests are welcome.
        following: the change feed is up.
        primary: MongoDB answers and has a primary.
    """

    ready: bool = False
    following: bool = False
    primary: bool = False


class Health:
    """What the server knows of itself.

    Args:
        store: whose MongoDB is asked.
        feed: the change feed.
        feed_grace: seconds for which the server counts as ready while the feed is being opened again.
        draining: says whether the server is about to stop.
    """

    def __init__(
        self,
        store: Store,
        feed: ChangeFeed,
        *,
        feed_grace: float = 30.0,
        draining: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._feed = feed
        self._feed_grace = feed_grace
        self._draining = draining
        self._loaded = False
        self._feed_down_since: float | None = None
        self._asking: asyncio.Task[StoreHealth] | None = None
        self._answer = StoreHealth(reachable=False, primary=False)
        self._answered = float("-inf")

    def loaded(self) -> None:
        """Note that the services are open, the definitions among them."""
        self._loaded = True

    async def stop(self) -> None:
        """Note that the services close, and ask MongoDB no more."""
        self._loaded = False
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    async def checks(self) -> Mapping[str, bool]:
        """Give the checks of the health check, within 2 seconds whatever MongoDB does."""
        health = await self._ask()
        return {"mongoReachable": health.reachable, "mongoPrimaryAvailable": health.primary}

    async def readiness(self) -> Mapping[str, bool]:
        """Give the checks that must all hold before requests should come here; again within 2 seconds."""
        checks = {"definitionsLoaded": self._loaded, "accepting": not self._draining()}
        if not all(checks.values()):
            return checks
        mongo = await self._ask()
        return checks | {
            "mongoReachable": mongo.reachable,
            "mongoPrimaryAvailable": mongo.primary,
            "changeFeed": self._follows(),
        }

    async def condition(self) -> Condition:
        """Give what the figures show, within 2 seconds."""
        ready = all((await self.readiness()).values())
        return Condition(ready=ready, following=self._feed.live, primary=(await self._ask()).primary)

    def _follows(self) -> bool:
        now = time.monotonic()
        if self._feed.live:
            self._feed_down_since = None
        elif self._feed_down_since is None:
            self._feed_down_since = now
        return self._feed_down_since is None or now - self._feed_down_since <= self._feed_grace

    async def _ask(self) -> StoreHealth:
        """Ask MongoDB, once for all who want to know at the same time."""
        if time.monotonic() - self._answered <= _FRESH_SECONDS:
            return self._answer
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_now(), name="health check")
        return await asyncio.shield(self._asking)

    async def _ask_now(self) -> StoreHealth:
        self._answer = await self._store.health()
        self._answered = time.monotonic()
        return self._answer


class HealthEndpoint:
    """ASGI endpoint of the three addresses."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        await (await self._answer(scope["method"], scope["path"].rstrip("/")))(scope, receive, send)

    async def _answer(self, method: str, path: str) -> Response:
        headers = {"access-control-allow-origin": "*", "cache-control": "no-store"}
        if method == "OPTIONS":
            return Response(headers=headers | {"access-control-allow-methods": "GET, HEAD, OPTIONS"})
        if method not in {"GET", "HEAD"}:
            return Response(status_code=405, headers=headers | {"allow": "GET, HEAD, OPTIONS"})
        checks, otherwise = await self._checks(path)
        return Response(
            orjson.dumps(checks),
            status_code=200 if all(checks.values()) else otherwise,
            media_type="application/json",
            headers=headers,
        )

    async def _checks(self, path: str) -> tuple[Mapping[str, bool], int]:
        """Give the checks, and the status when one of them does not hold."""
        if path == LIVE_PATH:
            return {"live": True}, 500
        if path == READY_PATH:
            return await self._health.readiness(), 503
        return await self._health.checks(), 500
