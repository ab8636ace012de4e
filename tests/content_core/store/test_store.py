"""The store on a real MongoDB, with both drivers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import uvloop
from bson import DatetimeMS, Int64, ObjectId, Regex
from pymongo import MongoClient, monitoring

from content_core.documents import Document
from content_core.errors import (
    ConflictError,
    DuplicateKeyError,
    NotFoundError,
    QueryRefusedError,
    StoreError,
    StoreTimeoutError,
    StoreUnavailableError,
)
from content_core.store import BulkOutcome, ChangeFeed, FindQuery, Store, StoreHealth
from content_core.store.drivers import DriverName
from content_core.store.embedded import EmbeddedMongo
from tests.calls import Call, CallCounter
from tests.patience import PATIENCE, Stopwatch, until


@pytest.fixture
async def store(mongo: EmbeddedMongo, driver: DriverName, counter: CallCounter) -> AsyncIterator[Store]:
    opened = Store.open(mongo.uri, driver=driver, event_listeners=[counter])
    yield opened
    await opened.close()


async def _fill(store: Store, database: str, count: int) -> None:
    await store.bulk_replace(database, "c", [{"_id": number, "even": number % 2 == 0} for number in range(count)])


async def test_stored_document_is_read_back_as_it_was(store: Store, database: str) -> None:
    document = {
        "_id": "a",
        "z": 1,
        "a": Int64(2),
        "at": datetime(2024, 2, 29, 12),  # noqa: DTZ001 - MongoDB's dates come without a zone and mean UTC
        "far": DatetimeMS(2**60),
        "id": ObjectId("64a51c0de3b1f20f4d7a1001"),
        "text": Regex("^x", "i"),
    }
    await store.replace(database, "c", document)

    found = await store.get(database, "c", "a")

    assert document == found
    assert list(document) == list(found or {})


async def test_replace_tells_new_from_known(store: Store, database: str) -> None:
    assert await store.replace(database, "c", {"_id": 1, "v": 1})
    assert not await store.replace(database, "c", {"_id": 1, "v": 2})

    assert await store.get(database, "c", 1) == {"_id": 1, "v": 2}


async def test_replace_of_another_version_is_a_conflict(store: Store, database: str) -> None:
    tag = ObjectId()
    await store.replace(database, "c", {"_id": 1, "_etag": tag})

    with pytest.raises(ConflictError):
        await store.replace(database, "c", {"_id": 1, "v": 2}, etag=ObjectId())
    with pytest.raises(ConflictError):
        await store.replace(database, "c", {"_id": 2}, etag=tag)
    assert not await store.replace(database, "c", {"_id": 1, "v": 2}, etag=tag)


async def test_replace_without_upsert_wants_a_document(store: Store, database: str) -> None:
    with pytest.raises(NotFoundError):
        await store.replace(database, "c", {"_id": 1}, upsert=False)

    assert await store.get(database, "c", 1) is None


async def test_ids_are_values_and_never_operators(store: Store, database: str) -> None:
    await _fill(store, database, 2)

    assert await store.get(database, "c", {"$gt": 0}) is None
    assert not await store.delete(database, "c", {"$gt": 0})


async def test_insert_of_a_known_id_is_refused(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": 1})

    with pytest.raises(DuplicateKeyError) as caught:
        await store.insert(database, "c", {"_id": 1})
    assert caught.value.details["keys"] == ["_id"]


async def test_unique_index_refuses_without_telling_the_key(store: Store, database: str) -> None:
    await store.create_index(database, "c", name="secret", keys=[("secret", 1)], unique=True)
    await store.create_index(database, "c", name="secret", keys=[("secret", 1)], unique=True)
    await store.insert(database, "c", {"_id": 1, "secret": "open sesame"})

    with pytest.raises(DuplicateKeyError) as caught:
        await store.replace(database, "c", {"_id": 2, "secret": "open sesame"})
    assert "sesame" not in f"{caught.value} {caught.value.details}"


async def test_bulk_replace_counts_new_and_known(store: Store, database: str) -> None:
    await _fill(store, database, 2)

    outcome = await store.bulk_replace(database, "c", [{"_id": 1, "new": True}, {"_id": 2}, {"_id": 3}])

    assert BulkOutcome(inserted=2, modified=1, matched=1) == outcome
    assert await store.bulk_replace(database, "c", []) == BulkOutcome(0, 0, 0)


async def test_bulk_replace_goes_on_after_a_failure(store: Store, database: str) -> None:
    await store.create_index(database, "c", name="k", keys=[("k", 1)], unique=True)

    with pytest.raises(DuplicateKeyError):
        await store.bulk_replace(database, "c", [{"_id": 1, "k": 1}, {"_id": 2, "k": 1}, {"_id": 3, "k": 3}])
    assert await store.get(database, "c", 3) == {"_id": 3, "k": 3}


async def test_delete_tells_whether_there_was_one(store: Store, database: str) -> None:
    await _fill(store, database, 1)

    assert await store.delete(database, "c", 0)
    assert not await store.delete(database, "c", 0)


async def test_find_filters_sorts_pages_and_projects(store: Store, database: str) -> None:
    await _fill(store, database, 10)

    found = await store.find(
        database,
        "c",
        FindQuery(filter={"even": True}, projection={"_id": 1}, sort=(("_id", -1),), skip=1, limit=2, hint="_id_"),
    )

    assert found == [{"_id": 6}, {"_id": 4}]


@pytest.mark.parametrize(
    "query", [FindQuery(filter={}, limit=100), FindQuery(filter={}), FindQuery(filter={}, limit=999)]
)
async def test_page_costs_one_round_trip(store: Store, database: str, counter: CallCounter, query: FindQuery) -> None:
    await _fill(store, database, 500)

    found = await store.find(database, "c", query)

    assert len(found) == min(query.limit or 500, 500)
    assert [Call("find", database, "c")] == counter.calls


async def test_find_beyond_one_message_is_whole(store: Store, database: str, counter: CallCounter) -> None:
    for number in range(5):
        await store.replace(database, "c", {"_id": number, "text": "x" * 5_000_000})

    found = await store.find(database, "c", FindQuery(filter={}, limit=5))

    assert [document["_id"] for document in found] == [0, 1, 2, 3, 4]
    assert Call("getMore", database, "c") in counter.calls


async def test_aggregate_costs_one_round_trip(store: Store, database: str, counter: CallCounter) -> None:
    await _fill(store, database, 500)

    found = await store.aggregate(database, "c", [{"$match": {"even": True}}], max_time_ms=10_000, allow_disk_use=True)

    assert len(found) == 250
    assert [Call("aggregate", database, "c")] == counter.calls


async def test_count_counts_what_a_filter_finds(store: Store, database: str) -> None:
    await _fill(store, database, 5)

    assert await store.count(database, "c", {"even": True}) == 3
    assert await store.count(database, "missing", {}, max_time_ms=1000) == 0


# Sums up a long list per document.
_LIST = {"$range": [0, {"$add": [500_000, "$_id"]}]}
_SLOW: Document = {"$expr": {"$lt": [{"$sum": {"$map": {"input": _LIST, "in": {"$mod": ["$$this", 7]}}}}, 0]}}


async def test_time_limit_ends_a_query(store: Store, database: str) -> None:
    await _fill(store, database, 20)

    with pytest.raises(StoreTimeoutError):
        await store.find(database, "c", FindQuery(filter=_SLOW, max_time_ms=20))
    with pytest.raises(StoreTimeoutError):
        await store.aggregate(database, "c", [{"$match": _SLOW}], max_time_ms=20)
    with pytest.raises(StoreTimeoutError):
        await store.count(database, "c", _SLOW, max_time_ms=20)


def _deep(levels: int) -> Document:
    document: Document = {}
    for _ in range(levels):
        document = {"a": document}
    return document


@pytest.mark.parametrize(
    "query",
    [
        FindQuery(filter={"$foo": 1}),
        FindQuery(filter={"a": {"$regex": "("}}),
        FindQuery(filter={"a": 2**64}),
        FindQuery(filter={"a": object()}),
        FindQuery(filter=_deep(300)),
        FindQuery(filter=_deep(5000)),
        FindQuery(filter={}, projection={"a": 1, "b": 0}),
        FindQuery(filter={}, sort=(("a", 1.5),)),
        FindQuery(filter={}, skip=-1),
        FindQuery(filter={}, hint="missing"),
    ],
    ids=["operator", "regex", "integer", "object", "deep", "deeper", "projection", "sort", "skip", "hint"],
)
async def test_malformed_query_is_the_clients_fault(store: Store, database: str, query: FindQuery) -> None:
    await _fill(store, database, 1)

    with pytest.raises(QueryRefusedError):
        await store.find(database, "c", query)


@pytest.mark.parametrize(
    "stage",
    [
        {"$foo": 1},
        {"$group": {"_id": 1, "x": {"$foo": 1}}},
        {"$limit": -1},
        {"$unwind": "a"},
        {"$project": {"x": {"$add": ["$text", 1]}}},
        {"$lookup": {"from": "x"}},
    ],
    ids=lambda stage: str(next(iter(stage))),
)
async def test_malformed_pipeline_is_the_clients_fault(store: Store, database: str, stage: Document) -> None:
    await store.insert(database, "c", {"_id": 1, "text": "x"})

    with pytest.raises(QueryRefusedError):
        await store.aggregate(database, "c", [stage])


@pytest.mark.parametrize("document", [{"_id": [1]}, {"_id": 1, "a": _deep(300)}], ids=["array as id", "deep"])
async def test_document_that_cannot_be_stored_is_the_clients_fault(
    store: Store, database: str, document: Document
) -> None:
    with pytest.raises(QueryRefusedError):
        await store.insert(database, "c", document)
    with pytest.raises(QueryRefusedError):
        await store.bulk_replace(database, "c", [document])


@pytest.mark.parametrize(("database", "collection"), [("a b", "c"), ("", "c"), ("a$", "c"), ("d", "a\0b"), ("d", "")])
async def test_illegal_names_are_the_clients_fault(store: Store, database: str, collection: str) -> None:
    with pytest.raises(QueryRefusedError):
        await store.find(database, collection, FindQuery(filter={}))


async def test_one_of_many_makes_the_collection(store: Store, database: str) -> None:
    made = await asyncio.gather(*(store.create_collection(database, "c") for _ in range(8)))

    assert made.count(True) == 1
    assert not await store.create_collection(database, "c")


async def test_names_are_listed_without_those_of_mongodb(store: Store, database: str) -> None:
    await store.create_collection(database, "b.release.content")
    await store.create_collection(database, "a")

    assert await store.collection_names(database) == ["a", "b.release.content"]
    assert await store.collection_names(f"{database}x") == []
    names = await store.database_names()
    assert database in names
    assert not {"admin", "config", "local"} & set(names)


async def test_dropping_twice_is_fine(store: Store, database: str) -> None:
    await _fill(store, database, 1)
    await store.create_collection(database, "other")

    for _ in range(2):
        await store.drop_collection(database, "c")
    assert await store.collection_names(database) == ["other"]
    for _ in range(2):
        await store.drop_database(database)
    assert database not in await store.database_names()


class _Concerns(monitoring.CommandListener):
    """Notes what reads and writes promise."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        for name in ("writeConcern", "readConcern"):
            if name in event.command:
                self.seen[f"{event.command_name} {name}"] = dict(event.command[name])

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


