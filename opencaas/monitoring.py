"""What watches over a process, put together: health, figures, the line per request, traces."""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Scope

from content_core import observe
from content_core.access import AccessControl
from content_core.observe import Record
from content_core.store import ChangeFeed, Store
from opencaas.health import Health, HealthEndpoint
from opencaas.logs import RequestLines
from opencaas.metrics.board import Board
from opencaas.metrics.condition import ConditionWatch
from opencaas.metrics.endpoint import MetricsEndpoint, MetricsUser
from opencaas.metrics.event_loop import EventLoopWatch
from opencaas.metrics.places import Places
from opencaas.metrics.recorder import Recorder
from opencaas.metrics.requests import RequestFigures
from opencaas.metrics.sync_times import SyncTimes
from opencaas.request_log import RequestLog
from opencaas.settings import Settings
from opencaas.tracing import open_tracing

__all__ = ["Monitoring", "Surroundings"]

_MOST_TIMERS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process finds when it starts.

    Attributes:
        board: the figures of all processes of the server.
        place: this process's slot on it.
        lines: where the lines of requests go.
    """

    board: Board
    place: int
    lines: RequestLines

    @classmethod
    def alone(cls) -> "Surroundings":
        """Make those of a process that has no others beside it."""
        return cls(Board.create(1), 0, RequestLines())


class Monitoring:
    """Health, figures, log and traces of a process.

    Args:
        settings: the server's settings.
        surroundings: what the process found.
        store: whose MongoDB is asked how it is.
        feed: the change feed.
        access: knows the admin, who may read figures.
    """

    def __init__(
        self, settings: Settings, surroundings: Surroundings, *, store: Store, feed: ChangeFeed, access: AccessControl
    ) -> None:
        self._lines = surroundings.lines
        board = surroundings.board
        self._recorder = Recorder(
            board.attach(surroundings.place),
            most={"graphql_operation_duration": settings.metrics_operations, "http": _MOST_TIMERS},
        )
        self._level = settings.metrics_level
        self._places = Places(store, feed)
        self._loop = EventLoopWatch()
        self._syncs = SyncTimes(store, feed, most=settings.metrics_projects)
        self._tracing = open_tracing(settings.otlp_endpoint)
        self._health = Health(store, feed, feed_grace=settings.ready_grace_seconds, draining=lambda: board.draining)
        self._condition = ConditionWatch(self._health.condition)
        password = settings.metrics_password.get_secret_value() if settings.metrics_password else ""
        self.health = HealthEndpoint(self._health)
        self.metrics = MetricsEndpoint(
            board,
            access=access,
            user=MetricsUser(settings.metrics_user, password or None),
            level=settings.metrics_level,
            exists=self._places.exists,
            known=self._syncs.figures,
            allowed_origins=settings.allowed_origins,
        )

    async def start(self) -> None:
        """Begin to watch; the services are open."""
        observe.install(self._recorder)
        self._loop.start()
        if self._level != "root":
            await self._places.start()
        self._syncs.start()
        self._health.loaded()
        self._condition.start()

    async def stop(self) -> None:
        """Watch no more; the services are about to close."""
        await self._condition.stop()
        await self._health.stop()
        await self._syncs.stop()
        await self._places.stop()
        await self._loop.stop()
        observe.install(None)
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)  # it may wait for whoever receives spans

    def around(self, app: ASGIApp) -> ASGIApp:
        """Put the request log, the timers and the traces around an application."""
        figures = RequestFigures(self._recorder, level=self._level, exists=self._places.exists)
        tracing = self._tracing
        if tracing is None:
            return RequestLog(app, lines=self._lines, finished=figures)

        def finished(scope: Scope, record: Record, status: int, seconds: float, size: int) -> None:
            figures(scope, record, status, seconds, size)
            tracing.end(scope, record, status, seconds, size)

        return RequestLog(app, lines=self._lines, begin=tracing.begin, finished=finished)
