"""Results of pipelines within a bound, with both drivers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import get_args

import pytest
from bson import encode
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


@pytest.mark.parametrize("bound", [10_000, 100_000_000])
async def test_a_result_within_the_bound_is_whole(counted: Store, database: str, counter: Counter, bound: int) -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    for number in range(3):
        await counted.insert(database, "c", {"_id": number, "at": moment, "far": {"list": [number]}})
    counter.clear()
    stages: list[Document] = [{"$sort": {"_id": 1}}]

    bounded = await counted.aggregate(database, "c", stages, max_bytes=bound, max_time_ms=10_000)

    assert [Call("aggregate", database, "c")] == counter.calls, "it costs no more than without a bound"
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
    assert len(counter.calls) == 1, "what comes after the first 16 MB was not read"
    assert counter.killed == 1, "the rest is not left open"


async def test_a_bound_below_one_answer_counts_as_well(counted: Store, database: str) -> None:
    for number in range(10):
        await counted.insert(database, "c", {"_id": number})
    size = len(encode({"_id": 1}))

    assert len(await counted.aggregate(database, "c", [], max_bytes=10 * size)) == 10
    for bound in (10 * size - 1, size, 1):
        with pytest.raises(ResultTooLargeError):
            await counted.aggregate(database, "c", [], max_bytes=bound)


async def test_an_empty_result_is_within_every_bound(counted: Store, database: str) -> None:
    for bound in (1, 100_000_000):
        assert await counted.aggregate(database, "c", [], max_bytes=bound) == []


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
