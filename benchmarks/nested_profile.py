"""Where the nested query's CPU goes in the application, by samples; and what the garbage collector takes.

The application runs on PyMongo's async client here: with Motor, reading happens in other threads, which a sampler in
this one cannot see. The collector strikes anywhere, so it is told apart: samples are taken while it is off.
"""

import gc
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvloop

from benchmarks.application import discarded_log, opened_application
from benchmarks.asking import AskBytes, ask_in_process
from benchmarks.content import Size
from benchmarks.nested_query import BODY
from benchmarks.sampling import sampled
from benchmarks.servers import Mongo, served_content

__all__ = ["main"]

_ROOMS: Final = (
    ("/content_core/store/", "reading: store, driver, BSON"),
    ("/graphql_app/reading.py", "reading: store, driver, BSON"),
    ("<operation>", "compiled functions"),
    ("/graphql_app/compile/", "compiled execution"),
    ("/graphql_app/query/find.py", "filling in the fields' queries"),
    ("/graphql_app/query/batching.py", "merging queries, handing documents out"),
    ("/graphql_app/run.py", "collecting what fields wait for"),
    ("/graphql_app/plan/", "parsing and planning"),
    ("/graphql_app/schema/", "resolvers: paths, scalars, types"),
    ("/graphql_app/shape/", "writing JSON"),
    ("/graphql/", "graphql-core: walking and completing"),
    ("/opencaas/", "HTTP, key, log line"),
)
"""Part of a file's path → label; a sample counts for the innermost function that has one."""

_OTHER: Final = "event loop and others"
_WARM_UP: Final = 5


def main(size: Size, seconds: float) -> None:
    with served_content(size) as mongo, discarded_log():
        uvloop.run(_measure(mongo, seconds))


async def _measure(mongo: Mongo, seconds: float) -> None:
    async with opened_application(mongo.uri, driver="pymongo") as app:
        ask = ask_in_process(app, BODY)
        for _ in range(_WARM_UP):
            await ask()
        with _counted_collections() as pauses:
            requests, cpu_ms = await _repeat(ask, seconds / 2)
        print(f"CPU per request {cpu_ms:.1f} ms; garbage collector {sum(pauses) / requests * 1000:.1f} ms of it")
        samples: Counter[str] = Counter()
        with sampled(lambda frame: samples.update([_room(frame)])):
            _, cpu_ms = await _repeat(ask, seconds / 2)
        print(f"CPU per request {cpu_ms:.1f} ms without the collector:")
    for room, count in samples.most_common():
        share = count / samples.total()
        print(f"{room:40} {share * cpu_ms:6.1f} ms {share:5.0%}")


async def _repeat(ask: AskBytes, seconds: float) -> tuple[int, float]:
    """Make one request after the other; gives their number and the CPU milliseconds of each."""
    cpu, end, count = time.process_time(), time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        await ask()
        count += 1
    return count, (time.process_time() - cpu) / count * 1000


@contextmanager
def _counted_collections() -> Iterator[list[float]]:
    """Note the seconds of every run of the garbage collector."""
    pauses: list[float] = []
    begun = 0.0

    def note(phase: str, _facts: dict[str, int]) -> None:
        nonlocal begun
        if phase == "start":
            begun = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - begun)

    gc.callbacks.append(note)
    try:
        yield pauses
    finally:
        gc.callbacks.remove(note)


def _room(frame: FrameType | None) -> str:
    while frame is not None:
        for part, label in _ROOMS:
            if part in frame.f_code.co_filename:
                return label
        frame = frame.f_back
    return _OTHER
