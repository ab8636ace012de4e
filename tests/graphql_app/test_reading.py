import asyncio
from collections.abc import AsyncIterator

import pytest

from content_core.documents import Document
from content_core.errors import QueryRefusedError, StoreTimeoutError, StoreUnavailableError
from content_core.store import FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app.explain import Trace
from graphql_app.query import AggregateQuery
from graphql_app.reading import Reader, weightiest
from tests.graphql_app.compile.workbench import RecordingStore
from tests.graphql_app.conftest import Clock


@pytest.fixture
async def recording(mongo: EmbeddedMongo, store: Store, database: str) -> AsyncIterator[RecordingStore]:
    await store.bulk_replace(database, "things", [{"_id": n, "n": n} for n in range(5)])
    opened = RecordingStore.on(mongo.uri)
    yield opened
    await opened.close()


def reader(store: Store, seconds: float = 10, *, parallel: int = 4, trace: Trace | None = None) -> Reader:
    deadline = asyncio.get_running_loop().time() + seconds
    return Reader(store, parallel=parallel, deadline=deadline, trace=trace)


async def test_calls_and_documents_are_counted(recording: RecordingStore, database: str) -> None:
    reading = reader(recording)

    found = await reading.read(database, "things", FindQuery(filter={"n": {"$gt": 2}}, sort=(("_id", -1),)))
    counted = await reading.read(database, "things", AggregateQuery(({"$count": "all"},)))

    assert found == [{"_id": 4, "n": 4}, {"_id": 3, "n": 3}]
    assert counted == [{"all": 5}]
    assert (reading.calls, reading.documents) == (2, 3)
    assert not reading.expired


async def test_mongodb_hears_of_the_time_that_is_left(recording: RecordingStore, database: str) -> None:
    reading = reader(recording, 60)

    await reading.read(database, "things", FindQuery(filter={}))
    await asyncio.sleep(0.05)
    await reading.read(database, "things", FindQuery(filter={}))

    first, second = recording.limits
    assert 1_000 < second <= first - 50 <= 59_950


async def test_nothing_is_sent_when_the_time_is_over(recording: RecordingStore, database: str) -> None:
    reading = reader(recording, 0)

    with pytest.raises(StoreTimeoutError):
        await reading.read(database, "things", FindQuery(filter={}))

    assert reading.expired
    assert (recording.asked, reading.calls) == ([], 0)


async def test_waiting_for_a_turn_takes_from_the_time(mongo: EmbeddedMongo, database: str, clock: Clock) -> None:
    """The one slot is taken until the time is over: the next is not sent any more."""

    class _Slow(RecordingStore):
        async def read(
            self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0
        ) -> list[Document]:
            clock.advance(60)
            return await super().read(database, collection, query, max_time_ms=max_time_ms)

    slow = _Slow.on(mongo.uri)
    reading = reader(slow, 60, parallel=1)

    both = await asyncio.gather(
        *(reading.read(database, "things", FindQuery(filter={})) for _ in range(2)), return_exceptions=True
    )

    await slow.close()
    assert isinstance(both[1], StoreTimeoutError)
    assert reading.calls == 1


async def test_a_refused_query_is_the_callers(recording: RecordingStore, database: str) -> None:
    with pytest.raises(QueryRefusedError):
        await reader(recording).read(database, "things", FindQuery(filter={"$nonsense": 1}))


async def test_a_trace_hears_of_every_call(recording: RecordingStore, database: str) -> None:
    trace = Trace(recording)
    reading = reader(recording, trace=trace)

    await reading.read(database, "things", FindQuery(filter={"n": 1}), fields=("T.a", "T.b"), lookups=2)

    (call,) = trace.calls
    assert (call.fields, call.lookups, call.documents) == (("T.a", "T.b"), 2, 1)
    assert (call.database, call.collection) == (database, "things")
    assert call.milliseconds > 0
    assert call.plan["executionStats"]["nReturned"] == 1


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([ValueError("a"), StoreTimeoutError("t"), StoreUnavailableError("u")], StoreTimeoutError),
        ([ValueError("a"), StoreUnavailableError("u")], StoreUnavailableError),
        ([ExceptionGroup("in", [StoreUnavailableError("u")]), ValueError("a")], StoreUnavailableError),
        ([ExceptionGroup("in", [ValueError("a")]), KeyError("b")], ValueError),
    ],
)
def test_the_weightiest_failure_ends_the_request(failures: list[Exception], expected: type[Exception]) -> None:
    assert type(weightiest(ExceptionGroup("all", failures))) is expected
