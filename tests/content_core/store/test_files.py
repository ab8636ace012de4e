"""Files: stored whole, replaced and deleted with nothing left behind, as other programs with GridFS see them, too."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Final

import pytest
from bson import ObjectId
from gridfs.asynchronous import AsyncGridFSBucket

from content_core.documents import Document
from content_core.errors import ConflictError, DuplicateKeyError, NotFoundError, StoreError, StoreTimeoutError
from content_core.store import FileBucket, FindQuery, Store, WriteOutcome, shown_file
from content_core.store.bucket import BATCH
from content_core.store.file_upload import CHUNK_BYTES, LARGE
from tests.buckets import CHUNKS, FILES, get, left_over, put
from tests.patience import PATIENCE

ONE: Final = BATCH * CHUNK_BYTES
BIG: Final = ONE + 2 * CHUNK_BYTES
SIZES: Final = (0, 1, CHUNK_BYTES, ONE, ONE + 1, 2 * ONE + CHUNK_BYTES + 77)
HUGE: Final = LARGE + 5
SLOW: Final = {
    "$expr": {"$eq": [{"$size": {"$filter": {"input": {"$range": [0, 500_000]}, "cond": {"$lt": ["$$this", 0]}}}}, 0]}
}


@pytest.fixture
async def bucket(store: Store, database: str) -> FileBucket:
    await store.create_collection(database, FILES)
    return store.bucket(database, FILES)


@pytest.fixture
async def gridfs(store: Store, database: str) -> AsyncIterator[AsyncGridFSBucket]:
    """The same bucket through the driver's own GridFS."""
    client = store.open_client()
    yield AsyncGridFSBucket(client.client[database], "media")
    await client.close()


@pytest.mark.parametrize("size", SIZES)
async def test_file_comes_back_whole_and_is_gridfs(
    store: Store, database: str, bucket: FileBucket, gridfs: AsyncGridFSBucket, size: int
) -> None:
    data = os.urandom(size)
    assert WriteOutcome(created=True, matched=False, document_id="a") == await put(bucket, "a", data)
    assert data == await get(store, database, "a")
    assert data == await (await gridfs.open_download_stream("a")).read()
    assert [] == await left_over(store, database)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("before", [10, HUGE, BIG])
async def test_replaced_file_leaves_nothing_of_the_old_one(
    store: Store, database: str, bucket: FileBucket, gridfs: AsyncGridFSBucket, before: int, size: int
) -> None:
    await put(bucket, "a", os.urandom(before))
    data = os.urandom(size)
    assert WriteOutcome(created=False, matched=True, document_id="a") == await put(bucket, "a", data)
    assert data == await get(store, database, "a")
    assert data == await (await gridfs.open_download_stream("a")).read()
    assert [] == await left_over(store, database)


async def test_file_of_another_program_is_read_replaced_and_deleted(
    store: Store, database: str, bucket: FileBucket, gridfs: AsyncGridFSBucket
) -> None:
    old = os.urandom(3 * CHUNK_BYTES)
    for name in ("a", "b", "c"):
        await gridfs.upload_from_stream_with_id(name, "other", old, chunk_size_bytes=1000)
    assert old == await get(store, database, "a")
    assert old[990:2010] == await get(store, database, "a", 990, 2010)
    for name, size in (("a", 10), ("b", BIG)):
        data = os.urandom(size)
        await put(bucket, name, data)
        assert data == await get(store, database, name)
    assert await bucket.delete("c")
    assert [] == await left_over(store, database)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (5 * CHUNK_BYTES, 2 * ONE + 77), (7, 7)]
)
async def test_part_of_a_file(store: Store, database: str, bucket: FileBucket, start: int, stop: int) -> None:
    data = os.urandom(2 * ONE + 77)
    await put(bucket, "a", data)
    assert data[start:stop] == await get(store, database, "a", start, stop)


