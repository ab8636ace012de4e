"""Which processor core does what: one for the server that is measured, the others for everybody else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["OTHERS", "SERVER", "pinned"]

_ALL: Final = sorted(os.sched_getaffinity(0))
SERVER: Final = frozenset(_ALL[:1])
"""The core of whoever answers."""

OTHERS: Final = frozenset(_ALL[1:] or _ALL)
"""The cores of the ``mongod`` and of whoever asks."""


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """Keep the calling thread, and the threads and processes that it starts meanwhile, on some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
