"""The schema store over HTTP: schemas written, read, deleted (rest-api.md 4.9)."""

from typing import Any

import httpx
import pytest

from content_core.store import Store
from tests.rest_compat.test_app import error_body
from tests.rest_compat.writing import if_match

NOTE = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


async def test_schema_from_put_to_delete(admin: httpx.AsyncClient, tenant: str) -> None:
    path = f"/{tenant}/_schemas/note"

    made = await admin.put(path, json=NOTE)
    replaced = await admin.put(path, json={**NOTE, "_id": "note", "$schema": "x", "id": "y", "_etag": 5})
    read = await admin.get(path)
    deleted = await admin.delete(path)

    assert (made.status_code, replaced.status_code, deleted.status_code) == (201, 200, 204)
    assert read.json() == {
        "_id": "note",
        "$schema": "http://json-schema.org/draft-04/schema#",
        "id": f"http://schema-store/{tenant}/note#",
        **NOTE,
        "_etag": {"$oid": replaced.headers["etag"]},
    }
    assert (await admin.get(path)).status_code == 404
    assert (await admin.delete(path)).content == b""


async def test_schema_is_posted_by_its_id(admin: httpx.AsyncClient, tenant: str) -> None:
    store = f"/{tenant}/_schemas"
    made = await admin.post(store, json={"_id": "note", **NOTE})
    again = await admin.post(store, json={"_id": "note", **NOTE})
    listed = await admin.get(store)

    assert (made.status_code, again.status_code) == (201, 200)
    assert made.headers["location"] == f"http://caas.example{store}/note"
    assert {"note", "apikeys"} == {schema["_id"] for schema in listed.json()["_embedded"]["rh:schema"]}
    assert (await admin.post(store, json=NOTE)).status_code == 400


async def test_names_that_begin_with_a_dollar_are_escaped(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    schema = {"properties": {"id": {"properties": {"_$oid": {"type": "string"}}}, "a.b": {"$ref": "#/definitions/x"}}}
    await admin.put(f"/{tenant}/_schemas/s", json=schema)

    stored = await store.get(tenant, "_schemas", "s")
    read = (await admin.get(f"/{tenant}/_schemas/s")).json()

    assert stored is not None
    assert stored["properties"]["a.b"] == {"_$ref": "#/definitions/x"}
    assert read["properties"]["a.b"] == {"$ref": "#/definitions/x"}
    assert read["properties"]["id"] == {"properties": {"$oid": {"type": "string"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"type": "thing"},
        {"properties": []},
        {"required": []},
        {"pattern": "("},
        {"properties": {"a": {"pattern": "(?=a)b"}}},
        {"patternProperties": {"(a)\\1": {}}},
        {"additionalProperties": 5},
        {"minLength": -1},
        {"definitions": {"x": {"enum": []}}},
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_schema_that_is_none_is_400(
    admin: httpx.AsyncClient, tenant: str, method: str, schema: dict[str, Any]
) -> None:
    path = f"/{tenant}/_schemas" + ("/s" if method == "PUT" else "")

    response = await admin.request(method, path, json={"_id": "s", **schema})

    assert error_body(response)["message"].startswith("Request content violates JSON Schema meta schema: ")
    assert (await admin.get(f"/{tenant}/_schemas/s")).status_code == 404


async def test_deeply_nested_schema_is_no_server_error(admin: httpx.AsyncClient, tenant: str) -> None:
    body = '{"not":' * 90 + "{}" + "}" * 90

    assert (await admin.put(f"/{tenant}/_schemas/s", content=body)).status_code in {201, 400}


async def test_store_itself_is_a_collection(admin: httpx.AsyncClient, tenant: str) -> None:
    path = f"/{tenant}/_schemas"

    assert (await admin.put(path)).status_code == 200
    described = await admin.patch(path, json={"desc": "x"})
    assert (await admin.delete(path)).status_code == 409
    assert (await admin.delete(path, headers=if_match(described))).status_code == 204
    assert error_body(await admin.put(f"{path}/s", json={}))["message"] == "Schema Store does not exist"
    assert (await admin.put(path)).status_code == 201


async def test_schema_of_api_keys_is_not_replaced(admin: httpx.AsyncClient, tenant: str) -> None:
    assert (await admin.put(f"/{tenant}/_schemas/apikeys", json={})).status_code == 403
    assert (await admin.post(f"/{tenant}/_schemas", json={"_id": "apikeys"})).status_code == 403


async def test_schema_of_api_keys_comes_back_with_a_put_of_the_database(admin: httpx.AsyncClient, tenant: str) -> None:
    key = {"_id": "k", "key": "k", "permissions": []}

    assert (await admin.delete(f"/{tenant}/_schemas/apikeys")).status_code == 204
    assert (await admin.post(f"/{tenant}/apikeys", json=key)).status_code == 500
    assert (await admin.put(f"/{tenant}")).status_code == 200
    assert (await admin.post(f"/{tenant}/apikeys", json=key)).status_code == 201


@pytest.mark.parametrize("method", ["PATCH", "POST"])
async def test_other_methods_of_a_schema_are_405(admin: httpx.AsyncClient, tenant: str, method: str) -> None:
    assert (await admin.request(method, f"/{tenant}/_schemas/s", json={"a": 1})).status_code == 405