async def test_promises_hold_whatever_the_uri_says(mongo: EmbeddedMongo, database: str, driver: DriverName) -> None:
    concerns = _Concerns()
    store = Store.open(
        f"{mongo.uri}&w=1&journal=false&readConcernLevel=local", driver=driver, event_listeners=[concerns]
    )
    await store.replace(database, "c", {"_id": 1})
    await store.get(database, "c", 1)
    await store.close()

    assert concerns.seen["update writeConcern"] == {"w": "majority", "j": True}
    assert concerns.seen["find readConcern"]["level"] == "majority"


@pytest.mark.parametrize(
    "uri",
    ["mongodb://u:open@sesame@h/", "http://open:sesame@h/", "mongodb://open:sesame@h:99999/", "", "mongodb://[sesame"],
)
def test_malformed_uri_is_not_repeated(uri: str, driver: DriverName) -> None:
    with pytest.raises(StoreError, match="The MongoDB URI cannot be used") as caught:
        Store.open(uri, driver=driver)
    assert caught.value.__cause__ is None
    assert "sesame" not in f"{caught.value} {caught.value.hint}"


async def test_absent_mongodb_is_an_error_in_time(driver: DriverName) -> None:
    store = Store.open("mongodb://u:sesame@127.0.0.1:1/?serverSelectionTimeoutMS=100", driver=driver)

    with pytest.raises(StoreUnavailableError) as caught:
        await store.get("d", "c", 1)
    assert str(caught.value) == "MongoDB cannot be reached"
    assert await store.health() == StoreHealth(reachable=False, primary=False)
    await store.close()


