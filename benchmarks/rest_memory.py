"""Memory of a server process over many requests: pages, documents, writes and filters that are never the same.

``python -m benchmarks.rest_memory --requests 20000`` makes fewer.
"""

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from itertools import count
from typing import Final
from urllib.parse import quote

import orjson
import psutil
import uvloop

from benchmarks.content import Size, make_documents
from benchmarks.rest_asking import PLACE, Connection, connected, prepare_rest
from benchmarks.servers import Server, served_content, started_server
from content_core.documents import Document

__all__ = ["main", "measure_memory"]

_REQUESTS: Final = 100_000
_WARM_UP: Final = 5_000
_STEPS: Final = 10
_CLIENTS: Final = 8
_SIZE: Final = Size(pages=300, datasets=300, media=300)
_PAGE: Final = f"{PLACE}?pagesize=5&page="


def main(_size: Size, _seconds: float) -> None:
    """Make all requests, however long it takes: a few minutes."""
    measure_memory(_REQUESTS)


def measure_memory(requests: int) -> None:
    """Print the resident memory of the worker as the requests go by."""
    with served_content(_SIZE) as mongo:
        uvloop.run(prepare_rest(mongo))
        with started_server(mongo) as server:
            uvloop.run(_measure(server, requests))


async def _measure(server: Server, requests: int) -> None:
    (worker,) = psutil.Process(server.pid).children()
    documents = list(make_documents(_SIZE))
    numbers = count()
    print(f"a quarter each: pages of 5, documents, PUT of a document, filters; {_CLIENTS} at a time")
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(server)) for _ in range(_CLIENTS)]

        async def repeat(connection: Connection, end: int) -> None:
            while (number := next(numbers)) < end:
                await _ask(connection, number, documents)

        print(f"{'requests':>9} {'RSS MB':>7} {'seconds':>8}")
        start = time.perf_counter()
        for done in (0, *(requests * step // _STEPS for step in range(1, _STEPS + 1))):
            end = _WARM_UP + done
            await asyncio.gather(*(repeat(connection, end) for connection in connections))
            numbers = count(end)  # every client drew a number more than it used
            rss = worker.memory_info().rss / 2**20
            print(f"{done:9} {rss:7.1f} {time.perf_counter() - start:8.0f}", flush=True)


async def _ask(connection: Connection, number: int, documents: list[Document]) -> None:
    document = documents[number // 4 % len(documents)]
    address = f"{PLACE}/{quote(document['_id'])}"
    match number % 4:
        case 0:
            await connection.ask("GET", f"{_PAGE}{number // 4 % 100 + 1}")
        case 1:
            await connection.ask("GET", address)
        case 2:
            await connection.ask("PUT", address, orjson.dumps({**document, "number": number}))
        case _:
            condition = {"fsType": document["fsType"], "changeInfo.revision": {"$ne": number}}
            await connection.ask("GET", f"{PLACE}?pagesize=3&filter={quote(orjson.dumps(condition))}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rest_memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=_REQUESTS, help="after the warm-up (%(default)s)")
    measure_memory(parser.parse_args().requests)
