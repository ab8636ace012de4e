"""What was read from the database and is good until the change feed tells of a change."""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from content_core.store import ChangeEvent, ChangeFeed

__all__ = ["Followed"]

_MAX_AGE: Final = 60.0  # seconds; bounds what an event that never came could cost

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Remembered(Generic[_Value]):
    value: _Value
    until: float


class Followed(Generic[_Value]):
    """A bounded memory of values that any change in some collections may make wrong.

    Args:
        feed: tells of changes; without one, and while it is not live, nothing is remembered.
        collections: which (database, collection) matter; a dropped database always does.
        maximum: how many values are remembered.
        max_age: seconds after which one is read anew, whatever the feed says.
    """

    def __init__(
        self,
        feed: ChangeFeed | None,
        *,
        collections: Callable[[str, str], bool],
        maximum: int,
        max_age: float = _MAX_AGE,
    ) -> None:
        self._feed = feed
        self._maximum = maximum
        self._max_age = max_age
        self._values: dict[Hashable, _Remembered[_Value]] = {}
        self._generation = 0
        if feed is not None:
            feed.subscribe(self._follow, collections=collections, on_gap=self.forget)

    async def get(self, key: Hashable, read: Callable[[], Awaitable[_Value]]) -> _Value:
        """Give the value of a key: the remembered one, or what ``read`` gives."""
        if self._feed is None or not self._feed.live:
            self.forget()
            return await read()
        known = self._values.get(key)
        if known is not None and known.until > time.monotonic():
            return known.value
        generation = self._generation
        value = await read()
        # A change that was told of while the database was asked may be newer than its answer.
        if self._feed.live and generation == self._generation:
            if len(self._values) >= self._maximum:
                self._values.clear()
            self._values[key] = _Remembered(value, time.monotonic() + self._max_age)
        return value

    def forget(self) -> None:
        """Drop everything, before a write is acknowledged on this server that may make it wrong."""
        self._generation += 1
        self._values.clear()

    def _follow(self, _event: ChangeEvent) -> None:
        self.forget()
