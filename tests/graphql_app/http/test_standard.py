"""GraphQL over HTTP as the standard has it: by the setting, and for clients who accept plain JSON alone."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from content_core.store import ChangeFeed, Store
from graphql_app.http.negotiation import AnswerForm, choose_form
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import Answer
from tests.graphql_app.http.server import ADMIN, Server, put_definition, serve, store_key
from tests.graphql_app.query.workshop import SDL, load_workshop, workshop_definition

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
MUTATION = "type Mutation { change: Mechanic }"


@pytest.fixture
async def standard(store: Store, feed: ChangeFeed, database: str) -> AsyncIterator[Server]:
    async with serve(store, feed, GraphQLSettings(http="standard")) as running:
        await load_workshop(store, database)
        definition = workshop_definition(database, sdl=SDL + MUTATION)
        definition["mappings"]["Mutation"] = {"change": {"db": database, "collection": "mechanics"}}
        await put_definition(running, store, definition)
        yield running


async def post(server: Server, database: str, body: Any, accept: str = "*/*") -> httpx.Response:
    return await server.client.post(f"/graphql/{database}/workshop", json=body, auth=ADMIN, headers={"Accept": accept})


# --- media types -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON}, {GRAPHQL};q=0.9", JSON),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"*/*;q=0.5, {GRAPHQL};q=0.5", GRAPHQL),
        (f"{JSON};q=0.4, */*;q=0.5", GRAPHQL),
        ("APPLICATION/JSON ; Q=0.5", JSON),
        ("text/html", None),
        (f"{GRAPHQL};q=0", None),
        ("*/*;q=0", None),
    ],
)
def test_the_preferred_type_is_chosen(accept: str | None, expected: str | None) -> None:
    form = choose_form(accept, "standard")

    assert (form and form.media_type) == (expected and f"{expected}; charset=utf-8")
    assert form is None or form.standard


@pytest.mark.parametrize(
    ("media_type", "standard", "status", "body", "expected"),
    [
        (GRAPHQL, False, 400, b'{"data":null}', 400),
        (GRAPHQL, True, 400, b'{"data":null}', 200),
        (GRAPHQL, True, 400, b'{"errors":[]}', 400),
        (f"{JSON}; charset=utf-8", True, 400, b'{"errors":[]}', 200),
        (f"{JSON}; charset=utf-8", True, 408, b'{"errors":[]}', 408),
        (f"{JSON}; charset=utf-8", True, 200, b'{"data":{}}', 200),
    ],
)
def test_statuses_follow_the_form(media_type: str, standard: bool, status: int, body: bytes, expected: int) -> None:
    assert AnswerForm(media_type, standard=standard).status(Answer(status, body)) == expected


async def test_what_cannot_be_accepted_is_406_before_it_runs(standard: Server, database: str) -> None:
    response = await post(standard, database, {"query": "{ mechanics { name } }"}, "text/csv")

    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["classification"] == "ExecutionAborted"


# --- statuses --------------------------------------------------------------------------------------------------------

REFUSED = [
    {"query": "{"},
    {"query": "{ nothing }"},
    {"query": "query ($id: String!) { mechanic(id: $id) { name } }"},
    {"query": "query A { mechanics { name } }", "operationName": "B"},
    {"query": "{ " + "mechanics { name } " * 21 + "}"},
]


@pytest.mark.parametrize("body", REFUSED, ids=lambda body: body["query"][:30])
async def test_refused_operations_have_the_status_of_their_type(body: Any, standard: Server, database: str) -> None:
    plain = await post(standard, database, body)
    typed = await post(standard, database, body, GRAPHQL)

    assert (plain.status_code, typed.status_code) == (200, 400)
    assert plain.json() == typed.json()
    assert "data" not in plain.json()


@pytest.mark.parametrize("body", REFUSED, ids=lambda body: body["query"][:30])
async def test_clients_of_plain_json_get_the_statuses_of_the_standard(body: Any, server: Server, database: str) -> None:
    alone = await post(server, database, body, JSON)
    other = await post(server, database, body)

    assert (alone.status_code, other.status_code) == (200, 400)
    assert alone.json() == other.json()


async def test_a_null_at_the_root_is_200(standard: Server, database: str) -> None:
    response = await post(standard, database, {"query": '{ strict(id: "zz") { name } }'}, GRAPHQL)

    assert (response.status_code, response.json()["data"]) == (200, None)


@pytest.mark.parametrize("member", [{"variables": [1]}, {"operationName": 5}, {"extensions": "x"}, {"variables": "{}"}])
async def test_members_of_wrong_types_are_refused(member: Any, standard: Server, server: Server, database: str) -> None:
    body = {"query": "{ mechanics { name } }"} | member

    assert (await post(standard, database, body)).status_code == 400
    assert (await post(server, database, body)).status_code == 200


async def test_bodies_that_are_no_requests_are_400_in_every_type(standard: Server, database: str) -> None:
    for accept in (JSON, GRAPHQL, "*/*"):
        assert (await post(standard, database, ["{ mechanics { name } }"], accept)).status_code == 400


# --- queries by GET --------------------------------------------------------------------------------------------------


async def get(server: Server, database: str, **parameters: str) -> httpx.Response:
    return await server.client.get(f"/graphql/{database}/workshop", params=parameters, auth=ADMIN)


async def test_queries_are_executed_by_get(standard: Server, database: str) -> None:
    response = await get(
        standard,
        database,
        query="query A($id: String!) { mechanic(id: $id) { name } } query B { mechanics { name } }",
        variables='{"id": "m1"}',
        operationName="A",
    )

    assert (response.status_code, response.json()) == (200, {"data": {"mechanic": {"name": "Ada"}}})


@pytest.mark.parametrize("parameters", [{}, {"query": "{ mechanics { name } }", "variables": "["}, {"variables": "{}"}])
async def test_addresses_without_a_request_are_refused(
    parameters: dict[str, str], standard: Server, database: str
) -> None:
    assert (await get(standard, database, **parameters)).status_code == 400


async def test_nothing_but_queries_is_executed_by_get(standard: Server, database: str) -> None:
    response = await get(standard, database, query="mutation { change { name } }")

    assert (response.status_code, response.headers["allow"]) == (405, "POST, OPTIONS")
    assert (await post(standard, database, {"query": "mutation { change { name } }"})).status_code == 200


async def test_queries_by_get_need_a_key(standard: Server, database: str, store: Store) -> None:
    permission = {"url": f"{database}/other", "permissionMode": "GRAPHQL", "methods": ["POST"]}
    key = await store_key(store, database, "0b7c-elsewhere", permission)
    address = f"/graphql/{database}/workshop?query={{mechanics{{name}}}}"

    assert (await standard.client.get(address)).status_code == 401
    assert (await standard.client.get(address, headers=key)).status_code == 403


async def test_other_methods_name_those_that_are_allowed(standard: Server, database: str) -> None:
    response = await standard.client.put(f"/graphql/{database}/workshop", auth=ADMIN)

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST, OPTIONS")
