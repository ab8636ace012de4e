"""Asking a GraphQL application: through its ASGI interface without a socket, and over a socket as HTTP/1.1."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from starlette.types import ASGIApp, Message, Scope

from benchmarks.content import APP
from benchmarks.servers import API_KEY, Server

__all__ = ["AskBytes", "ask_in_process", "ask_over_socket"]

AskBytes: TypeAlias = Callable[[], Awaitable[bytes]]

_PATH: Final = f"/graphql/{APP}"


def ask_in_process(app: ASGIApp, body: bytes) -> AskBytes:
    """Make a client that hands its request to the application directly."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": _PATH,
        "raw_path": _PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in _headers(body)],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 50_000),
    }

    async def ask() -> bytes:
        request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        answer = bytearray()
        status = 0

        async def receive() -> Message:
            return request.pop() if request else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answer.extend(message.get("body", b""))

        await app(dict(scope), receive, send)
        _check(status, answer)
        return bytes(answer)

    return ask


@asynccontextmanager
async def ask_over_socket(server: Server, body: bytes) -> AsyncIterator[AskBytes]:
    """Open a client with a connection of its own, which it keeps; a plain one that costs little."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    lines = [f"POST {_PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in _headers(body)), "", ""]
    request = "\r\n".join(lines).encode() + body

    async def ask() -> bytes:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        answer = await reader.readexactly(length)
        _check(int(head.split(maxsplit=2)[1]), answer)
        return answer

    try:
        yield ask
    finally:
        writer.close()
        await writer.wait_closed()


def _headers(body: bytes) -> list[tuple[str, str]]:
    return [
        ("Host", "127.0.0.1"),
        ("Authorization", f"Bearer {API_KEY}"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("Content-Length", str(len(body))),
    ]


def _check(status: int, answer: bytes | bytearray) -> None:
    """A request that fails is quick and would be counted."""
    if status != 200:
        raise SystemExit(f"status {status}: {bytes(answer[:300])!r}")
