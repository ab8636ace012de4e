"""Where the figures of one process go: into its slot of the board, with bounded numbers of labels."""

import threading
import time
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import orjson

from opencaas.metrics.board import Slot
from opencaas.metrics.timers import BOUNDS, TIMER_LENGTH, record

__all__ = ["HISTOGRAM_LENGTH", "OTHER", "Recorder", "Series", "read_series"]

OTHER: Final = "_other_"
"""The label of what is not told apart."""

HISTOGRAM_LENGTH: Final = len(BOUNDS) + 2
"""A sum, and a number of durations for each bucket."""

Kind: TypeAlias = Literal["count", "gauge", "duration", "timer"]
Labels: TypeAlias = tuple[tuple[str, str], ...]

_LENGTHS: Final[Mapping[Kind, int]] = {"count": 1, "gauge": 1, "duration": HISTOGRAM_LENGTH, "timer": TIMER_LENGTH}
_DROPPED: Final = "figures_dropped"
_MOST_LABELS: Final = 1_000
_PLACES: Final = frozenset({"database", "collection"})
"""The labels of a timer that give way where there are too many; the others are few by nature."""


@dataclass(frozen=True, slots=True)
class Series:
    """What a row of doubles is about."""

    kind: Kind
    name: str
    labels: Labels


class Recorder:
    """Takes what rooms tell (it is an :class:`content_core.observe.Sink`) and the timers of requests; never raises.

    Args:
        slot: where the numbers go.
        most: how many combinations of labels a figure may have, by its name; 1000 for those that are not named. What
            comes later is counted under ``_other_``.
    """

    def __init__(self, slot: Slot, *, most: Mapping[str, int] | None = None) -> None:
        self._slot = slot
        self._values = slot.values
        self._most = most or {}
        self._sizes: dict[str, int] = {}
        self._places: dict[tuple[str, Labels], int] = {}
        self._timers: dict[tuple[str, ...], int] = {}
        self._lock = threading.Lock()  # threads of the driver tell of database calls
        self._take_over()

    def count(self, name: str, n: float, labels: dict[str, str]) -> None:
        """Add to a counter."""
        with self._lock:
            place = self._places.get((name, tuple(labels.items()))) or self._find("count", name, labels)
            if place:
                self._values[place] += n

    def gauge(self, name: str, delta: float, labels: dict[str, str]) -> None:
        """Add to what goes up and down."""
        with self._lock:
            place = self._places.get((name, tuple(labels.items()))) or self._find("gauge", name, labels)
            if place:
                self._values[place] += delta

    def duration(self, name: str, seconds: float, labels: dict[str, str]) -> None:
        """Take one duration into a histogram."""
        with self._lock:
            place = self._places.get((name, tuple(labels.items()))) or self._find("duration", name, labels)
            if place:
                self._values[place] += seconds
                self._values[place + 1 + bisect_left(BOUNDS, seconds)] += 1

    def request(self, labels: tuple[str, ...], seconds: float) -> None:
        """Take one request into its timer.

        Args:
            labels: type of the resource, method, status; then database and collection, as far as they are told apart.
            seconds: how long its answer took.
        """
        with self._lock:
            place = self._timers.get(labels) or self._find_timer(labels)
            if place:
                record(self._values, place, seconds, time.monotonic())

    def _take_over(self) -> None:
        """Go on where a process before this one left off; what was open in it is open no more."""
        for text, place in self._slot.known.items():
            series = read_series(text)
            self._sizes[series.name] = self._sizes.get(series.name, 0) + 1
            if series.kind == "timer":
                self._timers[tuple(value for _, value in series.labels)] = place
                continue
            self._places[series.name, series.labels] = place
            if series.kind == "gauge":
                self._values[place] = 0
        self._find("count", _DROPPED, {})

    def _find_timer(self, labels: tuple[str, ...]) -> int:
        named = dict(zip(("type", "method", "status", "database", "collection"), labels, strict=False))
        place = self._timers[labels] = self._find("timer", "http", named)
        return place

    def _find(self, kind: Kind, name: str, labels: Mapping[str, str]) -> int:
        """Find room for a figure; 0 if there is none."""
        size = self._sizes.get(name, 0)
        if size >= self._most.get(name, _MOST_LABELS):
            folded = _PLACES if kind == "timer" else labels.keys()
            labels = {label: OTHER if label in folded else value for label, value in labels.items()}
        pairs = tuple(labels.items())
        if (known := self._places.get((name, pairs))) is not None:
            return known
        place = self._slot.allocate(orjson.dumps((kind, name, pairs)), _LENGTHS[kind])
        if place is None:
            self._values[self._places[_DROPPED, ()]] += 1
            return 0
        self._sizes[name] = size + 1
        self._places[name, pairs] = place
        return place


def read_series(text: bytes) -> Series:
    """Read the name of a row, as a recorder wrote it."""
    kind, name, labels = orjson.loads(text)
    return Series(kind, name, tuple((label, value) for label, value in labels))
