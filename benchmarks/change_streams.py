"""How long a change takes to reach its watchers over WebSocket: one watcher, and a thousand on the same stream."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

import orjson

from benchmarks.content import Size
from benchmarks.rates import cpu_of
from benchmarks.rest_asking import PLACE, REST_KEY, connected, prepare_rest
from benchmarks.servers import Server, served_content, started_server

__all__ = ["main"]

_WATCHERS: Final = 1_000
_WRITES_PER_SECOND: Final = 20
_ROUNDS: Final = 3
_SETTLE_SECONDS: Final = 1.0
_CONTENT: Final = Size(20, 20, 20)
"""Little: it is not what is watched."""

_STREAM: Final = {
    "uri": "crud",
    "stages": [{"$match": {"operationType": {"$in": ["insert", "replace", "update", "delete"]}}}],
}


@dataclass(frozen=True, slots=True)
class _Run:
    """What was seen of one run; delays in milliseconds, from before the write is sent until the event is read."""

    watchers: int
    complete: int
    median: float
    p99: float
    longest: float
    server_share: float
    client_share: float


def main(_size: Size, seconds: float) -> None:
    """Measure and print."""
    with served_content(_CONTENT) as mongo:
        asyncio.run(prepare_rest(mongo))
        with started_server(mongo) as server:
            asyncio.run(_define(server))
            runs = [_run(server, watchers, seconds) for _ in range(_ROUNDS) for watchers in (1, _WATCHERS)]
    print(f"{_WRITES_PER_SECOND} writes a second for {seconds:g} s, {_ROUNDS} rounds, one worker")
    print("watchers  all in order  median ms    p99 ms    max ms  CPU of the server  CPU of the clients")
    for run in runs:
        print(
            f"{run.watchers:8}  {run.complete:12}  {run.median:9.1f} {run.p99:9.1f} {run.longest:9.1f}"
            f"  {run.server_share:17.0%}  {run.client_share:18.0%}"
        )
    one, many = (statistics.median(run.median for run in runs if run.watchers == count) for count in (1, _WATCHERS))
    print(f"the median delay of {_WATCHERS} watchers is {many - one:.1f} ms above that of one")


def _run(server: Server, watchers: int, seconds: float) -> _Run:
    events = round(seconds * _WRITES_PER_SECOND)
    orders = {"host": server.host, "port": server.port, "path": f"{PLACE}/_streams/crud", "key": REST_KEY}
    with _clients({**orders, "watchers": watchers, "events": events}) as (orders_in, reports):
        cpu = cpu_of(server.pid)
        before, began = cpu(), time.perf_counter()
        asyncio.run(_write(server, events))
        time.sleep(_SETTLE_SECONDS)
        spent, passed = cpu() - before, time.perf_counter() - began
        orders_in.write("report\n")
        orders_in.flush()
        report = json.loads(reports.readline())
    delays = sorted(delay * 1000 for delay in report["delays"])
    return _Run(
        watchers=watchers,
        complete=report["complete"],
        median=statistics.median(delays),
        p99=delays[int(len(delays) * 0.99)],
        longest=delays[-1],
        server_share=spent / passed,
        client_share=report["cpu"] / passed,
    )


@contextmanager
def _clients(orders: dict[str, Any]) -> Iterator[tuple[IO[str], IO[str]]]:
    command = [sys.executable, "-m", "benchmarks.watching"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(orders) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "watching\n":
            raise SystemExit("the clients could not connect")
        yield process.stdin, process.stdout


async def _define(server: Server) -> None:
    async with connected(server) as connection:
        await connection.ask("PATCH", PLACE, orjson.dumps({"streams": [_STREAM]}))


async def _write(server: Server, events: int) -> None:
    """Write at a steady pace, whatever the answers take."""
    loop = asyncio.get_running_loop()
    async with connected(server) as connection:
        start = loop.time()
        for number in range(events):
            await asyncio.sleep(start + number / _WRITES_PER_SECOND - loop.time())
            document = {"number": number, "sent": time.perf_counter(), "fsType": "Page", "name": "x" * 200}
            await connection.ask("PUT", f"{PLACE}/watched", orjson.dumps(document))