async def test_wrong_password_is_an_error(mongo: EmbeddedMongo, driver: DriverName) -> None:
    store = Store.open(mongo.uri.replace("opencaas:", "opencaas:not"), driver=driver)

    with pytest.raises(StoreError) as caught:
        await store.get("d", "c", 1)
    assert caught.value.details["code"] == 18
    await store.close()


async def test_running_mongodb_is_healthy(store: Store) -> None:
    async def healthy() -> bool:
        return await store.health() == StoreHealth(reachable=True, primary=True)

    await until(healthy)  # a process that is put aside for two seconds has to ask again


async def test_unused_store_closes(mongo: EmbeddedMongo, driver: DriverName) -> None:
    await Store.open(mongo.uri, driver=driver).close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_store_and_feed_work_on_the_loop_of_the_server(
    mongo: EmbeddedMongo, driver: DriverName, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def use() -> list[Document]:
        store = Store.open(mongo.uri, driver=driver)
        feed, heard = ChangeFeed(store), asyncio.Event()
        feed.subscribe(lambda _event: heard.set(), collections=lambda database, _collection: database == "loops")
        await feed.start()
        await store.replace("loops", "c", {"_id": 1})
        await asyncio.wait_for(heard.wait(), PATIENCE)
        found = await store.find("loops", "c", FindQuery(filter={}))
        await store.drop_database("loops")
        await feed.stop()
        await store.close()
        return found

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(use()) == [{"_id": 1}]


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """A MongoDB that accepts connections and says nothing."""
    with EmbeddedMongo(tmp_path) as mongo:
        assert mongo.pid is not None
        with MongoClient[Document](mongo.uri) as client:
            client["d"]["c"].insert_one({"_id": 1})
        os.kill(mongo.pid, signal.SIGSTOP)
        yield mongo
        os.kill(mongo.pid, signal.SIGCONT)


async def test_hanging_mongodb_is_reported_within_two_seconds(hanging: EmbeddedMongo) -> None:
    store = Store.open(hanging.uri)
    with Stopwatch() as watch:
        answers = await asyncio.gather(*(store.health() for _ in range(20)))
    await store.close()  # before anything can fail: the event loop does not end while somebody asks who says nothing

    assert watch.seconds < 2.5  # the promise is 2; the rest is for a busy machine
    assert {StoreHealth(reachable=False, primary=False)} == set(answers)
