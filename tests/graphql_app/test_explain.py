"""What privileged requests learn of their database calls, by the engine and over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from content_core.store import ChangeFeed, Store
from graphql_app.engine import Engine
from graphql_app.registry import ActiveApp
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.compile.workbench import make_definition, prepare
from tests.graphql_app.http.server import ADMIN, Server, put_definition, serve, store_key
from tests.graphql_app.query.workshop import load_workshop, workshop_definition

SDL = "type T { _id: Int n: Int word: String up: T count: Sum } type Sum { n: Int } type Query { things(n: Int): [T] }"


@pytest.fixture
async def active(store: Store, database: str) -> ActiveApp:
    await store.bulk_replace(
        database, "things", [{"_id": n, "n": n % 10, "word": "w" * 50, "up": f"x{n}"} for n in range(100)]
    )
    place = {"db": database, "collection": "things"}
    mappings = {
        "Query": {"things": place | {"find": {"n": {"$arg": "n"}}, "limit": 50}},
        "T": {
            "up": place | {"find": {"word": {"$fk": "up"}}},
            "count": place | {"stages": [{"$match": {"n": {"$fk": "n"}}}, {"$count": "n"}]},
        },
    }
    return await prepare(store, make_definition(SDL, mappings, tenant=database))


async def explain(store: Store, active: ActiveApp, text: str, settings: GraphQLSettings | None = None) -> Any:
    engine = Engine(store=store, settings=settings or GraphQLSettings())
    answer = await engine.answer(active, text, explain=True)
    assert answer.status == 200
    return orjson.loads(answer.body)["extensions"]["explain"]


async def test_a_filter_without_an_index_examines_the_collection(
    store: Store, active: ActiveApp, database: str
) -> None:
    told = await explain(store, active, "{ things(n: 3) { _id word } }")

    (call,) = told["calls"]
    assert call.pop("milliseconds") > 0
    assert told["executor"] == "compiled"
    assert "COLLSCAN" in call.pop("stages")
    assert call == {
        "fields": ["Query.things"],
        "lookups": 1,
        "database": database,
        "collection": "things",
        "query": {"filter": {"n": 3}, "skip": 0, "limit": 50, "projection": {"_id": 1, "word": 1}},
        "documents": 10,
        "indexes": [],
        "keysExamined": 0,
        "documentsExamined": 100,
    }


async def test_a_filter_with_an_index_examines_what_it_gives(store: Store, active: ActiveApp, database: str) -> None:
    await store.create_index(database, "things", name="by_n", keys=[("n", 1)])

    told = await explain(store, active, "{ things(n: 3) { word } }")

    (call,) = told["calls"]
    assert {"IXSCAN", "FETCH"} <= set(call["stages"])
    assert "COLLSCAN" not in call["stages"]
    assert call["indexes"] == ["by_n"]
    assert (call["documents"], call["keysExamined"], call["documentsExamined"]) == (10, 10, 10)


async def test_merged_lookups_and_aggregations_are_told(store: Store, active: ActiveApp) -> None:
    told = await explain(store, active, "{ things(n: 3) { up { n } count { n } } }")

    by_field = {call["fields"][0]: call for call in told["calls"]}
    assert set(by_field) == {"Query.things", "T.up", "T.count"}
    assert by_field["T.up"]["lookups"] == 10
    assert by_field["T.up"]["query"]["filter"] == {"word": {"$in": [f"x{n}" for n in range(3, 100, 10)]}}
    assert by_field["T.count"]["query"] == {"pipeline": [{"$match": {"n": 3}}, {"$count": "n"}, {"$limit": 1}]}
    assert "COLLSCAN" in by_field["T.count"]["stages"]
    assert by_field["T.count"]["documentsExamined"] == 100


async def test_graphql_core_is_named_where_it_answers(store: Store, active: ActiveApp) -> None:
    told = await explain(store, active, "{ things(n: 3) { word } }", GraphQLSettings(compile_queries=False))

    assert told["executor"] == "graphql-core"
    assert [(call["fields"], call["documents"]) for call in told["calls"]] == [(["Query.things"], 10)]


async def test_without_calls_there_are_none(store: Store, active: ActiveApp) -> None:
    assert await explain(store, active, "{ __typename }") == {"executor": "compiled", "calls": []}


async def test_the_data_is_the_same(store: Store, active: ActiveApp) -> None:
    engine = Engine(store=store, settings=GraphQLSettings())
    text = "{ things(n: 3) { n count { n } } }"

    quiet, loud = await engine.answer(active, text), await engine.answer(active, text, explain=True)

    assert orjson.loads(loud.body)["data"] == orjson.loads(quiet.body)["data"]
    assert "extensions" not in orjson.loads(quiet.body)


# --- who may ask -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def server(store: Store, feed: ChangeFeed, database: str) -> AsyncIterator[Server]:
    async with serve(store, feed) as running:
        await load_workshop(store, database)
        await put_definition(running, store, workshop_definition(database))
        yield running


async def post(server: Server, database: str, value: str | None = "1", **options: Any) -> Any:
    """Ask with the header, and give the extensions of the answer; None if it has none."""
    headers = ({} if value is None else {"X-CaaS-Explain": value}) | options.pop("headers", {})
    body = {"query": "{ mechanics(limit: 1) { name jobs { title } } }"}
    response = await server.client.post(f"/graphql/{database}/workshop", json=body, headers=headers, **options)
    assert response.status_code == 200
    assert response.json()["data"] == {"mechanics": [{"name": "Ada", "jobs": [{"title": "Brake pads"}]}]}
    return response.json().get("extensions")


async def test_the_admin_sees_the_calls(server: Server, database: str) -> None:
    told = await post(server, database, auth=ADMIN)

    assert told["explain"]["executor"] == "compiled"
    assert [(call["collection"], call["fields"]) for call in told["explain"]["calls"]] == [
        ("mechanics", ["Query.mechanics"]),
        ("jobs", ["Mechanic.jobs"]),
    ]


@pytest.mark.parametrize("value", [None, "", "0", "true", "yes"])
async def test_without_the_header_nobody_sees_them(value: str | None, server: Server, database: str) -> None:
    assert await post(server, database, value, auth=ADMIN) is None


@pytest.mark.parametrize(
    ("readable", "is_told"),
    [
        (["/mechanics", "/jobs"], True),
        (["/"], True),
        (["/mechanics"], False),
        (["/jobs"], False),
        (["/other"], False),
        ([], False),
    ],
)
async def test_a_key_has_to_read_every_collection_of_the_application(
    readable: list[str], is_told: bool, server: Server, store: Store, database: str
) -> None:
    """Plans show filters and what was stored: the right to ask the application is not enough."""
    permissions = [{"url": f"{database}/workshop", "permissionMode": "GRAPHQL", "methods": ["POST"]}]
    permissions += [{"url": url, "permissionMode": "PREFIX", "methods": ["GET"]} for url in readable]
    key = await store_key(store, database, f"key-{len(readable)}-{''.join(readable).strip('/')}", *permissions)

    told = await post(server, database, headers=key)

    assert (told is not None) is is_told


async def test_a_key_that_may_write_only_sees_nothing(server: Server, store: Store, database: str) -> None:
    permissions = [
        {"url": f"{database}/workshop", "permissionMode": "GRAPHQL", "methods": ["POST"]},
        {"url": "/", "permissionMode": "PREFIX", "methods": ["POST", "PUT", "PATCH", "DELETE"]},
    ]

    assert await post(server, database, headers=await store_key(store, database, "writer", *permissions)) is None


async def test_a_global_key_of_the_whole_path_sees_the_calls(server: Server, store: Store, database: str) -> None:
    permission = {"url": "/", "permissionMode": "PREFIX", "methods": ["GET", "POST"]}
    key = await store_key(store, None, f"global-{database}", permission)

    told = await post(server, database, headers=key)

    await store.delete_many("caas_admin", "apikeys", filter={"_id": f"global-{database}"})
    assert told is not None
