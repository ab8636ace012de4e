"""Keeps what parsing and validating gave, for the operations used last: one cache for each application version."""

from collections import OrderedDict

from graphql_app.plan.types import Operations

__all__ = ["PlanCache"]


class PlanCache:
    """A least-recently-used cache, bounded in entries and in the length of their texts.

    Args:
        entries: operations at most.
        length: characters of their texts together at most; a longer text is never kept.
    """

    def __init__(self, *, entries: int, length: int) -> None:
        self._entries = entries
        self._length = length
        self._used = 0
        self._kept: OrderedDict[str, Operations] = OrderedDict()

    def get(self, text: str) -> Operations | None:
        """Give what is kept for exactly this text."""
        operations = self._kept.get(text)
        if operations is not None:
            self._kept.move_to_end(text)
        return operations

    def put(self, text: str, operations: Operations) -> None:
        """Keep operations, and let go of those that were not used for longest."""
        if len(text) > self._length or self._entries < 1:
            return
        if text not in self._kept:
            self._used += len(text)
        self._kept[text] = operations
        self._kept.move_to_end(text)
        while len(self._kept) > self._entries or self._used > self._length:
            dropped, _ = self._kept.popitem(last=False)
            self._used -= len(dropped)

    def __len__(self) -> int:
        return len(self._kept)
