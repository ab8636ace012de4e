"""Keeps what is costly to make again, bounded in number and in size, and lets the longest unused go first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from graphql_app.plan.types import Operations

__all__ = ["BoundedCache", "PlanCache"]

_Value = TypeVar("_Value")


class BoundedCache(Generic[_Value]):
    """A least-recently-used cache.

    Args:
        entries: values at most.
        length: what they may weigh together; a heavier value is never kept.
    """

    def __init__(self, *, entries: int, length: int) -> None:
        self._entries = entries
        self._length = length
        self._used = 0
        self._kept: OrderedDict[Hashable, tuple[_Value, int]] = OrderedDict()

    def get(self, key: Hashable) -> _Value | None:
        """Give what is kept for exactly this key."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def keep(self, key: Hashable, value: _Value, weight: int) -> None:
        """Keep a value, and let go of those that were not used for longest."""
        if weight > self._length or self._entries < 1:
            return
        self._used += weight - self._kept.pop(key, (value, 0))[1]
        self._kept[key] = (value, weight)
        while len(self._kept) > self._entries or self._used > self._length:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._used -= dropped

    def __len__(self) -> int:
        return len(self._kept)


class PlanCache(BoundedCache[Operations]):
    """What parsing and validating gave, by the operations' text; their lengths are what they weigh."""

    def put(self, text: str, operations: Operations) -> None:
        """Keep operations, one cache for each version of an application."""
        self.keep(text, operations, len(text))
