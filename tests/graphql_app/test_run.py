import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from content_core.documents import Document
from content_core.errors import StoreTimeoutError, StoreUnavailableError
from content_core.store import FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app.plan import PlanRefusedError
from graphql_app.schema.build import ExecutableApp
from graphql_app.settings import GraphQLSettings
from tests.calls import CallCounter
from tests.graphql_app.conftest import Clock
from tests.graphql_app.query.workshop import ask, build, load_workshop, run, workshop_definition
from tests.patience import PATIENCE


@pytest.fixture
def counter() -> CallCounter:
    return CallCounter()


@pytest.fixture
async def counted(mongo: EmbeddedMongo, counter: CallCounter) -> AsyncIterator[Store]:
    store = Store.open(mongo.uri, event_listeners=[counter])
    yield store
    await store.close()


@pytest.fixture
async def app(store: Store, database: str) -> ExecutableApp:
    await load_workshop(store, database)
    return build(workshop_definition(database))


async def test_fields_read_paths_of_their_documents(app: ExecutableApp, store: Store) -> None:
    expected = [
        {"id": "m1", "name": "Ada", "phone": "+49 1", "mainMail": "ada@w.example", "skillCodes": ["brk", "whl"]},
        {"id": "m2", "name": "Bo", "phone": None, "mainMail": None, "skillCodes": []},
    ]

    answer = await ask(app, store, "{ mechanics { id name phone mainMail skillCodes } }")

    assert answer == {"data": {"mechanics": expected}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{ mechanic(id: "zz") { name } }', {"mechanic": None}),
        (
            '{ mechanic(id: "m1") { jobs { title state } } }',
            {"mechanic": {"jobs": [{"title": "Brake pads", "state": "OPEN"}]}},
        ),
        ('{ mechanic(id: "m1") { jobs(state: DONE) { title } } }', {"mechanic": {"jobs": [{"title": "True wheel"}]}}),
        (
            '{ mechanic(id: "m1") { jobs(state: DONE) { title owner { name } } } }',
            {"mechanic": {"jobs": [{"title": "True wheel", "owner": {"name": "Ada"}}]}},
        ),
        (
            "{ mechanics { name jobs { title sameTeam { name } } } }",
            {
                "mechanics": [
                    {"name": "Ada", "jobs": [{"title": "Brake pads", "sameTeam": [{"name": "Ada"}]}]},
                    {"name": "Bo", "jobs": [{"title": "Chain", "sameTeam": [{"name": "Bo"}]}]},
                ]
            },
        ),
        (
            "{ loads { team jobs minutes } }",
            {"loads": [{"team": "m1", "jobs": 2, "minutes": 75}, {"team": "m2", "jobs": 1, "minutes": 20}]},
        ),
        ("{ loads(minMinutes: 25) { team jobs minutes } }", {"loads": [{"team": "m1", "jobs": 2, "minutes": 75}]}),
        ('{ mechanic(id: "m1") { load { jobs minutes } } }', {"mechanic": {"load": {"jobs": 2, "minutes": 75}}}),
        ("{ mechanics(limit: 1) { name } }", {"mechanics": [{"name": "Ada"}]}),
        ("{ mechanics(skip: 1) { name } }", {"mechanics": [{"name": "Bo"}]}),
        ("{ mechanics(limit: 0) { name } }", {"mechanics": [{"name": "Ada"}, {"name": "Bo"}]}),
        ("{ mechanics(limit: null, skip: null) { name } }", {"mechanics": [{"name": "Ada"}, {"name": "Bo"}]}),
        ('{ mechanic(id: "m1") { jobs(limit: null) { id } } }', {"mechanic": {"jobs": [{"id": 11}]}}),
        ("{ mechanics(filter: null, sort: null, limit: 1) { name } }", {"mechanics": [{"name": "Ada"}]}),
        ("{ mechanics(sort: {first: -1}) { name } }", {"mechanics": [{"name": "Bo"}, {"name": "Ada"}]}),
        ("{ paged(options: {limit: 1, skip: 1}) { name } }", {"paged": [{"name": "Bo"}]}),
        ("{ mechanics { boss { name } } }", {"mechanics": [{"boss": None}, {"boss": None}]}),
        (
            """{ a: mechanic(id: "m1") { ...T } b: mechanic(id: "m2") { ...T } }
               fragment T on Mechanic { jobs { sameTeam { name } } }""",
            {"a": {"jobs": [{"sameTeam": [{"name": "Ada"}]}]}, "b": {"jobs": [{"sameTeam": [{"name": "Bo"}]}]}},
        ),
    ],
)  # fmt: skip
async def test_queries_give_the_documented_answers(
    text: str, expected: object, app: ExecutableApp, store: Store
) -> None:
    answer = await ask(app, store, text)

    assert answer == {"data": expected}


