"""Results of pipelines within a bound, with both drivers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import get_args

import pytest
from pymongo.monitoring import CommandStartedEvent

from content_core.documents import Document
from content_core.errors import QueryRefusedError, ResultTooLargeError, StoreTimeoutError
from content_core.store import Store
from content_core.store.drivers import DriverName
from content_core.store.embedded import EmbeddedMongo
from tests.calls import Call, CallCounter

_LARGE = 3_000_000


class Counter(CallCounter):
    """Counts cursors that are given up as well."""

    killed = 0

    def started(self, event: CommandStartedEvent) -> None:
        super().started(event)
        self.killed += event.command_name == "killCursors"


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture(params=get_args(DriverName))
async def counted(mongo: EmbeddedMongo, counter: Counter, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """A store with either driver, whose calls are counted."""
    opened = Store.open(mongo.uri, driver=request.param, event_listeners=[counter])
    yield opened
    await opened.close()


async def test_a_result_within_the_bound_is_whole(counted: Store, database: str, counter: Counter) -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    for number in range(3):
        await counted.insert(database, "c", {"_id": number, "at": moment, "far": {"list": [number]}})
    counter.clear()
    stages: list[Document] = [{"$sort": {"_id": 1}}]

    bounded = await counted.aggregate(database, "c", stages, max_bytes=10_000, max_time_ms=10_000)

    # The driver asks for no documents with the first call where it gives batches as bytes.
    assert [Call("aggregate", database, "c"), Call("getMore", database, "c")] == counter.calls
    assert bounded == await counted.aggregate(database, "c", stages)
    assert [document["_id"] for document in bounded] == [0, 1, 2]


async def test_the_bound_counts_bytes_over_all_batches(counted: Store, database: str, counter: Counter) -> None:
    for number in range(8):
        await counted.insert(database, "c", {"_id": number, "text": "x" * _LARGE})

    whole = await counted.aggregate(database, "c", [], max_bytes=9 * _LARGE)
    assert len(whole) == 8
    counter.clear()

    with pytest.raises(ResultTooLargeError, match=f"larger than the limit of {4 * _LARGE} bytes") as refused:
        await counted.aggregate(database, "c", [], max_bytes=4 * _LARGE)

    assert refused.value.status == 422
    assert len(counter.calls) == 2, "what comes after the first 16 MB was not read"
    assert counter.killed == 1, "the rest is not left open"


async def test_an_empty_result_is_within_every_bound(counted: Store, database: str) -> None:
    assert await counted.aggregate(database, "c", [], max_bytes=1) == []


async def test_errors_are_those_of_any_aggregation(counted: Store, database: str) -> None:
    await counted.insert(database, "c", {"_id": 1})
    numbers = {"$range": [0, {"$add": [500_000, "$a"]}]}
    spin: Document = {"$expr": {"$lt": [{"$sum": {"$map": {"input": numbers, "in": {"$mod": ["$$this", 7]}}}}, 0]}}
    stages: list[Document] = [{"$unwind": "$a"}, {"$match": spin}]
    await counted.insert(database, "c", {"_id": 2, "a": list(range(100))})

    with pytest.raises(QueryRefusedError):
        await counted.aggregate(database, "c", [{"$foo": 1}], max_bytes=1_000)
    with pytest.raises(StoreTimeoutError):
        await counted.aggregate(database, "c", stages, max_bytes=1_000, max_time_ms=20)
