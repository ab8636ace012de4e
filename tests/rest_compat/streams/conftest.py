"""A REST interface behind a real socket, with change streams; and clients that watch."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
import uvicorn
import websockets
from websockets.asyncio.client import ClientConnection

from content_core.access import AccessControl, KeyStore
from content_core.documents import Document
from content_core.store import ChangeFeed, ChangeStreams, Store
from opencaas.sockets import LARGEST_MESSAGE, PING_SECONDS, SocketProtocol
from rest_compat import RestSettings, create_app
from tests.patience import PATIENCE
from tests.rest_compat.conftest import Notes

__all__ = ["COLLECTION", "CRUD", "Live", "close_of", "event", "no_event", "opened_live", "watched", "watching"]

COLLECTION: Final = "shop.preview.content"
CRUD: Final[Document] = {
    "uri": "crud",
    "stages": [{"$match": {"operationType": {"$in": ["insert", "replace", "update", "delete"]}}}],
}
_QUIET: Final = 0.5
_ADMIN: Final = ("admin", "correct horse")
_KEY: Final = "k-reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A running interface and one database in it."""

    port: int
    database: str
    store: Store
    upstreams: ChangeStreams
    admin: httpx.AsyncClient

    @property
    def collection(self) -> str:
        """The path of the collection."""
        return f"/{self.database}/{COLLECTION}"

    def address(self, uri: str, query: str = "") -> str:
        """The address of a change stream."""
        return f"ws://127.0.0.1:{self.port}{self.collection}/_streams/{uri}{query and '?' + query}"

    async def define(self, *definitions: Document) -> None:
        """Put definitions into the collection's metadata."""
        answer = await self.admin.put(self.collection, json={"streams": list(definitions)})
        assert answer.status_code in {200, 201}, answer.text

    async def key(self, name: str = _KEY, **changes: Any) -> str:
        """Make an API key that may read the collection."""
        permissions = [{"url": f"/{COLLECTION}/", "methods": ["GET"]}]
        document = {"_id": name, "key": name, "permissions": permissions, **changes}
        answer = await self.admin.put(f"/{self.database}/apikeys/{name}", json=document)
        assert answer.status_code in {200, 201}, answer.text
        return name

    async def token(self, key: str, *, ttl: int = 300) -> str:
        """Get a security token for a key."""
        answer = await self.admin.get(
            f"/_logic/securetoken?tenant={self.database}&ttl={ttl}",
            headers={"Authorization": f'apikey="{key}"'},
            auth=None,
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["securetoken"]
        return token

    async def put(self, document_id: str, **members: Any) -> int:
        """Store a document."""
        answer = await self.admin.put(f"{self.collection}/{document_id}", json=members)
        assert answer.is_success, answer.text
        return answer.status_code


@asynccontextmanager
async def opened_live(
    store: Store,
    feed: ChangeFeed,
    database: str,
    *,
    settings: RestSettings | None = None,
    ping_seconds: float = PING_SECONDS,
    **bounds: Any,
) -> AsyncIterator[Live]:
    """Serve the interface on a free port.

    Args:
        store: where everything is.
        feed: open, or about to be.
        database: made by this.
        settings: those of the interface.
        ping_seconds: time between pings.
        bounds: what :class:`ChangeStreams` takes.
    """
    keys = KeyStore(store)
    await keys.start()
    access = AccessControl(store, feed, admin_user=_ADMIN[0], admin_password=_ADMIN[1])
    upstreams = ChangeStreams(store, **bounds)
    app = create_app(
        store=store,
        access=access,
        keys=keys,
        definitions=Notes(),
        settings=settings or RestSettings(),
        feed=feed,
        upstreams=upstreams,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http="httptools",
        ws=SocketProtocol,
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=ping_seconds,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    port: int = listener.getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=_ADMIN, timeout=PATIENCE) as admin:
            await _until_served(admin)
            live = Live(port=port, database=database, store=store, upstreams=upstreams, admin=admin)
            assert (await admin.put(f"/{database}")).status_code in {200, 201}
            await live.define(CRUD)
            yield live
    finally:
        await upstreams.stop()
        server.should_exit = True
        await serving
        access.close()


async def _until_served(admin: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await admin.get("/")
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
            else:
                return


@pytest.fixture
async def live(store: Store, feed: ChangeFeed, database: str) -> AsyncIterator[Live]:
    async with opened_live(store, feed, database) as running:
        yield running


@asynccontextmanager
async def watching(live: Live, uri: str = "crud", query: str = "", **options: Any) -> AsyncIterator[ClientConnection]:
    """Watch a change stream, with a key's header unless the options say otherwise."""
    if "additional_headers" not in options and "securetoken" not in query:
        options["additional_headers"] = {"Authorization": f"Bearer {await live.key()}"}
    async with websockets.connect(
        live.address(uri, query), compression=None, ping_interval=None, max_size=None, **options
    ) as client:
        yield client


async def watched(live: Live) -> int:
    """Count the change streams that MongoDB has open on the collection."""
    pipeline: list[Document] = [
        {"$currentOp": {"allUsers": True, "idleCursors": True, "localOps": True}},
        {"$match": {"ns": f"{live.database}.{COLLECTION}", "cursor.tailable": True}},
    ]
    driver = live.store.open_client()
    try:
        command: Document = {"aggregate": 1, "pipeline": pipeline, "cursor": {}}
        answer = await driver.client.admin.command(command)
        return len(answer["cursor"]["firstBatch"])
    finally:
        await driver.close()


async def event(client: ClientConnection) -> Any:
    """Give the next event."""
    async with asyncio.timeout(PATIENCE):
        frame = await client.recv()
    assert isinstance(frame, str)
    return json.loads(frame)


async def no_event(client: ClientConnection, seconds: float = _QUIET) -> None:
    """Make sure that nothing comes for a while."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            raise AssertionError(await client.recv())


async def close_of(client: ClientConnection, seconds: float = PATIENCE) -> tuple[int, str]:
    """Read until the server closes; give code and reason."""
    async with asyncio.timeout(seconds):
        with contextlib.suppress(websockets.ConnectionClosed):
            async for _ in client:
                pass
    assert client.close_code is not None
    return client.close_code, client.close_reason or ""
