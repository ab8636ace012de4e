"""How late the event loop gets to what is due: what every request of the process waits for besides its own work."""

import asyncio
import time
from typing import Final

from content_core import observe

__all__ = ["EventLoopWatch"]

_SECONDS: Final = 0.25


class EventLoopWatch:
    """Falls asleep and looks at the clock when it wakes up, four times a second."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._task = asyncio.create_task(self._watch(), name="event loop lag")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + _SECONDS
            await asyncio.sleep(_SECONDS)
            observe.duration("event_loop_lag", max(0.0, time.perf_counter() - due))
