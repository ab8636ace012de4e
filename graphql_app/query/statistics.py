"""What the ``dataLoader`` options of mappings would have come to: loads, batches and hits, as their statistics count.

Calls are merged whatever the options say, across fields and collections. These numbers are therefore not those of the
calls that were made; they are read off the loads as the options define it: one loader for each field of each type and
each request, one batch for each level of the response and each ``maxBatchSize`` loads of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from graphql_app.schema.mappings import DatabaseMapping, LoaderOptions, QueryMapping

__all__ = ["LoaderStatistics", "Statistics"]

Statistics: TypeAlias = Mapping[str, int | float]
"""The members of ``overall-statistics``."""


@dataclass(slots=True)
class _Loader:
    """The loader of one field: its loads by level, in the order in which they came."""

    options: LoaderOptions
    sent: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    known: set[bytes] = field(default_factory=set)
    loads: int = 0
    hits: int = 0

    def load(self, key: bytes, level: int) -> None:
        self.loads += 1
        if self.options.caching and key in self.known:
            self.hits += 1
            return
        self.known.add(key)
        self.sent[level].append(key)

    def batches(self) -> Iterator[list[bytes]]:
        for keys in self.sent.values():
            size = self.options.max_batch_size or len(keys)
            yield from (keys[start : start + size] for start in range(0, len(keys), size))


class LoaderStatistics:
    """Counts the loads of one request."""

    def __init__(self) -> None:
        self._loaders: dict[str, _Loader] = {}
        self._failed: set[bytes] = set()

    def count(self, mapping: DatabaseMapping, key: bytes, *, level: int) -> None:
        """Count one load of a field; only queries with batching have a loader.

        Args:
            mapping: the field's mapping.
            key: what tells equal loads, :attr:`graphql_app.query.Load.key`.
            level: how deep in the response the field stands; loads of one level are sent together.
        """
        if not isinstance(mapping, QueryMapping) or not mapping.loader.batching:
            return
        loader = self._loaders.get(mapping.coordinate)
        if loader is None:
            loader = self._loaders[mapping.coordinate] = _Loader(mapping.loader)
        loader.load(key, level)

    def fail(self, key: bytes) -> None:
        """Hear that a load failed."""
        self._failed.add(key)

    def render(self) -> Statistics:
        """Give the numbers under their documented names; the ratios are of all loads."""
        loaders = self._loaders.values()
        loads = sum(loader.loads for loader in loaders)
        hits = sum(loader.hits for loader in loaders)
        batches = [batch for loader in loaders for batch in loader.batches()]
        sent = sum(map(len, batches))
        errors = sum(self._failures(batch) for batch in batches)
        broken = sum(1 for batch in batches if self._failures(batch))
        return {
            "loadCount": loads,
            "loadErrorCount": errors,
            "loadErrorRatio": _ratio(errors, loads),
            "batchInvokeCount": len(batches),
            "batchLoadCount": sent,
            "batchLoadRatio": _ratio(sent, loads),
            "batchLoadExceptionCount": broken,
            "batchLoadExceptionRatio": _ratio(broken, loads),
            "cacheHitCount": hits,
            "cacheHitRatio": _ratio(hits, loads),
        }

    def _failures(self, batch: Iterable[bytes]) -> int:
        return sum(1 for key in batch if key in self._failed)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
