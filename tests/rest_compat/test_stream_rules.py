"""Which stages a change stream can have, and which of them lose the event's identity: held against MongoDB itself."""

import asyncio
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from content_core.errors import PipelineMalformedError
from content_core.store import Store
from content_core.store.drivers import PyMongoDriver
from content_core.store.embedded import EmbeddedMongo
from rest_compat.stream_rules import check_stream_stages
from tests.patience import PATIENCE

Document = dict[str, Any]

KEEPING: list[Document] = [
    {"$match": {"operationType": "insert"}},
    {"$project": {"operationType": 1}},
    {"$project": {"_id": 1, "operationType": True}},
    {"$project": {"fullDocument": 0}},
    {"$project": {"fullDocument._id": 1}},
    {"$project": {"documentKey._id": 0}},
    {"$set": {"x": 1}},
    {"$addFields": {"fullDocument._id": 1}},
    {"$unset": ["fullDocument", "ns"]},
    {"$redact": "$$KEEP"},
    {"$replaceRoot": {"newRoot": "$$ROOT"}},
    {"$replaceRoot": {"newRoot": {"_id": "$_id", "what": "$operationType"}}},
    {"$replaceWith": {"$mergeObjects": ["$$ROOT", {"x": 1}]}},
    {"$replaceWith": "$$CURRENT"},
]

LOSING: list[Document] = [
    {"$project": {"_id": 0}},
    {"$project": {"_id": False, "operationType": 1}},
    {"$project": {"_id": "$documentKey._id"}},
    {"$project": {"_id": {"$literal": 1}}},
    {"$project": {"_id._data": 0}},
    {"$set": {"_id": 1}},
    {"$addFields": {"_id.x": 1}},
    {"$unset": "_id"},
    {"$unset": ["ns", "_id"]},
    {"$replaceRoot": {"newRoot": "$fullDocument"}},
    {"$replaceRoot": {"newRoot": {"what": "$operationType"}}},
    {"$replaceWith": "$fullDocument"},
    {"$replaceWith": {"_id": 1}},
]


@pytest.mark.parametrize("stage", KEEPING, ids=str)
def test_stages_that_keep_the_token_pass(stage: Document) -> None:
    check_stream_stages([stage])


@pytest.mark.parametrize("stage", LOSING, ids=str)
def test_stages_that_lose_the_token_are_refused(stage: Document) -> None:
    optional: list[Document] = [{"$match": {}}, {"$ifvar": ["x", {"$match": {}}, stage]}]
    for stages in ([stage], optional):
        with pytest.raises(PipelineMalformedError, match="changes the event's _id"):
            check_stream_stages(stages)


@pytest.mark.parametrize(
    "stage",
    [
        {"$project": {"_id": {"$var": "x"}}},
        {"$replaceRoot": {"newRoot": {"$var": "x"}}},
        {"$replaceRoot": {"newRoot": {"_id": {"$var": "x"}}}},
        {"$ifvar": ["x", {"$match": {}}]},
        {"$var": "x"},
        {"$project": {"$var": "x"}},
    ],
    ids=str,
)
def test_what_depends_on_a_variable_is_left_for_later(stage: Document) -> None:
    check_stream_stages([stage])


@pytest.fixture
async def driver(mongo: EmbeddedMongo) -> Any:
    store = Store.open(mongo.uri)
    opened = store.open_client()
    yield opened
    await opened.close()
    await store.close()


async def first_event(driver: PyMongoDriver, database: str, stage: Document) -> Document | None:
    """Open a change stream with a stage, let something happen, and give the event."""
    collection = driver.client[database]["c"]
    async with await collection.watch([stage], max_await_time_ms=200) as stream:
        await collection.insert_one({"x": 1})
        async with asyncio.timeout(PATIENCE):
            for _ in range(20):
                if (event := await stream.try_next()) is not None:
                    return event
    return None


async def test_mongodb_agrees_about_stages_that_keep_the_token(driver: PyMongoDriver, database: str) -> None:
    await driver.client[database].create_collection("c")

    for stage in KEEPING:
        assert await first_event(driver, database, stage) is not None, stage


async def test_mongodb_agrees_about_stages_that_lose_the_token(driver: PyMongoDriver, database: str) -> None:
    await driver.client[database].create_collection("c")

    for stage in LOSING:
        with pytest.raises(PyMongoError, match=r"resume token|_id"):
            await first_event(driver, database, stage)
