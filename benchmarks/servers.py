"""What is measured against: a MongoDB with the content in it, and a server process as an operator starts it."""

import asyncio
import itertools
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.content import APP, COLLECTION, TENANT, Size, build_definition, make_documents
from content_core.access import KeyStore
from content_core.documents import Document
from content_core.indexes import CONTENT_INDEXES
from content_core.names import GQL_APPS
from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo

__all__ = ["ADMIN_LOGIN", "API_KEY", "Mongo", "Server", "served_content", "started_process", "started_server"]

API_KEY: Final = secrets.token_hex(16)
"""A key that may read the measured application, and nothing else."""

ADMIN_LOGIN: Final = ("admin", secrets.token_hex(16))
"""Name and password of the started servers' admin."""

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Mongo:
    """A running MongoDB: its URI, its process, and how many documents of content it holds."""

    uri: str
    pid: int
    documents: int


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, and its first process."""

    host: str
    port: int
    pid: int


@contextmanager
def served_content(size: Size) -> Iterator[Mongo]:
    """Start a MongoDB with content, indexes, application and key in it; all of it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="opencaas-bench-") as folder, EmbeddedMongo(Path(folder) / "data") as mongo:
        documents = asyncio.run(_fill(mongo.uri, size))
        yield Mongo(mongo.uri, mongo.pid or 0, documents)


@contextmanager
def started_server(mongo: Mongo, **settings: str) -> Iterator[Server]:
    """Start ``opencaas serve`` with one worker on a free port, and stop it afterwards.

    Args:
        mongo: the database that it serves.
        settings: more of its environment, without the prefix ``OPENCAAS_``.
    """
    environment = {
        "OPENCAAS_MONGODB_URI": mongo.uri,
        "OPENCAAS_ADMIN_PASSWORD": ADMIN_LOGIN[1],
        "OPENCAAS_TOKEN_SECRET": secrets.token_hex(32),
        **{f"OPENCAAS_{name}": value for name, value in settings.items()},
    }
    command = [str(Path(sys.executable).parent / "opencaas"), "serve", "--port", "0", "--workers", "1"]
    with started_process(command, environment) as server:
        yield server


@contextmanager
def started_process(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Start a server that prints ``ready`` and its address, and stop it afterwards."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | environment, text=True
    ) as process:
        try:
            yield _await_ready(process)
        finally:
            process.terminate()


def _await_ready(process: "subprocess.Popen[str]") -> Server:
    for line in process.stdout or ():
        if line.startswith("ready "):
            address = urlsplit(line.split()[1])
            return Server(address.hostname or "", address.port or 0, process.pid)
    raise SystemExit(f"{process.args!r} ended with status {process.wait()}")


async def _fill(uri: str, size: Size) -> int:
    store = Store.open(uri, driver="pymongo")
    count = 0
    try:
        await store.create_collection(TENANT, COLLECTION)
        for name, fields in CONTENT_INDEXES.items():
            await store.create_index(TENANT, COLLECTION, name=name, keys=[(field, 1) for field in fields])
        documents = make_documents(size)
        while batch := list(itertools.islice(documents, _BATCH)):
            count += (await store.bulk_replace(TENANT, COLLECTION, batch)).inserted
        await store.replace(TENANT, GQL_APPS, build_definition())
        keys = KeyStore(store)
        await keys.ensure_key_collections(TENANT)
        await keys.create(TENANT, _reader())
    finally:
        await store.close()
    return count


def _reader() -> Document:
    permission = {"url": APP, "permissionMode": "GRAPHQL", "methods": ["POST"]}
    return {"_id": API_KEY, "key": API_KEY, "name": "measurements", "permissions": [permission]}
