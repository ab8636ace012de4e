"""Timing that a busy machine disturbs little: the best of several runs, wall clock and CPU."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of the fastest run."""

    wall: float
    cpu: float


def best_of(runs: int, work: Callable[[], object]) -> Timing:
    """Run ``work`` several times; give the fastest wall clock and the least CPU seconds of this process."""
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Timing(min(walls), min(cpus))
