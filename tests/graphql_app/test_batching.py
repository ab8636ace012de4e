"""How many database calls a query makes, and that merging them cannot be seen in its answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_core.documents import Document
from content_core.store import FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app import run as run_module
from graphql_app.query.batching import Call
from graphql_app.schema.build import ExecutableApp
from graphql_app.settings import GraphQLSettings
from tests.calls import CallCounter
from tests.graphql_app.query.content import COLLECTION, content_definition, make_content
from tests.graphql_app.query.workshop import ask, build

NESTED = """
query { pageRefs(limit: 40) {
  displayName locale { identifier }
  page {
    formData {
      pt_image { value { ... on Media { _id fileName } } }
      pt_product { value { target { _id formData { tt_image { value { ... on Media { fileName } } } } } } }
    }
    children { children { formData { st_image { value { ... on Media { fileName } } } } } }
  } } }
"""
DEEP = """
query { pageRefs(limit: 40) {
  page { formData { pt_related { value { target { formData {
    tt_image { value { ... on Media { fileName } } }
    tt_home { value { ... on PageRef { page {
      formData { pt_image { value { ... on Media { fileName } } } pt_product { value { target { displayName } } } }
      children { children { formData { st_image { value { ... on Media { fileName } } } } } } } } } }
  } } } } } } }
  medias(limit: 3) { fileName } }
