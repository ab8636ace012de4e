"""Programs on a real MongoDB: how many calls, within which time, and what becomes of failures."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from content_core.documents import Document
from content_core.errors import StoreTimeoutError, StoreUnavailableError
from content_core.store import FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app.compile.run import run_program
from graphql_app.plan import coerce_variables, parse_operations, select_operation
from graphql_app.run import Outcome
from graphql_app.schema.build import ExecutableApp
from graphql_app.settings import GraphQLSettings
from tests.calls import CallCounter
from tests.graphql_app.compile.workbench import answer_both_ways, compile_text, make_definition, prepare
from tests.graphql_app.conftest import Clock
from tests.graphql_app.query.content import COLLECTION, content_definition, make_content
from tests.graphql_app.query.workshop import build, load_workshop, workshop_definition

CHAIN = "{ mechanics { name jobs { title owner { name ownedJobs { title } } } } }"


async def run(app: ExecutableApp, store: Store, text: str, *, settings: GraphQLSettings | None = None) -> Outcome:
    """Compile an operation and run it."""
    plan = select_operation(app.schema, parse_operations(app.schema, text, max_tokens=1_000, max_errors=1), None)
    variables = coerce_variables(plan, {})
    return await run_program(
        compile_text(app, text), store=store, variables=variables, settings=settings or GraphQLSettings()
    )


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


# --- calls -----------------------------------------------------------------------------------------------------------


async def test_pages_with_pictures_and_products_in_two_languages_take_three_calls(
    store: Store, database: str, counted: Store, counter: CallCounter
) -> None:
    await store.bulk_replace(database, COLLECTION, make_content())
    text = """{ pageRefs(limit: 40) { displayName page { formData {
                  pt_image { value { ... on Media { fileName } } }
                  pt_product { value { target { formData { tt_image { value { ... on Media { fileName } } } } } } }
                } children { children { formData { st_image { value { ... on Media { fileName } } } } } } } } }"""

    outcome = await run(build(content_definition(database)), counted, text)

    assert [call.command for call in counter.calls] == ["find", "find", "find"]
    # 40 pages; 40 pictures, 40 products and 3 teasers in two languages; the products' pictures.
    assert (outcome.calls, outcome.documents, outcome.errors) == (3, 40 + 40 + 40 + 6 + 40, ())
    assert outcome.data is not None
    assert len(outcome.data["pageRefs"]) == 40
    for page in outcome.data["pageRefs"]:
        number, language = page["displayName"].removeprefix("Page ").split(" ")
        form = page["page"]["formData"]
        assert form["pt_image"]["value"]["fileName"] == f"image{number}-{language}"
        product = form["pt_product"]["value"]["target"]
        assert product["formData"]["tt_image"]["value"]["fileName"] == f"picture{number}-{language}"


async def test_each_level_is_a_call(app: ExecutableApp, counted: Store, counter: CallCounter) -> None:
    outcome = await run(app, counted, CHAIN)

    ada = {"name": "Ada", "ownedJobs": [{"title": "Brake pads"}, {"title": "True wheel"}]}
    bo = {"name": "Bo", "ownedJobs": [{"title": "Chain"}]}
    assert outcome.data == {
        "mechanics": [
            {"name": "Ada", "jobs": [{"title": "Brake pads", "owner": ada}]},
            {"name": "Bo", "jobs": [{"title": "Chain", "owner": bo}]},
        ]
    }
    assert [call.collection for call in counter.calls] == ["mechanics", "jobs", "mechanics", "jobs"]


# --- MongoDB's own comparisons ---------------------------------------------------------------------------------------


async def test_a_collation_of_the_collection_decides(
    store: Store, mongo: EmbeddedMongo, database: str, counted: Store, counter: CallCounter
) -> None:
    """Where MongoDB takes ADA for ada, keys that share a call still find what their own query would find."""
    async with AsyncMongoClient[Any](mongo.uri) as client:
        await client[database].create_collection("people", collation={"locale": "en", "strength": 2})
    people: list[Document] = [{"_id": n, "name": name} for n, name in enumerate(["ada", "BO", "Cy"])]
    await store.bulk_replace(database, "people", people)
    await store.bulk_replace(database, "things", [{"_id": n, "by": by} for n, by in enumerate(["ADA", "bo", "x"])])
    person = {"db": database, "collection": "people", "find": {"name": {"$fk": "by"}}}
    active = await prepare(
        store,
        make_definition("type T { by: P } type P { name: String }", {"T": {"by": person}}, tenant=database),
    )

    compiled, interpreted = await answer_both_ways(active, counted, "{ things { by { name } } }")

    assert compiled == {"data": {"things": [{"by": {"name": "ada"}}, {"by": {"name": "BO"}}, {"by": None}]}}
    assert interpreted == compiled
    # A merged call, and one for each key because its documents could not be told apart; both ways alike.
    assert [call.collection for call in counter.calls] == ["things", *["people"] * 4] * 2


KEYS: list[Any] = ["1", 1, 1.0, True, None, [], ["1"], ["1", "2"], [1], [["1"]], {"x": 1}, {}, "", "2", b"1", "1\n"]


@pytest.mark.parametrize(
    ("looks_for", "number"), [({"$fk": "k"}, 0), ({"$in": {"$fk": "k"}}, 6), ({"$in": {"$fk": "ks"}}, 0)]
)
@pytest.mark.parametrize("type_", ["T", "[T]"])
async def test_keys_of_every_type_find_what_graphql_core_finds(
    looks_for: Document, number: int, type_: str, store: Store, database: str
) -> None:
    documents: list[Document] = [{"_id": n, "k": key, "ks": [key, "1"]} for n, key in enumerate(KEYS)]
    await store.bulk_replace(database, "things", [*documents, {"_id": 99}])
    place = {"db": database, "collection": "things", "sort": {"_id": 1}}
    found = (place | {"find": {"k": looks_for}}) if type_ == "[T]" else {**place, "find": {"k": looks_for}}
    if type_ == "T":
        del found["sort"]
    active = await prepare(
        store, make_definition(f"type T {{ _id: Int found: {type_} }}", {"T": {"found": found}}, tenant=database)
    )

    compiled, interpreted = await answer_both_ways(active, store, "{ things { _id found { _id } } }")

    assert compiled == interpreted
    assert compiled["data"]["things"][number]["found"] == (
        {"_id": 0} if type_ == "T" else [{"_id": 0}, {"_id": 6}, {"_id": 7}]
    )


# --- time and failures -----------------------------------------------------------------------------------------------


class _Unwilling(Store):
    """A store with a delay before each read, or an error instead of it.

    On a clock that is put forward, ``takes`` seconds pass as soon as ``at_once`` reads are under way.
    """

    seconds = 0.0
    clock: Clock | None = None
    takes = 0.0
    at_once = 1
    error: Exception | None = None
    fails = "jobs"
    limits: list[int]
    cancelled = 0
    stubborn = False

    async def read(self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0) -> list[Document]:
        self.limits.append(max_time_ms)
        if self.clock is not None and len(self.limits) % self.at_once == 0:
            self.clock.advance(self.takes)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            if not self.stubborn:
                raise
        if self.error is not None and collection == self.fails:
            raise self.error
        return await super().read(database, collection, query, max_time_ms=max_time_ms)


@pytest.fixture
async def unwilling(mongo: EmbeddedMongo) -> AsyncIterator[_Unwilling]:
    store = _Unwilling.open(mongo.uri)
    store.limits = []
    yield store
    await store.close()


async def test_the_time_limit_counts_all_levels_together(
    app: ExecutableApp, unwilling: _Unwilling, clock: Clock
) -> None:
    unwilling.clock, unwilling.takes = clock, 15

    with pytest.raises(StoreTimeoutError, match="Maximum query time limit of 40000ms exceeded"):
        await run(app, unwilling, CHAIN, settings=GraphQLSettings(query_time_limit_ms=40_000))

    assert 1 <= len(unwilling.limits) <= 3
    assert unwilling.limits == sorted(unwilling.limits, reverse=True)
    assert all(0 < limit <= 40_000 - 15_000 * level for level, limit in enumerate(unwilling.limits))


async def test_within_the_limit_nothing_is_cut(app: ExecutableApp, unwilling: _Unwilling) -> None:
    unwilling.seconds = 0.01

    outcome = await run(app, unwilling, CHAIN, settings=GraphQLSettings(query_time_limit_ms=20_000))

    assert outcome.errors == ()
    assert unwilling.cancelled == 0


async def test_reads_under_way_are_cancelled_at_the_limit(
    app: ExecutableApp, unwilling: _Unwilling, clock: Clock
) -> None:
    unwilling.seconds = 300
    unwilling.clock, unwilling.takes, unwilling.at_once = clock, 20, 2

    with pytest.raises(StoreTimeoutError):
        await run(
            app,
            unwilling,
            '{ mechanics { name } mechanic(id: "m1") { name } }',
            settings=GraphQLSettings(query_time_limit_ms=20_000),
        )

    assert unwilling.cancelled == 2


async def test_an_answer_that_comes_in_spite_of_the_limit_is_too_late(
    app: ExecutableApp, unwilling: _Unwilling, clock: Clock
) -> None:
    """Drivers may answer though they were told to stop."""
    unwilling.seconds = 300
    unwilling.clock, unwilling.takes = clock, 20
    unwilling.stubborn = True

    with pytest.raises(StoreTimeoutError, match="Maximum query time limit of 20000ms exceeded"):
        await run(app, unwilling, "{ mechanics { name } }", settings=GraphQLSettings(query_time_limit_ms=20_000))

    assert unwilling.cancelled == 1


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (StoreUnavailableError("gone"), StoreUnavailableError),
        (StoreTimeoutError("too slow"), StoreTimeoutError),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
)
@pytest.mark.parametrize(
    "text", ["{ mechanics { jobs { title } } }", "{ mechanics { boss { name } jobs { id } load { team } } }"]
)
async def test_failures_that_end_a_request(
    raised: Exception, expected: type[Exception], text: str, app: ExecutableApp, unwilling: _Unwilling
) -> None:
    unwilling.error = raised

    with pytest.raises(expected):
        await run(app, unwilling, text)


async def test_so_many_reads_at_a_time(app: ExecutableApp, mongo: EmbeddedMongo) -> None:
    class _Counting(Store):
        now = most = 0

        async def read(
            self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0
        ) -> list[Document]:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.01)
            documents = await super().read(database, collection, query, max_time_ms=max_time_ms)
            self.now -= 1
            return documents

    store = _Counting.open(mongo.uri)
    text = "{ " + " ".join(f'm{n}: mechanic(id: "{n}") {{ name }}' for n in range(12)) + " }"

    outcome = await run(app, store, text, settings=GraphQLSettings(parallel_queries=3))

    await store.close()
    assert (store.most, outcome.calls) == (3, 12)