async def test_a_filter_by_variable_reaches_the_database(app: ExecutableApp, store: Store) -> None:
    text = "query ($f: BsonDocument) { mechanics(filter: $f) { name } }"

    answer = await ask(app, store, text, {"f": {"team": {"$ne": "T1"}}})

    assert answer == {"data": {"mechanics": [{"name": "Bo"}]}}


async def test_a_filter_cannot_smuggle_references_in(app: ExecutableApp, store: Store) -> None:
    text = "query ($f: BsonDocument) { mechanics(filter: $f) { name } }"

    answer = await ask(app, store, text, {"f": {"_id": {"$fk": "_id"}}})

    assert answer["data"] == {"mechanics": None}
    assert answer["errors"][0]["extensions"] == {"classification": "DataFetchingException", "code": "OC504"}


@pytest.mark.parametrize(
    ("text", "variables", "cause"),
    [
        ("{ mechanics(limit: 101) { name } }", {}, "Query variable cannot be greater than 100"),
        ("{ mechanics(skip: -1) { name } }", {}, "skip cannot be negative"),
        ("{ paged { name } }", {}, "variable options.limit not bound"),
        (
            "query ($f: BsonDocument) { mechanics(filter: $f) { name } }",
            {"f": {"$or": [{"a": 1}, {"$WHERE": "1"}]}},
            "the operator $WHERE is not allowed",
        ),
    ],
)
async def test_a_refused_query_is_an_error_of_its_field(
    text: str, variables: Any, cause: str, app: ExecutableApp, store: Store
) -> None:
    answer = await ask(app, store, text, variables)
    field = next(iter(answer["data"]))

    assert answer["data"] == {field: None}
    assert answer["errors"][0]["message"] == f"Exception while fetching data (/{field}) : {cause}"
    assert answer["errors"][0]["path"] == [field]
    assert answer["errors"][0]["extensions"]["classification"] == "DataFetchingException"


async def test_a_field_error_leaves_its_siblings(app: ExecutableApp, store: Store) -> None:
    answer = await ask(app, store, '{ mechanics(limit: 101) { name } mechanic(id: "m1") { name } }')

    assert answer["data"] == {"mechanics": None, "mechanic": {"name": "Ada"}}


async def test_a_value_of_the_wrong_type_names_its_path(app: ExecutableApp, store: Store) -> None:
    answer = await ask(app, store, '{ mechanic(id: "m1") { jobs { minutes } } }')

    assert answer["data"] == {"mechanic": {"jobs": [{"minutes": None}]}}
    assert answer["errors"][0]["message"].startswith("Can't serialize value (/mechanic/jobs[0]/minutes) : ")


async def test_null_in_a_non_null_field_empties_the_object(app: ExecutableApp, store: Store) -> None:
    answer = await ask(app, store, "{ mechanics { mustName jobs { title } } }")

    assert answer["data"] == {"mechanics": [None, None]}
    assert {error["extensions"]["classification"] for error in answer["errors"]} == {"NullValueInNonNullableField"}


async def test_null_at_the_root_leaves_no_data(app: ExecutableApp, store: Store) -> None:
    outcome = await run(app, store, '{ strict(id: "zz") { name } mechanics { jobs { title } } }')

    assert outcome.data is None
    assert len(outcome.errors) == 1


async def test_wrong_variables_are_refused_before_anything_runs(
    app: ExecutableApp, counted: Store, counter: CallCounter
) -> None:
    with pytest.raises(PlanRefusedError) as refused:
        await run(app, counted, "query ($f: BsonDocument) { mechanics(filter: $f) { name } }", {"f": [1]})

    assert refused.value.refusal.value == "ValidationError"
    assert counter.calls == []


class _Slow(Store):
    """A store whose MongoDB takes its time: all of it as soon as there are two queries."""

    clock: Clock
    asked = 0
    cancelled = 0

    async def read(self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0) -> list[Document]:
        self.asked += 1
        if self.asked == 2:
            self.clock.advance(20)
        try:
            await asyncio.sleep(300)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await super().read(database, collection, query, max_time_ms=max_time_ms)


