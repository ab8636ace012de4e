"""When the content of each project was last synchronised, as the metadata of its collections say.

At its end a sync job notes in the metadata of the content collection that it was done (``lastSync.completed``, in
MongoDB's own time). Every worker reads these notes when it starts and follows them by the change feed, so each server
knows all of them, whichever the job talked to.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from content_core.access.reserved import PROPERTIES
from content_core.documents import Document
from content_core.errors import StoreError
from content_core.names import LAST_SYNC, State, content_place
from content_core.store import ChangeEvent, ChangeFeed, FindQuery, Store
from opencaas.metrics.recorder import Labels

__all__ = ["SyncTimes"]

_log = logging.getLogger(__name__)

_FIGURE: Final = "sync_completed_timestamp_seconds"
_NOTE: Final = f"{LAST_SYNC}.completed"
_AGAIN_SECONDS: Final = 2.0
_QUERY_MS: Final = 10_000

_Place = tuple[str, str, State]
"""Tenant, project, state."""


class SyncTimes:
    """The notes of sync jobs.

    Args:
        store: where metadata are.
        feed: tells of changes.
        most: how many states of projects are known at a time; further ones are left out, which the log says once.
    """

    def __init__(self, store: Store, feed: ChangeFeed, *, most: int) -> None:
        self._store = store
        self._feed = feed
        self._most = most
        self._times: dict[_Place, float] = {}
        self._unread: dict[tuple[str, Any], None] = {}
        """Databases and ids of metadata that may have changed; an empty database stands for all, None for any id."""
        self._wake = asyncio.Event()
        self._full = False
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = _nothing

    def start(self) -> None:
        """Follow the metadata, and begin to read what there is; the server need not wait for that."""
        self._unsubscribe = self._feed.subscribe(
            self._follow, collections=lambda _database, collection: collection == PROPERTIES, on_gap=self._read_all
        )
        self._read_all()
        self._task = asyncio.create_task(self._keep_up(), name="times of syncs")

    async def stop(self) -> None:
        """Follow no more."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    def figures(self) -> Mapping[tuple[str, Labels], float]:
        """Give the times in seconds since 1970, by figure and labels."""
        return {
            (_FIGURE, (("tenant", tenant), ("project", project), ("state", state))): seconds
            for (tenant, project, state), seconds in sorted(self._times.items())
        }

    def _follow(self, event: ChangeEvent) -> None:
        self._unread[event.database, event.document_id] = None
        self._wake.set()

    def _read_all(self) -> None:
        self._unread["", None] = None
        self._wake.set()

    async def _keep_up(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._unread:
                    place = next(iter(self._unread))
                    del self._unread[place]
                    try:
                        await self._read(*place)
                    except StoreError:
                        self._unread[place] = None
                        raise
            except StoreError:
                await asyncio.sleep(_AGAIN_SECONDS)
                self._wake.set()
            except Exception:  # noqa: BLE001 - the edge of the task: nobody else would hear of it
                _log.exception("The time of a sync could not be read")

    async def _read(self, database: str, document_id: Any) -> None:
        """Read what may have changed: one document, all of a database, or everything."""
        if not database:
            names = await self._store.database_names()
            self._times = {place: seconds for place, seconds in self._times.items() if place[0] in names}
            for name in names:
                await self._read(name, None)
            return
        condition: Document = {_NOTE: {"$exists": True}}
        if document_id is not None:
            condition = {"_id": {"$eq": document_id}} | condition
        query = FindQuery(
            filter=condition, projection={_NOTE: 1}, sort=(("_id", 1),), limit=self._most, max_time_ms=_QUERY_MS
        )
        found = _times(database, await self._store.find(database, PROPERTIES, query)) if self._most else {}
        about = None if document_id is None else _place(database, document_id)
        for place in [place for place in self._times if place[0] == database and document_id is None]:
            del self._times[place]
        if about is not None:
            self._times.pop(about, None)
        for place, seconds in found.items():
            self._take(place, seconds)

    def _take(self, place: _Place, seconds: float) -> None:
        if len(self._times) < self._most:
            self._times[place] = seconds
        elif not self._full:
            self._full = True
            _log.warning("There are more than %d states of projects; the last syncs of some are not shown", self._most)


def _times(database: str, documents: list[Document]) -> dict[_Place, float]:
    found = {}
    for document in documents:
        place, note = _place(database, document["_id"]), document.get(LAST_SYNC)
        completed = note.get("completed") if isinstance(note, dict) else None
        if place is not None and isinstance(completed, datetime):
            found[place] = completed.replace(tzinfo=completed.tzinfo or UTC).timestamp()
    return found


def _place(database: str, document_id: Any) -> _Place | None:
    """Read from the id of metadata which project and state they are about."""
    if not isinstance(document_id, str) or not document_id.startswith(f"{PROPERTIES}."):
        return None
    place = content_place(document_id.removeprefix(f"{PROPERTIES}."))
    return None if place is None else (database, *place)


def _nothing() -> None:
    """Before the start there is nothing to end."""