async def test_part_reads_only_the_chunks_that_hold_it(store: Store, database: str, bucket: FileBucket) -> None:
    data = os.urandom(2 * ONE)
    await put(bucket, "a", data)
    for number in (0, 1, 2, 4, 5, 6, 7, 8):
        assert await store.delete_one(database, CHUNKS, filter={"n": number})
    assert data[3 * CHUNK_BYTES : 4 * CHUNK_BYTES] == await get(store, database, "a", 3 * CHUNK_BYTES, 4 * CHUNK_BYTES)


@pytest.mark.parametrize("size", [10, BIG])
async def test_modes(store: Store, database: str, bucket: FileBucket, size: int) -> None:
    data = os.urandom(size)
    with pytest.raises(NotFoundError):
        await put(bucket, "a", data, mode="update")
    assert (await put(bucket, "a", data, mode="insert")).created
    with pytest.raises(DuplicateKeyError):
        await put(bucket, "a", b"other", mode="insert")
    with pytest.raises(DuplicateKeyError):
        await put(bucket, "a", b"other", condition={"metadata.size": -1})
    with pytest.raises(NotFoundError):
        await put(bucket, "a", b"other", mode="update", condition={"metadata.size": -1})
    assert data == await get(store, database, "a")
    assert (await put(bucket, "a", b"other", mode="update", condition={"metadata.size": size})).matched
    assert b"other" == await get(store, database, "a")
    assert [] == await left_over(store, database)


@pytest.mark.parametrize("size", [10, BIG])
async def test_check_sees_the_old_file_and_can_refuse(
    store: Store, database: str, bucket: FileBucket, size: int
) -> None:
    seen: list[Document] = []

    def refuse(current: Document) -> None:
        seen.append(current)
        raise ConflictError("no")

    assert (await put(bucket, "a", b"old", check=refuse)).created
    with pytest.raises(ConflictError):
        await put(bucket, "a", os.urandom(size), check=refuse)
    with pytest.raises(ConflictError):
        await bucket.delete("a", check=refuse)
    assert [3, 3] == [file["metadata"]["size"] for file in seen]
    assert b"old" == await get(store, database, "a")
    assert [] == await left_over(store, database)


@pytest.mark.parametrize("size", SIZES)
async def test_upload_that_ends_early_leaves_nothing(
    store: Store, database: str, bucket: FileBucket, size: int
) -> None:
    await put(bucket, "a", b"old")

    async def break_off() -> None:
        async with bucket.upload() as upload:
            await upload.write(os.urandom(size))
            raise KeyError

    with pytest.raises(KeyError):
        await break_off()
    assert b"old" == await get(store, database, "a")
    assert [] == await left_over(store, database)


