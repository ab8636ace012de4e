"""What may be stored as an API key, checked in the order of the documents, and what a database gets for its keys."""

import asyncio
import logging
from typing import Any

import pytest

from content_core.access import KeyStore
from content_core.access.reserved import PROPERTIES, SCHEMAS
from content_core.documents import Document
from content_core.errors import RequestError, ServiceError
from content_core.names import ADMIN_DATABASE, APIKEYS
from content_core.store import FindQuery, Store
from tests.content_core.access.keys import entry, key_document


async def count(keys: KeyStore, database: str) -> int:
    return await keys._store.count(database, APIKEYS, {})


@pytest.fixture
async def keys(store: Store, database: str) -> KeyStore:
    ready = KeyStore(store)
    await ready.ensure_key_collections(database)
    return ready


async def refusal(keys: KeyStore, database: str, body: Any, key_id: str | None = None) -> str:
    with pytest.raises(RequestError) as caught:
        await (keys.create(database, body) if key_id is None else keys.replace(database, key_id, body))
    assert caught.value.status == 400
    return caught.value.message


async def test_database_gets_collection_and_schema(store: Store, database: str, keys: KeyStore) -> None:
    assert {APIKEYS, SCHEMAS, PROPERTIES} <= set(await store.collection_names(database))
    schema = await store.get(database, SCHEMAS, "apikeys")
    assert schema is not None
    assert schema["id"] == f"http://schema-store/{database}/apikeys#"
    assert schema["_$schema"] == "http://json-schema.org/draft-04/schema#"
    properties = await store.get(database, PROPERTIES, f"{PROPERTIES}.{APIKEYS}")
    assert properties is not None
    assert properties["jsonSchema"] == {"schemaId": "apikeys"}


async def test_collections_are_made_once_however_many_make_them(store: Store, database: str) -> None:
    await asyncio.gather(*(KeyStore(store).ensure_key_collections(database) for _ in range(8)))
    before = await store.find(database, PROPERTIES, FindQuery(filter={}))

    await KeyStore(store).ensure_key_collections(database)

    assert before == await store.find(database, PROPERTIES, FindQuery(filter={}))


async def test_start_serves_every_database_there_is(store: Store, database: str) -> None:
    await store.insert(database, "notes", {"_id": 1})

    await KeyStore(store).start()

    assert APIKEYS in await store.collection_names(database)
    assert APIKEYS in await store.collection_names(ADMIN_DATABASE)
    assert "admin" not in await store.database_names()


