"""Change streams of a whole server: several workers, the end of the server, and what its log says."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from content_core.store.embedded import EmbeddedMongo
from tests.live import LiveServer, live_server

TENANT: Final = "watched"
COLLECTION: Final = f"/{TENANT}/shop.preview.content"
STREAM: Final = f"{COLLECTION}/_streams/crud"
ADMIN: Final = ("admin", "correct horse")
KEY: Final = "k-watcher"


@pytest.fixture
def server(mongo: EmbeddedMongo, tmp_path: Path) -> Iterator[LiveServer]:
    env = {
        "OPENCAAS_MONGODB_URI": mongo.uri,
        "OPENCAAS_ADMIN_PASSWORD": ADMIN[1],
        "OPENCAAS_TOKEN_SECRET": "the secret of the tokens",
        "OPENCAAS_LOG_LEVEL": "debug",
        "OPENCAAS_WATCHER_QUEUE_BYTES": "100000000",
    }
    with live_server(tmp_path / "data", "--workers", "2", env=env) as running:
        with running.client(auth=ADMIN) as admin:
            admin.put(f"/{TENANT}").raise_for_status()
            permissions = [{"url": "/", "methods": ["GET"]}]
            key = {"_id": KEY, "key": KEY, "permissions": permissions}
            admin.put(f"/{TENANT}/apikeys/{KEY}", json=key).raise_for_status()
            admin.put(COLLECTION, json={"streams": [{"uri": "crud", "stages": []}]}).raise_for_status()
        yield running
        if running.process.poll() is None:
            with running.client(auth=ADMIN) as admin:
                version = admin.get(f"/{TENANT}").headers["etag"]
                admin.delete(f"/{TENANT}", headers={"If-Match": version}).raise_for_status()


@asynccontextmanager
async def watching(server: LiveServer, query: str = "") -> AsyncIterator[ClientConnection]:
    headers = {} if query else {"Authorization": f"Bearer {KEY}"}
    address = server.url.replace("http", "ws") + STREAM + (query and f"?{query}")
    async with websockets.connect(address, additional_headers=headers, compression=None, max_size=None) as client:
        yield client


def put(server: LiveServer, name: str, **members: Any) -> None:
    with server.client(auth=ADMIN) as admin:
        admin.put(f"{COLLECTION}/{name}", json=members).raise_for_status()


def worker_of(client: ClientConnection) -> int:
    """Tell which process holds the other end of a connection."""
    own = client.local_address
    connections = psutil.net_connections("tcp4")
    return next(each.pid or 0 for each in connections if each.raddr == own and each.pid != psutil.Process().pid)


async def test_watchers_of_every_worker_hear_of_every_change(server: LiveServer) -> None:
    async with asyncio.timeout(60):
        clients: list[ClientConnection] = []
        opened = [watching(server) for _ in range(40)]
        try:
            for each in opened:
                clients.append(await each.__aenter__())
                if len({worker_of(client) for client in clients}) == 2:
                    break
            assert 2 == len({worker_of(client) for client in clients})
            for number in range(5):
                await asyncio.to_thread(put, server, f"n{number}")
            for client in clients:
                heard = [json.loads(await client.recv())["documentKey"]["_id"] for _ in range(5)]
                assert [f"n{number}" for number in range(5)] == heard
        finally:
            for each in opened[: len(clients)]:
                await each.__aexit__(None, None, None)


async def test_server_that_stops_says_so_and_is_not_held_up_by_a_client_that_does_not_read(server: LiveServer) -> None:
    async with watching(server) as client, watching(server) as stuck:
        stuck.transport.pause_reading()
        for number in range(4):
            await asyncio.to_thread(put, server, "large", body="x" * 3_000_000, number=number)
        began = time.monotonic()
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        async with asyncio.timeout(20):
            heard = [json.loads(frame)["fullDocument"]["number"] async for frame in client]
        status = await stopping
        took = time.monotonic() - began

    assert [0, 1, 2, 3] == heard
    assert (1001, "the server stops") == (client.close_code, client.close_reason)
    assert 0 == status
    assert took < 15
    assert [] == [line for line in server.log if "Traceback" in line]


async def test_log_has_a_line_per_websocket_and_never_a_token(server: LiveServer) -> None:
    with server.client() as anonymous:
        answer = anonymous.get(
            "/_logic/securetoken", params={"tenant": TENANT}, headers={"Authorization": f"Bearer {KEY}"}
        )
        token = answer.json()["securetoken"]
    async with watching(server, f"securetoken={token}") as client:
        await asyncio.to_thread(put, server, "logged")
        await client.recv()
    for query in (f"securetoken={token}x", f"securetoken={token}&avars=none"):
        with pytest.raises(websockets.InvalidStatus):
            async with watching(server, query):
                pass
    await asyncio.to_thread(server.stop)
    lines = [json.loads(line) for line in server.log if line.startswith("{")]
    opened = [line for line in lines if line.get("path") == STREAM]

    assert [101, 401, 400] == [line["status"] for line in opened]
    assert [] == [line for line in server.log if token in line or KEY in line]
    assert [] == [line for line in lines if line.get("level") in {"error", "critical"}]


def test_worker_may_open_as_many_files_as_the_system_allows(server: LiveServer) -> None:
    for worker in server.workers():
        limits = Path(f"/proc/{worker.pid}/limits").read_text(encoding="utf-8")
        soft, hard = next(line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files"))

        assert int(soft) == min(int(hard), 65_536)


def test_other_websockets_get_the_answer_of_the_interface(server: LiveServer) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with closing(httpx.Client(base_url=server.url, headers=upgrade)) as client:
        statuses = [client.get(path).status_code for path in ("/", "/graphql/watched/app", "/_logic/healthcheck")]

    assert [401, 401, 401] == statuses
