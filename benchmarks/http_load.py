"""Asking over HTTP/1.1 for next to nothing: requests are rendered once, answers are counted and not looked into.

It shares a core with the database, so what it takes the database lacks.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, cast

from benchmarks.rates import Ask
from benchmarks.servers import Server

__all__ = ["connected_clients", "render_post"]

_BUFFER: Final = 2**18
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


def render_post(server: Server, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Render a request with a JSON body."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {server.host}:{server.port}",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def connected_clients(server: Server, request: bytes, count: int) -> AsyncIterator[list[Ask]]:
    """Open connections that are kept; each asks the same, one request at a time, and gives the answer's body.

    An answer that is not 200, or has another length than the first one, ends the measurement: it would be counted.
    """
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        clients: list[Ask] = []
        for _ in range(count):
            transport, client = await loop.create_connection(lambda: _Client(request), server.host, server.port)
            stack.callback(transport.close)
            clients.append(client.ask)
        yield clients


class _Client(asyncio.BufferedProtocol):
    """One connection."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._buffer = memoryview(bytearray(_BUFFER))
        self._filled = 0
        self._expected = 0
        self._length = -1
        self._write: Callable[[bytes], None]
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.WriteTransport", transport).write  # uvloop's are no subclasses

    def ask(self) -> asyncio.Future[bytes]:
        self._filled = self._expected = 0
        self._answer = asyncio.get_running_loop().create_future()
        self._write(self._request)
        return self._answer

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._buffer[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        if not self._expected:
            self._read_head()
        if self._answer is not None and self._expected and self._filled >= self._expected:
            self._answer.set_result(bytes(self._buffer[self._expected - self._length : self._filled]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(SystemExit(f"the connection was closed: {exc}"))

    def _read_head(self) -> None:
        start = bytes(self._buffer[: self._filled])
        end = start.find(_HEAD_END)
        if end < 0:
            return
        head = start[:end].lower()
        length = int(head.partition(_LENGTH)[2].partition(b"\r\n")[0])
        if head.split(maxsplit=2)[1] != b"200" or self._length not in {-1, length}:
            raise SystemExit(f"unexpected answer: {start[:600]!r}")
        self._length = length
        self._expected = end + len(_HEAD_END) + length
