"""Where the CPU of the four queries goes, by samples: the server runs in this process, with its sockets and its log.

Reading is on PyMongo's async client, for a sampler sees only its own thread. Whoever asks runs in this process too and
is left out of the shares.
"""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Final, TypeAlias

import orjson
import uvicorn
import uvloop

from benchmarks.application import discarded_log, opened_application
from benchmarks.content import Size
from benchmarks.cores import OTHERS, SERVER, pinned
from benchmarks.graphql_content import PATH, QUERY_TEXTS
from benchmarks.graphql_setup import GRAPHQL_KEY, install_application
from benchmarks.http_load import connected_clients, render_post
from benchmarks.rates import Ask
from benchmarks.sampling import sampled
from benchmarks.servers import Mongo, Server, served_content, started_server

__all__ = ["main"]

_NOTHING: Final = "nothing"
_QUERIES: Final = [(_NOTHING, "{ __typename }"), *QUERY_TEXTS.items()]
_CLIENTS: Final = 8
_WARM_UP: Final = 0.5
_FUNCTIONS: Final = 20
_SMALL: Final = 0.01

_ROOMS: Final = (
    ("/benchmarks/", "asking"),
    ("/content_core/store/", "reading: store"),
    ("/pymongo/", "reading: driver"),
    ("/bson/", "reading: driver"),
    ("/content_core/access/", "access"),
    ("/graphql_app/http/", "GraphQL over HTTP"),
    ("/graphql_app/shape/", "answer and JSON"),
    ("/graphql_app/schema/", "resolvers"),
    ("/graphql_app/query/", "queries and batches"),
    ("/graphql_app/plan/", "parsing and planning"),
    ("/graphql_app/compile/", "compiled execution"),
    ("<operation>", "compiled functions"),
    ("/graphql_app/", "GraphQL, the rest"),
    ("/graphql/", "graphql-core"),
    ("/opencaas/", "request log, compression"),
    ("/structlog/", "log lines"),
    ("/logging/", "log lines"),
    ("/starlette/", "Starlette"),
    ("/uvicorn/", "uvicorn"),
    ("/uvloop/", "event loop"),
    ("/asyncio/", "event loop"),
)
"""Part of a file's path → where a function belongs; the first that fits counts."""

_ASKING: Final = _ROOMS[0][1]
_OTHER: Final = "others"

_Function: TypeAlias = tuple[str, str]
"""File and name."""


class _Profile:
    """What samples saw: by room, by the innermost function, and by every function in the stack."""

    def __init__(self) -> None:
        self.rooms: Counter[str] = Counter()
        self.own: Counter[_Function] = Counter()
        self.within: Counter[_Function] = Counter()

    def note(self, frame: FrameType | None) -> None:
        """Count a stack; a function that belongs nowhere counts for the room of its caller."""
        stack = list(_functions(frame))
        room = next((found for file, _ in stack if (found := _room(file)) is not None), _OTHER)
        self.rooms[room] += 1
        if room != _ASKING:
            self.own[stack[0]] += 1
        self.within.update(set(stack))


def main(size: Size, seconds: float) -> None:
    with pinned(OTHERS), served_content(size) as mongo:
        with started_server(mongo) as server:
            install_application(server)
        with pinned(SERVER), discarded_log():
            uvloop.run(_measure(mongo, seconds))


async def _measure(mongo: Mongo, seconds: float) -> None:
    async with _serving(mongo) as server:
        for name, text in _QUERIES:
            request = render_post(
                server, PATH, orjson.dumps({"query": text}), {"Authorization": f"Bearer {GRAPHQL_KEY}"}
            )
            async with connected_clients(server, request, _CLIENTS) as asks:
                await _repeat(asks, _WARM_UP)
                profile = _Profile()
                with sampled(profile.note):
                    cpu = time.process_time()
                    count = await _repeat(asks, seconds)
                    cpu = time.process_time() - cpu
            _report(name, profile, cpu / count * 1000)


@asynccontextmanager
async def _serving(mongo: Mongo) -> AsyncIterator[Server]:
    async with opened_application(mongo.uri, driver="pymongo") as app:
        config = uvicorn.Config(
            app, loop="none", http="httptools", ws="none", lifespan="off", access_log=False, log_config=None
        )
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            task = asyncio.create_task(server.serve(sockets=[listening]))
            yield Server("127.0.0.1", listening.getsockname()[1], 0)
            server.should_exit = True
            await task


async def _repeat(asks: Sequence[Ask], seconds: float) -> int:
    end = time.perf_counter() + seconds

    async def repeat(ask: Ask) -> int:
        count = 0
        while time.perf_counter() < end:
            await ask()
            count += 1
        return count

    return sum(await asyncio.gather(*map(repeat, asks)))


def _report(name: str, profile: _Profile, cpu_ms: float) -> None:
    each = cpu_ms / profile.rooms.total()
    asking = profile.rooms.pop(_ASKING, 0)
    served = profile.rooms.total()
    print(
        f"\n{name}: {served * each:.3f} ms of CPU per request without the collector, and {asking * each:.3f} for asking"
    )
    for room, count in profile.rooms.most_common():
        if count > served * _SMALL:
            print(f"  {room:28} {count * each:7.3f} ms {count / served:5.0%}")
    print(f"  {'own ms':>8} {'with callees':>12}")
    for (file, function), count in profile.own.most_common(_FUNCTIONS):
        whole = profile.within[file, function]
        print(f"  {count * each:8.3f} {whole * each:12.3f}  {'/'.join(Path(file).parts[-2:])} {function}")


def _functions(frame: FrameType | None) -> Iterator[_Function]:
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_code.co_qualname
        frame = frame.f_back


def _room(file: str) -> str | None:
    return next((label for part, label in _ROOMS if part in file), None)