async def test_master_key_opens_everything_and_is_stored_once(store: Store) -> None:
    keys = KeyStore(store)
    name = str(key_document()["_id"])
    await keys.start(master_key=name)
    first = await keys.read(ADMIN_DATABASE, name)

    await keys.start(master_key=name)

    assert first is not None
    assert first == await keys.read(ADMIN_DATABASE, name)
    assert first["permissions"][0]["url"] == "/"
    assert {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"} == set(first["permissions"][0]["methods"])


async def test_created_key_is_stored_as_it_was_sent(database: str, keys: KeyStore) -> None:
    body = {
        **key_document(entry("/a/", "GET"), {"url": "acme/shop", "permissionMode": "GRAPHQL"}),
        "name": "web shop, read",
        "description": "front end",
    }

    (stored,) = await keys.create(database, body)

    assert stored.created
    assert {**body, "_etag": stored.etag} == await keys.read(database, body["_id"])


async def test_create_replaces_a_key_that_exists(database: str, keys: KeyStore) -> None:
    body = key_document(entry("/a/"))
    (first,) = await keys.create(database, body)

    (second,) = await keys.create(database, {**body, "permissions": []})

    assert (first.created, second.created) == (True, False)
    assert first.etag != second.etag
    assert (await keys.read(database, body["_id"]) or {})["permissions"] == []


async def test_replace_takes_the_id_from_the_address(database: str, keys: KeyStore) -> None:
    body = key_document()
    key = body.pop("_id")

    stored = await keys.replace(database, key, {**body, "_etag": {"$oid": "0" * 24}})

    assert stored.created
    assert list(await keys.read(database, key) or {}) == ["_id", "key", "permissions", "_etag"]


async def test_key_is_deleted_once(database: str, keys: KeyStore) -> None:
    for name in ("a", "b", "c"):
        await keys.create(database, key_document(key=name))

    assert [await keys.delete(database, "b"), await keys.delete(database, "b")] == [True, False]
    assert await keys.read(database, "b") is None


async def test_missing_schema_comes_before_everything(store: Store, database: str, keys: KeyStore) -> None:
    await store.delete(database, SCHEMAS, "apikeys")

    with pytest.raises(ServiceError) as caught:
        await keys.create(database, "not even an object")

    assert caught.value.status == 500
    assert await count(keys, database) == 0


async def test_schema_of_the_database_decides(store: Store, database: str, keys: KeyStore) -> None:
    schema = await store.get(database, SCHEMAS, "apikeys")
    assert schema is not None
    schema["properties"]["team"] = {"type": "string"}
    await store.replace(database, SCHEMAS, schema)

    await keys.create(database, {**key_document(), "team": "web"})

    assert "[5]" not in await refusal(keys, database, {**key_document(), "team": 5})


@pytest.mark.parametrize("broken", [{"type": 5}, {"properties": {"key": {"_$ref": "http://127.0.0.1:9/x"}}}])
async def test_broken_schema_is_the_servers_fault(
    store: Store, database: str, keys: KeyStore, broken: Document
) -> None:
    await store.replace(database, SCHEMAS, {"_id": "apikeys", **broken})

    with pytest.raises(ServiceError) as caught:
        await keys.create(database, key_document())

    assert caught.value.status == 500


def changed(**members: Any) -> Document:
    return {**key_document(entry("/a/", "GET"), key="k1"), **members}


def without(name: str) -> Document:
    return {member: value for member, value in changed().items() if member != name}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("text", "must be a JSON object"),
        (None, "must be a JSON object"),
        ([], "must be a JSON object"),
        ({}, "'_id'"),
        (without("key"), "'key'"),
        (without("permissions"), "'permissions'"),
        (changed(_id=5), "_id is not of type string"),
        (changed(key=""), "key is shorter than 1"),
        (changed(key="x" * 257), "key is longer than 256"),
        (changed(extra=1), "has properties other than _id, key, name"),
        (changed(name=["x"]), "name is not of type string"),
        (changed(permissions={}), "permissions is not of type array"),
        (changed(permissions=["/"]), "permissions[0] is not of type object"),
        (changed(permissions=[{"methods": ["GET"]}]), "permissions[0] lacks a required property: 'url'"),
        (changed(permissions=[{"url": "/"}]), "permissions[0] lacks 'methods'"),
        (changed(permissions=[{"url": "/", "permissionMode": "REGEX"}]), "permissions[0] lacks 'methods'"),
        (changed(permissions=[entry("")]), "permissions[0].url is shorter than 1"),
        (changed(permissions=[entry("x" * 2049)]), "permissions[0].url is longer than 2048"),
        (changed(permissions=[entry("/", "FETCH")]), "permissions[0].methods[0] is not one of"),
        (changed(permissions=[entry("/", "GET", "GET")]), "permissions[0].methods holds an item twice"),
        (changed(permissions=[{"url": "/", "methods": []}]), "permissions[0].methods holds fewer items than 1"),
        (changed(permissions=[entry("/", mode="ALL")]), "permissions[0].permissionMode is not one of"),
        (changed(permissions=[{**entry("/"), "x": 1}]), "permissions[0] has properties other than"),
        (changed(_id="k2"), "'key' and '_id' must be the same"),
        (changed(permissions=[entry("/a/"), entry("/a/", mode="REGEX")]), "stands in 'permissions' twice"),
        (changed(permissions=[entry("(", mode="REGEX")]), "is not a pattern that is read here"),
    ],
)
async def test_unacceptable_key_is_refused_with_its_reason(
    database: str, keys: KeyStore, body: Any, reason: str
) -> None:
    assert reason in await refusal(keys, database, body)
    assert await count(keys, database) == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (changed(_id="k2"), "'_id' in the body differs"),
        (changed(_id="k2", key="k2"), "'_id' in the body differs"),
        (changed(key="k2"), "'key' must be the id in the address"),
        ({"key": "k2", "permissions": []}, "'key' must be the id in the address"),
    ],
)
async def test_key_must_be_the_id_in_the_address(database: str, keys: KeyStore, body: Document, reason: str) -> None:
    assert reason in await refusal(keys, database, body, "k1")


async def test_key_of_another_document_is_refused(store: Store, database: str, keys: KeyStore) -> None:
    await store.replace(database, APIKEYS, {"_id": "stray", "key": "k1"})

    assert "another API key document" in await refusal(keys, database, changed())


@pytest.mark.parametrize(
    ("body", "first"),
    [
        (changed(_id="k2", extra=1), "violates schema"),
        (changed(_id="k2", key="taken"), "must be the same"),
        (changed(_id="taken", key="taken", permissions=[entry("/a/"), entry("/a/")]), "another API key document"),
        (changed(permissions=[entry("(", mode="REGEX"), entry("(", mode="REGEX")]), "twice"),
    ],
)
async def test_first_failing_check_speaks(
    store: Store, database: str, keys: KeyStore, body: Document, first: str
) -> None:
    await store.replace(database, APIKEYS, {"_id": "stray", "key": "taken"})

    assert first in await refusal(keys, database, body)


async def test_one_bad_key_of_several_stops_all(database: str, keys: KeyStore) -> None:
    with pytest.raises(RequestError):
        await keys.create(database, key_document(), changed(extra=1))
    with pytest.raises(RequestError):
        await keys.create(database, changed(), changed())

    assert await count(keys, database) == 0


async def test_no_reason_quotes_a_key(database: str, keys: KeyStore, caplog: pytest.LogCaptureFixture) -> None:
    secret = "5f0d4a9e-8a3f-4c53-9d0e-0e6a5b7c1d22"
    caplog.set_level(logging.DEBUG, logger="content_core")
    bodies: list[Any] = [
        {"_id": secret, "key": secret},
        {"_id": secret, "key": "other", "permissions": []},
        {"_id": [secret], "key": {"x": secret}, "permissions": []},
        {"_id": secret * 10, "key": secret * 10, "permissions": []},
        {"_id": secret, "key": secret, "permissions": [], "secret": secret},
        {"_id": secret, "key": secret, "permissions": secret},
    ]

    reasons = [await refusal(keys, database, body) for body in bodies]
    reasons += [await refusal(keys, database, body, secret) for body in bodies]
    reasons.append(await refusal(keys, database, changed(), secret))

    assert not [reason for reason in reasons if secret in reason]
    assert secret not in caplog.text
