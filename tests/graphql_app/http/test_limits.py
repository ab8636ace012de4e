"""Limits and budgets as clients meet them: the settings reach the guards, and the answers say what was too much."""

from typing import Any

import httpx
import pytest

from content_core.store import ChangeFeed, Store
from graphql_app.plan import Bounds
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.http.server import ADMIN, Server, put_definition, serve
from tests.graphql_app.query.workshop import load_workshop, workshop_definition

QUERY = "{ mechanics { name boss { name } } }"


async def post(
    server: Server, database: str, query: str, headers: dict[str, str] | None = None, **members: Any
) -> httpx.Response:
    body = {"query": query, **members}
    return await server.client.post(f"/graphql/{database}/workshop", json=body, auth=ADMIN, headers=headers or {})


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        (GraphQLSettings(max_tokens=5), "max_tokens"),
        (GraphQLSettings(bounds=Bounds(max_depth=1)), "max_depth"),
        (GraphQLSettings(bounds=Bounds(max_fields=3)), "max_fields"),
        (GraphQLSettings(max_cost=49), "max_cost"),
        (GraphQLSettings(max_input_values=0), "max_input_values"),
        (GraphQLSettings(max_response_bytes=60), "max_response_bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_settings_reach_their_guards(
    settings: GraphQLSettings, limit: str, store: Store, feed: ChangeFeed, database: str
) -> None:
    async with serve(store, feed, settings) as server:
        await load_workshop(store, database)
        await put_definition(server, store, workshop_definition(database))

        response = await post(server, database, QUERY, variables={"nobody": 1})

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"]["limit"] == limit
    assert error["extensions"]["code"] == ("COST_LIMIT" if limit == "max_cost" else "OC303")
    assert "data" not in response.json()


@pytest.mark.parametrize(("budget", "status"), [(50, 200), (49, 400)])
async def test_an_application_has_a_budget_of_its_own(
    budget: int, status: int, store: Store, feed: ChangeFeed, database: str
) -> None:
    async with serve(store, feed, GraphQLSettings(max_cost=10 if status == 200 else 50_000)) as server:
        await load_workshop(store, database)
        await put_definition(server, store, workshop_definition(database, maxCost=budget))

        response = await post(server, database, QUERY)

    assert response.status_code == status


async def test_cost_is_told_to_those_who_ask(server: Server, database: str) -> None:
    told = await post(server, database, QUERY, {"X-CaaS-Cost": "1"})
    untold = await post(server, database, QUERY)

    assert told.json() == untold.json() | {"extensions": {"cost": 50}}
    assert "extensions" not in untold.json()


async def test_answers_about_the_schema_are_kept(server: Server, database: str, store: Store) -> None:
    question = "query ($d: Boolean!) { __schema { types { name fields(includeDeprecated: $d) { name } } } }"
    first = await post(server, database, question, variables={"d": True})
    again = await post(server, database, question, variables={"d": True})
    await put_definition(server, store, workshop_definition(database, sdl=_with_a_field()))
    later = await post(server, database, question, variables={"d": True})

    assert first.content == again.content
    assert (b"laterField" in first.content, b"laterField" in later.content) == (False, True)


async def test_kept_answers_tell_variables_apart(server: Server, database: str) -> None:
    question = "query ($name: String!) { __type(name: $name) { name } }"

    names = [
        (await post(server, database, question, variables={"name": name})).json()["data"]["__type"]["name"]
        for name in ("Job", "Mechanic", "Job")
    ]

    assert names == ["Job", "Mechanic", "Job"]


def _with_a_field() -> str:
    schema: str = workshop_definition("any")["schema"]
    return schema.replace("type Job  {", "type Job  { laterField: String")
