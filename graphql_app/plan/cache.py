"""Keeps what is costly to make again, bounded in number and in size, and lets the longest unused go first."""

import gc
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

from graphql import DocumentNode, Node, Token, TokenKind

from graphql_app.plan.types import Operations

__all__ = ["BoundedCache", "PlanCache"]

_Value = TypeVar("_Value")

_NO_TOKEN: Final = Token(TokenKind.SOF, 0, 0, 0, 0)

_BYTES_PER_DOCUMENT: Final = 4_096
_BYTES_PER_TOKEN: Final = 400
_BYTES_PER_PROGRAM: Final = 12_288
_BYTES_PER_FIELD: Final = 1_300
"""What these take in memory, as it was measured: some operations take a fifth more than that, most of them less."""


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
        self.let_go = 0
        """What was driven out weighed so much."""
        self._kept: OrderedDict[Hashable, tuple[_Value, int]] = OrderedDict()

    def get(self, key: Hashable) -> _Value | None:
        """Give what is kept for exactly this key."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def keep(self, key: Hashable, value: _Value, weight: int) -> None:
        """Keep a value in place of what was kept for its key, and let go of those that were not used for longest."""
        self._used -= self._kept.pop(key, (value, 0))[1]
        if weight > self._length or self._entries < 1:
            return
        self._used += weight
        self._kept[key] = (value, weight)
        while len(self._kept) > self._entries or self._used > self._length:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._used -= dropped
            self.let_go += dropped

    @property
    def length(self) -> int:
        """What values may weigh together."""
        return self._length

    def drop(self, unwanted: Callable[[Any], bool]) -> None:
        """Let go of everything whose key is unwanted; looks at all keys."""
        for key in [key for key in self._kept if unwanted(key)]:
            self._used -= self._kept.pop(key)[1]

    def __len__(self) -> int:
        return len(self._kept)


class PlanCache:
    """The operations of one version of an application by their texts, in a cache that all applications share.

    Operations weigh what they take in memory, together with the programs that were compiled of them.

    Args:
        shared: the cache of the process.
    """

    def __init__(self, shared: BoundedCache[Operations]) -> None:
        self._shared = shared
        self._closed = False

    def get(self, text: str) -> Operations | None:
        """Give what parsing and validating exactly this text gave."""
        return self._shared.get((self, text))

    def put(self, text: str, operations: Operations) -> None:
        """Keep operations, or weigh them again after one of them was compiled."""
        if not self._closed:
            _drop_tokens(operations.document)
            self._shared.keep((self, text), operations, _weigh(text, operations))
            if self._shared.let_go > self._shared.length // 2:
                self._shared.let_go = 0
                gc.collect()  # compiled functions are rings: what was let go of stays until somebody looks for it

    def close(self) -> None:
        """Let go of all operations, and keep none from now on: the version does not answer any more."""
        self._closed = True
        self._shared.drop(lambda key: key[0] is self)


def _drop_tokens(document: DocumentNode) -> None:
    """Let a document keep where its nodes stand, but not the chain of all tokens: nothing reads it once it is valid.

    They are a third of what it takes, and a ring that only the garbage collector would free.
    """
    if document.loc is None or document.loc.start_token is _NO_TOKEN:
        return
    pending: list[Any] = [document]
    while pending:
        node = pending.pop()
        if node.loc is not None:
            node.loc.start_token = node.loc.end_token = _NO_TOKEN
        for key in node.keys:
            member = getattr(node, key)
            if isinstance(member, tuple):
                pending.extend(member)
            elif isinstance(member, Node):
                pending.append(member)


def _weigh(text: str, operations: Operations) -> int:
    """Estimate the bytes of memory that operations take."""
    tokens = operations.document.token_count
    programs = operations.programs.values()
    return (
        _BYTES_PER_DOCUMENT
        + len(text)
        + _BYTES_PER_TOKEN * tokens
        + _BYTES_PER_PROGRAM * sum(program.count for program in programs)
        + _BYTES_PER_FIELD * sum(program.fields for program in programs)
    )
