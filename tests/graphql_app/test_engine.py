"""Who answers an operation, and that both ways give one answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from content_core.documents import Document
from content_core.store import FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app.compile.program import compile_operation
from graphql_app.engine import Engine
from graphql_app.registry import ActiveApp
from graphql_app.run import run_plan
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import Answer
from tests.calls import CallCounter
from tests.graphql_app.compile.workbench import make_definition, prepare
from tests.graphql_app.query.workshop import load_workshop, workshop_definition

NESTED = "{ mechanics { name jobs { title owner { name } } } }"
ADA_AND_BO = [
    {"name": "Ada", "jobs": [{"title": "Brake pads", "owner": {"name": "Ada"}}]},
    {"name": "Bo", "jobs": [{"title": "Chain", "owner": {"name": "Bo"}}]},
]


@pytest.fixture
async def active(store: Store, database: str) -> ActiveApp:
    await load_workshop(store, database)
    return await prepare(store, workshop_definition(database))


async def ask(
    active: ActiveApp,
    store: Store,
    text: str,
    variables: Mapping[str, Any] | None = None,
    *,
    settings: GraphQLSettings | None = None,
    **options: Any,
) -> Answer:
    engine = Engine(store=store, settings=settings or GraphQLSettings())
    return await engine.answer(active, text, variables=variables or {}, **options)


def body(answer: Answer) -> Any:
    return orjson.loads(answer.body)


# --- who answers -----------------------------------------------------------------------------------------------------


async def test_queries_are_answered_by_a_compiled_function(active: ActiveApp, store: Store) -> None:
    answer = await ask(active, store, NESTED)

    assert (answer.status, answer.compiled, answer.calls, answer.documents) == (200, True, 3, 2 + 2 + 2)
    assert body(answer) == {"data": {"mechanics": ADA_AND_BO}}


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (GraphQLSettings(compile_queries=False), NESTED),
        (GraphQLSettings(verbose=True), NESTED),
        (GraphQLSettings(), NESTED.replace("{ mechanics", "{ __schema { queryType { name } } mechanics")),
        (GraphQLSettings(), NESTED.replace("{ mechanics", '{ __type(name: "Job") { name } mechanics')),
    ],
)
async def test_graphql_core_answers_the_rest(
    settings: GraphQLSettings, text: str, active: ActiveApp, store: Store
) -> None:
    answer = await ask(active, store, text, settings=settings)

    assert (answer.status, answer.compiled) == (200, False)
    assert body(answer)["data"]["mechanics"] == ADA_AND_BO


async def test_both_ways_give_the_same_bytes(active: ActiveApp, store: Store) -> None:
    text = """query ($full: Boolean!, $id: String!) {
                one: mechanic(id: $id) { ...M } mechanics { ...M team: __typename } }
              fragment M on Mechanic { name phone @include(if: $full) jobs(limit: 1) { id minutes } __typename }"""

    for full in (True, False):
        variables = {"full": full, "id": "m1"}
        compiled = await ask(active, store, text, variables)
        interpreted = await ask(active, store, text, variables, settings=GraphQLSettings(compile_queries=False))

        assert (compiled.compiled, interpreted.compiled) == (True, False)
        assert compiled.body.partition(b',"errors":')[0] == interpreted.body.partition(b',"errors":')[0]
        paths = [
            ["one", "jobs", 0, "minutes"],
            ["mechanics", 0, "jobs", 0, "minutes"],
            ["mechanics", 1, "jobs", 0, "minutes"],
        ]
        for answer in (compiled, interpreted):
            assert sorted((error["path"] for error in body(answer)["errors"]), key=str) == sorted(paths, key=str)
        assert compiled.status == interpreted.status == 200


async def test_a_variable_that_has_no_fitting_value_goes_to_graphql_core(store: Store, database: str) -> None:
    """A variable without a value, where an argument may not be null: an error of the field, not of the request."""
    await store.bulk_replace(database, "things", [{"_id": 1}])
    things = {"db": database, "collection": "things"}
    sdl = "type T { _id: Int } type Query { things(n: Int! = 1): [T] other: [T] }"
    mappings = {"Query": {"things": things | {"find": {"_id": {"$arg": "n"}}}, "other": things}}
    active = await prepare(store, make_definition(sdl, mappings, tenant=database))
    text = "query ($n: Int = 1) { things(n: $n) { _id } other { _id } }"

    fitting = await ask(active, store, text)
    null = await ask(active, store, text, {"n": None})

    assert (fitting.compiled, body(fitting)["data"]) == (True, {"things": [{"_id": 1}], "other": [{"_id": 1}]})
    assert (null.compiled, body(null)["data"]) == (False, {"things": None, "other": [{"_id": 1}]})
    assert [error["path"] for error in body(null)["errors"]] == [["things"]]


async def test_a_condition_that_is_null_goes_to_graphql_core(active: ActiveApp, store: Store) -> None:
    text = "query ($a: Boolean = true) { mechanics { name @include(if: $a) } }"

    usual = await ask(active, store, text)
    null = await ask(active, store, text, {"a": None})
    interpreted = await ask(active, store, text, {"a": None}, settings=GraphQLSettings(compile_queries=False))

    assert usual.compiled
    assert not null.compiled
    assert null == interpreted


@pytest.mark.parametrize(
    "text",
    [
        "mutation { a }",
        "subscription { a }",
        "{ nothing }",
        "{",
        "query A { mechanics { name } } query B { mechanics { id } }",
    ],
)
async def test_what_is_refused_asks_nothing(text: str, active: ActiveApp, mongo: EmbeddedMongo) -> None:
    counter = CallCounter()
    counted = Store.open(mongo.uri, event_listeners=[counter])

    answer = await ask(active, counted, text)

    await counted.close()
    assert answer.status == 400
    assert "data" not in body(answer)
    assert counter.calls == []


# --- compiled once ---------------------------------------------------------------------------------------------------


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what is compiled."""
    compiled: list[str] = []

    def compile_and_record(app: Any, operation: Any, *rest: Any) -> Any:
        compiled.append(operation.name.value if operation.name else "")
        return compile_operation(app, operation, *rest)

    monkeypatch.setattr("graphql_app.compile.programs.compile_operation", compile_and_record)
    return compiled


