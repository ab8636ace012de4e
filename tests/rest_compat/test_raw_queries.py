"""Addresses as sloppy clients write them, over a socket: what ``curl -g`` sends must arrive."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import uvicorn

from content_core.store import Store
from tests.patience import PATIENCE
from tests.rest_compat.content import PAGES, fill

Ask = Callable[[bytes], Awaitable[tuple[int, Any]]]


@pytest.fixture
async def ask(transport: httpx.ASGITransport) -> AsyncIterator[Ask]:
    """Send a request target byte for byte; give status and body."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(transport.app, http="httptools", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        async with asyncio.timeout(PATIENCE):
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
        login = base64.b64encode(b"admin:correct horse").decode()

        async def ask_raw(target: bytes) -> tuple[int, Any]:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            head = f" HTTP/1.1\r\nHost: caas.example\r\nAuthorization: Basic {login}\r\nConnection: close\r\n\r\n"
            writer.write(b"GET " + target + head.encode())
            answer = await asyncio.wait_for(reader.read(), PATIENCE)
            writer.close()
            await writer.wait_closed()
            top, _, body = answer.partition(b"\r\n\r\n")
            return int(top.split()[1]), json.loads(body) if b"json" in top else body

        yield ask_raw
        server.should_exit = True
        await serving


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b'filter={"name":"Start"}', ["a.en_GB"]),
        (b'filter={name:"Start"}', ["a.en_GB"]),
        (b"filter={'locale.language':'de',price:{$lt:3}}", ["b.de_DE"]),
        (b'filter={name:{$regex:"^(Start|Bild)$"}}', ["b.de_DE", "a.en_GB"]),
        (b'filter={price:{$in:[1,3]}}&sort={"price":1}', ["b.de_DE", "a.de_DE"]),
        (b"filter={name:/^s/i}&keys={name:1}", ["a.en_GB"]),
        (b"filter={$or:[{price:{$gt:4}},{name:'<^|`\\\\>'}]}", ["a.en_GB"]),
        (b"filter=%7Bname%3A%22Start%22%7D", ["a.en_GB"]),
        (b"filter={name:+%22Start%22}", ["a.en_GB"]),
    ],
)
async def test_raw_braces_and_quotes_arrive(
    ask: Ask, store: Store, tenant: str, query: bytes, expected: list[str]
) -> None:
    await fill(store, tenant)

    status, body = await ask(f"/{tenant}/{PAGES}?".encode() + query)

    assert status == 200, body
    assert expected == [element["_id"] for element in body.get("_embedded", {}).get("rh:doc", [])]


async def test_encoded_slash_stays_in_the_id(ask: Ask, store: Store, tenant: str) -> None:
    await store.insert(tenant, "c", {"_id": 'a/b {"x"}'})

    for target in (f'/{tenant}/c/a%2Fb%20{{"x"}}', f"/{tenant}/c/a%2fb%20%7B%22x%22%7D/"):
        assert (await ask(target.encode()))[0] == 200
    assert (await ask(f"/{tenant}/c/a/b".encode()))[0] == 404
