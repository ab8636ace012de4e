"""Many WebSocket clients in a process of their own, which count and time what they are told.

Started by ``benchmarks.change_streams``; its orders come as one line of JSON, its report goes out as another.
"""

import asyncio
import base64
import json
import os
import sys
import time
from array import array
from typing import Any, Final, cast

import orjson
import uvloop

__all__ = ["WatchingClient"]

_CONNECTING: Final = 50
"""Handshakes under way at a time."""

_SHORT: Final = 126
_MIDDLE: Final = 127


class WatchingClient(asyncio.Protocol):
    """One client: it checks that events come one after the other, and notes how long each took.

    Args:
        head: the request for the WebSocket.
        events: what each payload says, for all clients of the process: most get the same.
    """

    def __init__(self, head: bytes, events: dict[bytes, tuple[int, float]]) -> None:
        self._head = head
        self._events = events
        self._buffer = bytearray()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.next = 0
        self.disorder = 0
        self.delays = array("d")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.WriteTransport", transport).write(self._head)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._buffer += data
        if not self.opened.done() and not self._read_head():
            return
        while (payload := self._take_frame()) is not None:
            number, sent = self._read(payload)
            self.disorder += number != self.next
            self.next = number + 1
            self.delays.append(now - sent)

    def connection_lost(self, _error: Exception | None) -> None:
        self.disorder += 1
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(bytes(self._buffer[:300])))

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or not self._buffer.startswith(b"HTTP/1.1 101"):
            return False
        del self._buffer[: end + 4]
        self.opened.set_result(None)
        return True

    def _take_frame(self) -> bytes | None:
        """Take a whole text frame off the buffer; servers do not mask, and pings do not come in so short a time."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length == _SHORT:
            length, start = int.from_bytes(buffer[2:4], "big"), 4
        elif length == _MIDDLE:
            length, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + length:
            return None
        payload = bytes(buffer[start : start + length])
        del buffer[: start + length]
        return payload

    def _read(self, payload: bytes) -> tuple[int, float]:
        known = self._events.get(payload)
        if known is None:
            document = orjson.loads(payload)["fullDocument"]
            known = self._events[payload] = (document["number"], document["sent"])
        return known


async def _watch(orders: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {orders['path']} HTTP/1.1\r\nHost: {orders['host']}\r\nAuthorization: Bearer {orders['key']}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()
    events: dict[bytes, tuple[int, float]] = {}
    gate = asyncio.Semaphore(_CONNECTING)

    async def connect() -> WatchingClient:
        async with gate:
            _, client = await loop.create_connection(
                lambda: WatchingClient(head, events), orders["host"], orders["port"]
            )
            await client.opened
            return client

    clients = await asyncio.gather(*(connect() for _ in range(orders["watchers"])))
    print("watching", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    delays = [delay for client in clients for delay in client.delays]
    report = {
        "complete": sum(client.next == orders["events"] and not client.disorder for client in clients),
        "delays": delays,
        "cpu": time.process_time(),
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    uvloop.run(_watch(json.loads(sys.stdin.readline())))
