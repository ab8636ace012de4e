"""A page of 20 documents that a filter finds: what the REST interface adds to reading and writing them.

The measure is Motor reading the same documents with one find and orjson writing them. The server is a process with one
worker; its whole CPU counts, HTTP, key check and log line included.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final
from urllib.parse import quote

import httpx
import orjson
import uvloop
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.monitoring import CommandStartedEvent

from benchmarks.application import CallCount, discarded_log, opened_application
from benchmarks.by_hand import opened_collection
from benchmarks.content import COLLECTION, Size
from benchmarks.rates import Ask, Contestant, Open, Rate, cpu_of, measure_rates
from benchmarks.rest_asking import PLACE, REST_KEY, connected, prepare_rest
from benchmarks.servers import Mongo, Server, served_content, started_server
from content_core.documents import Document

__all__ = ["FILTER", "TARGET", "main"]

FILTER: Final = {"fsType": "PageRef", "locale.language": "en"}
PAGE_SIZE: Final = 20
TARGET: Final = f"{PLACE}?filter={quote(orjson.dumps(FILTER))}&pagesize={PAGE_SIZE}"

_CLIENTS: Final = 8
_ROUNDS: Final = 8
_LIMIT: Final = 2.0
_READS: Final = frozenset({"find", "aggregate", "getMore", "listCollections"})


def main(size: Size, seconds: float) -> None:
    with served_content(size) as mongo:
        uvloop.run(prepare_rest(mongo))
        with started_server(mongo) as server, discarded_log():
            uvloop.run(_measure(mongo, server, seconds))


async def _measure(mongo: Mongo, server: Server, seconds: float) -> None:
    await _describe(mongo, server)
    clock = cpu_of(server.pid)
    contestants = [
        Contestant("Motor and orjson", _by_hand(mongo)),
        Contestant("server process", _over_socket(server), clock),
        Contestant("the same, gzip asked for", _over_socket(server, accept_encoding="gzip"), clock),
    ]
    rates = await measure_rates(contestants, mongod=mongo.pid, clients=_CLIENTS, rounds=_ROUNDS, seconds=seconds)
    _report(contestants, rates)


async def _read_by_hand(collection: "AsyncIOMotorCollection[Document]") -> bytes:
    documents = await collection.find(FILTER, sort=[("_id", -1)], limit=PAGE_SIZE).to_list(None)
    return orjson.dumps(documents, default=lambda value: {"$oid": str(value)})


def _by_hand(mongo: Mongo) -> Open:
    @asynccontextmanager
    async def opened(clients: int) -> AsyncIterator[list[Ask]]:
        async with opened_collection(mongo.uri) as collection:
            yield [partial(_read_by_hand, collection)] * clients

    return opened


def _over_socket(server: Server, *, accept_encoding: str = "") -> Open:
    @asynccontextmanager
    async def opened(clients: int) -> AsyncIterator[list[Ask]]:
        async with AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(connected(server)) for _ in range(clients)]
            yield [
                partial(connection.ask, "GET", TARGET, accept_encoding=accept_encoding) for connection in connections
            ]

    return opened


async def _describe(mongo: Mongo, server: Server) -> None:
    """Say what is asked and answered, once it is sure that both give the same."""
    async with opened_collection(mongo.uri) as collection:
        documents = orjson.loads(await _read_by_hand(collection))
    async with connected(server) as connection:
        answer = await connection.ask("GET", TARGET)
        packed = await connection.ask("GET", TARGET, accept_encoding="gzip")
    if len(documents) != PAGE_SIZE or orjson.loads(answer)["_embedded"]["rh:doc"] != documents:
        raise SystemExit("the answer holds other documents than those that were read by hand")
    reads = await _count_reads(mongo)
    documents_read = {name: count for (name, collection), count in reads.items() if collection == COLLECTION}
    if documents_read != {"find": 1}:
        raise SystemExit(f"a page costs more than one find: {documents_read}")
    print(f"{mongo.documents} documents stored; the answer has {len(answer)} bytes, {len(packed)} with gzip")
    print(f"database calls of a request: 1 find of the page, {reads.total() - 1} of metadata", flush=True)


class _Reads(CallCount):
    """Counts the reads by command and collection."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[tuple[str, str]] = Counter()

    def started(self, event: CommandStartedEvent) -> None:
        name = event.command_name
        collection = event.command.get("collection") if name == "getMore" else event.command.get(name)
        self.seen[name, str(collection)] += name in _READS


async def _count_reads(mongo: Mongo) -> Counter[tuple[str, str]]:
    """Count the reads of the second request; the first one reads the key, too."""
    count = _Reads()
    async with opened_application(mongo.uri, count=count) as app:
        headers = {"Authorization": f"Bearer {REST_KEY}"}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            (await client.get(TARGET)).raise_for_status()
            count.seen.clear()
            (await client.get(TARGET)).raise_for_status()
            return +count.seen


def _report(contestants: Sequence[Contestant], rates: Sequence[Rate]) -> None:
    print(f"{'':26} {'requests/s':>10} {'(slowest)':>9} {'CPU ms':>7} {'ratio':>6} {'mongod ms':>9}")
    for contestant, rate in zip(contestants, rates, strict=True):
        print(
            f"{contestant.label:26} {rate.per_second:10.1f} {rate.slowest:9.1f} {rate.cpu_ms:7.2f} "
            f"{rate.cpu_ms / rates[0].cpu_ms:6.2f} {rate.mongod_ms:9.2f}"
        )
    print(f"{_CLIENTS} requests at a time; CPU ms per request of the process that answers; ratio of CPU to the first")
    print(f"the server's ratio is to be at most {_LIMIT}")
