"""The properties of databases and collections, kept in the collection ``_properties`` of each database."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from content_core.access.reserved import PROPERTIES, SCHEMAS
from content_core.documents import Document
from content_core.errors import NotFoundError
from content_core.store import ChangeEvent, ChangeFeed, FindQuery, Store

__all__ = ["Properties", "escape_names", "read_properties", "unescape_names"]

_DOLLAR: Final = ("$", "_$")
_DOT: Final = (".", "::")
_MAX_AGE: Final = 60.0  # seconds; bounds what an event that never came could cost
_MAX_DATABASES: Final = 10_000
_MAX_COLLECTIONS: Final = 10_000
_LASTING: Final = frozenset({"insert", "update", "replace", "delete"})
"""Operations after which a collection is still there."""


@dataclass(slots=True)
class _Known:
    until: float
    documents: dict[str, Document] = field(default_factory=dict)


class Properties:
    """What exists, and its own properties; remembered in memory while the change feed is live.

    Only what is there is remembered: a new collection is seen at once, whoever made it. The documents given are
    shared; nobody may change them.

    Args:
        store: where databases are.
        feed: tells of changes; without one, and while it is not live, every question goes to the database.
        max_age: seconds after which something is read anew, whatever the feed says.
    """

    def __init__(self, store: Store, feed: ChangeFeed | None, *, max_age: float = _MAX_AGE) -> None:
        self._store = store
        self._feed = feed
        self._max_age = max_age
        self._known: dict[str, _Known] = {}
        self._generation = 0
        if feed is not None:
            feed.subscribe(self._follow, on_gap=self._forget_all)

    async def of_database(self, database: str) -> Document:
        """Give a database's properties as an answer shows them: ``_id`` first, and just that where there are none.

        Raises:
            NotFoundError: there is no such database.
        """
        return await self._get(database, "")

    async def of_collection(self, database: str, collection: str) -> Document:
        """Give a collection's properties in the same form.

        Raises:
            NotFoundError: there is no such collection, or no such database.
        """
        return await self._get(database, collection)

    async def of_collections(self, database: str, collections: Sequence[str]) -> list[Document]:
        """Give the properties of collections that are there, in the same order; fresh from the database."""
        ids = [f"{PROPERTIES}.{collection}" for collection in collections]
        stored = await self._store.find(database, PROPERTIES, FindQuery(filter={"_id": {"$in": ids}}))
        found = {document["_id"]: document for document in stored}
        return [_shown(name, found.get(key, {})) for name, key in zip(collections, ids, strict=True)]

    def forget(self, database: str) -> None:
        """Drop what is remembered of a database, before a write to its properties is acknowledged on this server."""
        self._generation += 1
        self._known.pop(database, None)

    async def _get(self, database: str, collection: str) -> Document:
        known = self._recall(database, collection)
        if known is not None:
            return known
        generation = self._generation
        document = await self._read(database, collection)
        # A change that was told of while the database was asked may be newer than its answer.
        if self._feed is not None and self._feed.live and generation == self._generation:
            self._remember(database, collection, document)
        return document

    async def _read(self, database: str, collection: str) -> Document:
        key = f"{PROPERTIES}.{collection}" if collection else PROPERTIES
        names, stored = await asyncio.gather(
            self._store.collection_names(database), self._store.get(database, PROPERTIES, key)
        )
        if not names:
            raise NotFoundError(f"Db '{database}' does not exist")
        if collection and collection not in names:
            raise NotFoundError(_missing(collection))
        return _shown(collection or database, stored or {})

    def _recall(self, database: str, collection: str) -> Document | None:
        if self._feed is None or not self._feed.live:
            self._forget_all()
            return None
        known = self._known.get(database)
        if known is None or known.until <= time.monotonic():
            self._known.pop(database, None)
            return None
        return known.documents.get(collection)

    def _remember(self, database: str, collection: str, document: Document) -> None:
        if len(self._known) >= _MAX_DATABASES:
            self._known.clear()
        known = self._known.setdefault(database, _Known(time.monotonic() + self._max_age))
        if len(known.documents) >= _MAX_COLLECTIONS:
            known.documents.clear()
        known.documents[collection] = document

    def _follow(self, event: ChangeEvent) -> None:
        if event.collection == PROPERTIES or event.operation not in _LASTING:
            self.forget(event.database)

    def _forget_all(self) -> None:
        self._generation += 1
        self._known.clear()


async def read_properties(store: Store, database: str, collection: str) -> Document:
    """Read a collection's own properties as an answer shows them: ``_id`` first, and just that where there are none."""
    return _shown(collection, await store.get(database, PROPERTIES, f"{PROPERTIES}.{collection}") or {})


def escape_names(value: Any) -> Any:
    """Write names as they are kept: a leading ``$`` as ``_$``, a dot as ``::``."""
    if isinstance(value, dict):
        return {_escape(name): escape_names(item) for name, item in value.items()}
    return [escape_names(item) for item in value] if isinstance(value, list) else value


def unescape_names(value: Any) -> Any:
    """Undo :func:`escape_names`."""
    if isinstance(value, dict):
        return {_unescape(name): unescape_names(item) for name, item in value.items()}
    return [unescape_names(item) for item in value] if isinstance(value, list) else value


def _escape(name: str) -> str:
    plain, kept = _DOLLAR
    return (kept + name[1:] if name.startswith(plain) else name).replace(*_DOT)


def _unescape(name: str) -> str:
    plain, kept = _DOLLAR
    return (plain + name[len(kept) :] if name.startswith(kept) else name).replace(_DOT[1], _DOT[0])


def _shown(name: str, stored: Document) -> Document:
    version = {"_etag": stored["_etag"]} if "_etag" in stored else {}
    others = {key: value for key, value in stored.items() if key not in {"_id", "_etag"}}
    return {"_id": name, **version, **unescape_names(others)}


def _missing(collection: str) -> str:
    if collection == SCHEMAS:
        return "Schema Store does not exist"
    kind = "File Bucket" if collection.endswith(".files") else "Collection"
    return f"{kind} '{collection}' does not exist"
