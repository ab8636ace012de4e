"""Writes to collections with a ``jsonSchema``, over HTTP (rest-api.md 4.9)."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from content_core.store import Store
from tests.rest_compat.test_app import error_body
from tests.rest_compat.writing import bulk_result, if_match, make_collection

NOTE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "when": {"properties": {"_$date": {"type": "integer"}}, "required": ["$date"]},
    },
    "required": ["n", "_id"],
}


@pytest.fixture
async def notes(admin: httpx.AsyncClient, tenant: str) -> str:
    await admin.put(f"/{tenant}/_schemas/note", json=NOTE)
    return await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})


def violation(response: httpx.Response) -> str:
    message: str = error_body(response)["message"]
    assert response.status_code == 400
    assert message.startswith("Request content violates schema 'note': ")
    return message


async def test_whole_documents_are_checked_before_the_write(admin: httpx.AsyncClient, notes: str) -> None:
    assert "n: 'x' is not of type 'integer'" in violation(await admin.put(f"{notes}/a", json={"n": "x"}))
    violation(await admin.post(notes, json={"_id": "a"}))
    violation(await admin.post(notes, json=[{"_id": "a", "n": 1}, {"_id": "b", "n": 1.5}]))
    assert (await admin.get(f"{notes}/_size")).json() == {"_size": 0}

    assert (await admin.put(f"{notes}/a", json={"n": 1, "when": {"$date": 5}})).status_code == 201
    assert (await admin.post(notes, json={"n": 2})).status_code == 201
    assert bulk_result(await admin.post(notes, json=[{"_id": "b", "n": 1}]))["inserted"] == 1


async def test_result_of_a_patch_is_checked_and_undone(admin: httpx.AsyncClient, notes: str) -> None:
    etag = (await admin.put(f"{notes}/a", json={"n": 1})).headers["etag"]

    violation(await admin.patch(f"{notes}/a", json={"n": "x"}))
    violation(await admin.patch(f"{notes}/a", json={"$unset": {"n": ""}}))
    violation(await admin.patch(f"{notes}/new", json={"m": 1}))

    read = await admin.get(f"{notes}/a")
    assert (read.headers["etag"], read.json()["n"]) == (etag, 1)
    assert (await admin.get(f"{notes}/new")).status_code == 404
    good = await admin.patch(f"{notes}/a", json={"$inc": {"n": 1}}, headers=if_match(read))
    assert good.status_code == 200
    assert (await admin.patch(f"{notes}/a", json={"n": 5}, headers=if_match(read))).status_code == 412
    assert (await admin.patch(f"{notes}/new", json={"n": 1})).status_code == 201
    assert (await admin.patch(f"{notes}/none?wm=update", json={"n": 1})).status_code == 404
    assert (await admin.patch(f"{notes}/new?wm=insert", json={"n": 1})).status_code == 409


async def test_schema_without_other_properties_lists_id_and_etag(admin: httpx.AsyncClient, tenant: str) -> None:
    closed = {"additionalProperties": False, "properties": {"_id": {}, "a": {}}}
    await admin.put(f"/{tenant}/_schemas/note", json=closed)
    notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})

    assert (await admin.put(f"{notes}/x", json={"a": 1})).status_code == 201
    assert "b" in violation(await admin.put(f"{notes}/x", json={"a": 1, "b": 1}))
    assert "_etag" in violation(await admin.patch(f"{notes}/x", json={"a": 1}))
    await admin.put(f"/{tenant}/_schemas/note", json={**closed, "properties": {"_id": {}, "_etag": {}, "a": {}}})
    assert (await admin.patch(f"{notes}/x", json={"a": 1})).status_code == 200


async def test_bulk_patch_is_501_unless_skipped(admin: httpx.AsyncClient, notes: str) -> None:
    await admin.put(f"{notes}/a", json={"n": 1})
    everything = f'{notes}/*?filter={{"n":1}}'

    assert error_body(await admin.patch(everything, json={"n": "x"}))["http status code"] == 501
    await admin.patch(notes, json={"jsonSchema": {"schemaId": "note", "skipNotSupported": True}})
    assert bulk_result(await admin.patch(everything, json={"n": "x"}))["matched"] == 1
    assert bulk_result(await admin.delete(f'{notes}/*?filter={{"n":"x"}}'))["deleted"] == 1


@pytest.mark.parametrize(
    "binding",
    [
        {"schemaId": "none"},
        {},
        {"schemaId": "note", "schemaStoreDb": "none"},
        {"schemaId": "note", "schemaStoreDb": 5},
        5,
    ],
)
async def test_schema_that_is_missing_is_500(admin: httpx.AsyncClient, tenant: str, notes: str, binding: Any) -> None:
    path = await make_collection(admin, tenant, "other", jsonSchema=binding)

    for method, target in [("PUT", f"{path}/a"), ("POST", path), ("PATCH", f"{path}/a")]:
        assert error_body(await admin.request(method, target, json={"n": 1}))["http status code"] == 500
    assert (await admin.delete(f"{path}/a")).status_code == 404


async def test_schema_of_another_database(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    other = f"{tenant}-other"
    try:
        await admin.put(f"/{other}")
        await admin.put(f"/{other}/_schemas/note", json=NOTE)
        notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note", "schemaStoreDb": other})

        violation(await admin.put(f"{notes}/a", json={}))
        assert (await admin.put(f"{notes}/a", json={"n": 1})).status_code == 201
    finally:
        await store.drop_database(other)


async def test_schemas_refer_to_each_other(admin: httpx.AsyncClient, tenant: str) -> None:
    schemas = f"/{tenant}/_schemas"
    await admin.put(f"{schemas}/types", json={"definitions": {"n": {"type": "integer"}, "m": {"$ref": "leaf"}}})
    await admin.put(f"{schemas}/leaf", json={"type": "string", "maxLength": 2})
    properties = {
        "n": {"$ref": f"http://schema-store/{tenant}/types#/definitions/n"},
        "m": {"$ref": "types#/definitions/m"},
        "again": {"$ref": "#"},
        "schema": {"$ref": "http://json-schema.org/draft-04/schema#"},
    }
    await admin.put(f"{schemas}/note", json={"properties": properties})
    notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})

    good = {"n": 1, "m": "ab", "again": {"n": 2}, "schema": {"type": "object"}}
    assert (await admin.put(f"{notes}/a", json=good)).status_code == 201
    for bad in ({"n": "x"}, {"m": "abc"}, {"again": {"again": {"n": "x"}}}, {"schema": {"type": 5}}):
        violation(await admin.put(f"{notes}/a", json={**good, **bad}))


async def test_schema_that_is_only_a_reference(admin: httpx.AsyncClient, tenant: str) -> None:
    await admin.put(f"/{tenant}/_schemas/base", json=NOTE)
    await admin.put(f"/{tenant}/_schemas/note", json={"$ref": "base"})
    notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})

    violation(await admin.put(f"{notes}/a", json={}))
    assert (await admin.put(f"{notes}/a", json={"n": 1})).status_code == 201


@pytest.mark.parametrize("reference", ["none", "http://example.com/x", "http://127.0.0.1:1/x", "http://[", "#/nowhere"])
async def test_references_never_leave_the_store(admin: httpx.AsyncClient, tenant: str, reference: str) -> None:
    await admin.put(f"/{tenant}/_schemas/note", json={"properties": {"n": {"$ref": reference}}})
    notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})

    assert error_body(await admin.put(f"{notes}/a", json={"n": 1}))["http status code"] == 500


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"$ref": "#"}]},
        {
            "definitions": {
                **{f"d{i}": {"allOf": [{"$ref": f"#/definitions/d{i + 1}"}] * 10} for i in range(10)},
                "d10": {"type": "integer"},
            },
            "properties": {"n": {"$ref": "#/definitions/d0"}},
        },
        {"properties": {"n": {"pattern": "^(a+)+$"}}},
        {"properties": {"n": {"pattern": "(a|a)*b$"}}},
        {"patternProperties": {"^(n+)+$": {"type": "string"}}, "properties": {"n": {"type": "integer"}}},
    ],
    ids=["endless", "multiplying", "pattern", "choice", "property names"],
)
async def test_no_schema_stops_the_server(admin: httpx.AsyncClient, tenant: str, schema: Any) -> None:
    await admin.put(f"/{tenant}/_schemas/note", json=schema)
    notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})
    began = time.monotonic()

    response = await admin.put(f"{notes}/a", json={"n": "a" * 60 + "!", "n" * 60 + "!": 1})

    assert response.status_code == 400
    assert time.monotonic() - began < 60


async def test_items_twice_are_found_in_time(admin: httpx.AsyncClient, tenant: str) -> None:
    await admin.put(f"/{tenant}/_schemas/note", json={"properties": {"n": {"uniqueItems": True}}})
    notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})
    many = [{"a": i} for i in range(4000)]

    assert (await admin.put(f"{notes}/a", json={"n": many})).status_code == 201
    violation(await admin.put(f"{notes}/a", json={"n": [*many, {"a": 0}]}))
    violation(await admin.put(f"{notes}/a", json={"n": [{"x": 1}, {"x": 1.0}]}))
    assert (await admin.put(f"{notes}/a", json={"n": [1, True, "1", None]})).status_code == 200


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a+$", "aa", "ab"),
        ("b", "abc", "ac"),
        ("^a|b$", "xb", "bx"),
        ("\\$$", "5$", "5"),
        ("^[a|b]$", "|", "ab"),
        ("^(a|b)c", "bcd", "abc"),
        ("", "anything\n", None),
    ],
)
async def test_patterns_are_searched_for(
    admin: httpx.AsyncClient, tenant: str, pattern: str, good: str, bad: str | None
) -> None:
    await admin.put(f"/{tenant}/_schemas/note", json={"properties": {"s": {"pattern": pattern}}})
    notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})

    assert (await admin.put(f"{notes}/a", json={"s": good})).status_code == 201
    if bad is not None:
        violation(await admin.put(f"{notes}/a", json={"s": bad}))


async def test_pattern_properties_and_additional_ones(admin: httpx.AsyncClient, tenant: str) -> None:
    schema = {
        "properties": {"_id": {}, "known": {}},
        "patternProperties": {"^n_": {"type": "integer"}},
        "additionalProperties": {"type": "string"},
    }
    await admin.put(f"/{tenant}/_schemas/note", json=schema)
    notes = await make_collection(admin, tenant, jsonSchema={"schemaId": "note"})

    assert (await admin.put(f"{notes}/a", json={"known": [], "n_x": 1, "other": "x"})).status_code == 201
    violation(await admin.put(f"{notes}/a", json={"n_x": "x"}))
    violation(await admin.put(f"{notes}/a", json={"other": 1}))


async def test_changed_schema_counts_at_once(admin: httpx.AsyncClient, tenant: str, notes: str) -> None:
    assert (await admin.put(f"{notes}/a", json={"n": 1})).status_code == 201
    await admin.put(f"/{tenant}/_schemas/note", json={"required": ["m"]})
    violation(await admin.put(f"{notes}/a", json={"n": 1}))


async def test_patches_at_the_same_time_all_count(admin: httpx.AsyncClient, notes: str) -> None:
    await admin.put(f"{notes}/a", json={"n": 0})

    answers = await asyncio.gather(*(admin.patch(f"{notes}/a", json={"$inc": {"n": 1}}) for _ in range(6)))

    assert [200] * 6 == [answer.status_code for answer in answers]
    assert (await admin.get(f"{notes}/a")).json()["n"] == 6
