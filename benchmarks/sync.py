"""A sync job beside a bare loop of the same requests: 20 000 documents and 2 000 media of 100 kB into a local server.

The loop has all bodies at hand and sends them as they are, over the same client with as many requests in flight; the
job is ``opencaas sync`` as a process, which reads the project from disk, compares, stamps, sends, and deletes what is
stale. Then the job runs as a smart sync that has nothing to do: with what the total sync noted of the files, as every
night, and without, as on a machine that never saw them.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import orjson
import psutil

from benchmarks.content import TENANT, Size, make_documents
from benchmarks.rest_asking import REST_KEY, prepare_rest
from benchmarks.servers import Server, served_content, started_server
from content_core.documents import Document
from content_core.names import content_collection, files_bucket

__all__ = ["main", "measure_sync"]

T = TypeVar("T")

_DOCUMENTS: Final = 20_000
_MEDIA: Final = 2_000
_MEDIA_BYTES: Final = 100_000
_PARALLEL: Final = 4
_BULK: Final = 200
_LIMIT: Final = 0.6
_IDLE_LIMIT: Final = 0.1
_SETTLED: Final = 3.0
"""Files that changed a moment before they are read are read again the next time."""
_MEMORY_LIMIT: Final = 300
_LOCALES: Final = (("de", "DE"), ("en", "GB"))
_BY_LOOP, _BY_JOB = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
"""The projects that the loop and the job fill."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run of the command took: seconds inside the job, of the whole process, of its CPU, and its memory."""

    report: Any
    process_seconds: float
    cpu_seconds: float
    peak: int

    @property
    def seconds(self) -> float:
        return float(self.report["seconds"])


def main(_size: Size, _seconds: float) -> None:
    """Measure at the size that the promises speak of."""
    measure_sync(_DOCUMENTS, _MEDIA)


def measure_sync(documents: int, media: int) -> None:
    """Measure; the server starts empty.

    Args:
        documents: how many, those of media included.
        media: how many binaries.
    """
    with tempfile.TemporaryDirectory(prefix="opencaas-sync-") as folder, served_content(Size(1, 1, 1)) as mongo:
        asyncio.run(prepare_rest(mongo))
        source = Path(folder) / "source"
        source.mkdir()
        bodies, files = _write_source(source, documents, media)
        written = time.monotonic()
        with started_server(mongo) as server:
            base = f"http://{server.host}:{server.port}"
            size = sum(map(len, bodies))
            print(f"{len(bodies)} documents of {size / len(bodies):.0f} bytes, {len(files)} media", flush=True)
            loop = asyncio.run(_loop(base, bodies, files))
            time.sleep(max(0.0, _SETTLED - (time.monotonic() - written)))
            print(f"bare loop        documents {loop[1]:6.2f} s   media {loop[0]:6.2f} s", flush=True)
            runs = {
                "total sync": _job(server, source, "total"),
                "smart, idle": _job(server, source, "smart"),
                "idle, unknown": _job(server, source, "smart", memory="another"),
                "total again": _job(server, source, "total"),
            }
    for label, run in runs.items():
        print(
            f"{label:16} {run.seconds:6.2f} s   ({run.process_seconds:.2f} s with the start of the process, "
            f"{run.cpu_seconds:.2f} s of CPU; {run.peak / 2**20:.0f} MiB at most, {_MEMORY_LIMIT} are promised)"
        )
    total, idle = runs["total sync"], runs["smart, idle"]
    print(f"total sync: {sum(loop) / total.seconds:.2f} of the loop's rate; at least {_LIMIT} is wanted")
    print(
        f"idle smart sync: {idle.seconds / total.seconds:.3f} of the total sync's time; under {_IDLE_LIMIT} is wanted"
    )
    print(
        f"  with the start of the process {idle.process_seconds / total.process_seconds:.3f}, "
        f"unknown files {runs['idle, unknown'].seconds / total.seconds:.3f}"
    )


