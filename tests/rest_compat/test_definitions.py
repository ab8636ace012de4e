"""Definitions over HTTP: what the hook hears and when, exact round trips, collisions, deletion."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from content_core.documents import Document
from content_core.names import GQL_APPS, AppKey
from content_core.store import Store
from rest_compat.definitions import ensure_definitions
from tests.content_core.access.keys import READ, entry, store_key
from tests.rest_compat.conftest import Notes
from tests.rest_compat.test_app import bearer, error_body


def definition(tenant: str, app: str, uri: str | None = None, **members: Any) -> Document:
    return {
        "descriptor": {"uri": uri or f"{tenant}/{app}", "enabled": True},
        "schema": "type Query { notes: [Note] } type Note { text: String }",
        "mappings": {"Query": {"notes": {"db": tenant, "collection": "notes"}}},
        **members,
    }


async def test_definition_is_created_read_replaced_and_deleted(
    admin: httpx.AsyncClient, tenant: str, hook: Notes
) -> None:
    path, body = f"/{tenant}/gql-apps/{tenant}___shop", definition(tenant, "shop")

    created = await admin.put(path, json=body)
    read = await admin.get(path)
    replaced = await admin.put(path, json=body)
    deleted = await admin.delete(path)
    again = await admin.delete(path)

    assert (created.status_code, created.content) == (201, b"")
    assert (read.status_code, read.headers["content-type"]) == (200, "application/hal+json")
    assert {"_id": f"{tenant}___shop", **body, "_etag": {"$oid": created.headers["etag"]}} == read.json()
    assert read.headers["etag"] == created.headers["etag"]
    assert (replaced.status_code, replaced.content) == (200, b"")
    assert created.headers["etag"] != replaced.headers["etag"] == hook.active[f"{tenant}___shop"]
    assert (deleted.status_code, deleted.content, again.status_code, again.content) == (204, b"", 404, b"")
    assert [AppKey(tenant, "shop")] == hook.retired
    assert error_body(await admin.get(path))["http status code"] == 404


async def test_hook_hears_the_definition_with_its_id(admin: httpx.AsyncClient, tenant: str, hook: Notes) -> None:
    body = definition(tenant, "a")

    await admin.put(f"/{tenant}/gql-apps/{tenant}___a", json={**body, "_etag": {"$oid": "0" * 24}})

    assert [{"_id": f"{tenant}___a", **body}] == hook.prepared


ODD: Document = {
    "zeta": 1,
    "alpha": {
        "$typeResolver": {"Page": "field-exists(sub.field)"},
        "find": {
            "a.b": {"$fk": "x.y"},
            "when": {"$date": "2024-01-02T00:00:00Z"},
            "id": {"$oid": "64a51c0de3b1f20f4d7a2002"},
            "title": {"$regex": "^a", "$options": "i"},
            "author": {"$ref": "people", "$id": {"$arg": "id"}},
            "editor": {"name": 1, "$id": {"$ref": "deep", "$id": 1}, "$db": "other", "$ref": "people"},
            "_$kept": "a::b",
            "": "empty name",
        },
        "stages": [{"$match": {"x": {"$ifarg": "y"}}}, {"$$ROOT": [[], {}, [None, True, 1.0, 2**40, -(2**63), "ü\0"]]}],
    },
    "ünï": "✓",
    "$top": {"a.b": 1},
    "top.dotted": 1,
}


async def test_every_name_and_value_comes_back_as_it_was_sent(admin: httpx.AsyncClient, tenant: str) -> None:
    path, body = f"/{tenant}/gql-apps/{tenant}___odd", definition(tenant, "odd", mappings={"Query": ODD}, **ODD)

    created = await admin.put(path, json=body)
    alone = await admin.get(path)
    listed = (await admin.get(f"/{tenant}/gql-apps")).json()["_embedded"]["rh:doc"][0]

    assert created.status_code == 201
    expected = {"_id": f"{tenant}___odd", **body, "_etag": {"$oid": created.headers["etag"]}}
    assert json.dumps(expected) == json.dumps(alone.json()) == json.dumps(listed)


async def test_invalid_definition_changes_nothing(admin: httpx.AsyncClient, tenant: str, hook: Notes) -> None:
    path = f"/{tenant}/gql-apps/{tenant}___a"
    first = (await admin.put(path, json=definition(tenant, "a"))).headers["etag"]
    hook.reasons = ('Invalid GraphQL schema: unknown type "X"\t!', "Missing mappings")

    response = await admin.put(path, json=definition(tenant, "a", schema="nonsense"))

    assert error_body(response) == {
        "http status code": 400,
        "http status description": "Bad Request",
        "message": "Wrong GraphQL App definition: Invalid GraphQL schema: unknown type 'X'  !",
        "exception message": 'Invalid GraphQL schema: unknown type "X"\t!',
        "reasons": ['Invalid GraphQL schema: unknown type "X"\t!', "Missing mappings"],
    }
    assert (await admin.get(path)).headers["etag"] == first == hook.active[f"{tenant}___a"]


async def test_warnings_are_the_only_body_of_a_success(admin: httpx.AsyncClient, tenant: str, hook: Notes) -> None:
    hook.warnings = ("the field 'Query.x' has no mapping",)

    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___a", json=definition(tenant, "a"))

    assert (response.status_code, response.json()) == (201, {"_warnings": ["the field 'Query.x' has no mapping"]})


async def test_collision_that_the_hook_finds_is_409(admin: httpx.AsyncClient, tenant: str, hook: Notes) -> None:
    hook.conflict = "URI collision: another GraphQL app is already accessible at /x"

    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___a", json=definition(tenant, "a"))

    assert error_body(response)["http status code"] == 409
    assert error_body(response)["message"] == hook.conflict


@pytest.mark.parametrize("spelling", ["{db}/same", "/{db}/same", "{db}___same"])
async def test_two_ids_at_one_address_get_201_and_409(admin: httpx.AsyncClient, tenant: str, spelling: str) -> None:
    """The store keeps them apart even where the hook, like this one, knows nothing of the other."""
    bodies = [definition(tenant, "a", f"{tenant}/same"), definition(tenant, "b", spelling.replace("{db}", tenant))]

    answers = await asyncio.gather(
        *(admin.put(f"/{tenant}/gql-apps/{tenant}___{app}", json=body) for app, body in zip("ab", bodies, strict=True))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert error_body(refused)["message"].endswith(f"accessible at /{tenant}/same")


async def test_address_without_uri_is_the_id(admin: httpx.AsyncClient, tenant: str) -> None:
    await admin.put(f"/{tenant}/gql-apps/{tenant}___x", json={"schema": "…"})

    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___y", json=definition(tenant, "y", f"{tenant}/x"))

    assert response.status_code == 409


async def test_address_that_an_id_spells_is_taken_too(admin: httpx.AsyncClient, tenant: str) -> None:
    await admin.put(f"/{tenant}/gql-apps/{tenant}___x", json=definition(tenant, "x", f"{tenant}/elsewhere"))

    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___y", json=definition(tenant, "y", f"{tenant}/x"))

    assert response.status_code == 409


async def test_address_is_free_again_after_deletion(admin: httpx.AsyncClient, tenant: str) -> None:
    await admin.put(f"/{tenant}/gql-apps/{tenant}___x", json=definition(tenant, "x"))
    await admin.delete(f"/{tenant}/gql-apps/{tenant}___x")

    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___y", json=definition(tenant, "y", f"{tenant}/x"))

    assert response.status_code == 201


async def test_writes_of_one_definition_follow_each_other(admin: httpx.AsyncClient, tenant: str, hook: Notes) -> None:
    path = f"/{tenant}/gql-apps/{tenant}___a"

    answers = await asyncio.gather(*(admin.put(path, json=definition(tenant, "a", n=n)) for n in range(10)))

    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert (await admin.get(path)).headers["etag"] == hook.active[f"{tenant}___a"]


@pytest.mark.parametrize(
    "name", ["shop", "other___shop", "{db}___", "{db}__x", "{db}___a%20b", "{db}___a%2Fb", "{db}___ü", "{DB}___a"]
)
async def test_id_must_begin_with_the_tenant(admin: httpx.AsyncClient, tenant: str, name: str) -> None:
    document_id = name.replace("{db}", tenant).replace("{DB}", tenant.upper())

    response = await admin.put(f"/{tenant}/gql-apps/{document_id}", json=definition(tenant, "a"))

    assert error_body(response)["http status code"] == 400


async def test_id_in_the_body_must_be_that_of_the_address(admin: httpx.AsyncClient, tenant: str) -> None:
    path = f"/{tenant}/gql-apps/{tenant}___a"

    assert (await admin.put(path, json=definition(tenant, "a", _id=f"{tenant}___b"))).status_code == 400
    assert (await admin.put(path, json=definition(tenant, "a", _id=5))).status_code == 400
    assert (await admin.put(path, json=definition(tenant, "a", _id=f"{tenant}___a"))).status_code == 201


async def test_post_takes_the_id_from_the_body(admin: httpx.AsyncClient, tenant: str) -> None:
    path, body = f"/{tenant}/gql-apps", definition(tenant, "a", _id=f"{tenant}___a")

    created = await admin.post(path, json=body)
    replaced = await admin.post(path, json=body)

    assert (201, f"http://caas.example{path}/{tenant}___a") == (created.status_code, created.headers["location"])
    assert (replaced.status_code, "location" in replaced.headers) == (200, False)
    for bad in ({}, {"_id": 5}, {"_id": "x"}, {"_id": {"$oid": "0" * 24}}, [1], "x"):
        assert error_body(await admin.post(path, json=bad))["http status code"] == 400


@pytest.mark.parametrize("body", [{"a\0b": 1}, {"deep": {"a\0b": 1}}])
async def test_what_mongodb_refuses_is_400(admin: httpx.AsyncClient, tenant: str, body: Document) -> None:
    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___a", json=body)

    assert error_body(response)["http status code"] == 400


async def test_too_deep_a_definition_is_400(admin: httpx.AsyncClient, tenant: str) -> None:
    body = b'{"a":' * 300 + b"1" + b"}" * 300

    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___a", content=body)

    assert error_body(response)["http status code"] == 400


async def test_if_match_guards_definitions(admin: httpx.AsyncClient, tenant: str, hook: Notes) -> None:
    path, stale = f"/{tenant}/gql-apps/{tenant}___a", {"If-Match": "0" * 24}
    etag = (await admin.put(path, json=definition(tenant, "a"))).headers["etag"]

    refused = await admin.put(path, json=definition(tenant, "a"), headers=stale)
    kept = await admin.delete(path, headers=stale)
    written = await admin.put(path, json=definition(tenant, "a"), headers={"If-Match": etag})

    assert (412, b"", etag) == (refused.status_code, refused.content, refused.headers["etag"])
    assert (kept.status_code, written.status_code) == (412, 200)
    assert len(hook.prepared) == 2
    assert hook.retired == []


async def test_list_is_paged_hal(admin: httpx.AsyncClient, tenant: str) -> None:
    empty = await admin.get(f"/{tenant}/gql-apps?count")
    for app in ("a", "b", "c"):
        await admin.put(f"/{tenant}/gql-apps/{tenant}___{app}", json=definition(tenant, app))

    page = await admin.get(f"/{tenant}/gql-apps?pagesize=2&page=2&count=true")

    assert list(empty.json()) == ["_id", "_etag", "_size", "_total_pages", "_returned"]
    assert (empty.json()["_size"], empty.json()["_total_pages"], empty.json()["_returned"]) == (0, 0, 0)
    assert page.headers["content-type"] == "application/hal+json"
    assert page.headers["etag"] == page.json()["_etag"]["$oid"]
    assert (page.json()["_size"], page.json()["_total_pages"], page.json()["_returned"]) == (3, 2, 1)
    assert [f"{tenant}___a"] == [document["_id"] for document in page.json()["_embedded"]["rh:doc"]]


@pytest.mark.parametrize(("methods", "get", "put"), [(READ, 200, 403), (["PUT"], 403, 201), (["GET", "PUT"], 200, 201)])
async def test_definitions_are_opened_by_path(
    anonymous: httpx.AsyncClient, store: Store, tenant: str, methods: list[str], get: int, put: int
) -> None:
    headers, path = bearer(await store_key(store, tenant, entry("/gql-apps/", *methods))), f"/{tenant}/gql-apps"

    read = await anonymous.get(path, headers=headers)
    written = await anonymous.put(f"{path}/{tenant}___a", json=definition(tenant, "a"), headers=headers)

    assert [get, put] == [read.status_code, written.status_code]


async def test_graphql_permission_does_not_open_rest(anonymous: httpx.AsyncClient, store: Store, tenant: str) -> None:
    headers = bearer(await store_key(store, tenant, entry(f"{tenant}/a", mode="GRAPHQL")))

    for method in ("GET", "PUT", "DELETE"):
        response = await anonymous.request(method, f"/{tenant}/gql-apps/{tenant}___a", headers=headers)
        assert response.status_code == 403


async def test_token_does_not_write_definitions(admin: httpx.AsyncClient, tenant: str) -> None:
    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___a?securetoken=t", json=definition(tenant, "a"))

    assert response.status_code == 401


async def test_definition_of_an_older_database_is_stored_too(
    admin: httpx.AsyncClient, store: Store, database: str
) -> None:
    await store.insert(database, "notes", {"_id": 1})

    assert (await admin.get(f"/{database}/gql-apps")).status_code == 404
    response = await admin.put(f"/{database}/gql-apps/{database}___a", json=definition(database, "a"))

    assert response.status_code == 201


async def test_stray_document_can_be_deleted(admin: httpx.AsyncClient, store: Store, tenant: str, hook: Notes) -> None:
    await ensure_definitions(store, tenant)
    await store.insert(tenant, GQL_APPS, {"_id": "stray"})

    assert (await admin.delete(f"/{tenant}/gql-apps/stray")).status_code == 204
    assert hook.retired == []
