"""Reads and writes of single and of many documents under conditions, on a real MongoDB, with both drivers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Timestamp

from content_core.documents import Document
from content_core.errors import DuplicateKeyError, QueryRefusedError, StoreError, StoreTimeoutError
from content_core.store import BulkOutcome, FindQuery, Store, WriteOutcome
from content_core.store.drivers import DriverName
from content_core.store.embedded import EmbeddedMongo

_IDS: list[Any] = [
    "a",
    "",
    1,
    Int64(2**60),
    1.5,
    True,
    None,
    ObjectId("64a51c0de3b1f20f4d7a1001"),
    datetime(2024, 2, 29, 12),  # noqa: DTZ001 - MongoDB's dates come without a zone and mean UTC
    Decimal128("1.5"),
    Timestamp(1, 2),
    Binary(b"x", 4),
    {"a": 1, "b": {"c": 2}},
    {},
]
_NOTHING = WriteOutcome(created=False, matched=False, document_id=None)


@pytest.fixture
async def store(mongo: EmbeddedMongo, driver: DriverName) -> AsyncIterator[Store]:
    opened = Store.open(mongo.uri, driver=driver)
    yield opened
    await opened.close()


@pytest.mark.parametrize("document_id", _IDS, ids=repr)
async def test_replacement_is_created_and_then_matched(store: Store, database: str, document_id: Any) -> None:
    wanted = {"_id": {"$eq": document_id}}
    outcomes = [
        await store.replace_one(database, "c", filter=wanted, document=document, upsert=True)
        for document in ({"v": 1}, {"v": 2}, {"_id": document_id, "v": 3})
    ]

    assert outcomes == [
        WriteOutcome(created=True, matched=False, document_id=document_id),
        WriteOutcome(created=False, matched=True, document_id=document_id),
        WriteOutcome(created=False, matched=True, document_id=document_id),
    ]
    assert await store.find_one(database, "c", filter=wanted) == {"_id": document_id, "v": 3}


@pytest.mark.parametrize("document_id", _IDS, ids=repr)
async def test_update_creates_and_then_matches(store: Store, database: str, document_id: Any) -> None:
    wanted = {"_id": {"$eq": document_id}}
    outcomes = [
        await store.update_one(database, "c", filter=wanted, update=update, upsert=True)
        for update in ({"$set": {"a.b": 1}}, [{"$set": {"twice": {"$add": ["$a.b", "$a.b"]}}}])
    ]

    assert [outcome.created for outcome in outcomes] == [True, False]
    assert [outcome.document_id for outcome in outcomes] == [document_id] * 2
    assert await store.get(database, "c", document_id) == {"_id": document_id, "a": {"b": 1}, "twice": 2}


async def test_replacement_without_an_id_gets_one(store: Store, database: str) -> None:
    outcome = await store.replace_one(database, "c", filter={"n": 1}, document={"n": 1}, upsert=True)

    assert isinstance(outcome.document_id, ObjectId)
    assert await store.get(database, "c", outcome.document_id) == {"_id": outcome.document_id, "n": 1}
    again = await store.replace_one(database, "c", filter={"n": 1}, document={"n": 1}, upsert=True)
    assert again == WriteOutcome(created=False, matched=True, document_id=None)  # the filter names none


async def test_nothing_found_and_no_upsert_writes_nothing(store: Store, database: str) -> None:
    wanted = {"_id": 1}

    assert await store.replace_one(database, "c", filter=wanted, document={"v": 1}, upsert=False) == _NOTHING
    assert await store.update_one(database, "c", filter=wanted, update={"$set": {"v": 1}}, upsert=False) == _NOTHING
    assert await store.find(database, "c", FindQuery(filter={})) == []


async def test_condition_on_the_version_is_part_of_the_write(store: Store, database: str) -> None:
    tag = ObjectId()
    await store.insert(database, "c", {"_id": 1, "_etag": tag})
    changes = [
        store.replace_one(
            database, "c", filter={"_id": 1, "_etag": tag}, document={"_etag": ObjectId(), "by": writer}, upsert=False
        )
        for writer in range(8)
    ]

    outcomes = await asyncio.gather(*changes)

    winners = [writer for writer, outcome in enumerate(outcomes) if outcome.matched]
    assert len(winners) == 1
    assert (await store.get(database, "c", 1) or {})["by"] == winners[0]


async def test_upsert_past_a_filter_that_excludes_the_document_is_a_duplicate(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": 1, "lang": "de"})
    wanted = {"_id": 1, "lang": "en"}

    with pytest.raises(DuplicateKeyError):
        await store.replace_one(database, "c", filter=wanted, document={"lang": "en"}, upsert=True)
    with pytest.raises(DuplicateKeyError):
        await store.update_one(database, "c", filter=wanted, update={"$set": {"v": 1}}, upsert=True)
    assert await store.get(database, "c", 1) == {"_id": 1, "lang": "de"}


async def test_upserts_of_the_same_id_at_the_same_time_create_one(store: Store, database: str) -> None:
    upserts = [
        store.replace_one(database, "c", filter={"_id": {"$eq": "a"}}, document={"by": writer}, upsert=True)
        for writer in range(16)
    ]

    outcomes = await asyncio.gather(*upserts)

    assert [outcome.created for outcome in outcomes].count(True) == 1
    assert [outcome.matched for outcome in outcomes].count(True) == 15


async def test_changed_id_is_told_by_its_code(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": 1})

    with pytest.raises(StoreError) as caught:
        await store.replace_one(database, "c", filter={"_id": 1}, document={"_id": 2}, upsert=True)
    assert caught.value.details["code"] == 66


@pytest.mark.parametrize(
    "update",
    [
        {"v": 1},
        {},
        {"$foo": {"a": 1}},
        {"$set": {"a": 1}, "$inc": {"a": 1}},
        {"$set": {"a": 1, "a.b": 1}},
        {"$set": {"a..b": 1}},
        {"$set": 1},
        {"$inc": {"text": 1}},
        {"$push": {"text": 1}},
        {"$rename": {"text": "text"}},
        [{"$foo": 1}],
        [{"$out": "x"}],
    ],
    ids=repr,
)
async def test_update_that_makes_no_sense_is_the_clients_fault(store: Store, database: str, update: Any) -> None:
    await store.insert(database, "c", {"_id": 1, "text": "x"})

    with pytest.raises(QueryRefusedError):
        await store.update_one(database, "c", filter={"_id": 1}, update=update, upsert=True)
    with pytest.raises(QueryRefusedError):
        await store.update_many(database, "c", filter={"_id": 1}, update=update)
    with pytest.raises(QueryRefusedError):
        await store.update_checked(
            database, "c", filter={"_id": 1}, update=update, upsert=True, check=lambda _document: None
        )
    assert await store.get(database, "c", 1) == {"_id": 1, "text": "x"}


@pytest.mark.parametrize(
    "update",
    [
        {"$set": {"list.b": 1}},
        {"$set": {"text.b": 1}},
        {"$inc": {"text": 1}},
        {"$push": {"text": 1}},
        {"$bit": {"text": {"and": 1}}},
        [{"$set": {"n": {"$toInt": "$text"}}}],
        [{"$set": {"n": {"$dateFromString": {"dateString": "$text"}}}}],
        [{"$set": {"n": {"$add": ["$text", 1]}}}],
        [{"$set": {"n": {"$divide": [1, "$text"]}}}],
        [{"$set": {"n": {"$arrayElemAt": ["$text", 1]}}}],
        [{"$replaceWith": "$text"}],
    ],
    ids=repr,
)
async def test_refusal_tells_nothing_that_is_stored(store: Store, database: str, update: Any) -> None:
    """Who may write need not be allowed to read."""
    await store.insert(database, "c", {"_id": 1, "text": "open sesame", "list": ["open sesame"]})

    with pytest.raises(QueryRefusedError) as caught:
        await store.update_one(database, "c", filter={"_id": 1}, update=update, upsert=False)
    assert "sesame" not in f"{caught.value} {caught.value.details}"


async def test_find_one_projects(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": 1, "a": 1, "b": 2})

    assert await store.find_one(database, "c", filter={"a": 1}, projection={"b": 1}) == {"_id": 1, "b": 2}
    assert await store.find_one(database, "c", filter={"a": 2}) is None


async def test_delete_one_needs_the_whole_condition(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": 1, "v": 1})

    assert not await store.delete_one(database, "c", filter={"_id": 1, "v": 2})
    assert await store.delete_one(database, "c", filter={"_id": 1, "v": 1})
    assert not await store.delete_one(database, "c", filter={"_id": 1, "v": 1})


async def _fill(store: Store, database: str, count: int) -> None:
    await store.bulk_replace(database, "c", [{"_id": number, "even": number % 2 == 0} for number in range(count)])


async def test_update_many_counts_found_and_changed(store: Store, database: str) -> None:
    await _fill(store, database, 10)
    await store.update_one(database, "c", filter={"_id": 0}, update={"$set": {"v": 1}}, upsert=False)

    outcome = await store.update_many(database, "c", filter={"even": True}, update={"$set": {"v": 1}})

    assert outcome == BulkOutcome(inserted=0, modified=4, matched=5)
    assert await store.count(database, "c", {"v": 1}) == 5
    assert await store.update_many(database, "missing", filter={}, update={"$set": {"v": 1}}) == BulkOutcome(0, 0, 0)
    assert "missing" not in await store.collection_names(database)


async def test_delete_many_counts(store: Store, database: str) -> None:
    await _fill(store, database, 10)

    assert await store.delete_many(database, "c", filter={"even": True}) == 5
    assert await store.delete_many(database, "c", filter={"even": True}) == 0
    assert await store.count(database, "c", {}) == 5


async def test_unique_index_refuses_a_change_of_many(store: Store, database: str) -> None:
    await _fill(store, database, 3)
    await store.create_index(database, "c", name="k", keys=[("k", 1)], unique=True, sparse=True)

    with pytest.raises(DuplicateKeyError) as caught:
        await store.update_many(database, "c", filter={}, update={"$set": {"k": "open sesame"}})
    assert "sesame" not in f"{caught.value} {caught.value.details}"


# Sums up a long list per document.
_LIST = {"$range": [0, {"$add": [500_000, "$_id"]}]}
_SLOW: Document = {"$expr": {"$lt": [{"$sum": {"$map": {"input": _LIST, "in": {"$mod": ["$$this", 7]}}}}, 0]}}


async def test_time_limit_ends_what_takes_too_long(store: Store, database: str) -> None:
    await _fill(store, database, 20)

    with pytest.raises(StoreTimeoutError):
        await store.update_many(database, "c", filter=_SLOW, update={"$set": {"v": 1}}, max_time_ms=20)
    with pytest.raises(StoreTimeoutError):
        await store.delete_many(database, "c", filter=_SLOW, max_time_ms=20)
    with pytest.raises(StoreTimeoutError):
        await store.find_one(database, "c", filter=_SLOW, max_time_ms=20)


async def test_counts_agree(store: Store, database: str) -> None:
    await _fill(store, database, 5)
    await store.create_index(database, "c", name="even", keys=[("even", 1)])

    assert await store.estimated_count(database, "c", max_time_ms=1000) == 5
    assert await store.estimated_count(database, "missing") == 0
    assert await store.count(database, "c", {"even": True}, hint="even") == 3
    assert await store.count(database, "c", {"even": True}, hint=(("even", 1),)) == 3
    with pytest.raises(QueryRefusedError):
        await store.count(database, "c", {"even": True}, hint="missing")


@pytest.mark.parametrize("name", ["", "a\0b", "$x", "a..b"])
async def test_illegal_names_are_the_clients_fault(store: Store, database: str, name: str) -> None:
    for call in (
        store.delete_many(database, name, filter={}),
        store.update_many(database, name, filter={}, update={"$set": {"a": 1}}),
        store.list_indexes(database, name),
        store.build_index(database, name, name="i", keys={"a": 1}, options={}),
        store.update_checked(
            database, name, filter={}, update={"$set": {"a": 1}}, upsert=False, check=lambda _document: None
        ),
    ):
        with pytest.raises(QueryRefusedError):
            await call
