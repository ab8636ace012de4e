"""Notes about unfinished work on the chunks of a bucket, kept among them: what a process left when it died is finished.

A chunk belongs to what its ``files_id`` names, and to the one upload that made it, named in ``upload``. Whoever adds
or removes chunks first writes a note under their ``files_id``: a document with the number -1, so that the unique index
of GridFS lets only one be there. A note that is not renewed runs out, by the clock of MongoDB; then anybody may take it
over and finish the work. All that is done under a note can be done twice, and chunks are removed by their upload, never
by what they are not: somebody who wakes up late harms nobody.
"""

import logging
from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from content_core.documents import Document

__all__ = ["AT", "BUCKET_FIELD", "HeldError", "Notes", "upload_of"]

_log = logging.getLogger(__name__)

BUCKET_FIELD: Final = "_chunks"
"""The member of a file document that says which upload made its chunks; files of other programs have none."""

AT: Final = f"{BUCKET_FIELD}.at"
"""The member that says under which other ``files_id`` they are, until they are moved under the file's own."""

_NUMBER: Final = -1
_BYTES: Final[Document] = {"$gte": 0}
_AT_ONCE: Final = 20
_DUPLICATE_KEY: Final = 11000
_BY_TIME: Final = "unfinished"

_INDEXES: Final = (
    IndexModel([("files_id", 1), ("n", 1)], unique=True),
    IndexModel([("until", 1)], name=_BY_TIME, sparse=True),
)
_INDEXES_OF_FILES: Final = (IndexModel([("filename", 1), ("uploadDate", 1)]),)


