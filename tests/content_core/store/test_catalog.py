"""Indexes on a real MongoDB, with both drivers."""

from collections.abc import AsyncIterator

import pytest

from content_core.documents import Document
from content_core.errors import DuplicateKeyError, QueryRefusedError
from content_core.store import BulkInsert, Store
from content_core.store.drivers import DriverName
from content_core.store.embedded import EmbeddedMongo


@pytest.fixture
async def store(mongo: EmbeddedMongo, driver: DriverName) -> AsyncIterator[Store]:
    opened = Store.open(mongo.uri, driver=driver)
    yield opened
    await opened.close()


async def _described(store: Store, database: str, name: str) -> Document:
    return next(index for index in await store.list_indexes(database, "c") if index["name"] == name)


async def test_index_is_described_as_mongodb_does(store: Store, database: str) -> None:
    await store.build_index(
        database, "c", name="lang", keys={"identifier": 1, "locale.language": -1}, options={"sparse": True}
    )

    assert await store.list_indexes(database, "c", max_time_ms=1000) == [
        {"v": 2, "key": {"_id": 1}, "name": "_id_"},
        {"v": 2, "key": {"identifier": 1, "locale.language": -1}, "name": "lang", "sparse": True},
    ]
    assert list((await _described(store, database, "lang"))["key"]) == ["identifier", "locale.language"]


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ({"a": 1}, {"unique": True, "partialFilterExpression": {"a": {"$gt": 1}}}),
        ({"at": 1}, {"expireAfterSeconds": 60, "background": True}),
        ({"a": "text", "b": "text"}, {"weights": {"a": 3}, "default_language": "german", "language_override": "l"}),
        ({"a": "hashed"}, {}),
        ({"place": "2dsphere"}, {"2dsphereIndexVersion": 3}),
        ({"place": "2d"}, {"bits": 20, "min": -90, "max": 90}),
        ({"$**": 1}, {"wildcardProjection": {"secret": 0}}),
        ({"a": 1}, {"collation": {"locale": "de", "strength": 2}}),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_index_of_every_kind_can_be_made_twice(
    store: Store, database: str, keys: Document, options: Document
) -> None:
    for _ in range(2):
        await store.build_index(database, "c", name="i", keys=keys, options=options)

    assert len(await store.list_indexes(database, "c")) == 2
    described = await _described(store, database, "i")
    assert set(options) <= set(described)


async def test_name_given_in_the_options_loses(store: Store, database: str) -> None:
    await store.build_index(database, "c", name="i", keys={"a": 1}, options={"name": "j", "key": {"b": 1}})

    assert (await _described(store, database, "i"))["key"] == {"a": 1}


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ({"b": 1}, {}),
        ({"a": 1}, {"unique": True}),
        ({"a": -1}, {}),
        ({"a": 1}, {"collation": {"locale": "de"}}),
    ],
    ids=str,
)
async def test_other_definition_under_the_same_name_is_refused(
    store: Store, database: str, keys: Document, options: Document
) -> None:
    await store.build_index(database, "c", name="i", keys={"a": 1}, options={})

    with pytest.raises(QueryRefusedError):
        await store.build_index(database, "c", name="i", keys=keys, options=options)
    assert (await _described(store, database, "i"))["key"] == {"a": 1}


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ({}, {}),
        ({"a": 2**64}, {}),
        ({"a": "foo"}, {}),
        ({"a": 0}, {}),
        ({"a": []}, {}),
        ({"": 1}, {}),
        ({"a": 1}, {"foo": True}),
        ({"a": 1}, {"unique": "yes"}),
        ({"a": 1}, {"expireAfterSeconds": -5}),
        ({"a": 1}, {"expireAfterSeconds": "soon"}),
        ({"a": 1}, {"partialFilterExpression": {"$foo": 1}}),
        ({"a": 1}, {"partialFilterExpression": 1}),
        ({"a": 1}, {"collation": {"locale": "xx"}}),
        ({"a": 1}, {"collation": 1}),
        ({"a": 1}, {"wildcardProjection": {"b": 1}}),
        ({"a": "text"}, {"weights": {"a": "x"}}),
        ({"a": "text"}, {"default_language": "klingon"}),
        ({"a": "2d"}, {"bits": 99}),
        ({"a": "2dsphere"}, {"2dsphereIndexVersion": 99}),
        ({"a": 1}, {"v": 99}),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_definition_that_makes_no_sense_is_the_clients_fault(
    store: Store, database: str, keys: Document, options: Document
) -> None:
    with pytest.raises(QueryRefusedError):
        await store.build_index(database, "c", name="i", keys=keys, options=options)


async def test_one_index_too_many_is_the_clients_fault(store: Store, database: str) -> None:
    for number in range(63):
        await store.build_index(database, "c", name=f"i{number}", keys={f"a{number}": 1}, options={})

    with pytest.raises(QueryRefusedError):
        await store.build_index(database, "c", name="more", keys={"more": 1}, options={})
    assert len(await store.list_indexes(database, "c")) == 64


async def test_equal_keys_refuse_a_unique_index_without_being_told(store: Store, database: str) -> None:
    await store.bulk_write(
        database, "c", [BulkInsert({"secret": "open sesame"}), BulkInsert({"secret": "open sesame"})]
    )

    with pytest.raises(QueryRefusedError) as caught:
        await store.build_index(database, "c", name="i", keys={"secret": 1}, options={"unique": True})
    assert "sesame" not in f"{caught.value} {caught.value.details}"
    assert len(await store.list_indexes(database, "c")) == 1


@pytest.mark.parametrize("kind", ["2dsphere", "text"])
async def test_documents_that_cannot_be_indexed_are_not_told(store: Store, database: str, kind: str) -> None:
    member = {"text": "c", "2dsphere": "place"}[kind]
    await store.insert(database, "c", {"secret": "open sesame", "place": "open sesame", "c": "x", "language": 5})

    with pytest.raises(QueryRefusedError) as caught:
        await store.build_index(database, "c", name="i", keys={member: kind}, options={})
    assert "sesame" not in f"{caught.value} {caught.value.details}"


async def test_unique_index_counts_from_then_on(store: Store, database: str) -> None:
    await store.build_index(database, "c", name="i", keys={"k": 1}, options={"unique": True})
    await store.insert(database, "c", {"k": 1})

    with pytest.raises(DuplicateKeyError):
        await store.insert(database, "c", {"k": 1})


async def test_drop_tells_whether_there_was_one(store: Store, database: str) -> None:
    assert not await store.drop_index(database, "c", "i")
    await store.build_index(database, "c", name="i", keys={"a": 1}, options={})

    assert await store.drop_index(database, "c", "i")
    assert not await store.drop_index(database, "c", "i")


async def test_drop_never_means_all(store: Store, database: str) -> None:
    await store.build_index(database, "c", name="i", keys={"a": 1}, options={})

    assert not await store.drop_index(database, "c", "*")
    with pytest.raises(QueryRefusedError):
        await store.drop_index(database, "c", "_id_")
    assert len(await store.list_indexes(database, "c")) == 2


async def test_missing_collection_has_no_indexes(store: Store, database: str) -> None:
    assert await store.list_indexes(database, "missing") == []
    assert "missing" not in await store.collection_names(database)
