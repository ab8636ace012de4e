"""Ways of reading what the four queries need: drivers, threads, raw batches; and ways of projecting, on the ``mongod``.

Eight requests at a time in one event loop on one core, as in a server; ``refs`` reads three levels one after the other.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeAlias

import bson
import uvloop
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from benchmarks.clock import best_of
from benchmarks.content import COLLECTION, TENANT, Size
from benchmarks.cores import OTHERS, SERVER, pinned
from benchmarks.graphql_content import FLAT, NESTED, PAGE, Read
from benchmarks.graphql_levels import first_level, pages_level, second_level
from benchmarks.rates import Ask, Contestant, Open, cpu_of, measure_rates
from benchmarks.servers import Mongo, served_content
from content_core.documents import Document

__all__ = ["main"]

Find: TypeAlias = Mapping[str, Any]
"""The arguments of a find."""

ReadOne: TypeAlias = Callable[[Find], Awaitable[list[Document]]]
ReadAll: TypeAlias = Callable[[], Awaitable[object]]

_CLIENTS: Final = 8
_ROUNDS: Final = 3
_WARM_UP: Final = 0.3
_DECODINGS: Final = 50


def main(size: Size, seconds: float) -> None:
    with pinned(OTHERS), served_content(size) as mongo, pinned(SERVER):
        uvloop.run(_measure_ways(mongo, seconds))
        _measure_projections(mongo, seconds / 4)


# --- ways of reading ------------------------------------------------------------------------------------------------


async def _measure_ways(mongo: Mongo, seconds: float) -> None:
    single = {"flat": FLAT, "nested": NESTED, "page": PAGE}
    queries: dict[str, Callable[[ReadOne], ReadAll]] = {
        **{name: _reading(_find(read)) for name, read in single.items()},
        "refs": lambda read: lambda: _read_levels(read),
    }
    for name, reading in queries.items():
        contestants = [Contestant(label, _open(opened, reading)) for label, opened in _ways(mongo.uri).items()]
        if name == "refs":
            contestants.append(Contestant("one thread hop for all levels", _open_levels(mongo.uri)))
        rates = await measure_rates(
            contestants, mongod=mongo.pid, clients=_CLIENTS, rounds=_ROUNDS, seconds=seconds, warm_up=_WARM_UP
        )
        print(f"\n{name}\n  {'':36} {'requests/s':>10} {'CPU ms':>8} {'median':>8} {'mongod ms':>9}")
        for contestant, rate in zip(contestants, rates, strict=True):
            print(
                f"  {contestant.label:36} {rate.per_second:10.0f} {rate.cpu_ms:8.3f} {rate.median_cpu_ms:8.3f} "
                f"{rate.mongod_ms:9.3f}",
                flush=True,
            )


Opened: TypeAlias = Callable[[], tuple[ReadOne, Callable[[], Any]]]
"""Opens a way of reading; gives it, and what closes it."""


def _ways(uri: str) -> dict[str, Opened]:
    return {
        "Motor": lambda: _by_motor(uri),
        "PyMongo's async client": lambda: _by_pymongo(uri),
        "the same, raw batches": lambda: _by_raw_batches(uri),
        "the same, the command itself": lambda: _by_command(uri),
        "a thread hop for each read, 8 threads": lambda: _by_hop(uri, 8),
        "a thread hop for each read, 2 threads": lambda: _by_hop(uri, 2),
        "the same with raw batches, 2 threads": lambda: _by_hop(uri, 2, raw=True),
    }


def _open(opened: Opened, reading: Callable[[ReadOne], ReadAll]) -> Open:
    @asynccontextmanager
    async def opening(count: int) -> AsyncIterator[list[Ask]]:
        read, close = opened()
        try:
            yield [reading(read)] * count
        finally:
            closing = close()
            if asyncio.iscoroutine(closing):
                await closing

    return opening


def _by_motor(uri: str) -> tuple[ReadOne, Callable[[], Any]]:
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(uri)
    content = client[TENANT][COLLECTION]

    async def read(find: Find) -> list[Document]:
        documents: list[Document] = await content.find(**find).to_list(None)
        return documents

    return read, client.close


def _by_pymongo(uri: str) -> tuple[ReadOne, Callable[[], Any]]:
    client: AsyncMongoClient[Document] = AsyncMongoClient(uri)
    content = client[TENANT][COLLECTION]

    async def read(find: Find) -> list[Document]:
        return await content.find(**find).to_list(None)

    return read, client.close


def _by_raw_batches(uri: str) -> tuple[ReadOne, Callable[[], Any]]:
    client: AsyncMongoClient[Document] = AsyncMongoClient(uri)
    content: Any = client[TENANT][COLLECTION]  # batches are bytes, whatever the driver's annotations say

    async def read(find: Find) -> list[Document]:
        documents: list[Document] = []
        async for batch in content.find_raw_batches(**find):
            documents += bson.decode_all(batch)
        return documents

    return read, client.close


def _by_command(uri: str) -> tuple[ReadOne, Callable[[], Any]]:
    client: AsyncMongoClient[Document] = AsyncMongoClient(uri)
    database = client[TENANT]

    async def read(find: Find) -> list[Document]:
        command: dict[str, Any] = {"find": COLLECTION, **find, "singleBatch": True}
        if "sort" in command:
            command["sort"] = dict(command["sort"])
        documents: list[Document] = (await database.command(command))["cursor"]["firstBatch"]
        return documents

    return read, client.close


def _by_hop(uri: str, threads: int, *, raw: bool = False) -> tuple[ReadOne, Callable[[], Any]]:
    client: MongoClient[Document] = MongoClient(uri)
    pool = ThreadPoolExecutor(threads)

    def work(find: Find) -> list[Document]:
        content: Any = client[TENANT][COLLECTION]
        if not raw:
            return list(content.find(**find))
        return [document for batch in content.find_raw_batches(**find) for document in bson.decode_all(batch)]

    async def read(find: Find) -> list[Document]:
        return await asyncio.get_running_loop().run_in_executor(pool, work, find)

    def close() -> None:
        pool.shutdown()
        client.close()

    return read, close


# --- what is read ---------------------------------------------------------------------------------------------------


def _find(read: Read) -> Find:
    return {"filter": read.filter, "projection": read.projection, "sort": [("_id", 1)], "limit": read.limit}


def _reading(find: Find) -> Callable[[ReadOne], ReadAll]:
    return lambda read: lambda: read(find)


async def _read_levels(read: ReadOne) -> object:
    pages = await read(pages_level())
    targets = await read(first_level(pages))
    return pages, targets, await read(second_level(targets))


def _open_levels(uri: str) -> Open:
    """Read all three levels in one thread, one request after the other."""

    @asynccontextmanager
    async def opening(count: int) -> AsyncIterator[list[Ask]]:
        client: MongoClient[Document] = MongoClient(uri)

        def work() -> object:
            content = client[TENANT][COLLECTION]
            pages = list(content.find(**pages_level()))
            targets = list(content.find(**first_level(pages)))
            return pages, targets, list(content.find(**second_level(targets)))

        with client, ThreadPoolExecutor(2) as pool:
            yield [lambda: asyncio.get_running_loop().run_in_executor(pool, work)] * count

    return opening


# --- ways of projecting ---------------------------------------------------------------------------------------------


def _measure_projections(mongo: Mongo, seconds: float) -> None:
    """One find after the other, with a synchronous client that does not decode."""
    print(f"\nprojections of nested\n  {'':36} {'mongod ms':>9} {'decoding':>9} {'kB':>6}")
    mongod = cpu_of(mongo.pid)
    with MongoClient[Document](mongo.uri) as client:
        content: Any = client[TENANT][COLLECTION]
        for label, projection in _projections().items():
            find = {**_find(NESTED), "projection": projection}
            best, batch = math.inf, b""
            for _ in range(_ROUNDS):
                before, count, end = mongod(), 0, time.perf_counter() + seconds
                while time.perf_counter() < end:
                    batch = b"".join(content.find_raw_batches(**find))
                    count += 1
                best = min(best, (mongod() - before) / count * 1000)
            size, decoding = len(batch), best_of(_DECODINGS, partial(bson.decode_all, batch)).cpu * 1000
            print(f"  {label:36} {best:9.3f} {decoding:9.3f} {size / 1000:6.0f}", flush=True)


def _projections() -> dict[str, Document | None]:
    section = "page.children.children"
    return {
        "whole documents": None,
        "fields of the outermost level": {"_id": 0, "displayName": 1, "route": 1, "locale": 1, "page": 1},
        "paths down to the forms": {
            "_id": 0,
            **dict.fromkeys(("displayName", "route", "locale", "page.name", "page.formData", "page.children.name"), 1),
            **{f"{section}.{name}": 1 for name in ("identifier", "displayName", "formData")},
        },
        "all paths": NESTED.projection,
        "expressions that keep what is no object": _expressions(),
    }


def _expressions() -> Document:
    def part(field: str, **inner: Any) -> Document:
        return {"$cond": [{"$eq": [{"$type": field}, "object"]}, inner, field]}

    def each(field: str, variable: str, inner: Document) -> Document:
        return {"$cond": [{"$isArray": field}, {"$map": {"input": field, "as": variable, "in": inner}}, field]}

    def value(field: str) -> Document:
        return part(field, value=f"{field}.value")

    story = part(
        "$$story",
        identifier="$$story.identifier",
        displayName="$$story.displayName",
        formData=part(
            "$$story.formData",
            st_title=value("$$story.formData.st_title"),
            st_body=value("$$story.formData.st_body"),
        ),
    )
    body = part("$$body", name="$$body.name", children=each("$$body.children", "story", story))
    return {
        "_id": 0,
        "displayName": 1,
        "route": 1,
        "locale": part("$locale", identifier="$locale.identifier"),
        "page": part(
            "$page",
            name="$page.name",
            formData=part("$page.formData", pt_title=value("$page.formData.pt_title")),
            children=each("$page.children", "body", body),
        ),
    }
