"""How many requests a second, and how much CPU each: several contestants in turns, so that a busy machine hits all.

Turns are short and many. Each contestant's best turn counts; the slowest is told too, so that a reader sees the noise.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, TypeAlias

import psutil

__all__ = ["Ask", "Contestant", "Open", "Rate", "cpu_of", "measure_rates"]

_WARM_UP_SECONDS: Final = 1.0
"""Drivers open their connections two at a time, and each costs a login."""

Ask: TypeAlias = Callable[[], Awaitable[object]]
"""Makes one request and waits for its answer."""

Open: TypeAlias = Callable[[int], AbstractAsyncContextManager[Sequence[Ask]]]
"""Opens so many clients."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to get an answer.

    Attributes:
        label: what the report calls it.
        open: opens what it needs, and its clients, for one turn: no contestant has another's things in memory.
        cpu: CPU seconds spent so far by whoever answers.
    """

    label: str
    open: Open
    cpu: Callable[[], float] = time.process_time


@dataclass(frozen=True, slots=True)
class Rate:
    """What was seen of one contestant.

    Attributes:
        per_second: requests a second in the best turn.
        slowest: the same in the worst turn.
        cpu_ms: least CPU milliseconds a request, of the one who answers.
        mongod_ms: least CPU milliseconds a request, of the ``mongod``.
        median_per_second: requests a second in the middle one of all turns.
        median_cpu_ms: CPU milliseconds a request of the one who answers, in the middle one.
    """

    per_second: float
    slowest: float
    cpu_ms: float
    mongod_ms: float
    median_per_second: float
    median_cpu_ms: float


@dataclass(frozen=True, slots=True)
class _Turn:
    per_second: float
    cpu_ms: float
    mongod_ms: float


def cpu_of(pid: int) -> Callable[[], float]:
    """Make a clock of the CPU seconds of a process and those that it started."""
    root = psutil.Process(pid)
    family = [root, *root.children(recursive=True)]

    def read() -> float:
        return sum(times.user + times.system for times in (process.cpu_times() for process in family))

    return read


async def measure_rates(
    contestants: Sequence[Contestant],
    *,
    mongod: int,
    clients: int,
    rounds: int,
    seconds: float,
    warm_up: float = _WARM_UP_SECONDS,
) -> list[Rate]:
    """Let contestants take turns.

    Args:
        contestants: who takes part; the results are in their order.
        mongod: process of the database.
        clients: requests under way at a time.
        rounds: turns of each.
        seconds: time of each, for all its turns together.
        warm_up: seconds of each turn that come before it and are not counted.
    """
    mongod_cpu = cpu_of(mongod)
    turns: list[list[_Turn]] = [[] for _ in contestants]
    for _ in range(rounds):
        for contestant, taken in zip(contestants, turns, strict=True):
            taken.append(
                await _take_turn(contestant, mongod_cpu, clients=clients, seconds=seconds / rounds, warm_up=warm_up)
            )
    return [_summarise(taken) for taken in turns]


async def _take_turn(
    contestant: Contestant, mongod: Callable[[], float], *, clients: int, seconds: float, warm_up: float
) -> _Turn:
    async with contestant.open(clients) as asks:
        await _run(asks, warm_up)
        gc.collect()
        wall, cpu, database = time.perf_counter(), contestant.cpu(), mongod()
        done = await _run(asks, seconds)
        return _Turn(
            done / (time.perf_counter() - wall),
            (contestant.cpu() - cpu) / done * 1000,
            (mongod() - database) / done * 1000,
        )


async def _run(asks: Sequence[Ask], seconds: float) -> int:
    end = time.perf_counter() + seconds

    async def repeat(ask: Ask) -> int:
        count = 0
        while time.perf_counter() < end:
            await ask()
            count += 1
        return count

    return sum(await asyncio.gather(*map(repeat, asks)))


def _summarise(turns: Sequence[_Turn]) -> Rate:
    rates = [turn.per_second for turn in turns]
    costs = [turn.cpu_ms for turn in turns]
    return Rate(
        max(rates),
        min(rates),
        min(costs),
        min(turn.mongod_ms for turn in turns),
        statistics.median(rates),
        statistics.median(costs),
    )
