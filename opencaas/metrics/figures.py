"""All figures of a server at one moment: the rows of all its processes, added up."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from opencaas.metrics.board import Board
from opencaas.metrics.recorder import HISTOGRAM_LENGTH, Labels, Series, read_series
from opencaas.metrics.timers import Timer, read_timer

__all__ = ["ALL", "Figures", "TimerKey"]

ALL: Final = "_all_"
"""The label of a timer that is about all databases, or all collections of one."""


@dataclass(frozen=True, slots=True)
class TimerKey:
    """What a timer is about.

    Attributes:
        type: of the resource.
        method: of the request.
        code: status (``200``), class of statuses (``2xx``), or empty for all together.
    """

    type: str
    method: str
    code: str


@dataclass(slots=True)
class Figures:
    """The figures.

    Attributes:
        uptime: seconds since the server was started.
        started: when that was, in seconds since 1970.
        processes: process ids of the workers that live, by their places.
        counts: counters by name and labels.
        gauges: what is open, in processes that live.
        durations: sum and number per bucket, by name and labels.
    """

    uptime: float
    started: float
    processes: Mapping[int, int]
    counts: dict[tuple[str, Labels], float] = field(default_factory=lambda: defaultdict(float))
    gauges: dict[tuple[str, Labels], float] = field(default_factory=lambda: defaultdict(float))
    durations: dict[tuple[str, Labels], list[float]] = field(default_factory=dict)
    _timers: dict[tuple[str, ...], Timer] = field(default_factory=dict)

    @classmethod
    def read(cls, board: Board, known: Mapping[tuple[str, Labels], float] | None = None) -> Self:
        """Read a board.

        Args:
            board: the figures of all processes.
            known: gauges that are not added up, because every process knows the same.
        """
        pids = {place: pid for place in range(board.slots) if (pid := board.pid(place)) is not None}
        figures = cls(board.uptime, board.started, pids)
        now = time.monotonic()
        for entry in board.entries():
            figures._take(read_series(entry.name), entry.values, now, alive=entry.slot in pids)
        figures.gauges.update(known or {})
        return figures

    def timers(self, database: str = ALL, collection: str = ALL) -> dict[TimerKey, Timer]:
        """Add the timers of requests up, in total, by class of status and by status.

        Args:
            database: the one database that counts, or all.
            collection: the one collection that counts, or all.
        """
        summed: dict[TimerKey, Timer] = defaultdict(Timer)
        for (kind, method, status, *place), timer in self._timers.items():
            if database != ALL and place[:1] != [database]:
                continue
            if collection != ALL and place[1:] != [collection]:
                continue
            for code in ("", f"{status[0]}xx", status):
                summed[TimerKey(kind, method, code)].add(timer)
        return dict(sorted(summed.items(), key=lambda item: (item[0].type, item[0].method, item[0].code)))

    def _take(self, series: Series, values: tuple[float, ...], now: float, *, alive: bool) -> None:
        key = (series.name, series.labels)
        match series.kind:
            case "count":
                self.counts[key] += values[0]
            case "gauge":
                if alive:
                    self.gauges[key] += values[0]
            case "duration":
                sums = self.durations.setdefault(key, [0.0] * HISTOGRAM_LENGTH)
                for index, value in enumerate(values):
                    sums[index] += value
            case "timer":
                labels = tuple(value for _, value in series.labels)
                self._timers.setdefault(labels, Timer()).add(read_timer(values, now))