"""


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
    await store.bulk_replace(database, COLLECTION, make_content())
    return build(content_definition(database))


async def test_pages_with_pictures_and_products_in_two_languages_take_three_calls(
    app: ExecutableApp, counted: Store, counter: CallCounter
) -> None:
    answer = await ask(app, counted, NESTED)
    pages = answer["data"]["pageRefs"]

    assert "errors" not in answer
    assert len(pages) == 40
    assert [call.command for call in counter.calls] == ["find", "find", "find"]
    for page in pages:
        number, language = page["displayName"].removeprefix("Page ").split(" ")
        form = page["page"]["formData"]
        assert form["pt_image"]["value"]["fileName"] == f"image{number}-{language}"
        product = form["pt_product"]["value"]["target"]
        assert product["formData"]["tt_image"]["value"]["fileName"] == f"picture{number}-{language}"


async def test_fields_at_different_depths_share_the_calls_of_their_level(
    app: ExecutableApp, counted: Store, counter: CallCounter
) -> None:
    """Two roots, a list of products, and below it references that lead back to pages with references of their own."""
    answer = await ask(app, counted, DEEP)

    assert "errors" not in answer
    # Two roots; products; their pictures and pages; the pages' pictures (their products are known already).
    assert len(counter.calls) == 5


async def test_levels_wait_for_the_slowest_of_the_last(app: ExecutableApp, mongo: EmbeddedMongo) -> None:
    """One root answers later than the other: the references below both still share one call."""

    class _Uneven(Store):
        asked: list[Any]

        async def read(
            self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0
        ) -> list[Document]:
            self.asked.append(query.filter)
            if "de" in str(query.filter):
                await asyncio.sleep(0.05)
            return await super().read(database, collection, query, max_time_ms=max_time_ms)

    store = _Uneven.open(mongo.uri)
    store.asked = []
    text = """query ($de: BsonDocument, $en: BsonDocument) {
      a: pageRefs(filter: $de) { page { formData { pt_image { value { ... on Media { fileName } } } } } }
      b: pageRefs(filter: $en) { page { formData { pt_image { value { ... on Media { fileName } } } } } } }"""

    await ask(app, store, text, {"de": {"locale.language": "de"}, "en": {"locale.language": "en"}})

    assert len(store.asked) == 3
    assert len(store.asked[2]["$or"]) == 2
    await store.close()


async def test_many_keys_are_split_over_calls(app: ExecutableApp, counted: Store, counter: CallCounter) -> None:
    text = "{ pageRefs(limit: 40) { page { formData { pt_image { value { ... on Media { fileName } } } } } } }"

    answer = await ask(app, counted, text, settings=GraphQLSettings(batch_keys=15))

    assert len(counter.calls) == 1 + 3
    assert len(answer["data"]["pageRefs"]) == 40


async def test_a_key_that_is_not_unique_is_asked_alone(
    app: ExecutableApp, store: Store, database: str, counted: Store, counter: CallCounter
) -> None:
    text = "{ pageRefs(limit: 40) { page { formData { pt_image { value { ... on Media { _id } } } } } } }"
    twin = (await store.find(database, COLLECTION, FindQuery(filter={"_id": "image0.de_DE"})))[0]
    await store.insert(database, COLLECTION, twin | {"_id": "zwilling"})

    answer = await ask(app, counted, text)

    assert len(counter.calls) == 3
    assert answer["data"]["pageRefs"][0]["page"]["formData"]["pt_image"]["value"]["_id"] == "image0.de_DE"


async def test_a_merged_call_that_is_refused_is_taken_apart(
    app: ExecutableApp, mongo: EmbeddedMongo, database: str
) -> None:
    from content_core.errors import QueryRefusedError

    class _NoMerging(Store):
        async def read(
            self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0
        ) -> list[Document]:
            if "$or" in query.filter:
                raise QueryRefusedError("too much of it")
            return await super().read(database, collection, query, max_time_ms=max_time_ms)

    store = _NoMerging.open(mongo.uri)

    answer = await ask(app, store, NESTED)

    assert "errors" not in answer
    assert answer["data"]["pageRefs"][7]["page"]["formData"]["pt_image"]["value"]["fileName"] is not None
    await store.close()


# --- merged or not, the answer is the same ---------------------------------------------------------------------------

_PROPERTY_SDL = """
type Thing { _id: Int one: Thing many: [Thing] cut: [Thing] code: Thing flag: Thing }
type Query { things: [Thing] }
"""

_scalar = st.sampled_from([0, 1, 1.0, True, "1", None])
_value = st.one_of(_scalar, _scalar, st.lists(_scalar, max_size=3), st.fixed_dictionaries({"x": _scalar}))
_parts = st.lists(st.one_of(_scalar, st.fixed_dictionaries({}, optional={"k": _value})), max_size=2)
_part = st.one_of(st.fixed_dictionaries({"k": _value}), _parts, _scalar)
_thing = st.fixed_dictionaries(
    {"ref": _value, "refs": st.lists(_scalar, max_size=3), "k": _value},
    optional={"in": _part, "s": st.sampled_from([1, "a", None])},
)


def _things(tenant: str) -> Document:
    place = {"db": tenant, "collection": "things"}
    mappings = {
        "one": place | {"find": {"k": {"$fk": "ref"}, "s": {"$arg": ["rootDoc.s", None]}}},
        "many": place
        | {"find": {"k": {"$in": {"$fk": "refs"}}, "s": {"$in": [1, "a", None]}}, "sort": {"_id": 1}, "limit": 3},
        "cut": place | {"find": {"_id": {"$in": {"$fk": "refs"}}}, "sort": {"_id": -1}, "limit": 2},
        "code": place | {"find": {"_id": {"$fk": "ref"}, "in.k": {"$arg": ["rootDoc.in.k", None]}}},
        "flag": place | {"find": {"in.k": {"$fk": "k"}}},
    }
    return {
        "_id": f"{tenant}___things",
        "schema": _PROPERTY_SDL,
        "mappings": {"Thing": mappings, "Query": {"things": place | {"sort": {"_id": 1}, "limit": 100}}},
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(things=st.lists(_thing, min_size=2, max_size=12))
async def test_merged_calls_answer_as_single_ones(things: list[Document], store: Store, database: str) -> None:
    await store.drop_collection(database, "things")
    await store.bulk_replace(database, "things", [thing | {"_id": n} for n, thing in enumerate(things)])
    app = build(_things(database))
    text = """{ things { _id one { _id one { _id many { _id } } } many { _id code { _id } } cut { _id }
                code { _id } flag { _id flag { _id } } } }"""

    merged = await ask(app, store, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "plan_calls", _one_by_one)
        single = await ask(app, store, text)

    assert merged["data"] == single["data"]
    assert _told(merged) == _told(single)


def _one_by_one(loads: Any, *, batch_keys: int) -> list[Call]:
    return [Call(load.database, load.collection, load.query, (load,)) for load in loads]


def _told(answer: Any) -> list[tuple[str, str]]:
    return sorted((str(error["path"]), error["message"]) for error in answer.get("errors", []))
