"""Change streams of a whole server: several workers, the end of the server, and what its log says."""

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pytest
import websockets
from playwright.async_api import expect
from websockets.asyncio.client import ClientConnection

from content_core.store.embedded import EmbeddedMongo
from tests.graphql_app.graphiql.browser import open_browser
from tests.live import LiveServer, live_server
from tests.patience import PATIENCE, Stopwatch

TENANT: Final = "watched"
COLLECTION: Final = f"/{TENANT}/shop.preview.content"
STREAM: Final = f"{COLLECTION}/_streams/crud"
ADMIN: Final = ("admin", "correct horse")
KEY: Final = "k-watcher"
GUIDE: Final = Path(__file__).resolve().parents[2] / "docs" / "change-streams.md"


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
    async with watching(server) as client, watching(server) as stuck, AsyncExitStack() as stack:
        stuck.transport.pause_reading()
        for number in range(4):
            await asyncio.to_thread(put, server, "large", body="x" * 3_000_000, number=number)
        watch = stack.enter_context(Stopwatch())
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        async with asyncio.timeout(PATIENCE):
            heard = [json.loads(frame)["fullDocument"]["number"] async for frame in client]
        status = await stopping
        took = watch.seconds

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


class _Page(BaseHTTPRequestHandler):
    """Serves one page, from an origin that is not the server's."""

    text = ""

    def do_GET(self) -> None:
        body = self.text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def example(server: LiveServer) -> str:
    """Give the page of the documentation, set up for a server."""
    found = re.search(r"^```html\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None
    page = found[1]
    for name, value in (("caas", server.url), ("collection", COLLECTION), ("apiKey", KEY)):
        page, count = re.subn(rf'const {name} = ".*";', f'const {name} = "{value}";', page)
        assert 1 == count
    return page


async def test_example_of_the_documentation_shows_changes_in_a_browser(server: LiveServer) -> None:
    served = type("Page", (_Page,), {"text": example(server)})
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as pages, server.client(auth=ADMIN) as admin:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        try:
            async with open_browser() as browser:
                page = await browser.new_page()
                await page.goto(f"http://127.0.0.1:{pages.server_address[1]}/")
                lines = page.locator("#changes li")
                await expect(lines).to_have_text(["watching"], timeout=PATIENCE * 1000)
                document = f"{COLLECTION}/a.en_GB"
                for write in (
                    lambda: admin.put(document, json={"fsType": "Page"}),
                    lambda: admin.put(document, json={"fsType": "Page", "name": "other"}),
                    lambda: admin.patch(document, json={"name": "third"}),
                    lambda: admin.delete(document),
                ):
                    (await asyncio.to_thread(write)).raise_for_status()
                told = [f"{operation} a.en_GB" for operation in ("insert", "replace", "update", "delete")]
                await expect(lines).to_have_text(["watching", *told], timeout=PATIENCE * 1000)
        finally:
            pages.shutdown()


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