async def test_the_time_limit_ends_the_request_and_its_queries(
    app: ExecutableApp, mongo: EmbeddedMongo, clock: Clock
) -> None:
    slow = _Slow.open(mongo.uri)
    slow.clock = clock
    settings = GraphQLSettings(query_time_limit_ms=20_000)

    with pytest.raises(StoreTimeoutError, match="Maximum query time limit of 20000ms exceeded"):
        await run(app, slow, '{ mechanics { name } mechanic(id: "m1") { name } }', settings=settings)

    assert slow.cancelled == 2
    await slow.close()


class _Failing(Store):
    """A store whose MongoDB fails in a given way."""

    error: Exception = StoreUnavailableError("MongoDB cannot be reached")
    limit = 0

    async def read(self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0) -> list[Document]:
        self.limit = max_time_ms
        raise self.error


@pytest.fixture
async def failing(mongo: EmbeddedMongo) -> AsyncIterator[_Failing]:
    store = _Failing.open(mongo.uri)
    yield store
    await store.close()


async def test_mongodb_itself_hears_of_the_time_limit(app: ExecutableApp, failing: _Failing) -> None:
    failing.error = StoreTimeoutError("it took too long")

    with pytest.raises(StoreTimeoutError, match="Maximum query time limit of 20000ms exceeded"):
        await run(app, failing, "{ mechanics { name } }", settings=GraphQLSettings(query_time_limit_ms=20_000))

    assert 0 < failing.limit <= 20_000


async def test_a_database_that_is_away_ends_the_request(app: ExecutableApp, failing: _Failing) -> None:
    with pytest.raises(StoreUnavailableError):
        await run(app, failing, "{ mechanics { name } unlimited { name } }")


async def test_an_unexpected_failure_ends_the_request(app: ExecutableApp, failing: _Failing) -> None:
    failing.error = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        await run(app, failing, "{ mechanics { name } }")


async def test_no_task_is_left_when_a_null_cuts_fields_off(app: ExecutableApp, store: Store) -> None:
    def own_tasks() -> set[asyncio.Task[Any]]:
        """The driver has tasks that come and go as they like."""
        codes: dict[asyncio.Task[Any], Any] = {
            task: getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks()
        }
        return {task for task, code in codes.items() if code is None or "/pymongo/" not in code.co_filename}

    before = own_tasks()

    await run(app, store, '{ strict(id: "zz") { name } mechanics { name jobs { owner { name } } } }')
    async with asyncio.timeout(PATIENCE):  # those that were cancelled take a turn or two
        while own_tasks() != before:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


class _Stubborn(Store):
    """A store that knows nobody, and of the others answers all the same when it is told to stop, as drivers may."""

    answered = 0

    async def read(self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0) -> list[Document]:
        if query.filter:
            return []
        try:
            await asyncio.sleep(300)
        except asyncio.CancelledError:
            self.answered += 1
        return [{"_id": "late"}]


async def test_an_answer_that_nobody_waits_for_any_more_is_dropped(app: ExecutableApp, mongo: EmbeddedMongo) -> None:
    stubborn = _Stubborn.open(mongo.uri)

    outcome = await run(app, stubborn, '{ strict(id: "zz") { name } unlimited { name } }')

    assert outcome.data is None
    assert stubborn.answered == 1
    await stubborn.close()


async def test_equal_queries_are_sent_once(app: ExecutableApp, counted: Store, counter: CallCounter) -> None:
    text = '{ a: mechanic(id: "m1") { name } b: mechanic(id: "m1") { first: name jobs { owner { name } } } }'

    answer = await ask(app, counted, text)

    assert answer["data"] == {"a": {"name": "Ada"}, "b": {"first": "Ada", "jobs": [{"owner": {"name": "Ada"}}]}}
    assert [call.collection for call in counter.calls] == ["mechanics", "jobs"]


async def test_lists_by_key_share_a_call(app: ExecutableApp, counted: Store, counter: CallCounter) -> None:
    answer = await ask(app, counted, "{ mechanics { jobs { title } } }")

    assert answer["data"] == {"mechanics": [{"jobs": [{"title": "Brake pads"}]}, {"jobs": [{"title": "Chain"}]}]}
    assert [call.collection for call in counter.calls] == ["mechanics", "jobs"]


async def test_lists_that_a_limit_cuts_share_a_union(app: ExecutableApp, counted: Store, counter: CallCounter) -> None:
    await ask(app, counted, "{ mechanics { ownedJobs { title } } }")

    assert [call.collection for call in counter.calls] == ["mechanics", "jobs"]


async def test_a_null_reference_asks_nothing(app: ExecutableApp, counted: Store, counter: CallCounter) -> None:
    await ask(app, counted, "{ mechanics { boss { name } } }")

    assert len(counter.calls) == 1
