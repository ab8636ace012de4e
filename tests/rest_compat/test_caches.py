"""Two servers on one MongoDB: what one changes, the other knows; over sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from content_core.store import ChangeFeed, Store
from content_core.store.embedded import EmbeddedMongo
from tests.calls import Call, CallCounter
from tests.patience import PATIENCE
from tests.rest_compat.serving import make_app, serving


@dataclass(frozen=True, slots=True)
class Server:
    """One server with its own connections and its own feed."""

    client: httpx.AsyncClient
    feed: ChangeFeed
    counter: CallCounter


@pytest.fixture
async def start(mongo: EmbeddedMongo) -> AsyncIterator[Callable[[], Awaitable[Server]]]:
    """Starts servers."""
    stops: list[Callable[[], Awaitable[Any]]] = []

    async def start_one() -> Server:
        counter = CallCounter()
        store = Store.open(mongo.uri, event_listeners=[counter])
        stops.append(store.close)
        feed = ChangeFeed(store)
        await feed.start()
        stops.append(feed.stop)
        running = serving(await make_app(store, feed))
        client = await running.__aenter__()
        stops.append(lambda: running.__aexit__(None, None, None))
        return Server(client, feed, counter)

    yield start_one
    for stop in reversed(stops):
        await stop()


@pytest.fixture
async def one(start: Callable[[], Awaitable[Server]], database: str) -> Server:
    """A server on which the collection ``notes`` was made."""
    server = await start()
    for path in (f"/{database}", f"/{database}/notes"):
        assert (await server.client.put(path)).status_code == 201
    return server


@pytest.fixture
async def other(start: Callable[[], Awaitable[Server]], one: Server) -> Server:
    """Another one, started later."""
    assert one.feed.live
    return await start()


async def until(answers: Callable[[], Awaitable[httpx.Response]], status: int, text: str = "") -> httpx.Response:
    """Ask again until the answer is as wanted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await answers()
            if answer.status_code == status and text in answer.text:
                return answer
            await asyncio.sleep(0.005)


async def test_changed_aggregation_is_seen_by_the_other_server(one: Server, other: Server, database: str) -> None:
    notes = f"/{database}/notes"
    assert (await one.client.put(f"{notes}/a", json={})).status_code == 201

    async def ask() -> httpx.Response:
        return await other.client.get(f"{notes}/_aggrs/it")

    assert (await ask()).status_code == 404
    for number in range(5):
        stages = [{"$project": {"n": {"$literal": number}}}]
        assert (await one.client.put(notes, json={"aggrs": [{"uri": "it", "stages": stages}]})).status_code == 200
        await until(ask, 200, f'"n":{number}')
    assert (await one.client.put(notes)).status_code == 200
    await until(ask, 404)


async def test_changed_schema_is_seen_by_the_other_server(one: Server, other: Server, database: str) -> None:
    notes, schema = f"/{database}/notes", f"/{database}/_schemas/note"
    assert (await one.client.put(schema, json={"type": "object"})).status_code == 201
    assert (await one.client.patch(notes, json={"jsonSchema": {"schemaId": "note"}})).status_code == 200

    async def ask() -> httpx.Response:
        return await other.client.put(f"{notes}/a", json={"n": 1})

    await until(ask, 201)
    for _ in range(3):
        changed = await one.client.put(schema, json={"type": "object", "required": ["title"]})
        assert changed.status_code == 200
        await until(ask, 400, "title")
        assert (await one.client.put(schema, json={"type": "object"})).status_code == 200
        await until(ask, 200)
    assert (await one.client.delete(schema)).status_code == 204
    await until(ask, 500, "is not stored")


async def test_changed_schema_that_another_refers_to_is_seen(one: Server, other: Server, database: str) -> None:
    notes, schemas = f"/{database}/notes", f"/{database}/_schemas"
    reference = {"properties": {"n": {"$ref": f"http://schema-store/{database}/number"}}}
    for name, schema in (("number", {"type": "number"}), ("note", reference)):
        assert (await one.client.put(f"{schemas}/{name}", json=schema)).status_code == 201
    assert (await one.client.patch(notes, json={"jsonSchema": {"schemaId": "note"}})).status_code == 200

    async def ask() -> httpx.Response:
        return await other.client.put(f"{notes}/a", json={"n": 1})

    await until(ask, 201)
    assert (await one.client.put(f"{schemas}/number", json={"type": "string"})).status_code == 200
    await until(ask, 400, "n: ")


async def test_the_server_that_changes_a_schema_knows_it_at_once(one: Server, database: str) -> None:
    notes, schema = f"/{database}/notes", f"/{database}/_schemas/note"
    assert (await one.client.put(schema, json={})).status_code == 201
    assert (await one.client.patch(notes, json={"jsonSchema": {"schemaId": "note"}})).status_code == 200

    for number in range(10):
        kind = "string" if number % 2 else "number"
        put = await one.client.put(schema, json={"properties": {"x": {"type": kind}}})
        assert put.status_code == 200
        answer = await one.client.put(f"{notes}/a", json={"x": 1})
        assert answer.is_success is (kind == "number")


async def test_remembered_schemas_and_definitions_cost_no_call(one: Server, store: Store, database: str) -> None:
    notes, schema = f"/{database}/notes", f"/{database}/_schemas/note"
    assert (await one.client.put(schema, json={"type": "object"})).status_code == 201
    definitions = {"jsonSchema": {"schemaId": "note"}, "aggrs": [{"uri": "it", "stages": []}]}
    assert (await one.client.patch(notes, json=definitions)).status_code == 200
    told = asyncio.Event()  # of all that was written so far: changes are told in order
    one.feed.subscribe(lambda _event: told.set(), collections=lambda changed, name: (changed, name) == (database, "z"))
    await store.insert(database, "z", {"_id": 1})
    await asyncio.wait_for(told.wait(), PATIENCE)
    for _ in range(2):
        one.counter.clear()
        assert (await one.client.put(f"{notes}/a", json={})).is_success
        assert (await one.client.get(f"{notes}/_aggrs/it")).is_success

    assert Call("find", database, "_schemas") not in one.counter.calls
    assert [call.command for call in one.counter.calls if call.command != "find"] == ["aggregate"]
    # What a write has to know of the collection is read with it.
    assert [call.collection for call in one.counter.calls if call.command == "find"] == ["_properties"]


async def test_a_feed_that_is_down_leaves_nothing_stale(one: Server, other: Server, database: str) -> None:
    notes, schema = f"/{database}/notes", f"/{database}/_schemas/note"
    assert (await one.client.put(schema, json={})).status_code == 201
    members = {"jsonSchema": {"schemaId": "note"}, "aggrs": [{"uri": "it", "stages": []}]}
    assert (await one.client.patch(notes, json=members)).status_code == 200
    for path in (f"{notes}/_aggrs/it", notes):
        assert (await until(lambda path=path: other.client.get(path), 200)).is_success  # type: ignore[misc]
    assert (await other.client.put(f"{notes}/a", json={})).is_success

    await other.feed.stop()
    assert (await one.client.put(schema, json={"required": ["title"]})).status_code == 200
    assert (await one.client.patch(notes, json={"$unset": {"aggrs": ""}, "desc": "new"})).status_code == 200

    assert (await other.client.put(f"{notes}/a", json={})).status_code == 400
    assert (await other.client.get(f"{notes}/_aggrs/it")).status_code == 404
    assert (await other.client.get(notes)).json()["desc"] == "new"

    await other.feed.start()
    assert (await one.client.patch(notes, json={"desc": "newer"})).status_code == 200
    await until(lambda: other.client.get(notes), 200, '"newer"')
