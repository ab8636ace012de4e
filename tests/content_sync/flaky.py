"""A proxy that has bad days: it refuses, stays mute, or swallows answers to requests that were carried out."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

__all__ = ["FlakyProxy", "Trouble", "flaky_proxy"]

Trouble = Literal["408", "429", "503", "reset", "swallow"]
TROUBLES: tuple[Trouble, ...] = ("408", "429", "503", "reset", "swallow")


@dataclass(slots=True)
class FlakyProxy:
    """Forwards requests, one for each connection, but for the troubles."""

    host: str
    port: int
    chance: random.Random
    often: float
    url: str = ""
    troubles: list[Trouble] = field(default_factory=list)
    """Those that occurred."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            trouble = self.chance.choice(TROUBLES) if self.chance.random() < self.often else None
            if trouble:
                self.troubles.append(trouble)
            if trouble in {None, "swallow"}:
                answer = await self._forward(request)
                writer.write(answer if trouble is None else b"")
            elif trouble != "reset":
                writer.write(
                    f"HTTP/1.1 {trouble} Trouble\r\nContent-Length: 0\r\nRetry-After: 0\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        writer.write(b"\r\n".join([*lines, b"Connection: close", b"", body]))
        answer = await reader.read(-1)
        writer.close()
        return answer


@asynccontextmanager
async def flaky_proxy(server: str, *, seed: int, often: float = 0.3) -> AsyncIterator[FlakyProxy]:
    """Put a proxy in front of a server."""
    address = urlsplit(server)
    proxy = FlakyProxy(address.hostname or "", address.port or 80, random.Random(seed), often)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with listening:
        proxy.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield proxy


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)
