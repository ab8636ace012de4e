"""Timers: how often, how long, how fast of late. A row of doubles per timer, which rows of other processes add up with.

What a timer says about *durations* (percentiles, mean, least, most) is about the last five to ten minutes: two halves
of five minutes each, of which the older one is thrown away when a new one begins. Percentiles come from buckets whose
bounds grow by an eighth, so they are right within 12 %; least and most are exact. Rates per second are averages that
forget exponentially with 1, 5 and 15 minutes.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from opencaas.metrics.board import Doubles

__all__ = ["BOUNDS", "TIMER_LENGTH", "Recent", "Timer", "read_timer", "record"]

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the Prometheus histograms, in seconds."""

_FINE: Final = tuple(0.000_1 * 1.125**step for step in range(119))
"""Upper bounds of the buckets behind the percentiles: a tenth of a millisecond to 108 seconds."""

_WINDOW_SECONDS: Final = 300.0
_MEMORIES: Final = (60.0, 300.0, 900.0)
_PERCENTILES: Final = {"p50": 0.5, "p75": 0.75, "p95": 0.95, "p98": 0.98, "p99": 0.99, "p999": 0.999}

# Where what is, from the first double of a timer on.
_COUNT, _TOTAL, _RATES, _LAST, _COARSE = 0, 1, 2, 5, 6
_WINDOWS: Final = _COARSE + len(BOUNDS) + 1
# And from the first double of a window on.
_NUMBER, _N, _SUM, _SQUARES, _LEAST, _MOST, _BUCKETS = range(7)
_WINDOW_LENGTH: Final = _BUCKETS + len(_FINE) + 1
TIMER_LENGTH: Final = _WINDOWS + 2 * _WINDOW_LENGTH

_EMPTY_WINDOW: Final = array("d", [0.0] * _WINDOW_LENGTH)


def record(values: Doubles, at: int, seconds: float, now: float) -> None:
    """Take one duration.

    Args:
        values: doubles.
        at: the first one of the timer.
        seconds: the duration.
        now: :func:`time.monotonic`, which all processes of a machine share.
    """
    values[at] += 1
    values[at + _TOTAL] += seconds
    idle = now - values[at + _LAST]
    values[at + _LAST] = now
    values[at + 2] = values[at + 2] * math.exp(-idle / 60.0) + 1 / 60.0
    values[at + 3] = values[at + 3] * math.exp(-idle / 300.0) + 1 / 300.0
    values[at + 4] = values[at + 4] * math.exp(-idle / 900.0) + 1 / 900.0
    values[at + _COARSE + bisect_left(BOUNDS, seconds)] += 1
    number = int(now / _WINDOW_SECONDS) + 1
    window = at + _WINDOWS + (number & 1) * _WINDOW_LENGTH
    if values[window] != number:
        values[window : window + _WINDOW_LENGTH] = _EMPTY_WINDOW
        values[window] = number
        values[window + _LEAST] = values[window + _MOST] = seconds
    values[window + _N] += 1
    values[window + _SUM] += seconds
    values[window + _SQUARES] += seconds * seconds
    if seconds < values[window + _LEAST]:
        values[window + _LEAST] = seconds
    elif seconds > values[window + _MOST]:
        values[window + _MOST] = seconds
    values[window + _BUCKETS + bisect_left(_FINE, seconds)] += 1


@dataclass(slots=True)
class Recent:
    """The durations of the last minutes.

    Attributes:
        count: how many.
        total: their sum in seconds.
        squares: the sum of their squares.
        least: the shortest.
        most: the longest.
        fine: how many of them fell into which of the narrow buckets.
    """

    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    least: float = math.inf
    most: float = 0.0
    fine: list[float] = field(default_factory=lambda: [0.0] * (len(_FINE) + 1))

    def add(self, other: "Recent") -> None:
        """Take the durations of another one in."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)
        self.fine = _sum(self.fine, other.fine)

    def percentile(self, share: float) -> float:
        """Give the bound below which a share of the durations lies, within what was really seen."""
        wanted, seen = share * sum(self.fine), 0.0
        for bound, number in zip((*_FINE, math.inf), self.fine, strict=True):
            seen += number
            if seen >= wanted and seen:
                return max(self.least, min(bound, self.most))
        return 0.0


@dataclass(slots=True)
class Timer:
    """What timers of one name say together.

    Attributes:
        count: durations ever taken.
        total: their sum in seconds.
        coarse: how many of them fell between which of :data:`BOUNDS`.
        rates: durations per second, by the averages of 1, 5 and 15 minutes.
        recent: those of the last minutes.
    """

    count: float = 0.0
    total: float = 0.0
    coarse: list[float] = field(default_factory=lambda: [0.0] * (len(BOUNDS) + 1))
    rates: list[float] = field(default_factory=lambda: [0.0] * len(_MEMORIES))
    recent: Recent = field(default_factory=Recent)

    def add(self, other: "Timer") -> None:
        """Take another timer's durations in."""
        self.count += other.count
        self.total += other.total
        self.coarse = _sum(self.coarse, other.coarse)
        self.rates = _sum(self.rates, other.rates)
        self.recent.add(other.recent)

    def statistics(self, *, uptime: float) -> dict[str, float]:
        """Give the statistics by name: durations in milliseconds, rates in calls per second (rest-api 11.2).

        Args:
            uptime: seconds over which the mean rate is taken.
        """
        recent = self.recent
        mean = recent.total / recent.count if recent.count else 0.0
        variance = recent.squares / recent.count - mean * mean if recent.count else 0.0
        return {
            "count": int(self.count),
            "max": 1000 * recent.most,
            "mean": 1000 * mean,
            "min": 1000 * recent.least if recent.count else 0.0,
            **{name: 1000 * recent.percentile(share) for name, share in _PERCENTILES.items()},
            "stddev": 1000 * math.sqrt(max(0.0, variance)),
            "m15_rate": self.rates[2],
            "m1_rate": self.rates[0],
            "m5_rate": self.rates[1],
            "mean_rate": self.count / uptime if uptime > 0 else 0.0,
        }


def read_timer(values: Sequence[float], now: float) -> Timer:
    """Read the doubles of one timer.

    Args:
        values: the doubles, as :func:`record` wrote them.
        now: :func:`time.monotonic`.
    """
    idle = now - values[_LAST]
    decayed = zip(values[_RATES : _RATES + 3], _MEMORIES, strict=True)
    timer = Timer(
        count=values[_COUNT],
        total=values[_TOTAL],
        coarse=list(values[_COARSE:_WINDOWS]),
        rates=[rate * math.exp(-idle / memory) for rate, memory in decayed],
    )
    number = int(now / _WINDOW_SECONDS) + 1
    for start in (_WINDOWS, _WINDOWS + _WINDOW_LENGTH):
        if values[start] in {number, number - 1} and values[start + _N]:
            window = values[start : start + _WINDOW_LENGTH]
            count, total, squares, least, most = window[_N:_BUCKETS]
            timer.recent.add(Recent(count, total, squares, least, most, list(window[_BUCKETS:])))
    return timer


def _sum(mine: list[float], theirs: list[float]) -> list[float]:
    return [one + other for one, other in zip(mine, theirs, strict=True)]
