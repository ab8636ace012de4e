"""A look at who is running, every millisecond of this process's CPU."""

import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

__all__ = ["sampled"]

_INTERVAL: Final = 0.001


@contextmanager
def sampled(note: Callable[[FrameType | None], None]) -> Iterator[None]:
    """Show the main thread's innermost frame some hundred times a second; the collector, which strikes anybody, is off.

    What a built-in function takes is seen in the next line of Python that runs: mostly its caller's.
    """
    gc.collect()
    gc.disable()
    before = signal.signal(signal.SIGPROF, lambda _number, frame: note(frame))
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        gc.enable()
