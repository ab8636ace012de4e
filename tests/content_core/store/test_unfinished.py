"""Writes that nobody finished: the process was killed, or MongoDB was, or somebody woke up too late."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from bson import ObjectId

from content_core.errors import ConflictError, StoreError
from content_core.store import FileBucket, FindQuery, Store
from content_core.store.bucket import BATCH
from content_core.store.embedded import EmbeddedMongo
from content_core.store.file_upload import CHUNK_BYTES, LARGE, FileUpload
from tests.buckets import CHUNKS, FILES, expire_notes, get, left_over, put
from tests.patience import PATIENCE

BIG: Final = (BATCH + 2) * CHUNK_BYTES

WRITER: Final = """
import asyncio, random, sys
from content_core.store import Store

async def main(uri, database, seed):
    chance = random.Random(seed)
    bucket = Store.open(uri).bucket(database, "media.files")
    print("ready", flush=True)
    while True:
        size = chance.choice((1000, 3_000_000, 17_000_000))
        async with bucket.upload() as upload:
            for _ in range(size // 1000):
                await upload.write(bytes([size % 251]) * 1000)
            await upload.commit("a", filename="f", metadata={"size": size})
        if chance.random() < 0.3:
            await bucket.delete("a")

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def bucket(store: Store, database: str) -> FileBucket:
    await store.create_collection(database, FILES)
    return store.bucket(database, FILES)


async def begin(bucket: FileBucket, size: int = BIG) -> FileUpload:
    """Begin an upload that nobody will end."""
    upload = await bucket.upload().__aenter__()  # the block is never left: its process is gone
    await upload.write(os.urandom(size))
    await upload._arrived()
    return upload


async def test_upload_of_a_killed_process_is_removed_when_its_time_is_over(
    store: Store, database: str, bucket: FileBucket
) -> None:
    await begin(bucket)
    await put(bucket, "b", b"x")
    assert len(await left_over(store, database)) == BATCH + 1  # the chunks and the note: somebody may still be at it
    assert 1 == await expire_notes(store, database)
    await put(bucket, "b", b"y")
    assert [] == await left_over(store, database)


@pytest.mark.parametrize("size", [10, BIG])
async def test_note_of_a_killed_process_is_taken_over_by_the_next_write(
    store: Store, database: str, bucket: FileBucket, size: int
) -> None:
    await put(bucket, "a", os.urandom(BIG))
    note = {"_id": 1, "files_id": "a", "n": -1, "owner": ObjectId()}
    await store.insert(database, CHUNKS, note)
    await expire_notes(store, database)
    data = os.urandom(size)
    await asyncio.wait_for(put(bucket, "a", data), PATIENCE)
    assert data == await get(store, database, "a")
    assert [] == await left_over(store, database)


@pytest.mark.parametrize("size", [10, BIG])
async def test_write_waits_for_whoever_is_at_the_same_file(
    store: Store, database: str, bucket: FileBucket, size: int
) -> None:
    await put(bucket, "a", b"old")
    owner = ObjectId()
    assert await bucket._bucket.notes.take("a", owner, seconds=60)
    data = os.urandom(size)
    waiting = asyncio.create_task(put(bucket, "a", data))
    other = await put(bucket, "b", b"is not held up")
    assert other.created
    await asyncio.sleep(0.2)
    assert b"old" == await get(store, database, "a")
    await bucket._bucket.notes.settle("a", owner)
    await asyncio.wait_for(waiting, PATIENCE)
    assert data == await get(store, database, "a")
    assert [] == await left_over(store, database)


async def test_replacement_that_was_cut_off_is_read_and_finished(
    store: Store, database: str, bucket: FileBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(bucket, "a", b"o" * LARGE + b"o")
    data = os.urandom(BIG)

    async def die(*_: object) -> None:
        raise StoreError("the process is gone")

    with monkeypatch.context() as patched:
        patched.setattr("content_core.store.unfinished.Notes.settle", die)
        await put(bucket, "a", data)
    assert data == await get(store, database, "a")
    assert 1 == await expire_notes(store, database)
    await put(bucket, "b", b"x")
    assert data == await get(store, database, "a")
    assert [] == await left_over(store, database)


async def test_deletion_that_was_cut_off_is_finished(
    store: Store, database: str, bucket: FileBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(bucket, "a", b"o" * LARGE + b"o")

    async def die(*_: object) -> None:
        raise StoreError("the process is gone")

    with monkeypatch.context() as patched:
        patched.setattr("content_core.store.unfinished.Notes.settle", die)
        assert await bucket.delete("a")
    assert await left_over(store, database)
    assert 1 == await expire_notes(store, database)
    await put(bucket, "a", b"x")
    assert b"x" == await get(store, database, "a")
    assert [] == await left_over(store, database)


async def test_upload_that_was_given_up_fails_and_cleans_up(store: Store, database: str, bucket: FileBucket) -> None:
    await put(bucket, "a", b"old")

    async def late() -> None:
        async with bucket.upload() as upload:
            await upload.write(os.urandom(BIG))
            await expire_notes(store, database)
            await put(bucket, "b", b"x")
            await upload.write(os.urandom(BIG))
            await upload.commit("a", filename="f", metadata={})

    with pytest.raises((ConflictError, StoreError)):
        await late()
    assert b"old" == await get(store, database, "a")
    # What it sent after it was given up has no note; the upload removed it itself.
    assert [] == await left_over(store, database)


async def test_sweep_leaves_uploads_alone_that_go_on(store: Store, database: str, bucket: FileBucket) -> None:
    upload = await begin(bucket)
    for _ in range(3):
        await put(bucket, "b", b"x")
    await upload.commit("a", filename="f", metadata={})
    assert BIG == len(await get(store, database, "a"))
    assert [] == await left_over(store, database)


async def test_killed_writers_leave_whole_files_and_nothing_else(
    mongo: EmbeddedMongo, store: Store, database: str, bucket: FileBucket
) -> None:
    chance = random.Random(5)
    for seed in range(8):
        with subprocess.Popen(  # noqa: ASYNC220  # it begins at once
            [sys.executable, "-c", WRITER, mongo.uri, database, str(seed)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            assert await asyncio.to_thread(writer.stdout.readline) == b"ready\n"
            await asyncio.sleep(chance.uniform(0.05, 0.6))
            writer.kill()
        # Its transaction would hold others up until MongoDB ends it, after a minute.
        await store._control.client.admin.command({"killSessions": []})
        for file in await store.find(database, FILES, FindQuery(filter={"_id": "a"})):
            size = file["metadata"]["size"]
            assert bytes([size % 251]) * size == await get(store, database, "a")
        await expire_notes(store, database)
        await put(bucket, "b", b"x")
        assert [] == await left_over(store, database)


async def test_mongodb_killed_in_the_middle_of_an_upload(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path / "data") as mongo:
        store = Store.open(mongo.uri.replace("/?", "/?serverSelectionTimeoutMS=2000&"))
        bucket = store.bucket("d", FILES)
        await put(bucket, "a", b"old")

        async def broken() -> None:
            async with bucket.upload() as upload:
                await upload.write(os.urandom(BIG))
                assert mongo.pid is not None
                os.kill(mongo.pid, 9)
                await upload.write(os.urandom(BIG))
                await upload.commit("a", filename="f", metadata={})

        with pytest.raises(StoreError):
            await broken()
        await store.close()
    with EmbeddedMongo(tmp_path / "data") as mongo:
        store = Store.open(mongo.uri)
        bucket = store.bucket("d", FILES)
        assert b"old" == await get(store, "d", "a")
        await expire_notes(store, "d")
        await put(bucket, "b", b"x")
        assert [] == await left_over(store, "d")
        await store.close()