def _write_source(folder: Path, documents: int, media: int) -> tuple[list[bytes], dict[str, Path]]:
    """Write a project as files, one for each document; give the documents' bodies and the binaries."""
    files: dict[str, Path] = {}
    bodies: list[bytes] = []
    (folder / "media").mkdir()
    noise = random.Random(1)
    content = folder / "preview"
    for number, batch in enumerate(_batched(_make_source(documents, media), 500)):
        home = content / f"{number:03}"
        home.mkdir(parents=True)
        for document in batch:
            body = orjson.dumps(document)
            bodies.append(body)
            (home / f"{document['_id']}.json").write_bytes(body)
            name = document["identifier"]
            if document["fsType"] == "Media" and name not in files:
                files[name] = folder / "media" / name
                files[name].write_bytes(noise.randbytes(_MEDIA_BYTES))
    return bodies, files


def _make_source(documents: int, media: int) -> Iterator[Document]:
    for number in range(media):
        identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
        for language, country in _LOCALES:
            yield {
                "_id": f"{identifier}.{language}_{country}", "fsType": "Media", "mediaType": "FILE",
                "name": f"file {number}", "fileName": f"file_{number}", "uid": f"file_{number}",
                "identifier": identifier, "languageDependent": False, "url": None,
                "fileMetaData": {"fileSize": _MEDIA_BYTES, "extension": "bin", "mimeType": "application/octet-stream"},
                "changeInfo": {"date": "2025-02-03T08:15Z", "revision": number},
                "locale": {"identifier": language.upper(), "language": language, "country": country},
            }  # fmt: skip
    wanted = documents - media * len(_LOCALES)
    others = make_documents(Size(wanted // 4, wanted // 4, 1))
    chosen = islice((each for each in others if each["fsType"] != "Media"), wanted)
    for number, document in enumerate(chosen):
        yield document | {"changeInfo": {"date": "2025-02-03T08:15Z", "revision": number}}


def _batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


async def _loop(base: str, bodies: Sequence[bytes], files: dict[str, Path]) -> tuple[float, float]:
    """Send everything without thinking; gives the seconds of media and of documents."""
    collection = f"/{TENANT}/{content_collection(_BY_LOOP, 'preview')}"
    bucket = f"/{TENANT}/{files_bucket(_BY_LOOP, 'preview')}"
    requests = [b"[" + b",".join(batch) + b"]" for batch in _batched(bodies, _BULK)]
    binaries = [(name, path.read_bytes()) for name, path in files.items()]
    headers = {"authorization": f"Bearer {REST_KEY}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        for home in (collection, bucket):
            (await client.put(home, json={}, headers=headers)).raise_for_status()

        async def post(body: bytes) -> None:
            (await client.post(collection, content=body, headers=headers)).raise_for_status()

        async def put(file: tuple[str, bytes]) -> None:
            path = f"{bucket}/{file[0]}"
            sent = await client.put(path, files={"file": file}, headers={"authorization": headers["authorization"]})
            sent.raise_for_status()

        return await _timed(binaries, put), await _timed(requests, post)


async def _timed(items: Sequence[Any], send: Callable[[Any], Awaitable[None]]) -> float:
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await send(item)

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(_PARALLEL)))
    return time.perf_counter() - start


def _job(server: Server, source: Path, mode: str, *, memory: str = "memory") -> _Run:
    command = [
        str(Path(sys.executable).parent / "opencaas"), "sync", mode, str(source), "--tenant", TENANT,
        "--server", f"http://{server.host}:{server.port}", "--project", _BY_JOB,
        "--parallel", str(_PARALLEL), "--bulk-documents", str(_BULK),
        "--source-memory", str(source.with_name(f"{source.name}-{memory}")),
    ]  # fmt: skip
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | {"OPENCAAS_API_KEY": REST_KEY}, text=True
    ) as process:
        peak = _watch(process)
        output = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"{command!r} ended with status {process.returncode}: {output}")
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Run(json.loads(output), seconds, cpu, peak)


def _watch(process: "subprocess.Popen[str]") -> int:
    """Follow a process to its end; gives the most memory that was seen."""
    peak = 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)
    return peak


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync", description=__doc__)
    parser.add_argument("--documents", type=int, default=_DOCUMENTS, help="(%(default)s)")
    parser.add_argument("--media", type=int, default=_MEDIA, help="(%(default)s)")
    options = parser.parse_args()
    measure_sync(options.documents, options.media)