async def test_cancelled_upload_leaves_nothing(store: Store, database: str, bucket: FileBucket) -> None:
    started = asyncio.Event()

    async def upload_forever() -> None:
        async with bucket.upload() as upload:
            while True:
                await upload.write(os.urandom(CHUNK_BYTES))
                if upload.length > 2 * ONE:
                    started.set()
                    await asyncio.sleep(60)

    task = asyncio.create_task(upload_forever())
    await asyncio.wait_for(started.wait(), PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [] == await left_over(store, database)


@pytest.mark.parametrize("size", [10, BIG, HUGE])
async def test_delete(store: Store, database: str, bucket: FileBucket, size: int) -> None:
    await put(bucket, "a", os.urandom(size))
    await put(bucket, "b", b"stays")
    assert not await bucket.delete("none")
    assert not await bucket.delete("a", condition={"metadata.size": -1})
    assert await bucket.delete("a", condition={"metadata.size": size})
    assert not await bucket.delete("a")
    assert b"stays" == await get(store, database, "b")
    assert [] == await left_over(store, database)


async def test_delete_many(store: Store, database: str, bucket: FileBucket) -> None:
    for number in range(5):
        await put(bucket, number, os.urandom(3))
    await put(bucket, "large", os.urandom(HUGE))
    await put(bucket, "b", b"stays")
    assert 0 == await bucket.delete_many(filter={"metadata.size": -1})
    assert 6 == await bucket.delete_many(filter={"metadata.size": {"$in": [3, HUGE]}}, max_time_ms=20_000)
    assert ["b"] == [file["_id"] for file in await store.find(database, FILES, FindQuery(filter={}))]
    assert [] == await left_over(store, database)


async def test_delete_many_stops_when_the_time_is_over(store: Store, database: str, bucket: FileBucket) -> None:
    await put(bucket, "a", b"x")
    with pytest.raises(StoreTimeoutError):
        await bucket.delete_many(filter=SLOW, max_time_ms=5)
    assert b"x" == await get(store, database, "a")


@pytest.mark.parametrize("sizes", [(10, 20), (BIG, 20), (BIG, BIG + 1)])
async def test_concurrent_uploads_of_one_id_all_succeed_and_one_is_last(
    store: Store, database: str, bucket: FileBucket, sizes: tuple[int, int]
) -> None:
    bodies = [os.urandom(size) for size in (*sizes, *sizes)]
    outcomes = await asyncio.gather(*(put(bucket, "a", body) for body in bodies))
    assert [False, False, False, True] == sorted(outcome.created for outcome in outcomes)
    assert await get(store, database, "a") in bodies
    assert [] == await left_over(store, database)


async def test_uploads_and_deletes_of_one_id_leave_nothing_unclear(
    store: Store, database: str, bucket: FileBucket
) -> None:
    bodies = [os.urandom(size) for size in (10, BIG, 20, BIG)]
    for _ in range(3):
        await asyncio.gather(
            *(put(bucket, "a", body) for body in bodies),
            bucket.delete("a"),
            bucket.delete("a"),
            bucket.delete_many(filter={"_id": {"$in": ["a", "b"]}}),
            put(bucket, "b", b"x"),
        )
        assert [] == await left_over(store, database)
        if await store.get(database, FILES, "a"):
            assert await get(store, database, "a") in bodies


async def test_read_of_a_file_that_is_replaced_never_mixes_bytes(
    store: Store, database: str, bucket: FileBucket
) -> None:
    await put(bucket, "a", b"o" * (4 * ONE))
    file = await store.get(database, FILES, "a")
    assert file is not None
    reading = bucket.read(file, 0, file["length"])
    assert set(await anext(reading)) == set(b"o")
    await put(bucket, "a", b"n" * (2 * ONE))
    pieces = []
    with pytest.raises(StoreError, match="replaced or deleted"):
        pieces += [piece async for piece in reading]
    assert set(b"".join(pieces)) <= set(b"o")


async def test_ids_of_every_type(store: Store, database: str, bucket: FileBucket) -> None:
    for document_id in (None, 5, 5.5, True, ObjectId(), {"a": 1}, "$x", ""):
        for size in (3, BIG):
            data = os.urandom(size)
            await put(bucket, document_id, data)
            assert data == await get(store, database, document_id)
    assert [] == await left_over(store, database)


async def test_file_document_is_that_of_gridfs(store: Store, database: str, bucket: FileBucket) -> None:
    await put(bucket, "a", b"abc")
    file = await store.get(database, FILES, "a")
    assert file is not None
    shown = shown_file(file)
    assert ["_id", "filename", "length", "chunkSize", "uploadDate", "metadata"] == list(shown)
    assert ("a", "f", 3, 261_120, {"size": 3}) == tuple(shown[name] for name in shown if name != "uploadDate")
    indexes = {index["name"] for index in await store.list_indexes(database, CHUNKS)}
    assert {"_id_", "files_id_1_n_1", "unfinished"} == indexes
    assert "filename_1_uploadDate_1" in {index["name"] for index in await store.list_indexes(database, FILES)}