async def test_an_operation_is_compiled_once(active: ActiveApp, store: Store, compilations: list[str]) -> None:
    engine = Engine(store=store, settings=GraphQLSettings())
    text = "query Q($id: String!) { mechanic(id: $id) { name } }"

    answers = [await engine.answer(active, text, variables={"id": name}) for name in ("m1", "m2", "m1")]

    assert [body(answer)["data"]["mechanic"]["name"] for answer in answers] == ["Ada", "Bo", "Ada"]
    assert compilations == ["Q"]


async def test_each_choice_of_its_conditions_is_compiled_once(
    active: ActiveApp, store: Store, compilations: list[str]
) -> None:
    engine = Engine(store=store, settings=GraphQLSettings())
    text = "query Q($x: Boolean!, $n: Int) { mechanics(limit: $n) { name @skip(if: $x) id } }"

    seen = [
        list(body(await engine.answer(active, text, variables={"x": x, "n": n}))["data"]["mechanics"][0])
        for x, n in [(True, 1), (False, 1), (True, 2), (False, 2)]
    ]

    assert seen == [["id"], ["name", "id"], ["id"], ["name", "id"]]
    assert compilations == ["Q", "Q"]


@pytest.mark.parametrize(
    "text", ["{ mechanics { name jobs { title } } }", '{ mechanic(id: "m1") { name jobs { title } } }']
)
async def test_what_is_kept_of_an_operation_holds_no_documents(
    text: str, active: ActiveApp, store: Store, database: str
) -> None:
    engine = Engine(store=store, settings=GraphQLSettings())
    before = (await engine.answer(active, text)).body

    await store.bulk_replace(database, "mechanics", [{"_id": "m1", "first": "Eve", "jobIds": [13]}])
    after = (await engine.answer(active, text)).body

    assert before.count(b"Ada") == 1
    assert (after.count(b"Ada"), after.count(b'{"name":"Eve","jobs":[{"title":"Chain"}]}')) == (0, 1)


async def test_what_is_refused_is_refused_each_time(active: ActiveApp, store: Store) -> None:
    engine = Engine(store=store, settings=GraphQLSettings())
    text = '{ mechanics(limit: 101) { name } mechanic(id: "m1") { name } }'

    answers = [body(await engine.answer(active, text)) for _ in range(3)]

    assert answers[0]["data"] == {"mechanics": None, "mechanic": {"name": "Ada"}}
    assert len(answers[0]["errors"]) == 1
    assert answers[1] == answers[2] == answers[0]


