"""The store: documents in collections in databases, with MongoDB behind it and its driver hidden.

Every method raises children of :class:`~content_core.errors.StoreError` only, unless it says otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self

from bson import ObjectId
from pymongo import ReplaceOne

from content_core.documents import Document
from content_core.errors import ConflictError, NotFoundError
from content_core.store import catalog
from content_core.store.bounded import read_bounded
from content_core.store.bulk import run_bulk
from content_core.store.checked import update_checked
from content_core.store.driver_errors import limited, translated
from content_core.store.drivers import Driver, DriverName, PyMongoDriver, open_driver
from content_core.store.files import FileBucket
from content_core.store.health import ask_health
from content_core.store.many import change_many
from content_core.store.monitoring import CommandWatch
from content_core.store.primary import PrimaryWatch
from content_core.store.quick import QuickReader
from content_core.store.values import (
    ALL_AT_ONCE,
    BulkOperation,
    BulkOutcome,
    BulkReport,
    FindQuery,
    Hint,
    StoreHealth,
    Update,
    WriteOutcome,
)
from content_core.store.verbatim import plain_documents, verbatim

__all__ = ["Store"]

_SYSTEM_DATABASES: Final = frozenset({"admin", "config", "local"})


class Store:
    """A MongoDB replica set or sharded cluster. Made by :meth:`open`; belongs to one event loop."""

    def __init__(
        self,
        uri: str,
        driver: Driver,
        event_listeners: Sequence[Any] = (),
        *,
        primary: PrimaryWatch,
        reader: PyMongoDriver | None = None,
    ) -> None:
        self._uri = uri
        self._driver = driver
        # Carries what GraphQL reads: each call of Motor's costs a hop to a thread and back.
        self._reader: Driver = reader or driver
        self._quick = QuickReader(self._reader, counted=reader is None)
        self._listeners = tuple(event_listeners)
        self._primary = primary
        # What must be able to give up at once (health) or may take any time (indexes) has connections of its own:
        # a thread of Motor's small pool that waits for a hanging server cannot be called back.
        self._control = self.open_client(event_listeners=self._listeners)
        # Uploads and downloads take connections for long; they have their own, from the first one on.
        self._transfers: PyMongoDriver | None = None

    @classmethod
    def open(
        cls, uri: str, *, driver: DriverName = "motor", event_listeners: Sequence[Any] = (), max_pool_size: int = 100
    ) -> Self:
        """Open a store; it connects when it is first used.

        Args:
            uri: the MongoDB URI.
            driver: what carries reads and writes: Motor, or PyMongo's own async client, which always carries
                :meth:`read`.
            event_listeners: the driver's monitoring listeners, for tests and metrics.
            max_pool_size: connections to one server at most.

        Raises:
            StoreError: the URI cannot be read.
        """
        options = {"maxPoolSize": max_pool_size, "socketTimeoutMS": 120_000}
        main = open_driver(uri, driver, event_listeners=list(event_listeners), **options)
        primary = PrimaryWatch(main.client, patience=main.client.options.server_selection_timeout)
        reader = None
        if driver != "pymongo":
            heard = [listener for listener in event_listeners if not isinstance(listener, CommandWatch)]
            reader = open_driver(uri, "pymongo", event_listeners=heard, **options)
        return cls(uri, main, event_listeners, primary=primary, reader=reader)

    def open_client(self, **options: Any) -> PyMongoDriver:
        """Open another client to the same MongoDB, of PyMongo's async kind; for this package, which closes it."""
        return open_driver(self._uri, "pymongo", **options)

    async def find(self, database: str, collection: str, query: FindQuery) -> list[Document]:
        """Read documents, in one round trip where they fit into 16 MB."""
        async with limited(query.max_time_ms):
            documents: list[Document] = await _find(self._driver, database, collection, query).to_list(None)
        return plain_documents(documents) if query.verbatim else documents

    async def read(self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0) -> list[Document]:
        """Do what :meth:`find` does at half its CPU, without a hop to a thread and without a clock of its own.

        Whoever calls it watches the time: ``max_time_ms`` binds MongoDB alone. A cancellation that comes with the
        answer may be lost, and the documents returned all the same (PyMongo 4.20 on Python 3.11).
        """
        with translated():
            quick = None
            if not query.verbatim and query.hint is None:
                quick = await self._quick.read(database, collection, query, max_time_ms=max_time_ms)
            if quick is not None:
                return quick
            query = replace(query, max_time_ms=max_time_ms)
            documents: list[Document] = await _find(self._reader, database, collection, query).to_list(None)
        return plain_documents(documents) if query.verbatim else documents

    async def find_one(
        self,
        database: str,
        collection: str,
        *,
        filter: Document,  # noqa: A002
        projection: Mapping[str, Any] | None = None,
        max_time_ms: int = 0,
    ) -> Document | None:
        """Read the first document that a filter finds."""
        query = FindQuery(filter=filter, projection=projection, limit=1, max_time_ms=max_time_ms)
        found = await self.find(database, collection, query)
        return found[0] if found else None

    async def get(self, database: str, collection: str, document_id: Any, *, max_time_ms: int = 0) -> Document | None:
        """Read one document by its ``_id``."""
        wanted = {"_id": {"$eq": document_id}}
        return await self.find_one(database, collection, filter=wanted, max_time_ms=max_time_ms)

    async def aggregate(
        self,
        database: str,
        collection: str,
        pipeline: Sequence[Document],
        *,
        max_time_ms: int = 0,
        allow_disk_use: bool = False,
        max_bytes: int = 0,
    ) -> list[Document]:
        """Run a pipeline and read its whole result.

        Args:
            database: the database.
            collection: the collection.
            pipeline: the stages.
            max_time_ms: how long MongoDB may work on it, 0 without end.
            allow_disk_use: whether it may use its disk where memory is short.
            max_bytes: how large the result may be as BSON, 0 without bound.

        Raises:
            ResultTooLargeError: the result is larger; at most one batch of 16 MB more than that was read.
        """
        options: dict[str, Any] = {"batchSize": ALL_AT_ONCE, "allowDiskUse": allow_disk_use}
        if max_time_ms:
            options["maxTimeMS"] = max_time_ms
        handle, stages = self._collection(database, collection), list(pipeline)
        async with limited(max_time_ms):
            if max_bytes:
                return await read_bounded(self._driver, handle, stages, options, max_bytes=max_bytes)
            return await self._driver.aggregate(handle, stages, options)

    async def explain(self, database: str, command: Document, *, max_time_ms: int = 0) -> Document:
        """Let MongoDB tell how it runs a find or an aggregation, and what that examined; the query is run for it.

        Args:
            database: the database.
            command: the command, without a time limit of its own.
            max_time_ms: how long MongoDB may work on it, 0 without end.
        """
        explain: Document = {"explain": command, "verbosity": "executionStats"}
        if max_time_ms:
            explain["maxTimeMS"] = max_time_ms
        async with limited(max_time_ms):
            told: Document = await self._reader.client[database].command(explain)
        return told

    async def count(
        self,
        database: str,
        collection: str,
        filter: Document,  # noqa: A002
        *,
        max_time_ms: int = 0,
        hint: Hint | None = None,
    ) -> int:
        """Count the documents that a filter finds."""
        options: dict[str, Any] = {"maxTimeMS": max_time_ms} if max_time_ms else {}
        if hint is not None:
            options["hint"] = _hint(hint)
        async with limited(max_time_ms):
            counted: int = await self._collection(database, collection).count_documents(filter, **options)
        return counted

    async def estimated_count(self, database: str, collection: str, *, max_time_ms: int = 0) -> int:
        """Tell how many documents a collection has, from its statistics: at once, and right but for accidents."""
        options: dict[str, Any] = {"maxTimeMS": max_time_ms} if max_time_ms else {}
        with translated():
            counted: int = await self._collection(database, collection).estimated_document_count(**options)
        return counted

    async def replace(
        self, database: str, collection: str, document: Document, *, upsert: bool = True, etag: ObjectId | None = None
    ) -> bool:
        """Store a whole document in the place of the one with its ``_id``; when this returns, it is on disk.

        Args:
            database: the database.
            collection: the collection, made if there is none.
            document: the document, with ``_id``.
            upsert: whether it may be a new one.
            etag: the ``_etag`` that the stored one must have, if it matters.

        Returns:
            True if the document is new.

        Raises:
            ConflictError: the stored document has another ``_etag``, or there is none.
            NotFoundError: there is none, and it may not be a new one.
        """
        wanted: Document = {"_id": {"$eq": document["_id"]}}
        if etag is not None:
            wanted["_etag"] = etag
        outcome = await self.replace_one(
            database, collection, filter=wanted, document=document, upsert=upsert and etag is None
        )
        if outcome.created or outcome.matched:
            return outcome.created
        if etag is not None:
            raise ConflictError("The stored document has another version")
        raise NotFoundError("There is no document with this _id")

    async def replace_one(
        self,
        database: str,
        collection: str,
        *,
        filter: Document,  # noqa: A002
        document: Document,
        upsert: bool,
    ) -> WriteOutcome:
        """Put a whole document in the place of the one that a filter finds, in one step.

        Args:
            database: the database.
            collection: the collection.
            filter: the whole condition: ``_id``, version, and whatever else must hold.
            document: the document; one without ``_id`` takes that of the filter or of the stored one.
            upsert: whether it is stored where the filter finds none.

        Raises:
            DuplicateKeyError: there is a document with this ``_id`` that the filter does not find, or a unique index
                refuses the write.
        """
        with translated():
            result = await self._collection(database, collection).replace_one(filter, document, upsert=upsert)
        return _outcome(result, document.get("_id", _identity(filter)))

    async def update_one(
        self,
        database: str,
        collection: str,
        *,
        filter: Document,  # noqa: A002
        update: Update,
        upsert: bool,
    ) -> WriteOutcome:
        """Change the document that a filter finds, in one step.

        Raises:
            DuplicateKeyError: as for :meth:`replace_one`.
        """
        with translated():
            result = await self._collection(database, collection).update_one(filter, update, upsert=upsert)
        return _outcome(result, _identity(filter))

    async def update_checked(
        self,
        database: str,
        collection: str,
        *,
        filter: Document,  # noqa: A002
        update: Update,
        upsert: bool,
        check: Callable[[Document], None],
    ) -> WriteOutcome:
        """Change the document that a filter finds, if what it becomes passes a check.

        Args:
            database: the database.
            collection: the collection.
            filter: as for :meth:`replace_one`.
            update: operators, or a pipeline.
            upsert: whether a document is made where the filter finds none.
            check: gets the document as it would be; if it raises, nothing is changed and the exception goes on to the
                caller. It may be called more than once.

        Raises:
            DuplicateKeyError: as for :meth:`replace_one`.
        """
        return await update_checked(
            self._control, database, collection, filter=filter, update=update, upsert=upsert, check=check
        )

    async def update_many(
        self,
        database: str,
        collection: str,
        *,
        filter: Document,  # noqa: A002
        update: Update,
        max_time_ms: int = 0,
    ) -> BulkOutcome:
        """Change every document that a filter finds; when the time is over, those that were changed stay so."""
        statement = {"q": filter, "u": update, "multi": True}
        reply = await change_many(self._collection(database, collection), "update", statement, max_time_ms=max_time_ms)
        return BulkOutcome(inserted=0, modified=reply["nModified"], matched=reply["n"])

    async def insert(self, database: str, collection: str, document: Document) -> None:
        """Store a new document; one without ``_id`` gets one.

        Raises:
            DuplicateKeyError: there is one with this ``_id``, or a unique index refuses it.
        """
        with translated():
            await self._collection(database, collection).insert_one(document)

    async def bulk_replace(self, database: str, collection: str, documents: Sequence[Document]) -> BulkOutcome:
        """Store whole documents by their ``_id``, in no order; on a failure the others are stored all the same."""
        if not documents:
            return BulkOutcome(0, 0, 0)
        requests = [ReplaceOne({"_id": {"$eq": document["_id"]}}, document, upsert=True) for document in documents]
        with translated():
            result = await self._collection(database, collection).bulk_write(requests, ordered=False)
        return BulkOutcome(result.upserted_count + result.inserted_count, result.modified_count, result.matched_count)

    async def bulk_write(self, database: str, collection: str, operations: Sequence[BulkOperation]) -> BulkReport:
        """Carry out operations in no order; one that MongoDB refuses is reported and leaves the others alone."""
        return await run_bulk(self._collection(database, collection), operations)

    async def delete(self, database: str, collection: str, document_id: Any) -> bool:
        """Delete one document by its ``_id``; True if there was one."""
        return await self.delete_one(database, collection, filter={"_id": {"$eq": document_id}})

    async def delete_one(self, database: str, collection: str, *, filter: Document) -> bool:  # noqa: A002
        """Delete the document that a filter finds, in one step; True if there was one."""
        with translated():
            result = await self._collection(database, collection).delete_one(filter)
        return bool(result.deleted_count)

    async def delete_many(
        self,
        database: str,
        collection: str,
        *,
        filter: Document,  # noqa: A002
        max_time_ms: int = 0,
    ) -> int:
        """Delete every document that a filter finds; when the time is over, those that were deleted stay so."""
        statement = {"q": filter, "limit": 0}
        reply = await change_many(self._collection(database, collection), "delete", statement, max_time_ms=max_time_ms)
        deleted: int = reply["n"]
        return deleted

    async def create_collection(self, database: str, collection: str) -> bool:
        """Make a collection; False if it is there already, whoever made it."""
        return await catalog.create_collection(self._driver.client, database, collection)

    async def create_index(
        self,
        database: str,
        collection: str,
        *,
        name: str,
        keys: Sequence[tuple[str, Any]],
        unique: bool = False,
        sparse: bool = False,
    ) -> None:
        """Make an index; nothing happens if the same one is there. It may take as long as the collection is large."""
        options = {"unique": unique, "sparse": sparse}
        await self.build_index(database, collection, name=name, keys=dict(keys), options=options)

    async def build_index(
        self, database: str, collection: str, *, name: str, keys: Document, options: Document
    ) -> None:
        """Make an index; nothing happens if the very same is there. It may take as long as the collection is large.

        Args:
            database: the database.
            collection: the collection, made if there is none.
            name: the index's name.
            keys: the fields in order, each with 1, -1, "text", "hashed" and so on.
            options: the others, as MongoDB names them.

        Raises:
            QueryRefusedError: MongoDB wants no such index: another one has this name, the options make no sense, or
                documents have the same key in what shall be unique.
        """
        with translated():
            handle = self._control.client[database][collection]
        await catalog.build_index(handle, name=name, keys=keys, options=options)

    async def list_indexes(self, database: str, collection: str, *, max_time_ms: int = 0) -> list[Document]:
        """Describe the indexes as MongoDB does; none if there is no collection."""
        return await catalog.list_indexes(self._collection(database, collection), max_time_ms=max_time_ms)

    async def drop_index(self, database: str, collection: str, name: str) -> bool:
        """Drop an index by its name; False if there is none."""
        return await catalog.drop_index(self._collection(database, collection), name)

    async def database_names(self) -> list[str]:
        """Name the databases in order, without those that belong to MongoDB (admin, config, local)."""
        with translated():
            names: list[str] = await self._driver.client.list_database_names()
        return sorted(set(names) - _SYSTEM_DATABASES)

    async def collection_names(self, database: str) -> list[str]:
        """Name a database's collections in order, without MongoDB's ``system.`` ones; none if there is no database."""
        return await catalog.list_collections(self._driver.client, database)

    async def drop_database(self, database: str) -> None:
        """Drop a database with all that is in it; nothing happens if there is none."""
        with translated():
            await self._driver.client.drop_database(database)

    async def drop_collection(self, database: str, collection: str) -> None:
        """Drop a collection with all that is in it; nothing happens if there is none."""
        with translated():
            await self._driver.client[database].drop_collection(collection)

    def bucket(self, database: str, collection: str) -> FileBucket:
        """Give access to the bytes of the files whose documents are in a collection, ``<name>.files``."""
        if self._transfers is None:
            self._transfers = self.open_client(event_listeners=self._listeners)
        return FileBucket(self._transfers, database, collection)

    async def connect(self) -> None:
        """Let the clients that carry requests get to know the members, so that they notice when the primary is gone.

        Raises:
            StoreUnavailableError: there is no primary.
        """
        for driver in (self._driver, self._reader):
            with translated():
                await driver.client.admin.command("ping")

    async def await_primary(self) -> None:
        """Wait if there is no primary, for as long as the driver looks for one; next to nothing happens if there is.

        Whoever answers requests calls this before it begins: what waits here holds no thread and no connection.

        Raises:
            StoreUnavailableError: there is none, and has been none for longer.
        """
        if self._primary.absent:
            await self._primary.wait()

    async def health(self) -> StoreHealth:
        """Ask MongoDB how it is; answers within 2 seconds even when MongoDB hangs, and never raises StoreError."""
        return await ask_health(self._control)

    async def close(self) -> None:
        """Close every connection; the store is of no use afterwards."""
        self._primary.close()
        await self._driver.close()
        if self._reader is not self._driver:
            await self._reader.close()
        await self._control.close()
        if self._transfers is not None:
            await self._transfers.close()

    def _collection(self, database: str, collection: str) -> Any:
        with translated():
            return self._driver.client[database][collection]


def _find(driver: Driver, database: str, collection: str, query: FindQuery) -> Any:
    """Give the cursor of a find."""
    source = driver.client[database][collection]
    return (verbatim(source) if query.verbatim else source).find(
        query.filter,
        query.projection,
        sort=list(query.sort) or None,
        skip=query.skip,
        limit=query.limit,
        batch_size=query.first_batch,
        max_time_ms=query.max_time_ms or None,
        hint=_hint(query.hint),
    )


def _hint(hint: Hint | None) -> Any:
    return list(hint) if isinstance(hint, tuple) else hint


def _identity(filter: Document) -> Any:  # noqa: A002
    """Find the ``_id`` that a filter asks for, if it asks for one."""
    wanted = filter.get("_id")
    if isinstance(wanted, dict) and next(iter(wanted), "").startswith("$"):
        return wanted.get("$eq")
    return wanted


def _outcome(result: Any, document_id: Any) -> WriteOutcome:
    if result.did_upsert:  # asked first, for an upserted _id of null reads like none
        return WriteOutcome(created=True, matched=False, document_id=result.upserted_id)
    matched = result.matched_count > 0
    return WriteOutcome(created=False, matched=matched, document_id=document_id if matched else None)
