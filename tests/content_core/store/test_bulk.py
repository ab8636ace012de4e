"""Bulk writes on a real MongoDB, with both drivers."""

from collections.abc import AsyncIterator

import pytest
from bson import ObjectId

from content_core.documents import Document
from content_core.errors import QueryRefusedError, StoreUnavailableError
from content_core.store import (
    BulkError,
    BulkInsert,
    BulkOperation,
    BulkReplace,
    BulkReport,
    BulkUpdate,
    FindQuery,
    Store,
)
from content_core.store.drivers import DriverName
from content_core.store.embedded import EmbeddedMongo


@pytest.fixture
async def store(mongo: EmbeddedMongo, driver: DriverName) -> AsyncIterator[Store]:
    opened = Store.open(mongo.uri, driver=driver)
    yield opened
    await opened.close()


def _put(document_id: object, **members: object) -> BulkReplace:
    return BulkReplace({"_id": {"$eq": document_id}}, {"_id": document_id, **members}, upsert=True)


async def test_report_says_what_each_operation_came_to(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": "a", "v": 1})
    without_id: Document = {"v": 4}

    report = await store.bulk_write(
        database,
        "c",
        [
            _put("a", v=2),
            _put("b", v=3),
            BulkInsert(without_id),
            BulkUpdate({"_id": "c"}, {"$set": {"v": 5}}, upsert=True),
            BulkUpdate({"_id": "a"}, [{"$set": {"w": "$v"}}], upsert=False),
            BulkReplace({"_id": "missing"}, {"v": 6}, upsert=False),
        ],
    )

    assert report == BulkReport(
        inserted=3, matched=2, modified=2, created={1: "b", 2: without_id["_id"], 3: "c"}, errors=()
    )
    assert isinstance(without_id["_id"], ObjectId)
    found = await store.find(database, "c", FindQuery(filter={}))
    assert sorted(found, key=str) == sorted(
        [
            {"_id": "a", "v": 2, "w": 2},
            {"_id": "b", "v": 3},
            {"_id": without_id["_id"], "v": 4},
            {"_id": "c", "v": 5},
        ],
        key=str,
    )


async def test_nothing_to_do_is_nothing_done(store: Store, database: str) -> None:
    assert await store.bulk_write(database, "c", []) == BulkReport(0, 0, 0)


async def test_failures_leave_the_others_alone(store: Store, database: str) -> None:
    await store.create_index(database, "c", name="k", keys=[("k", 1)], unique=True, sparse=True)
    await store.insert(database, "c", {"_id": "a", "k": "open sesame", "text": "x"})

    report = await store.bulk_write(
        database,
        "c",
        [
            BulkInsert({"_id": "a"}),
            _put("b", k="open sesame"),
            BulkInsert({"_id": "c"}),
            BulkUpdate({"_id": "a"}, {"$inc": {"text": 1}}, upsert=False),
            BulkInsert({"_id": "d"}),
            BulkReplace({"_id": "a", "k": "other"}, {"k": "other"}, upsert=True),
            _put("e"),
        ],
    )

    assert (report.inserted, report.matched, report.modified) == (3, 0, 0)
    assert report.created == {2: "c", 4: "d", 6: "e"}
    assert [(error.index, error.code, error.status) for error in report.errors] == [
        (0, 11000, 409),
        (1, 11000, 409),
        (3, 14, 400),
        (5, 11000, 409),
    ]
    assert "non-numeric" in report.errors[2].message
    assert "sesame" not in str([error.message for error in report.errors])
    assert await store.count(database, "c", {}) == 4


async def test_failure_of_all_is_a_report_as_well(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": 1})

    report = await store.bulk_write(database, "c", [BulkInsert({"_id": 1})] * 2)

    message = "A unique index refuses the write: another document has the same key"
    assert report == BulkReport(0, 0, 0, errors=(BulkError(0, 11000, message, 409), BulkError(1, 11000, message, 409)))


async def test_places_hold_over_many_messages(store: Store, database: str) -> None:
    """Over 48 MB a bulk write is more than one message."""
    text = "x" * 1_000_000
    operations: list[BulkOperation] = [
        BulkInsert({"_id": number, "text": text}) if number % 2 else _put(number, text=text) for number in range(100)
    ]
    await store.insert(database, "c", {"_id": 97})

    report = await store.bulk_write(database, "c", operations)

    assert [error.index for error in report.errors] == [97]
    assert report.created == {number: number for number in range(100) if number != 97}
    assert list(report.created) == sorted(report.created)


async def test_document_that_cannot_be_sent_stops_all(store: Store, database: str) -> None:
    with pytest.raises(QueryRefusedError):
        await store.bulk_write(database, "c", [_put(1), _put(2, number=2**64)])
    assert await store.count(database, "c", {}) == 0


async def test_absent_mongodb_is_an_error(driver: DriverName) -> None:
    store = Store.open("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100", driver=driver)

    with pytest.raises(StoreUnavailableError):
        await store.bulk_write("d", "c", [_put(1)])
    await store.close()
