"""What the driver tells reaches the request at hand and the figures of the process."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from content_core import observe
from content_core.errors import QueryRefusedError, StoreUnavailableError
from content_core.observe import Record
from content_core.store import FindQuery, Store
from content_core.store.drivers import DriverName
from content_core.store.embedded import EmbeddedMongo
from content_core.store.monitoring import CommandWatch, ConnectionWatch


class _Kept:
    def __init__(self) -> None:
        self.counts: dict[str, float] = {}
        self.gauges: dict[str, float] = {}
        self.durations: list[tuple[str, dict[str, str]]] = []

    def count(self, name: str, n: float, labels: dict[str, str]) -> None:
        self.counts[name] = self.counts.get(name, 0) + n

    def gauge(self, name: str, delta: float, labels: dict[str, str]) -> None:
        self.gauges[name] = self.gauges.get(name, 0) + delta

    def duration(self, name: str, seconds: float, labels: dict[str, str]) -> None:
        assert seconds >= 0
        self.durations.append((name, labels))


@pytest.fixture
def kept() -> Iterator[_Kept]:
    sink = _Kept()
    observe.install(sink)
    yield sink
    observe.install(None)


@pytest.fixture
def record() -> Iterator[Record]:
    record = Record("r")
    token = observe.begin(record)
    yield record
    observe.end(token)


@pytest.fixture(params=["motor", "pymongo"])
async def watched(mongo: EmbeddedMongo, request: pytest.FixtureRequest, kept: _Kept) -> AsyncIterator[Store]:
    driver: DriverName = request.param
    opened = Store.open(mongo.uri, driver=driver, event_listeners=[CommandWatch(), ConnectionWatch()])
    yield opened
    await opened.close()


async def test_calls_and_documents_count_for_the_request(watched: Store, database: str, record: Record) -> None:
    for number in range(3):
        await watched.insert(database, "c", {"_id": number})
    before = len(record.calls)
    found = await watched.find(database, "c", FindQuery(filter={}, limit=2))
    await watched.count(database, "c", {})

    assert 3 == before
    assert 2 == len(record.calls) - before
    # The other call is an aggregation that gives one document with the number.
    assert (len(found), 3) == (2, sum(record.documents))
    assert all(seconds > 0 for seconds in record.calls)


async def test_requests_at_the_same_time_are_kept_apart(watched: Store, database: str) -> None:
    await watched.insert(database, "c", {"_id": 1})

    async def request(times: int) -> int:
        record = Record(str(times))
        token = observe.begin(record)
        for _ in range(times):
            await watched.get(database, "c", 1)
        observe.end(token)
        return len(record.calls)

    assert [1, 5, 3] == list(await asyncio.gather(request(1), request(5), request(3)))


async def test_commands_are_timed_by_name_and_outcome(watched: Store, database: str, kept: _Kept) -> None:
    await watched.get(database, "c", 1)
    with pytest.raises(QueryRefusedError):
        await watched.find(database, "c", FindQuery(filter={"$nonsense": 1}))

    told = [labels for name, labels in kept.durations if name == "database_command_duration"]
    assert {"command": "find", "outcome": "done"} in told
    assert {"command": "find", "outcome": "failed"} in told


async def test_connections_are_counted_while_they_are_open_and_in_use(
    mongo: EmbeddedMongo, database: str, kept: _Kept
) -> None:
    store = Store.open(mongo.uri, driver="pymongo", event_listeners=[ConnectionWatch()])
    try:
        await asyncio.gather(*(store.get(database, "c", number) for number in range(5)))
        opened = kept.gauges["database_connections"]
        in_use = kept.gauges["database_connections_in_use"]
    finally:
        await store.close()

    assert opened >= 1
    assert 0 == in_use
    assert 0 == kept.gauges["database_connections"]
    assert ("database_checkout_duration", {}) in kept.durations


async def test_waiting_in_vain_for_a_connection_is_counted(mongo: EmbeddedMongo, database: str, kept: _Kept) -> None:
    store = Store.open(
        f"{mongo.uri}&waitQueueTimeoutMS=50", driver="pymongo", event_listeners=[ConnectionWatch()], max_pool_size=1
    )
    try:
        await store.insert(database, "c", {"_id": 1})
        counting = {"input": {"$range": [0, 2_000_000]}, "initialValue": 0, "in": {"$add": ["$$value", 1]}}
        slow = {"$expr": {"$gt": [{"$reduce": counting}, 0]}}
        # All of them slow: whichever comes first keeps the only connection for longer than the others wait.
        finds = (store.find(database, "c", FindQuery(filter=slow)) for _ in range(4))
        results = await asyncio.gather(*finds, return_exceptions=True)
    finally:
        await store.close()

    assert any(isinstance(result, StoreUnavailableError) for result in results)
    assert kept.counts["database_checkout_failures"] >= 1
