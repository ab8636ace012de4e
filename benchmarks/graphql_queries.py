"""Four queries, answered by this product and by what else one could use: requests a second, and CPU for each request.

The server is a process on a core of its own; the ``mongod`` and whoever asks share the others. Contestants take turns,
so that a ratio compares what ran within seconds of each other.
"""

import math
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
import uvloop
from motor.motor_asyncio import AsyncIOMotorClient

from benchmarks.content import COLLECTION, TENANT, Size
from benchmarks.cores import OTHERS, SERVER, pinned
from benchmarks.graphql_content import FLAT, NESTED, PAGE, PATH, QUERIES, QUERY_TEXTS, QueryName, Read
from benchmarks.graphql_in_memory import answer_from_memory, read_everything
from benchmarks.graphql_setup import GRAPHQL_KEY, install_application
from benchmarks.http_load import connected_clients, render_post
from benchmarks.rates import Ask, Contestant, Open, Rate, cpu_of, measure_rates
from benchmarks.servers import Mongo, Server, served_content, started_process, started_server
from content_core.documents import Document

__all__ = ["main"]

_CLIENTS: Final = 8
_ROUNDS: Final = 5
_WARM_UP: Final = 0.4
_READS: Final[Mapping[str, Read]] = {"flat": FLAT, "nested": NESTED, "page": PAGE}
_NOTHING: Final = "nothing"
_TEXTS: Final[Mapping[str, str]] = dict([(_NOTHING, "{ __typename }"), *QUERY_TEXTS.items()])

_OURS: Final = "this server"
_STRAWBERRY: Final = "Strawberry by hand"
_DRIVER: Final = "Motor and orjson"


@dataclass(frozen=True, slots=True)
class _Target:
    """What is wanted: times the rate of Strawberry at least, times the CPU of the driver at most."""

    rate: float
    cpu: float | None


_TARGETS: Final[Mapping[str, _Target]] = {
    "flat": _Target(10, 1.7),
    "nested": _Target(7, 1.7),
    "refs": _Target(10, None),
    "page": _Target(5, 2.0),
}


@dataclass(frozen=True, slots=True)
class _Peer:
    """One way to get answers: its name, and for each query that it can answer what opens its clients."""

    label: str
    opens: Mapping[str, Open]
    cpu: Callable[[], float] = time.process_time


def main(size: Size, seconds: float) -> None:
    module = [sys.executable, "-m"]
    with pinned(OTHERS), served_content(size) as mongo, pinned(SERVER), ExitStack() as stack:
        ours = stack.enter_context(started_server(mongo))
        strawberry = stack.enter_context(started_process([*module, "benchmarks.graphql_strawberry", mongo.uri], {}))
        bare = stack.enter_context(started_process([*module, "benchmarks.bare_server"], {}))
        stack.enter_context(pinned(OTHERS))
        install_application(ours)
        uvloop.run(_measure(mongo, ours, strawberry, bare, seconds))


async def _measure(mongo: Mongo, ours: Server, strawberry: Server, bare: Server, seconds: float) -> None:
    documents = read_everything(mongo.uri)
    peers = [
        _Peer(_OURS, _over_http(ours, {"Authorization": f"Bearer {GRAPHQL_KEY}"}, PATH), cpu_of(ours.pid)),
        _Peer(_STRAWBERRY, _over_http(strawberry, {}, "/"), cpu_of(strawberry.pid)),
        _Peer("uvicorn alone", {_NOTHING: _over_http(bare, {}, "/")[_NOTHING]}, cpu_of(bare.pid)),
        _Peer("graphql-core in memory", {name: _in_memory(name, documents[name]) for name in QUERIES}),
        _Peer(_DRIVER, {name: _by_motor(mongo.uri, read) for name, read in _READS.items()}),
        _Peer("the same, one at a time", {name: _by_motor(mongo.uri, read, 1) for name, read in _READS.items()}),
    ]
    print(f"{mongo.documents} documents; {_CLIENTS} requests at a time; {_ROUNDS} turns each; CPU of who answers")
    summary: list[str] = []
    for name in _TEXTS:
        taking = [peer for peer in peers if name in peer.opens]
        size = await _compare(name, taking)
        contestants = [Contestant(peer.label, peer.opens[name], peer.cpu) for peer in taking]
        rates = await measure_rates(
            contestants,
            mongod=mongo.pid,
            clients=_CLIENTS,
            rounds=_ROUNDS,
            seconds=seconds,
            warm_up=min(_WARM_UP, seconds),
        )
        by_label = dict(zip((peer.label for peer in taking), rates, strict=True))
        _report(name, size, by_label)
        if name in _TARGETS:
            summary += _weigh(name, by_label)
    print("\nratios: best turns of both, and the middle ones", *summary, sep="\n  ")


