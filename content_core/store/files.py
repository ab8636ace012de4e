"""Files in buckets: GridFS, written and read in pieces, replaced and deleted without a moment without the bytes.

An upload puts its chunks under a ``files_id`` of its own. When it is complete, one transaction makes the file document
name it; what was there before is removed, and the chunks are moved under the file's own id, where GridFS has them. A
file that fits into one batch is stored by that transaction alone. :mod:`content_core.store.unfinished` says what
happens when a process dies in between.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from bson import ObjectId

from content_core.documents import Document
from content_core.errors import StoreError, StoreTimeoutError
from content_core.store.bucket import BATCH, Bucket, FileCheck, one
from content_core.store.driver_errors import limited, translated
from content_core.store.drivers import PyMongoDriver
from content_core.store.file_upload import LARGE, FileUpload
from content_core.store.unfinished import BUCKET_FIELD, HeldError, upload_of

__all__ = ["FileBucket", "shown_file"]

_GROUP: Final = 100
"""Files that one transaction deletes at most."""


class FileBucket:
    """One bucket. Its file documents are read, and their metadata changed, as any documents.

    Args:
        driver: PyMongo's async client.
        database: the database.
        collection: the collection of file documents, whose name ends in ``.files``.
    """

    def __init__(self, driver: PyMongoDriver, database: str, collection: str) -> None:
        self._bucket = Bucket(driver, database, collection)

    @contextlib.asynccontextmanager
    async def upload(self) -> AsyncIterator[FileUpload]:
        """Begin an upload; what has not become a file when the block ends leaves nothing behind."""
        await self._bucket.prepare()
        upload = FileUpload(self._bucket)
        try:
            yield upload
        finally:
            await upload.abandon()

    async def read(self, file: Document, start: int, stop: int) -> AsyncIterator[bytes]:
        """Read bytes of a file, chunk by chunk, and none but those that hold them; 2 MB are fetched ahead.

        Args:
            file: the whole file document.
            start: the first byte.
            stop: the byte behind the last one.

        Raises:
            StoreError: chunks are not there (any more): the file was replaced or deleted meanwhile, or is damaged.
        """
        size, length = int(file["chunkSize"]), int(file["length"])
        last = -(-stop // size)
        batches = deque((first, min(first + BATCH, last)) for first in range(start // size, last, BATCH))
        ahead = asyncio.ensure_future(self._read_chunks(file, *batches[0])) if batches else None
        try:
            while ahead is not None:
                first, end = batches.popleft()
                chunks = await ahead
                ahead = asyncio.ensure_future(self._read_chunks(file, *batches[0])) if batches else None
                for number, chunk in zip(range(first, end), chunks, strict=True):
                    offset = number * size
                    if len(chunk) != min(size, length - offset):
                        raise damaged()
                    yield chunk[max(start - offset, 0) : stop - offset]
        finally:
            if ahead is not None:
                ahead.cancel()

    async def delete(
        self, document_id: Any, *, condition: Document | None = None, check: FileCheck = lambda _current: None
    ) -> bool:
        """Delete a file with its bytes; False if there is none, or it does not fit the condition.

        Raises:
            ConflictError: others keep writing to it.
        """
        bucket = self._bucket
        await bucket.prepare()

        async def find(session: Any) -> Document | None:
            current = await bucket.current(document_id, session)
            if current is None or not await bucket.fits(document_id, condition, session):
                return None
            check(current)
            return current

        async def at_once(session: Any) -> bool | None:
            current = await find(session)
            if current is None:
                return False
            if current.get("length", 0) > LARGE:
                return None
            await bucket.notes.hold([document_id], session)
            await bucket.remove_bytes([current], session)
            return bool((await bucket.files.delete_one(one(document_id), session=session)).deleted_count)

        async def bytes_later(session: Any, owner: ObjectId) -> bool:
            current = await find(session)
            if current is None:
                return False
            await bucket.mark(document_id, owner, current, session)
            return bool((await bucket.files.delete_one(one(document_id), session=session)).deleted_count)

        deleted = await bucket.in_one_step(document_id, at_once)
        return await bucket.alone(document_id, bytes_later) if deleted is None else deleted

    async def delete_many(self, *, filter: Document, max_time_ms: int = 0) -> int:  # noqa: A002
        """Delete every file that a filter finds; when the time is over, those that were deleted stay so.

        Raises:
            StoreTimeoutError: the time is over.
        """
        await self._bucket.prepare()
        deadline = time.monotonic() + max_time_ms / 1000 if max_time_ms else None
        async with limited(max_time_ms):
            cursor = self._bucket.files.find(filter, {"length": 1}, max_time_ms=max_time_ms or None)
            found = await cursor.to_list(None)
        deleted = 0
        for group in _groups(found):
            if deadline is not None and time.monotonic() > deadline:
                raise StoreTimeoutError(f"The operation ran over its time limit; {deleted} files are deleted")
            deleted += await self._delete_group(group, filter)
        return deleted

    async def _delete_group(self, ids: list[Any], condition: Document) -> int:
        bucket = self._bucket

        async def remove(session: Any) -> int:
            wanted = {"$and": [{"_id": {"$in": ids}}, condition]}
            found = await bucket.files.find(wanted, session=session).to_list(None)
            gone = [file["_id"] for file in found]
            if not gone:
                return 0
            await bucket.notes.hold(gone, session)
            await bucket.remove_bytes(found, session)
            return int((await bucket.files.delete_many({"_id": {"$in": gone}}, session=session)).deleted_count)

        if len(ids) > 1:
            try:
                return await bucket.transaction(remove)
            except HeldError:
                pass  # somebody writes to one of them: one by one, then, and waiting for that
        return sum([await self.delete(document_id, condition=condition) for document_id in ids])

    async def _read_chunks(self, file: Document, first: int, end: int) -> list[bytes]:
        upload, elsewhere = upload_of(file)
        under = {"$eq": file["_id"]} if elsewhere is None else {"$in": [file["_id"], elsewhere]}
        wanted = {"files_id": under, "n": {"$gte": first, "$lt": end}, "upload": upload}
        tries = 1 if elsewhere is None else 2  # the first may have looked while they were moved
        found: list[Document] = []
        for _ in range(tries):
            with translated():
                cursor = self._bucket.chunks.find(wanted, {"_id": 0, "n": 1, "data": 1}, batch_size=BATCH + 1)
                found = await cursor.to_list(None)
            if len(found) == end - first:
                return [bytes(chunk["data"]) for chunk in sorted(found, key=lambda chunk: int(chunk["n"]))]
        raise damaged()


def damaged() -> StoreError:
    """Build the error of a read that does not find all bytes."""
    return StoreError("The bytes of the file are not there: it was replaced or deleted, or is damaged")


def shown_file(file: Document) -> Document:
    """Leave out of a file document what is the store's own."""
    return {name: value for name, value in file.items() if name != BUCKET_FIELD} if BUCKET_FIELD in file else file


def _groups(found: list[Document]) -> Iterator[list[Any]]:
    """Put files together that one transaction may delete."""
    group: list[Any] = []
    size = 0
    for file in found:
        length = int(file.get("length", 0))
        if group and (len(group) == _GROUP or size + length > LARGE):
            yield group
            group, size = [], 0
        group.append(file["_id"])
        size += length
    if group:
        yield group
