"""What only shows on a real connection, and while definitions change under load."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from content_core.store import ChangeFeed, Store
from graphql_app.app import create_app
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.http.server import ADMIN, Server, put_definition, serve
from tests.graphql_app.query.workshop import SDL, load_workshop, workshop_definition
from tests.patience import PATIENCE


@pytest.fixture
async def running(store: Store, feed: ChangeFeed, database: str) -> AsyncIterator[Server]:
    """The workshop on a socket."""
    async with serve(store, feed) as inner:
        await load_workshop(store, database)
        await put_definition(inner, store, workshop_definition(database))
        app = create_app(store=store, access=inner.access, registry=inner.registry, settings=GraphQLSettings())
        config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        async with asyncio.timeout(PATIENCE):
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=ADMIN) as client:
            yield Server(client, inner.registry, inner.access)
        server.should_exit = True
        await serving


async def test_many_requests_share_a_connection(running: Server, database: str) -> None:
    for _ in range(3):
        response = await running.client.post(f"/graphql/{database}/workshop", json={"query": "{ mechanics { id } }"})

        assert response.json() == {"data": {"mechanics": [{"id": "m1"}, {"id": "m2"}]}}


async def test_an_encoded_path_is_the_same_address(running: Server, database: str) -> None:
    response = await running.client.post(f"/graphql/{database}%5F__workshop", json={"query": "{ mechanics { id } }"})

    assert response.status_code == 200


async def test_head_gives_browsers_the_headers_only(running: Server, database: str) -> None:
    response = await running.client.head(f"/graphql/{database}/workshop", headers={"Accept": "text/html"})

    assert (response.status_code, response.content) == (200, b"")


async def test_an_endless_body_is_cut_off(running: Server, database: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"#" * 100_000

    headers = {"Content-Type": "application/graphql"}
    try:
        response = await running.client.post(f"/graphql/{database}/workshop", content=endless(), headers=headers)
    except httpx.TransportError:  # the connection was closed while the client was still sending
        return
    assert response.status_code == 413


async def test_no_request_fails_while_definitions_are_swapped(running: Server, store: Store, database: str) -> None:
    longer = SDL.replace("type Job  {", "type Job  { extra: String")
    done = False
    statuses: list[int] = []

    async def ask() -> None:
        query = {"query": "{ mechanics { name jobs { title owner { name } } } }"}
        while not done:
            response = await running.client.post(f"/graphql/{database}/workshop", json=query)
            statuses.append(response.status_code if "errors" not in response.json() else 0)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask())
        for n in itertools.count():
            await put_definition(running, store, workshop_definition(database, sdl=longer if n % 2 else SDL))
            if n >= 10 and len(statuses) > 10:
                break
        done = True

    assert set(statuses) == {200}
