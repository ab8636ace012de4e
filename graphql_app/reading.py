"""The database calls of one request: within its time limit, some at a time, counted."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from content_core.documents import Document
from content_core.errors import StoreTimeoutError, StoreUnavailableError
from content_core.store import FindQuery, Store
from graphql_app.explain import Trace
from graphql_app.query import AggregateQuery

__all__ = ["Reader", "weightiest"]


class Reader:
    """Makes the calls of one request.

    Args:
        store: where they go.
        parallel: how many may be under way at a time.
        deadline: when the request's time is over, by the event loop's clock.
        trace: takes every call, if somebody asked for that.
    """

    def __init__(self, store: Store, *, parallel: int, deadline: float, trace: Trace | None = None) -> None:
        self.calls = 0
        self.documents = 0
        self.deadline = deadline
        self._store = store
        self._trace = trace
        self._clock = asyncio.get_running_loop().time
        self._slots = asyncio.Semaphore(parallel)

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return self._clock() >= self.deadline

    async def read(
        self,
        database: str,
        collection: str,
        query: FindQuery | AggregateQuery,
        *,
        fields: Sequence[str] = (),
        lookups: int = 1,
    ) -> list[Document]:
        """Read the documents of one query.

        Args:
            database: where.
            collection: where.
            query: what.
            fields: for the trace: what the call is for.
            lookups: for the trace: how many lookups were merged into it.

        Raises:
            StoreTimeoutError: the time is over.
            StoreError: the database refused the query, or went away.
        """
        async with self._slots:
            remaining = int((self.deadline - self._clock()) * 1000)
            if remaining <= 0:
                raise StoreTimeoutError("no time is left for another query")
            self.calls += 1
            started = time.perf_counter()
            documents = await self._send(database, collection, query, remaining)
        self.documents += len(documents)
        if self._trace is not None:
            await self._trace.note(
                (database, collection), query, fields=fields, lookups=lookups, documents=documents, started=started
            )
        return documents

    async def _send(
        self, database: str, collection: str, query: FindQuery | AggregateQuery, remaining: int
    ) -> list[Document]:
        if isinstance(query, FindQuery):
            return await self._store.read(database, collection, query, max_time_ms=remaining)
        return await self._store.aggregate(
            database, collection, query.stages, max_time_ms=remaining, allow_disk_use=query.allow_disk_use
        )


def weightiest(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Choose which of several failures ends the request: the time limit hides what it caused."""
    for kind in (StoreTimeoutError, StoreUnavailableError):
        matching: Any = failures.subgroup(kind)
        if matching is not None:
            return _first(matching)
    return _first(failures)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
