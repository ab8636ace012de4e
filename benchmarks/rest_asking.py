"""Asking the REST interface over a socket, with a plain HTTP/1.1 client that costs little."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bson import ObjectId

from benchmarks.content import COLLECTION, TENANT
from benchmarks.servers import Mongo, Server
from content_core.access import KeyStore
from content_core.store import Store

__all__ = ["PLACE", "REST_KEY", "Connection", "connected", "prepare_rest"]

PLACE: Final = f"/{TENANT}/{COLLECTION}"
"""The path of the content."""

REST_KEY: Final = secrets.token_hex(16)
"""A key for everything in the measured database."""

_METHODS: Final = ["GET", "PUT", "POST", "PATCH", "DELETE"]
_BUFFER: Final = 2**22


async def prepare_rest(mongo: Mongo) -> None:
    """Give the content what the REST interface would have given it: versions, and a key that opens it."""
    store = Store.open(mongo.uri, driver="pymongo")
    try:
        await store.update_many(TENANT, COLLECTION, filter={}, update={"$set": {"_etag": ObjectId()}})
        permission = {"url": "/", "methods": _METHODS}
        document = {"_id": REST_KEY, "key": REST_KEY, "name": "REST measurements", "permissions": [permission]}
        await KeyStore(store).create(TENANT, document)
    finally:
        await store.close()


class Connection:
    """One connection, kept open; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, method: str, target: str, body: bytes = b"", *, accept_encoding: str = "") -> bytes:
        """Give the body of the answer; one that is no success ends the measurement, for it would be quick."""
        lines = [
            f"{method} {target} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {REST_KEY}",
            *([f"Accept-Encoding: {accept_encoding}"] if accept_encoding else []),
            *(["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []),
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        answer = await self._reader.readexactly(int(length or b"0"))
        status = int(head.split(maxsplit=2)[1])
        if status not in {200, 201}:
            raise SystemExit(f"{method} {target}: status {status}: {answer[:300]!r}")
        return answer


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Connection]:
    """Open a connection."""
    reader, writer = await asyncio.open_connection(server.host, server.port, limit=_BUFFER)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()
