"""Bytes on their way into a bucket: sent in batches, made a file by one transaction, or gone without a trace."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bson import ObjectId
from pymongo import WriteConcern

from content_core.documents import Document
from content_core.errors import DuplicateKeyError, NotFoundError, StoreError
from content_core.store.bucket import BATCH, Bucket, FileCheck, busy, one, tolerated
from content_core.store.driver_errors import translated
from content_core.store.unfinished import BUCKET_FIELD, upload_of
from content_core.store.values import WriteMode, WriteOutcome

__all__ = ["CHUNK_BYTES", "LARGE", "FileUpload"]

CHUNK_BYTES: Final = 255 * 1024
"""The size of a chunk: GridFS's own default."""

LARGE: Final = 16 * 1024 * 1024
"""Bytes from which on an old file is not deleted by a transaction: MongoDB would keep all of it in its cache."""

_LEASE_SECONDS: Final = 600.0
_RENEW_SECONDS: Final = 30.0
_QUICK: Final = WriteConcern(w=1, j=False)
"""For chunks: the transaction at the end counts them, and makes them durable. Waiting each time takes twice as long."""


class FileUpload:
    """An upload. Made by :meth:`FileBucket.upload`.

    Attributes:
        length: how many bytes came.
        new_id: an ``_id`` for a file that brings none; with it the chunks are where they have to be.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.length = 0
        self.new_id = ObjectId()
        self._bucket = bucket
        self._owner = ObjectId()
        self._buffer = bytearray()
        self._sent = 0
        self._noted: float | None = None
        self._sending: asyncio.Task[None] | None = None
        self._unsure = False
        self._target: list[Any] = []

    async def write(self, data: bytes) -> None:
        """Take bytes; they go to MongoDB in batches.

        Raises:
            ConflictError: the upload has been given up, because nothing came for so long.
        """
        self.length += len(data)
        self._buffer += data
        size = BATCH * CHUNK_BYTES
        while len(self._buffer) > size:  # the last batch stays: a file that is just one is stored in one step
            batch = bytes(memoryview(self._buffer)[:size])
            del self._buffer[:size]
            await self._send(batch)
        if self._noted is not None:
            await self._keep()

    async def commit(
        self,
        document_id: Any,
        *,
        filename: str,
        metadata: Mapping[str, Any],
        mode: WriteMode = "upsert",
        condition: Document | None = None,
        check: FileCheck = lambda _current: None,
    ) -> WriteOutcome:
        """Make the bytes a file, in the place of the one that has the id; when this returns, it is on disk.

        Args:
            document_id: the file's ``_id``.
            filename: its name.
            metadata: what else is known of it.
            mode: whether it must be new, be there, or either.
            condition: what a file must fit to be replaced.
            check: sees the file that would be replaced, and raises if it may not.

        Raises:
            DuplicateKeyError: the mode or the condition does not fit what is there, or a unique index refuses the file.
            NotFoundError: there is none that could be replaced.
            ConflictError: others keep writing to it.
        """
        file = {
            "_id": document_id,
            "filename": filename,
            "length": self.length,
            "chunkSize": CHUNK_BYTES,
            "uploadDate": _now(),
            "metadata": dict(metadata),
            BUCKET_FIELD: {"upload": self.new_id},
        }
        self._target = [document_id]
        judge = _Judge(self._bucket, document_id, mode, condition, check)
        created = None if self._sent else await self._store_at_once(file, judge)
        if created is None:
            created = await self._store_sent(file, judge)
        return WriteOutcome(created=created, matched=not created, document_id=document_id)

    async def abandon(self) -> None:
        """Remove what was sent, unless it has become a file; after :meth:`commit` this does nothing."""
        if self._noted is None:
            return
        with contextlib.suppress(StoreError, asyncio.CancelledError):
            await self._arrived()
        heir, notes = ObjectId(), self._bucket.notes
        with tolerated():
            # The note is gone if the transaction of a commit has removed it (this waits for one that is just ending),
            # or if somebody took it over.
            owned = await notes.hand_over(self.new_id, self._owner, heir)
            if not owned and await self._is_file():
                return
            # MongoDB may still be storing what was sent last; the note stays until that is over.
            if self._unsure or not owned:
                await notes.clear(self.new_id, self.new_id)
            else:
                await notes.settle(self.new_id, heir)

    async def _is_file(self) -> bool:
        for document_id in self._target:
            file = await self._bucket.files.find_one(one(document_id), {BUCKET_FIELD: 1})
            return bool(upload_of(file or {})[0] == self.new_id)
        return False

    async def _store_at_once(self, file: Document, judge: "_Judge") -> bool | None:
        """Store a file of one batch with its bytes; None if what it replaces is too large for one transaction."""
        bucket, document_id = self._bucket, file["_id"]
        chunks = _chunks(bytes(self._buffer), files_id=document_id, upload=self.new_id, first=0)

        async def store(session: Any) -> bool | None:
            current = await judge(session)
            if current is not None and current.get("length", 0) > LARGE:
                return None
            await bucket.notes.hold([document_id], session)
            if current is not None:
                await bucket.remove_bytes([current], session)
            if chunks:
                await bucket.chunks.insert_many(chunks, session=session)
            await bucket.files.replace_one(one(document_id), file, upsert=True, session=session)
            return current is None

        return await bucket.in_one_step(document_id, store)

    async def _store_sent(self, file: Document, judge: "_Judge") -> bool:
        """Make a file of the chunks that were sent."""
        await self._send(bytes(self._buffer))
        await self._arrived()
        self._buffer.clear()
        bucket, document_id = self._bucket, file["_id"]

        async def switch(session: Any) -> bool:
            current = await judge(session)
            wanted = {"files_id": self.new_id, "n": {"$gte": 0}}
            if await bucket.chunks.count_documents(wanted, session=session) != self._sent:
                raise StoreError("MongoDB has lost a part of the upload")  # a node that became primary lacks it
            if not await bucket.notes.remove(self.new_id, self._owner, session):
                raise busy()
            await bucket.files.replace_one(one(document_id), file, upsert=True, session=session)
            return current is None

        async def switch_and_mark(session: Any, owner: ObjectId) -> bool:
            current = await bucket.current(document_id, session)
            await bucket.mark(document_id, owner, current, session)
            return await switch(session)

        if document_id == self.new_id:
            created = await bucket.transaction(switch)
        else:
            file[BUCKET_FIELD] = {"upload": self.new_id, "at": self.new_id}
            created = await bucket.alone(document_id, switch_and_mark)
        self._noted = None
        return created

    async def _send(self, batch: bytes) -> None:
        await self._arrived()
        await self._keep()
        chunks = _chunks(batch, files_id=self.new_id, upload=self.new_id, first=self._sent)
        if not chunks:
            return
        self._sent += len(chunks)
        self._sending = asyncio.create_task(self._insert(chunks))

    async def _insert(self, chunks: list[Document]) -> None:
        with translated():
            await self._bucket.chunks.with_options(write_concern=_QUICK).insert_many(chunks)

    async def _arrived(self) -> None:
        """Wait for the batch that is under way; the next one was gathered meanwhile."""
        sending, self._sending = self._sending, None
        if sending is None:
            return
        try:
            await sending
        except BaseException:
            self._unsure = True
            raise

    async def _keep(self) -> None:
        """Write the note, and renew it from time to time."""
        now, notes = time.monotonic(), self._bucket.notes
        if self._noted is not None and now < self._noted + _RENEW_SECONDS:
            return
        with translated():
            if self._noted is None:
                await notes.take(self.new_id, self._owner, seconds=_LEASE_SECONDS, old=self.new_id)
            elif not await notes.renew(self.new_id, self._owner, seconds=_LEASE_SECONDS):
                raise busy()
        self._noted = now


class _Judge:
    """Says within a transaction whether a file may be written, and gives the one that would be replaced."""

    def __init__(
        self, bucket: Bucket, document_id: Any, mode: WriteMode, condition: Document | None, check: FileCheck
    ) -> None:
        self._bucket = bucket
        self._id = document_id
        self._mode = mode
        self._condition = condition
        self._check = check

    async def __call__(self, session: Any) -> Document | None:
        current = await self._bucket.current(self._id, session)
        fits = current is not None and await self._bucket.fits(self._id, self._condition, session)
        if self._mode == "update" and not fits:
            raise NotFoundError(f"file {_shown(self._id)} does not exist")
        if current is not None:
            if self._mode == "insert" or not fits:
                details = {"keys": ["_id"]}
                raise DuplicateKeyError("Duplicate key error: another file has the same _id", details=details)
            self._check(current)
        return current


def _chunks(data: bytes, *, files_id: Any, upload: ObjectId, first: int) -> list[Document]:
    return [
        {
            "_id": ObjectId(),
            "files_id": files_id,
            "n": first + number,
            "data": data[start : start + CHUNK_BYTES],
            "upload": upload,
        }
        for number, start in enumerate(range(0, len(data), CHUNK_BYTES))
    ]


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _shown(document_id: Any) -> str:
    return str(document_id) if isinstance(document_id, ObjectId) else f"'{document_id}'"
