"""What is remembered of databases and collections: it costs no call, and changes are seen."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from content_core.access.reserved import PROPERTIES
from content_core.errors import NotFoundError
from content_core.store import ChangeFeed, Store
from content_core.store.embedded import EmbeddedMongo
from rest_compat.metadata import Properties
from tests.calls import CallCounter
from tests.patience import PATIENCE


@pytest.fixture
def counter() -> CallCounter:
    return CallCounter()


@pytest.fixture
async def counted(mongo: EmbeddedMongo, counter: CallCounter) -> AsyncIterator[Store]:
    opened = Store.open(mongo.uri, event_listeners=[counter])
    yield opened
    await opened.close()


async def until_differs(properties: Properties, database: str, old: object) -> object:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                found: object = await properties.of_collection(database, "c")
            except NotFoundError:
                found = None
            if found != old:
                return found
            await asyncio.sleep(0.05)


async def test_second_question_costs_no_call(
    counted: Store, counter: CallCounter, feed: ChangeFeed, database: str
) -> None:
    properties, told = Properties(counted, feed), asyncio.Event()
    feed.subscribe(lambda _event: told.set(), collections=lambda changed, _collection: changed == database)
    await counted.insert(database, "c", {"_id": 1})
    await asyncio.wait_for(told.wait(), PATIENCE)  # the insert's own event

    first = await properties.of_collection(database, "c")
    calls = len(counter.calls)
    second = await properties.of_collection(database, "c")

    assert first == second == {"_id": "c"}
    assert calls == len(counter.calls) > 0


async def test_changes_made_elsewhere_are_seen(store: Store, feed: ChangeFeed, database: str) -> None:
    properties = Properties(store, feed)
    await store.insert(database, "c", {"_id": 1})
    bare = await properties.of_collection(database, "c")

    await store.replace(database, PROPERTIES, {"_id": f"{PROPERTIES}.c", "a::b": 1})
    described = await until_differs(properties, database, bare)
    assert described == {"_id": "c", "a.b": 1}

    await store.drop_collection(database, "c")
    assert await until_differs(properties, database, described) is None
    await store.drop_database(database)
    with pytest.raises(NotFoundError):
        await properties.of_database(database)


@pytest.mark.parametrize("stopped", [True, False])
async def test_without_a_live_feed_every_question_is_asked(store: Store, database: str, stopped: bool) -> None:
    properties = Properties(store, ChangeFeed(store) if stopped else None)
    await store.insert(database, "c", {"_id": 1})
    for number in range(3):
        await store.replace(database, PROPERTIES, {"_id": f"{PROPERTIES}.c", "n": number})
        assert (await properties.of_collection(database, "c"))["n"] == number


async def test_forgetting_is_immediate(store: Store, feed: ChangeFeed, database: str) -> None:
    properties = Properties(store, feed)
    await store.insert(database, "c", {"_id": 1})
    for number in range(10):
        await store.replace(database, PROPERTIES, {"_id": f"{PROPERTIES}.c", "n": number})
        properties.forget(database)
        assert (await properties.of_collection(database, "c"))["n"] == number