class HeldError(Exception):
    """Somebody else has a note under this ``files_id``."""


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of one bucket.

    Args:
        files: the collection of file documents, of PyMongo's async kind.
        chunks: the collection of chunks.
    """

    files: Any
    chunks: Any

    async def prepare(self) -> None:
        """Make the indexes of a bucket where they are missing: those of GridFS, and one that finds notes."""
        await self.chunks.create_indexes(list(_INDEXES))
        await self.files.create_indexes(list(_INDEXES_OF_FILES))

    async def take(self, files_id: Any, owner: ObjectId, *, seconds: float, old: Any = None) -> bool:
        """Write a note, or renew one's own; False if somebody else has one that has not run out.

        Args:
            files_id: whose chunks it is about.
            owner: who writes it.
            seconds: how long it holds.
            old: the upload whose chunks have to go if nothing more is heard; None for none.
        """
        until = {"$add": ["$$NOW", round(seconds * 1000)]}
        change: Document = {"until": until} if old is None else {"until": until, "old": {"$literal": old}}
        try:
            await self.chunks.update_one(_own(files_id, owner), [{"$set": change}], upsert=True)
        except DuplicateKeyError:
            expired = {**_of(files_id), "$expr": {"$lt": ["$until", "$$NOW"]}}
            found = await self.chunks.find_one(expired)
            if found is None or not await self._take_over(found, owner, seconds):
                return False
            await self.settle(files_id, owner)
            return await self.take(files_id, owner, seconds=seconds, old=old)
        return True

    async def renew(self, files_id: Any, owner: ObjectId, *, seconds: float) -> bool:
        """Let one's own note hold longer; False if it is not there any more."""
        until = {"$add": ["$$NOW", round(seconds * 1000)]}
        result = await self.chunks.update_one(_own(files_id, owner), [{"$set": {"until": until}}])
        return bool(result.matched_count)

    async def hand_over(self, files_id: Any, owner: ObjectId, other: ObjectId) -> bool:
        """Give one's own note to somebody else; False if it is gone, also by a transaction that is just ending."""
        result = await self.chunks.update_one(_own(files_id, owner), {"$set": {"owner": other}})
        return bool(result.matched_count)

    async def mark(self, files_id: Any, owner: ObjectId, change: Document, session: Any) -> bool:
        """Write into one's own note within a transaction, which fails if somebody takes it over; False if it is gone.

        Args:
            files_id: whose chunks it is about.
            owner: who has written it.
            change: with ``old``, the upload whose chunks have to go when the transaction is over.
            session: the transaction's.
        """
        update = {"$set": {**change, "marked": ObjectId()}}
        result = await self.chunks.update_one(_own(files_id, owner), update, session=session)
        return bool(result.matched_count)

    async def remove(self, files_id: Any, owner: ObjectId, session: Any = None) -> bool:
        """Remove one's own note; False if it was not there."""
        result = await self.chunks.delete_one(_own(files_id, owner), session=session)
        return bool(result.deleted_count)

    async def hold(self, ids: list[Any], session: Any) -> None:
        """Keep all others away for the rest of a transaction.

        Raises:
            HeldError: somebody has a note under one of the ids.
        """
        owner = ObjectId()
        notes = [{"_id": ObjectId(), "files_id": files_id, "n": _NUMBER, "owner": owner} for files_id in ids]
        try:
            await self.chunks.insert_many(notes, session=session)
        except Exception as error:
            if _is_duplicate(error):
                raise HeldError from error
            raise
        await self.chunks.delete_many({"_id": {"$in": [note["_id"] for note in notes]}}, session=session)

    async def settle(self, files_id: Any, owner: ObjectId) -> None:
        """Finish what a note of one's own is about, whatever state it is in, and remove it."""
        note = await self.chunks.find_one(_own(files_id, owner))
        if note is None:
            return
        file = await self.files.find_one({"_id": {"$eq": files_id}}, {BUCKET_FIELD: 1})
        upload, elsewhere = upload_of(file or {})
        if "old" in note and (file is None or note["old"] != upload):
            await self.clear(files_id, note["old"])
        if elsewhere is not None:
            await self.chunks.update_many({**_bytes_of(elsewhere), "upload": upload}, {"$set": {"files_id": files_id}})
            await self.files.update_one({"_id": {"$eq": files_id}, AT: elsewhere}, {"$unset": {AT: ""}})
        await self.remove(files_id, owner)

    async def clear(self, files_id: Any, upload: Any) -> None:
        """Remove the chunks of an upload."""
        await self.chunks.delete_many({**_bytes_of(files_id), "upload": upload})

    async def sweep(self) -> None:
        """Finish what others left undone."""
        expired = {"until": {"$exists": True}, "$expr": {"$lt": ["$until", "$$NOW"]}}
        found = await self.chunks.find(expired, limit=_AT_ONCE, hint=_BY_TIME).to_list(None)
        for note in found:
            owner = ObjectId()
            if await self._take_over(note, owner, 60):
                _log.info("an unfinished write to %s is cleaned up", self.files.name)
                await self.settle(note["files_id"], owner)

    async def _take_over(self, note: Document, owner: ObjectId, seconds: float) -> bool:
        mine = {"_id": note["_id"], "owner": note["owner"], "$expr": {"$lt": ["$until", "$$NOW"]}}
        until = {"$add": ["$$NOW", round(seconds * 1000)]}
        result = await self.chunks.update_one(mine, [{"$set": {"owner": owner, "until": until}}])
        return bool(result.matched_count)


def upload_of(file: Document) -> tuple[Any, Any]:
    """Give the upload that made a file's chunks, and the other ``files_id`` under which they may still be; or None."""
    made = file.get(BUCKET_FIELD)
    return (made.get("upload"), made.get("at")) if isinstance(made, dict) else (None, None)


def _of(files_id: Any) -> Document:
    return {"files_id": {"$eq": files_id}, "n": _NUMBER}


def _own(files_id: Any, owner: ObjectId) -> Document:
    return {**_of(files_id), "owner": owner}


def _bytes_of(files_id: Any) -> Document:
    return {"files_id": {"$eq": files_id}, "n": _BYTES}


def _is_duplicate(error: Exception) -> bool:
    if isinstance(error, DuplicateKeyError):
        return True
    details = getattr(error, "details", None)
    failures = details.get("writeErrors", ()) if isinstance(details, dict) else ()
    return any(failure.get("code") == _DUPLICATE_KEY for failure in failures)
