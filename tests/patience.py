"""How long tests wait on a busy machine, and how they measure what is promised for a second."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

import httpx
from hypothesis import HealthCheck, settings

__all__ = ["PATIENCE", "Stopwatch", "be_patient", "let_pass", "until"]

PATIENCE: Final = 60.0
"""Seconds to wait for what comes at once on a quiet machine: long, since who waits for a condition loses nothing."""

_TICK: Final = 0.01
_LONGEST: Final = 0.1
"""What one tick counts at most: a process that got no more of the machine than that was put aside."""

_ASKING: Final[tuple[Any, ...]] = (
    *(getattr(httpx, name) for name in ("delete", "get", "head", "options", "patch", "post", "put", "request")),
    httpx.Client.__init__,
    httpx.AsyncClient.__init__,
)


class Stopwatch:
    """Measures the seconds that this process really had, from the beginning of its ``with`` on.

    A promise such as "dead within a second" is about a server that runs. A machine that puts test and server aside
    for three seconds breaks no promise, and these seconds are not counted: a thread ticks all the time, and whatever
    lies between two ticks counts as a tenth of a second at most.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._last = 0.0
        self._sum = 0.0

    def __enter__(self) -> Self:
        self._last = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    @property
    def seconds(self) -> float:
        """The seconds until now, or until the end of the ``with``."""
        return self._sum if self._over.is_set() else self._tick()

    def _run(self) -> None:
        while not self._over.wait(_TICK):
            self._tick()
        self._tick()

    def _tick(self) -> float:
        with self._lock:
            now = time.monotonic()
            self._sum += min(now - self._last, _LONGEST)
            self._last = now
            return self._sum


def let_pass(seconds: float) -> None:
    """Wait until this process had so many seconds, as a :class:`Stopwatch` counts them."""
    with Stopwatch() as watch:
        while watch.seconds < seconds:
            time.sleep(_TICK)


async def until(question: Callable[[], Awaitable[object]], *, limit: float = PATIENCE) -> float:
    """Ask again until the answer is a true one.

    Returns:
        The seconds that it took, as a :class:`Stopwatch` counts them.

    Raises:
        TimeoutError: there was none within the limit.
    """
    with Stopwatch() as watch:
        async with asyncio.timeout(limit):
            while not await question():  # noqa: ASYNC110  # whatever is asked about has no event to set
                await asyncio.sleep(_TICK)
        return watch.seconds


def be_patient() -> None:
    """Let what tests use wait: by itself httpx gives up after five seconds, and Hypothesis after 0.2 for an example."""
    for function in _ASKING:
        function.__kwdefaults__["timeout"] = httpx.Timeout(PATIENCE)
    settings.register_profile("patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")
