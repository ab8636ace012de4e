"""How each worker is, as figures: what probes ask for, told without being asked.

Each worker tells whether it is ready, whether its change feed is up, and whether MongoDB has a primary. The figures of
a server add its workers up, so that ``opencaas_workers`` minus ``opencaas_workers_ready`` is the number of those that
are not.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from content_core import observe
from opencaas.health import Condition

__all__ = ["ConditionWatch"]

_log = logging.getLogger(__name__)

_SECONDS: Final = 2.0
"""How old a figure may be; whatever the scrape interval is, it is longer."""


class ConditionWatch:
    """Looks at the worker's condition again and again, and tells what changed.

    Args:
        look: gives the condition.
        seconds: between two looks.
    """

    def __init__(self, look: Callable[[], Awaitable[Condition]], *, seconds: float = _SECONDS) -> None:
        self._look = look
        self._seconds = seconds
        self._told = Condition()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._task = asyncio.create_task(self._watch(), name="condition of the worker")

    async def stop(self) -> None:
        """End; the worker is not ready any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        self._tell(Condition())

    async def _watch(self) -> None:
        while True:
            try:
                self._tell(await self._look())
            except Exception:  # noqa: BLE001 - the edge of the task: nobody else would hear of it
                _log.exception("The condition of the worker could not be read")
                self._tell(Condition())
            await asyncio.sleep(self._seconds)

    def _tell(self, now: Condition) -> None:
        observe.gauge("workers_ready", now.ready - self._told.ready)
        observe.gauge("workers_following", now.following - self._told.following)
        observe.gauge("workers_with_primary", now.primary - self._told.primary)
        self._told = now