# --- the ways -------------------------------------------------------------------------------------------------------


def _over_http(server: Server, headers: Mapping[str, str], path: str) -> Mapping[str, Open]:
    def opening(name: str) -> Open:
        request = render_post(server, path, orjson.dumps({"query": _TEXTS[name]}), headers)
        return lambda count: connected_clients(server, request, count)

    return {name: opening(name) for name in _TEXTS}


def _in_memory(name: QueryName, roots: list[Document]) -> Open:
    answer = answer_from_memory(name, roots)

    @asynccontextmanager
    async def opened(_count: int) -> AsyncIterator[list[Ask]]:
        async def ask() -> bytes:
            return answer()

        with pinned(SERVER):
            yield [ask]

    return opened


def _by_motor(uri: str, read: Read, most: int = _CLIENTS) -> Open:
    @asynccontextmanager
    async def opened(count: int) -> AsyncIterator[list[Ask]]:
        with pinned(SERVER):  # and the driver's threads with it
            client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(uri)
            content = client[TENANT][COLLECTION]

            async def ask() -> bytes:
                cursor = content.find(read.filter, read.projection, sort=[("_id", 1)], limit=read.limit)
                return orjson.dumps({"data": {read.field: await cursor.to_list(None)}})

            try:
                yield [ask] * min(count, most)
            finally:
                client.close()

    return opened


# --- what is compared -----------------------------------------------------------------------------------------------


async def _compare(name: str, peers: list[_Peer]) -> int:
    """Make sure that all give the same data; gives the bytes of the answer."""
    answers: dict[str, Any] = {}
    size = 0
    for peer in peers:
        async with peer.opens[name](1) as (ask, *_):
            answer = await _first(ask)
            size = size or len(answer)
            answers[peer.label] = orjson.loads(answer)["data"]
    expected = answers[peers[0].label]
    if different := [label for label, data in answers.items() if data != expected]:
        raise SystemExit(f"{name}: {', '.join(different)} answered other data than {peers[0].label}")
    return size


async def _first(ask: Callable[[], Awaitable[object]]) -> bytes:
    answer = await ask()
    assert isinstance(answer, bytes)
    return answer


def _report(name: str, size: int, rates: Mapping[str, Rate]) -> None:
    print(f"\n{name} ({size} bytes)")
    print(f"  {'':24} {'requests/s':>10} {'median':>8} {'CPU ms':>8} {'median':>8} {'mongod ms':>9}")
    for label, rate in rates.items():
        print(
            f"  {label:24} {rate.per_second:10.1f} {rate.median_per_second:8.1f} {rate.cpu_ms:8.3f} "
            f"{rate.median_cpu_ms:8.3f} {rate.mongod_ms:9.3f}"
        )
    sys.stdout.flush()


def _weigh(name: str, rates: Mapping[str, Rate]) -> Iterator[str]:
    """Put the ratios beside what is wanted."""
    target, ours, strawberry = _TARGETS[name], rates[_OURS], rates[_STRAWBERRY]
    best = _times(ours.per_second, strawberry.per_second)
    median = _times(ours.median_per_second, strawberry.median_per_second)
    yield f"{name:8} requests/s, times Strawberry       {best:6.2f} {median:6.2f}   wanted: at least {target.rate:g}"
    best = _times(strawberry.cpu_ms, ours.cpu_ms)
    median = _times(strawberry.median_cpu_ms, ours.median_cpu_ms)
    yield f"{'':8} requests for the same CPU, times it {best:6.2f} {median:6.2f}"
    if target.cpu is not None:
        driver = rates[_DRIVER]
        best = _times(ours.cpu_ms, driver.cpu_ms)
        median = _times(ours.median_cpu_ms, driver.median_cpu_ms)
        yield f"{'':8} CPU, times Motor and orjson        {best:6.2f} {median:6.2f}   wanted: at most {target.cpu:g}"


def _times(one: float, other: float) -> float:
    """Divide; the clock of another process ticks a hundred times a second, and a short turn may have seen no tick."""
    return one / other if other else math.nan
