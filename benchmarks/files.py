"""Files of 100 MB through a server, beside the driver's own GridFS streams, and what they leave in the server's memory.

``python -m benchmarks.files --megabytes 200 --rounds 5`` takes others.
"""

import argparse
import asyncio
import io
import os
import socket
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import psutil
import uvloop
from gridfs.asynchronous import AsyncGridFSBucket
from motor.motor_asyncio import AsyncIOMotorGridFSBucket

from benchmarks.content import TENANT, Size
from benchmarks.rest_asking import REST_KEY, prepare_rest
from benchmarks.servers import Mongo, Server, served_content, started_server
from content_core.store import Store
from content_core.store.drivers import open_driver

__all__ = ["main", "measure_files"]

_MEGABYTES: Final = 100
_ROUNDS: Final = 3
_SMALL: Final = Size(pages=10, datasets=10, media=10)
_BUCKET: Final = "measured.files"
_PIECE: Final = 256 * 1024
_BOUNDARY: Final = b"measured"

Transfer = Callable[[], Awaitable[None]]


def main(_size: Size, _seconds: float) -> None:
    """Measure files of the usual size."""
    measure_files(_MEGABYTES, _ROUNDS)


def measure_files(megabytes: int, rounds: int) -> None:
    """Print the rates, each in turn with the others, and the memory of the worker."""
    data = os.urandom(megabytes * 1_000_000)
    with served_content(_SMALL) as mongo:
        uvloop.run(prepare_rest(mongo))
        with started_server(mongo) as server:
            uvloop.run(_measure(mongo, server, data, rounds))


async def _measure(mongo: Mongo, server: Server, data: bytes, rounds: int) -> None:
    (worker,) = psutil.Process(server.pid).children()
    store = Store.open(mongo.uri, driver="pymongo")
    await store.create_collection(TENANT, _BUCKET)
    await store.close()
    async with _drivers(mongo, data) as transfers:
        transfers["server", "up"] = lambda: _put(server, data)
        transfers["server", "down"] = lambda: _get(server, data)
        transfers["server", "again"] = lambda: _put(server, data)
        await _put(server, data[:5_000_000])
        before = worker.memory_info().rss
        peak = [before]
        watching = asyncio.create_task(_watch(worker, peak))
        seconds: dict[tuple[str, str], list[float]] = {key: [] for key in transfers}
        for _ in range(rounds):
            await _delete(server)
            for key in sorted(transfers, key=lambda key: ("up", "down", "again").index(key[1])):
                started = time.perf_counter()
                await transfers[key]()
                seconds[key].append(time.perf_counter() - started)
        watching.cancel()
        after = worker.memory_info().rss
    _show({key: len(data) / 1e6 / statistics.median(taken) for key, taken in seconds.items()}, len(data), rounds)
    print(
        f"RSS of the worker: {before / 2**20:.1f} MB before, {max(peak) / 2**20:.1f} at most, "
        f"{after / 2**20:.1f} after {3 * rounds} transfers"
    )


def _show(rates: dict[tuple[str, str], float], size: int, rounds: int) -> None:
    print(f"{size / 1e6:.0f} MB, median of {rounds}; MB/s and the server's part of it")
    names = {"up": "stored", "down": "fetched", "again": "replaced"}
    for way, name in names.items():
        ours = rates["server", way]
        others = [(who, rates[who, "up" if way == "again" else way]) for who in ("Motor", "PyMongo")]
        compared = ", ".join(f"{who} {rate:.0f} ({ours / rate:.2f})" for who, rate in others)
        print(f"{name:9} {ours:6.0f}   {compared}")


@asynccontextmanager
async def _drivers(mongo: Mongo, data: bytes) -> AsyncIterator[dict[tuple[str, str], Transfer]]:
    motor, pymongo = open_driver(mongo.uri, "motor"), open_driver(mongo.uri, "pymongo")
    buckets: dict[str, Any] = {
        "Motor": AsyncIOMotorGridFSBucket(motor.client[TENANT], "motor"),
        "PyMongo": AsyncGridFSBucket(pymongo.client[TENANT], "pymongo"),
    }
    last: dict[str, Any] = {}

    async def store(who: str) -> None:
        last[who] = await buckets[who].upload_from_stream("measured", io.BytesIO(data))

    async def fetch(who: str) -> None:
        stream = await buckets[who].open_download_stream(last[who])
        length = 0
        while piece := await stream.readchunk():
            length += len(piece)
        if length != len(data):
            raise SystemExit(f"{who}: {length} bytes")
        await buckets[who].delete(last[who])

    try:
        transfers: dict[tuple[str, str], Transfer] = {}
        for who in buckets:
            transfers[who, "up"] = lambda who=who: store(who)  # type: ignore[misc]
            transfers[who, "down"] = lambda who=who: fetch(who)  # type: ignore[misc]
        yield transfers
    finally:
        await motor.close()
        await pymongo.close()


async def _watch(worker: psutil.Process, peak: list[int]) -> None:
    while True:
        peak.append(worker.memory_info().rss)
        await asyncio.sleep(0.05)


# --- the server ----------------------------------------------------------------------------------------------------


async def _put(server: Server, data: bytes) -> None:
    start = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n' % _BOUNDARY
    end = b"\r\n--%s--\r\n" % _BOUNDARY
    kind = b"Content-Type: multipart/form-data; boundary=" + _BOUNDARY
    length = b"Content-Length: %d" % (len(start) + len(data) + len(end))
    await asyncio.to_thread(_exchange, server, {200, 201}, _head("PUT", "", kind, length), start, data, end)


async def _get(server: Server, data: bytes) -> None:
    length = await asyncio.to_thread(_exchange, server, {200}, _head("GET", "/binary"))
    if length != len(data):
        raise SystemExit(f"the server sent {length} bytes")


async def _delete(server: Server) -> None:
    await asyncio.to_thread(_exchange, server, {204, 404}, _head("DELETE", ""))


def _exchange(server: Server, good: set[int], *parts: bytes) -> int:
    """Send a request and read the answer, at the least cost that a client can have; give the length of its body."""
    buffer = bytearray(_PIECE)
    with socket.create_connection((server.host, server.port)) as connection:
        for part in parts:
            connection.sendall(part)
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(_PIECE) or b"\r\n\r\n"
        if int(head.split(maxsplit=2)[1]) not in good:
            raise SystemExit(head.decode(errors="replace"))
        length = len(head.partition(b"\r\n\r\n")[2])
        while count := connection.recv_into(buffer):
            length += count
    return length


def _head(method: str, more: str, *headers: bytes) -> bytes:
    target = f"/{TENANT}/{_BUCKET}/measured{more}"
    first = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {REST_KEY}".encode()
    return b"\r\n".join([first, *headers, b"", b""])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=_MEGABYTES, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="(%(default)s)")
    options = parser.parse_args()
    measure_files(options.megabytes, options.rounds)
