"""Changes that a check may refuse, on a real MongoDB, with both drivers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from bson import ObjectId

from content_core.documents import Document
from content_core.errors import DuplicateKeyError, QueryRefusedError, RequestError
from content_core.store import Store, WriteOutcome
from content_core.store.drivers import DriverName
from content_core.store.embedded import EmbeddedMongo


@pytest.fixture
async def store(mongo: EmbeddedMongo, driver: DriverName) -> AsyncIterator[Store]:
    opened = Store.open(mongo.uri, driver=driver)
    yield opened
    await opened.close()


def _accept(_document: Document) -> None:
    """Find nothing wrong."""


async def test_check_sees_the_document_as_it_will_be(store: Store, database: str) -> None:
    tag = ObjectId()
    await store.insert(database, "c", {"_id": 1, "v": 1, "old": True})
    seen: list[Document] = []

    outcome = await store.update_checked(
        database,
        "c",
        filter={"_id": 1},
        update={"$set": {"v": 2, "_etag": tag}, "$unset": {"old": ""}},
        upsert=False,
        check=seen.append,
    )

    assert seen == [{"_id": 1, "v": 2, "_etag": tag}]
    assert outcome == WriteOutcome(created=False, matched=True, document_id=1)
    assert await store.get(database, "c", 1) == seen[0]


@pytest.mark.parametrize("reason", [RequestError("no"), ValueError("no"), KeyError("no")], ids=repr)
async def test_failing_check_changes_nothing(store: Store, database: str, reason: Exception) -> None:
    await store.insert(database, "c", {"_id": 1, "v": 1})

    def refuse(_document: Document) -> None:
        raise reason

    for document_id in (1, 2):
        with pytest.raises(type(reason)) as caught:
            await store.update_checked(
                database, "c", filter={"_id": document_id}, update={"$inc": {"v": 1}}, upsert=True, check=refuse
            )
        assert caught.value is reason
    assert await store.get(database, "c", 1) == {"_id": 1, "v": 1}
    assert await store.get(database, "c", 2) is None


@pytest.mark.parametrize("document_id", ["a", None, {"a": 1}], ids=repr)
async def test_upsert_that_passes_is_created(store: Store, database: str, document_id: object) -> None:
    outcome = await store.update_checked(
        database, "c", filter={"_id": {"$eq": document_id}}, update=[{"$set": {"v": 1}}], upsert=True, check=_accept
    )

    assert outcome == WriteOutcome(created=True, matched=False, document_id=document_id)
    assert await store.get(database, "c", document_id) == {"_id": document_id, "v": 1}


async def test_nothing_found_is_not_checked(store: Store, database: str) -> None:
    def refuse(_document: Document) -> None:
        raise AssertionError

    outcome = await store.update_checked(
        database, "c", filter={"_id": 1}, update={"$set": {"v": 1}}, upsert=False, check=refuse
    )

    assert outcome == WriteOutcome(created=False, matched=False, document_id=None)


async def test_changes_at_the_same_time_are_all_made(store: Store, database: str) -> None:
    changes = 12
    outcomes = await asyncio.gather(
        *(
            store.update_checked(
                database, "c", filter={"_id": 1}, update={"$inc": {"v": 1}}, upsert=True, check=_accept
            )
            for _ in range(changes)
        )
    )

    assert [outcome.created for outcome in outcomes].count(True) == 1
    assert await store.get(database, "c", 1) == {"_id": 1, "v": changes}


async def test_filter_that_excludes_the_document_with_the_id_is_a_duplicate(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": 1, "v": 1})

    with pytest.raises(DuplicateKeyError):
        await store.update_checked(
            database, "c", filter={"_id": 1, "v": 2}, update={"$set": {"x": 1}}, upsert=True, check=_accept
        )


async def test_update_that_makes_no_sense_is_the_clients_fault(store: Store, database: str) -> None:
    await store.insert(database, "c", {"_id": 1, "v": "text"})

    with pytest.raises(QueryRefusedError):
        await store.update_checked(
            database, "c", filter={"_id": 1}, update={"$inc": {"v": 1}}, upsert=True, check=_accept
        )
