"""Which databases and collections there are, as far as figures are told apart by them."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from content_core.errors import StoreError
from content_core.store import ChangeEvent, ChangeFeed, Store

__all__ = ["Places"]

_REFRESH_SECONDS: Final = 60.0
"""What was dropped, or made and left empty, is noticed after this time."""


class Places:
    """The names that may be labels: a client that invents names adds none.

    Args:
        store: knows the names.
        feed: tells of new ones.
    """

    def __init__(self, store: Store, feed: ChangeFeed) -> None:
        self._store = store
        self._feed = feed
        self._names: dict[str, set[str]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] = _nothing

    async def start(self) -> None:
        """Read the names, and follow what happens."""
        self._unsubscribe = self._feed.subscribe(
            self._follow, collections=lambda database, collection: not self.exists(database, collection)
        )
        await self.refresh()
        self._tasks.append(asyncio.create_task(self._keep_up(), name="names of collections"))

    async def stop(self) -> None:
        """Follow no more."""
        self._unsubscribe()
        for task in self._tasks:
            task.cancel()
            await asyncio.wait({task})
        self._tasks.clear()

    def exists(self, database: str, collection: str = "") -> bool:
        """Say whether there is a collection; without its name, whether there is a database."""
        collections = self._names.get(database)
        return collections is not None and (not collection or collection in collections)

    async def refresh(self) -> None:
        """Read all names; where MongoDB does not answer, the known ones stay."""
        with contextlib.suppress(StoreError):
            names: dict[str, set[str]] = defaultdict(set)
            for database in await self._store.database_names():
                names[database].update(await self._store.collection_names(database))
            self._names = dict(names)

    def _follow(self, event: ChangeEvent) -> None:
        if event.collection and event.operation in {"insert", "update", "replace"}:
            self._names.setdefault(event.database, set()).add(event.collection)

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            await self.refresh()


def _nothing() -> None:
    """Before the start there is nothing to end."""
