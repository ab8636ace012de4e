"""An application over HTTP, on whole servers: written, asked, changed, broken, switched off, deleted, elsewhere."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from content_core.documents import Document
from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from tests.content_core.access.keys import READ, entry, store_key
from tests.graphql_app.schema.test_definition import CHECKS
from tests.patience import until
from tests.rest_compat.conftest import ADMIN
from tests.rest_compat.test_app import bearer, error_body
from tests.rest_compat.test_tokens import whole_server

_PROPAGATION = 5.0


@pytest.fixture
async def server(mongo: EmbeddedMongo) -> AsyncIterator[httpx.AsyncClient]:
    async with whole_server(mongo) as client:
        client.auth = ADMIN
        yield client


@pytest.fixture
async def elsewhere(mongo: EmbeddedMongo) -> AsyncIterator[httpx.AsyncClient]:
    """Another server on the same MongoDB."""
    async with whole_server(mongo) as client:
        client.auth = ADMIN
        yield client


@pytest.fixture
async def tenant(server: httpx.AsyncClient, store: Store, database: str) -> str:
    assert (await server.put(f"/{database}")).status_code == 201
    await store.bulk_replace(database, "notes", [{"_id": 1, "text": "one", "more": "two"}])
    return database


def shop(tenant: str, **members: Any) -> Document:
    notes = {"db": tenant, "collection": "notes"}
    document: Document = {
        "descriptor": {"uri": f"{tenant}/shop", "enabled": True},
        "schema": "type Query { notes: [Note] } type Note { text: String }",
        "mappings": {"Query": {"notes": notes}},
    } | members
    return {name: value for name, value in document.items() if value is not ...}


def path(tenant: str, app: str = "shop") -> str:
    return f"/{tenant}/gql-apps/{tenant}___{app}"


async def asked(server: httpx.AsyncClient, tenant: str, field: str = "text", app: str = "shop") -> Any:
    response = await server.post(f"/graphql/{tenant}/{app}", json={"query": f"{{ notes {{ {field} }} }}"})
    return (response.status_code, response.json().get("data"))


async def within_five_seconds(question: Callable[[], Awaitable[Any]], expected: Any) -> None:
    async def followed() -> bool:
        return bool(await question() == expected)

    assert await until(followed) < _PROPAGATION, "the other server does not follow"


ONE = (200, {"notes": [{"text": "one"}]})


async def test_a_new_field_is_queryable_at_once(server: httpx.AsyncClient, tenant: str) -> None:
    created = await server.put(path(tenant), json=shop(tenant))
    before = (await asked(server, tenant), await asked(server, tenant, "more"))
    more = "type Query { notes: [Note] } type Note { text: String more: String }"
    replaced = await server.put(path(tenant), json=shop(tenant, schema=more))

    assert (created.status_code, replaced.status_code) == (201, 200)
    assert (before[0], before[1][0]) == (ONE, 400)
    assert await asked(server, tenant, "more") == (200, {"notes": [{"more": "two"}]})


async def test_without_a_descriptor_the_id_is_the_address_here_and_elsewhere(
    server: httpx.AsyncClient, elsewhere: httpx.AsyncClient, tenant: str
) -> None:
    created = await server.put(path(tenant, "bare"), json=shop(tenant, descriptor=...))

    assert created.status_code == 201
    assert await asked(server, tenant, app="bare") == ONE
    await within_five_seconds(lambda: asked(elsewhere, tenant, app="bare"), ONE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"descriptor": 1},
        {"schema": ...},
        {"schema": "type Note { text: String }"},
        {"mappings": ...},
        {"mappings": {"Note": {}}},
    ],
)
async def test_an_invalid_definition_leaves_the_application(
    server: httpx.AsyncClient, tenant: str, wrong: Document
) -> None:
    await server.put(path(tenant), json=shop(tenant))
    stored = (await server.get(path(tenant))).json()

    refused = await server.put(path(tenant), json=shop(tenant, **wrong))

    assert error_body(refused)["http status code"] == 400
    assert error_body(refused)["message"].startswith("Wrong GraphQL App definition: ")
    assert (await server.get(path(tenant))).json() == stored
    assert await asked(server, tenant) == ONE


async def test_every_check_answers_with_its_reason(server: httpx.AsyncClient, tenant: str) -> None:
    for row in CHECKS:
        document, reason = row.values
        body = json.loads(json.dumps(document).replace("acme", tenant))

        response = await server.put(path(tenant, "workshop"), json=body)

        shown = str(reason).replace('"', "'").replace("\t", "  ")
        assert response.status_code == 400, row.id
        assert error_body(response)["message"] == f"Wrong GraphQL App definition: {shown}", row.id
        assert error_body(response)["reasons"][0] == reason
    assert (await server.get(path(tenant, "workshop"))).status_code == 404


@pytest.mark.parametrize("method", ["put", "post"])
@pytest.mark.parametrize("enabled", [True, False])
async def test_an_address_is_taken_both_ways(
    server: httpx.AsyncClient, tenant: str, method: str, *, enabled: bool
) -> None:
    bodies = [
        {"_id": f"{tenant}___x", **shop(tenant, descriptor={"enabled": enabled})},
        {"_id": f"{tenant}___y", **shop(tenant, descriptor={"uri": f"{tenant}/x", "enabled": enabled})},
    ]
    for first, second in (bodies, bodies[::-1]):
        at = {body["_id"]: f"/{tenant}/gql-apps" + (f"/{body['_id']}" if method == "put" else "") for body in bodies}

        created = await server.request(method, at[first["_id"]], json=first)
        refused = await server.request(method, at[second["_id"]], json=second)

        assert (created.status_code, refused.status_code) == (201, 409)
        assert error_body(refused)["message"] == (
            f"URI collision: another GraphQL app is already accessible at /{tenant}/x"
        )
        await server.delete(f"/{tenant}/gql-apps/{first['_id']}")


UNION = "type Query { any: [Any] } union Any = A | B type A { x: Int } type B { y: Int }"
RESOLVER = {"A": "field-exists(x)", "B": "field-exists(y)"}


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"mappings.Any": {}}, "Missing $typeResolver for union Any"),
        (
            {"mappings.Any.$typeResolver": {"A": "field-exists(x)"}},
            "$typeResolver for union Any does not map all union members",
        ),
        (
            {"mappings.Any.$typeResolver.A": "foo(bar) and not field-exists(x)"},
            "error parsing $typeResolver predicate: foo(bar) and not field-exists(x)",
        ),
        ({"mappings.Any.$typeResolver.B": None}, "null $typeResolver predicate"),
        ({"mappings": None}, "'mappings' field must be an Object but was NULL"),
    ],
)
async def test_a_patch_that_breaks_a_resolver_changes_nothing(
    server: httpx.AsyncClient, store: Store, tenant: str, patch: Document, message: str
) -> None:
    mappings = {
        "Query": {"any": {"db": tenant, "collection": "things"}},
        "Any": {"$typeResolver": RESOLVER},
    }
    await store.insert(tenant, "things", {"_id": 1, "x": 5})
    await server.put(path(tenant), json=shop(tenant, schema=UNION, mappings=mappings))
    stored = (await server.get(path(tenant))).json()

    refused = await server.patch(path(tenant), json=patch)

    assert error_body(refused)["http status code"] == 400
    assert error_body(refused)["message"].startswith(f"Wrong GraphQL App definition: {message}")
    assert (await server.get(path(tenant))).json() == stored
    answer = await server.post(f"/graphql/{tenant}/shop", json={"query": "{ any { ... on A { x } } }"})
    assert answer.json()["data"] == {"any": [{"x": 5}]}


async def test_switching_off_and_on_is_immediate(server: httpx.AsyncClient, tenant: str) -> None:
    await server.put(path(tenant), json=shop(tenant))

    off = await server.patch(path(tenant), json={"descriptor.enabled": False})
    gone = await asked(server, tenant)
    on = await server.patch(path(tenant), json={"descriptor.enabled": True})

    assert (off.status_code, gone[0], on.status_code) == (200, 404, 200)
    assert await asked(server, tenant) == ONE


async def test_a_deleted_application_is_gone(server: httpx.AsyncClient, tenant: str) -> None:
    await server.put(path(tenant), json=shop(tenant))

    assert (await server.delete(path(tenant))).status_code == 204
    assert (await asked(server, tenant))[0] == 404
    assert (await server.get(path(tenant))).status_code == 404


async def test_operators_and_dotted_keys_come_back_unchanged(
    server: httpx.AsyncClient, elsewhere: httpx.AsyncClient, tenant: str
) -> None:
    notes = {"db": tenant, "collection": "notes"}
    mappings: Document = {
        "Query": {
            "notes": notes | {"find": {"a.b": {"$in": [1, 2]}, "r": {"$ref": "people", "$id": {"$arg": ["x", 1]}}}},
            "sums": notes
            | {"stages": [{"$ifarg": ["x", {"$match": {"a::b": {"$arg": "x"}}}]}, {"$group": {"_id": "$a.b"}}]},
            "any": "x",
        },
        "Note": {"child": notes | {"find": {"parent.id": {"$fk": "_id"}}}},
        "Any": {"$typeResolver": {"Note": "field-exists(text)"}},
    }
    schema = """type Query { notes(x: Int): [Note] sums(x: Int): [Note] any: Any }
                union Any = Note type Note { text: String child: Note }"""
    body = shop(tenant, schema=schema, mappings=mappings)

    created = await server.put(path(tenant), json=body)

    shown = {"_id": f"{tenant}___shop", **body, "_etag": {"$oid": created.headers["etag"]}}
    for one in (server, elsewhere):
        assert (await one.get(path(tenant))).text == json.dumps(shown, separators=(",", ":"))


async def test_another_server_follows_within_five_seconds(
    server: httpx.AsyncClient, elsewhere: httpx.AsyncClient, tenant: str
) -> None:
    await server.put(path(tenant), json=shop(tenant))
    await within_five_seconds(lambda: asked(elsewhere, tenant), ONE)

    await elsewhere.patch(path(tenant), json={"mappings.Note": {"text": "more"}})
    changed = (200, {"notes": [{"text": "two"}]})
    assert await asked(elsewhere, tenant) == changed
    await within_five_seconds(lambda: asked(server, tenant), changed)

    async def status() -> int:
        return int((await asked(elsewhere, tenant))[0])

    await server.patch(path(tenant), json={"descriptor.enabled": False})
    await within_five_seconds(status, 404)
    await server.patch(path(tenant), json={"descriptor.enabled": True})
    await within_five_seconds(status, 200)
    await server.delete(path(tenant))
    await within_five_seconds(status, 404)


async def test_stages_read_no_more_than_the_writer_may(server: httpx.AsyncClient, store: Store, tenant: str) -> None:
    """Whoever may write a definition opens what it reads to GraphQL keys; the names in stages count."""
    headers = bearer(
        await store_key(store, tenant, entry("/gql-apps/", "GET", "PUT"), entry("/notes/", *READ)),
    )
    notes = {"db": tenant, "collection": "notes"}

    def with_stages(*stages: Document) -> Document:
        return shop(tenant, mappings={"Query": {"notes": notes | {"stages": list(stages)}}})

    async with httpx.AsyncClient(transport=server._transport, base_url="http://caas.example") as writer:
        own = await writer.put(path(tenant), json=with_stages({"$unionWith": "notes"}), headers=headers)
        refused = await writer.put(
            path(tenant),
            json=with_stages({"$facet": {"f": [{"$lookup": {"from": "secrets", "as": "s"}}]}}),
            headers=headers,
        )

    assert own.status_code == 201
    assert error_body(refused)["http status code"] == 403
    assert "secrets" in error_body(refused)["message"]
    assert await asked(server, tenant) == (200, {"notes": [{"text": "one"}, {"text": "one"}]})
