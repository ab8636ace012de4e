"""What all writes to a bucket share: its two collections, transactions, and keeping others away from one file."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import pymongo
from bson import ObjectId

from content_core.documents import Document
from content_core.errors import ConflictError, StoreError
from content_core.store.driver_errors import translated
from content_core.store.drivers import PyMongoDriver
from content_core.store.unfinished import HeldError, Notes, upload_of

__all__ = ["BATCH", "Bucket", "FileCheck", "busy", "chunks_of", "one", "tolerated"]

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

FileCheck: TypeAlias = Callable[[Document], None]
"""Sees the file document that a write would replace or delete, and raises if it may not."""

BATCH: Final = 8
"""Chunks sent and read at a time: 2 MB, twice and more of which every transfer keeps in memory.

Fewer cost a busy machine half of the rate, for each batch is a round trip; twice as many bring a few percent.
"""

_SETTLE_SECONDS: Final = 20.0
_WAIT_SECONDS: Final = 60.0
_TRANSACTION_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = (0.01, 0.02, 0.05, 0.1)


class Bucket:
    """One bucket: the collection of its file documents and that of their chunks.

    Args:
        driver: PyMongo's async client. It has to be PyMongo's, as for every transaction (see ``checked.py``).
        database: the database.
        collection: the collection of file documents, whose name ends in ``.files``.
    """

    def __init__(self, driver: PyMongoDriver, database: str, collection: str) -> None:
        self._client = driver.client
        with translated():
            self.files: Any = driver.client[database][collection]
            self.chunks: Any = driver.client[database][chunks_of(collection)]
        self.notes = Notes(self.files, self.chunks)

    async def prepare(self) -> None:
        """Make ready for a write: indexes, and what processes left undone that are gone."""
        with translated():
            await self.notes.prepare()
            await self.notes.sweep()

    async def current(self, document_id: Any, session: Any) -> Document | None:
        """Read a file document within a transaction."""
        found: Document | None = await self.files.find_one(one(document_id), session=session)
        return found

    async def fits(self, document_id: Any, condition: Document | None, session: Any) -> bool:
        """Say within a transaction whether a file that is there fits a condition."""
        if condition is None:
            return True
        wanted = {**one(document_id), "$and": [condition]}
        return await self.files.find_one(wanted, {"_id": 1}, session=session) is not None

    async def remove_bytes(self, files: Sequence[Document], session: Any) -> None:
        """Remove the chunks of files to which nobody else writes, so that they are under the files' own ids."""
        gone = [
            {"files_id": {"$eq": file["_id"]}, "n": {"$gte": 0}, "upload": upload_of(file)[0]}
            for file in files
            if file.get("length")
        ]
        if gone:
            await self.chunks.delete_many({"$or": gone} if len(gone) > 1 else gone[0], session=session)

    async def mark(self, document_id: Any, owner: ObjectId, current: Document | None, session: Any) -> None:
        """Note within a transaction that the chunks of a file, if there is one, have to go when it is over.

        Raises:
            ConflictError: somebody took over, because this took too long.
        """
        change = {} if current is None else {"old": upload_of(current)[0]}
        if not await self.notes.mark(document_id, owner, change, session):
            raise busy()

    async def transaction(self, change: Callable[[Any], Awaitable[_T]]) -> _T:
        """Run a transaction; it begins anew as long as others come in between."""
        with translated(), pymongo.timeout(_TRANSACTION_SECONDS):
            async with self._client.start_session() as session:
                result: _T = await session.with_transaction(change)
                return result

    async def in_one_step(self, document_id: Any, change: Callable[[Any], Awaitable[_T]]) -> _T:
        """Run a transaction that keeps others away by itself, as soon as nobody is moving the file's chunks.

        Raises:
            ConflictError: that does not end.
        """
        async for _ in _tries():
            try:
                return await self.transaction(change)
            except HeldError:
                owner = ObjectId()
                with translated():
                    if await self.notes.take(document_id, owner, seconds=_SETTLE_SECONDS):
                        await self.notes.settle(document_id, owner)
        raise busy()

    async def alone(self, document_id: Any, change: Callable[[Any, ObjectId], Awaitable[_T]]) -> _T:
        """Run a transaction, and what it leaves to be done, while a note keeps everybody else away from the file.

        Raises:
            ConflictError: others do not let go of it.
        """
        owner = ObjectId()
        async for _ in _tries():
            with translated():
                taken = await self.notes.take(document_id, owner, seconds=_SETTLE_SECONDS)
            if taken:
                break
        else:
            raise busy()
        try:
            return await self.transaction(lambda session: change(session, owner))
        finally:
            # Whatever became of the transaction, this looks at the outcome. If it cannot be done now, a sweep will.
            with tolerated():
                await self.notes.settle(document_id, owner)


def one(document_id: Any) -> Document:
    """Build the filter that finds one file."""
    return {"_id": {"$eq": document_id}}


def busy() -> ConflictError:
    """Build the error of a write that others do not let through."""
    return ConflictError("others keep writing to the same file")


def chunks_of(collection: str) -> str:
    """Name the collection of a bucket's chunks."""
    return f"{collection.removesuffix('.files')}.chunks"


@contextlib.contextmanager
def tolerated() -> Iterator[None]:
    """Run what a later sweep does if it cannot be done now."""
    try:
        with translated():
            yield
    except StoreError as error:
        _log.warning("unfinished work on a file is left to a later sweep: %s", error.message)


async def _tries() -> AsyncIterator[None]:
    deadline = time.monotonic() + _WAIT_SECONDS
    number = 0
    while True:
        yield
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(_PAUSE_SECONDS[min(number, len(_PAUSE_SECONDS) - 1)])
        number += 1
