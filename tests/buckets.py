"""What tests of files share: a bucket filled and read past the interface, and a look at what should not be there."""

from typing import Any, Final

from content_core.documents import Document
from content_core.store import FileBucket, FindQuery, Store, WriteOutcome, chunks_of

__all__ = ["CHUNKS", "FILES", "expire_notes", "get", "left_over", "put"]

FILES: Final = "media.files"
CHUNKS: Final = "media.chunks"


async def put(bucket: FileBucket, document_id: Any, data: bytes, **options: Any) -> WriteOutcome:
    async with bucket.upload() as upload:
        for start in range(0, len(data), 65_536):
            await upload.write(data[start : start + 65_536])
        return await upload.commit(document_id, filename="f", metadata={"size": len(data)}, **options)


async def get(store: Store, database: str, document_id: Any, start: int = 0, stop: int | None = None) -> bytes:
    file = await store.get(database, FILES, document_id)
    assert file is not None
    pieces = store.bucket(database, FILES).read(file, start, file["length"] if stop is None else stop)
    return b"".join([piece async for piece in pieces])


async def left_over(store: Store, database: str, collection: str = FILES) -> list[Document]:
    """Find chunks that belong to no file, and notes of unfinished work; every file has all of its own."""
    files = await store.find(database, collection, FindQuery(filter={}))
    expected = {repr(file["_id"]): -(-file["length"] // file["chunkSize"]) for file in files}
    chunks = await store.find(database, chunks_of(collection), FindQuery(filter={}, projection={"data": 0}))
    counted = dict.fromkeys(expected, 0)
    others = []
    for chunk in chunks:
        if chunk["n"] >= 0 and repr(chunk["files_id"]) in counted:
            counted[repr(chunk["files_id"])] += 1
        else:
            others.append(chunk)
    assert counted == expected
    assert not [file for file in files if "at" in file.get("_chunks", {})]
    return others


async def expire_notes(store: Store, database: str, collection: str = FILES) -> int:
    """Let the notes of unfinished work run out; give their number."""
    wound_back = [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}]
    outcome = await store.update_many(database, chunks_of(collection), filter={"n": -1}, update=wound_back)
    return outcome.matched
