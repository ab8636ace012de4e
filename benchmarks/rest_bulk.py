"""Bulk POST of 1 000 documents of 5 kB: how fast the REST interface stores them, beside the driver itself.

The measure is Motor's ``bulk_write`` with the same upserts, unordered, with a new ``_etag`` and as durable as those
of the server (majority, journalled). The two take turns of one write each, new documents first and then the same again.
"""

import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from statistics import median
from typing import Final, TypeAlias

import orjson
import uvloop
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import ReplaceOne

from benchmarks.content import TENANT, Size, make_documents
from benchmarks.rates import cpu_of
from benchmarks.rest_asking import Connection, connected, prepare_rest
from benchmarks.servers import Mongo, Server, served_content, started_server
from content_core.documents import Document

__all__ = ["main"]

_DOCUMENTS: Final = 1_000
_SECTIONS: Final = 3
"""Of a page's six; about 5 kB are left."""

_TURNS: Final = 40
_TURNS_EACH: Final = 4
"""Into one pair of collections: the documents are new in the first and there in the others."""

_LIMIT: Final = 0.7
_SMALL: Final = Size(pages=1, datasets=1, media=1)
"""What else is stored plays no part."""

_BY_HAND: Final = "by_hand"
_BY_REST: Final = "by_rest"
_Write: TypeAlias = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Turn:
    """Seconds of one bulk write by the wall clock, and CPU seconds of who writes."""

    wall: float
    cpu: float


def main(_size: Size, seconds: float) -> None:
    """Take as many turns as always, and more if there is time."""
    documents = list(_make_documents())
    with served_content(_SMALL) as mongo:
        uvloop.run(prepare_rest(mongo))
        with started_server(mongo) as server:
            uvloop.run(_measure(mongo, server, documents, seconds))


def _make_documents() -> "list[Document]":
    size = Size(pages=_DOCUMENTS, datasets=_DOCUMENTS, media=_DOCUMENTS)
    pages = (document for document in make_documents(size) if document["fsType"] == "PageRef")
    documents = list(islice(pages, _DOCUMENTS))
    for document in documents:
        del document["page"]["children"][0]["children"][_SECTIONS:]
    return documents


async def _measure(mongo: Mongo, server: Server, documents: Sequence[Document], seconds: float) -> None:
    body = orjson.dumps(documents)
    print(f"{len(documents)} documents, {len(body) / len(documents):.0f} bytes each as JSON", flush=True)
    turns: list[tuple[_Turn, _Turn]] = []
    motor: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongo.uri, w="majority", journal=True)
    collections = [motor[TENANT][name] for name in (_BY_HAND, _BY_REST)]
    clock = cpu_of(server.pid)
    end = time.perf_counter() + seconds
    try:
        async with connected(server) as connection:
            by_hand = partial(_write_by_hand, collections[0], documents)
            by_rest = partial(_write_by_rest, connection, body)
            while len(turns) < _TURNS or time.perf_counter() < end:
                if len(turns) % _TURNS_EACH == 0:
                    for collection in collections:
                        await collection.drop()
                        await motor[TENANT].create_collection(collection.name)
                turns.append((await _take_turn(by_hand, time.process_time), await _take_turn(by_rest, clock)))
        for collection in collections:
            await _check(collection)
    finally:
        motor.close()
    _report(turns)


async def _write_by_hand(collection: "AsyncIOMotorCollection[Document]", documents: Sequence[Document]) -> None:
    version = ObjectId()  # as the server gives one; a replacement by the very same is no write to MongoDB
    requests = [
        ReplaceOne({"_id": document["_id"]}, {**document, "_etag": version}, upsert=True) for document in documents
    ]
    await collection.bulk_write(requests, ordered=False)


async def _write_by_rest(connection: Connection, body: bytes) -> None:
    await connection.ask("POST", f"/{TENANT}/{_BY_REST}", body)


async def _take_turn(write: _Write, clock: Callable[[], float]) -> _Turn:
    gc.collect()
    cpu, start = clock(), time.perf_counter()
    await write()
    return _Turn(time.perf_counter() - start, clock() - cpu)


async def _check(collection: "AsyncIOMotorCollection[Document]") -> None:
    stored = await collection.count_documents({"page.children.children.2.formData.st_title": {"$exists": True}})
    if stored != _DOCUMENTS:
        raise SystemExit(f"{collection.name}: {stored} documents are stored")


def _report(turns: Sequence[tuple[_Turn, _Turn]]) -> None:
    print(f"{'':22} {'best/s':>8} {'median/s':>9} {'CPU ms':>7}")
    columns = list(zip(*turns, strict=True))
    for label, taken in zip(("Motor's bulk_write", "bulk POST, server"), columns, strict=True):
        walls = [turn.wall for turn in taken]
        cpu = sum(turn.cpu for turn in taken) / len(taken) * 1000
        print(f"{label:22} {_DOCUMENTS / min(walls):8.0f} {_DOCUMENTS / median(walls):9.0f} {cpu:7.0f}")
    best, middle = (of(turn.wall for turn in columns[0]) / of(turn.wall for turn in columns[1]) for of in (min, median))
    print(f"ratio of the rates: best {best:.2f}, median {middle:.2f}; at least {_LIMIT} is wanted")
    print(f"documents a second in {len(turns)} turns each; CPU ms of the writer for {_DOCUMENTS} documents")