async def test_requests_at_the_same_time_do_not_mix(active: ActiveApp, store: Store) -> None:
    engine = Engine(store=store, settings=GraphQLSettings())
    text = "query Q($id: String!) { mechanic(id: $id) { name jobs { owner { name } } } }"
    ids = ["m1", "m2"] * 20

    answers = await asyncio.gather(*(engine.answer(active, text, variables={"id": name}) for name in ids))

    names = {"m1": "Ada", "m2": "Bo"}
    for name, answer in zip(ids, answers, strict=True):
        mechanic = {"name": names[name], "jobs": [{"owner": {"name": names[name]}}]}
        assert body(answer) == {"data": {"mechanic": mechanic}}


async def test_versions_of_an_application_share_no_programs(store: Store, database: str, active: ActiveApp) -> None:
    changed = workshop_definition(database)
    changed["mappings"]["Mechanic"]["name"] = "team"
    newer = await prepare(store, changed)
    engine = Engine(store=store, settings=GraphQLSettings())
    text = '{ mechanic(id: "m1") { name } }'

    names = [body(await engine.answer(app, text))["data"]["mechanic"]["name"] for app in (active, newer, active)]

    assert names == ["Ada", "T1", "Ada"]


# --- statuses --------------------------------------------------------------------------------------------------------


class _Slow(Store):
    """A store that takes its time before each read."""

    async def read(self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0) -> list[Document]:
        await asyncio.sleep(0.2)
        return await super().read(database, collection, query, max_time_ms=max_time_ms)


@pytest.fixture
async def slow(mongo: EmbeddedMongo) -> AsyncIterator[Store]:
    opened = _Slow.open(mongo.uri)
    yield opened
    await opened.close()


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("limit", "status"), [(100, 408), (500, 408), (30_000, 200)])
async def test_over_the_time_limit_there_is_no_data(
    limit: int, status: int, compiled: bool, active: ActiveApp, slow: Store
) -> None:
    """Three levels of 0.2 s: each may fit while their sum does not."""
    settings = GraphQLSettings(query_time_limit_ms=limit, compile_queries=compiled)

    answer = await ask(active, slow, NESTED, settings=settings)

    assert answer.status == status
    if status == 408:
        (error,) = body(answer)["errors"]
        assert error["message"] == f"Maximum query time limit of {limit}ms exceeded"
        assert "data" not in body(answer)


@pytest.mark.parametrize("compiled", [True, False])
async def test_null_at_the_root_is_a_bad_request(compiled: bool, active: ActiveApp, store: Store) -> None:
    answer = await ask(
        active, store, '{ strict(id: "zz") { name } }', settings=GraphQLSettings(compile_queries=compiled)
    )

    assert (answer.status, answer.compiled) == (400, compiled)
    assert body(answer)["data"] is None
    assert body(answer)["errors"][0]["path"] == ["strict"]


async def test_an_answer_over_the_bound_is_refused(active: ActiveApp, store: Store) -> None:
    answer = await ask(active, store, NESTED, settings=GraphQLSettings(max_response_bytes=50))

    assert answer.status != 200
    assert "data" not in body(answer)


async def test_the_cost_and_the_calls_are_told_together(active: ActiveApp, store: Store) -> None:
    answer = await ask(active, store, '{ mechanic(id: "m1") { name } }', show_cost=True, explain=True)

    extensions = body(answer)["extensions"]
    assert set(extensions) == {"cost", "explain"}
    assert extensions["explain"]["executor"] == "compiled"
    assert body(answer)["data"] == {"mechanic": {"name": "Ada"}}


async def test_nothing_more_than_asked_is_told(active: ActiveApp, store: Store) -> None:
    assert list(body(await ask(active, store, NESTED))) == ["data"]


async def test_answers_of_the_schema_are_kept(active: ActiveApp, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = 0

    async def run_and_count(*arguments: Any, **options: Any) -> Any:
        nonlocal runs
        runs += 1
        return await run_plan(*arguments, **options)

    monkeypatch.setattr("graphql_app.engine.run_plan", run_and_count)
    engine = Engine(store=store, settings=GraphQLSettings())

    first = await engine.answer(active, "{ __schema { queryType { name } } }")
    second = await engine.answer(active, "{ __schema { queryType { name } } }")

    assert body(first) == body(second) == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    assert runs == 1
