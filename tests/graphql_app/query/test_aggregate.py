from dataclasses import replace
from typing import Any

import pytest

from content_core.documents import Document
from graphql_app.query.aggregate import AggregateQuery
from graphql_app.query.arguments import UNBOUND, Scope
from graphql_app.query.batching import distribute, plan_calls
from graphql_app.query.errors import FetchError
from graphql_app.query.find import Load, plan_load
from graphql_app.schema.definition import parse_definition
from graphql_app.schema.mappings import AggregationMapping, Limits, LoaderOptions, QueryMapping
from tests.graphql_app.schema.workshop import small

PLACE = {"db": "acme", "collection": "jobs"}
SCHEMA = "type Query { things: [Thing] } type Thing { id: String all: [Thing] one: Thing }"
PARENT = {"_id": "m1", "ids": [1, None], "nothing": None, "dollar": "$a", "stage": {"$unionWith": "jobs"}}
ROOT = {"_id": "r1", "team": "T1", "odd": {"$gt": ""}}
USER = {"_id": "key", "tenant": "acme", "global": False}
JOBS = {"from": "jobs"}
STAGE = "BLACKLISTED_STAGE operator"
OPERATOR = "BLACKLISTED_OPERATOR operator"
KEPT: Document = {"$match": {"kept": True}}


def mapped(*stages: Any, field: str = "all", **members: Any) -> AggregationMapping:
    """Read a mapping as the definition's reader does."""
    entry = PLACE | {"stages": list(stages)} | members
    document = small(SCHEMA, {"Thing": {field: entry}})
    mapping = parse_definition(document, tenant="acme", limits=Limits()).fields["Thing"][field]
    assert isinstance(mapping, AggregationMapping)
    return mapping


def plan(mapping: AggregationMapping, user: Document | None = None, **arguments: Any) -> Load | None:
    scope = Scope(arguments, PARENT, ROOT, user=user)
    return plan_load(mapping, scope, limits=Limits(max_limit=100), regex_length=20)


def fill(*stages: Any, user: Document | None = None, **arguments: Any) -> list[Document]:
    """Give the filled stages, without the safety limit at the end."""
    load = plan(mapped(*stages), user, **arguments)
    assert load is not None
    assert isinstance(load.query, AggregateQuery)
    assert load.query.stages[-1] == {"$limit": 100}
    return list(load.query.stages[:-1])


def key(mapping: AggregationMapping, **arguments: Any) -> bytes:
    load = plan(mapping, **arguments)
    assert load is not None
    return load.key


def test_no_stages_ask_nothing() -> None:
    assert plan(mapped()) is None


@pytest.mark.parametrize(
    ("option", "arguments", "expected"),
    [
        (["a", KEPT], {}, []),
        (["a", KEPT], {"a": 1}, [KEPT]),
        (["a", KEPT], {"a": None}, [KEPT]),
        (["a", {"$limit": 1}, KEPT], {}, [KEPT]),
        ([["a", "b"], KEPT], {"a": 1}, []),
        ([["a", "b"], KEPT], {"a": 1, "b": 2}, [KEPT]),
        (["a.x[1]", KEPT], {"a": {"x": [1, 2]}}, [KEPT]),
        (["a.x[1]", KEPT], {"a": {"x": [1]}}, []),
        (["rootDoc.team", KEPT], {}, [KEPT]),
        (["rootDoc.nope", KEPT], {}, []),
        (["@user", KEPT], {}, [KEPT]),
        (["@user.tenant", KEPT], {}, []),
        (["a", {"$match": {"x": {"$arg": "a"}}}], {"a": 5}, [{"$match": {"x": 5}}]),
    ],
)
def test_optional_stages_stand_where_all_names_are_bound(
    option: Any, arguments: Document, expected: list[Document]
) -> None:
    assert expected == fill({"$ifarg": option}, **arguments)


def test_malformed_options_fail_the_field() -> None:
    mapping = replace(mapped(KEPT), stages=({"$ifarg": ["a"]},))
    with pytest.raises(FetchError, match="invalid app definition"):
        plan(mapping)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ({"$match": {"a": {"$fk": "_id"}}}, {"$match": {"a": "m1"}}),
        ({"$match": {"a": {"$in": {"$fk": "ids"}}}}, {"$match": {"a": {"$in": [1]}}}),
        ({"$match": {"a": {"$arg": "rootDoc.odd"}}}, {"$match": {"a": {"$eq": {"$gt": ""}}}}),
        ({"$match": {"a": {"$arg": "text"}}}, {"$match": {"a": "$x"}}),
        ({"$match": {"$arg": "filter"}}, {"$match": {"$or": [{"a": 1}]}}),
        ({"$match": {"$arg": ["absent", {"a": 2}]}}, {"$match": {"a": 2}}),
        ({"$match": {"$arg": "none"}}, {"$match": {}}),
        ({"$skip": {"$arg": "n"}}, {"$skip": 3}),
        ({"$sort": {"$arg": "sort"}}, {"$sort": {"b": -1}}),
        ({"$addFields": {"a": {"$arg": "text"}}}, {"$addFields": {"a": {"$literal": "$x"}}}),
        ({"$addFields": {"a": {"$fk": "dollar"}}}, {"$addFields": {"a": {"$literal": "$a"}}}),
        ({"$replaceRoot": {"newRoot": {"$arg": "rootDoc"}}}, {"$replaceRoot": {"newRoot": {"$literal": ROOT}}}),
        ({"$unwind": {"$arg": ["absent", "$parts"]}}, {"$unwind": "$parts"}),
        (
            {"$lookup": JOBS | {"let": {"x": {"$arg": "text"}}, "pipeline": [{"$match": {"a": {"$fk": "_id"}}}]}},
            {"$lookup": JOBS | {"let": {"x": {"$literal": "$x"}}, "pipeline": [{"$match": {"a": "m1"}}]}},
        ),
        (
            {"$graphLookup": JOBS | {"startWith": {"$fk": "dollar"}, "restrictSearchWithMatch": {"$arg": "filter"}}},
            {"$graphLookup": JOBS | {"startWith": {"$literal": "$a"}, "restrictSearchWithMatch": {"$or": [{"a": 1}]}}},
        ),
        ({"$facet": {"f": [{"$skip": {"$arg": "n"}}]}}, {"$facet": {"f": [{"$skip": 3}]}}),
        ({"$arg": ["absent", {"$skip": 1}]}, {"$skip": 1}),
    ],
)  # fmt: skip
def test_stages_are_filled(stage: Document, expected: Document) -> None:
    arguments: dict[str, Any] = {"text": "$x", "filter": {"$or": [{"a": 1}]}, "none": None, "n": 3, "sort": {"b": -1}}
    assert fill(stage, user=None, **arguments) == [expected]


def test_the_user_is_bound_in_aggregations_only() -> None:
    template = {"$match": {"a": {"$arg": "@user"}, "b": {"$arg": "@user.tenant"}, "c": {"$arg": ["@user.x", 0]}}}

    assert fill(template, user=USER) == [{"$match": {"a": USER, "b": "acme", "c": 0}}]
    assert fill({"$match": {"a": {"$arg": "@user"}}}) == [{"$match": {"a": None}}]
    find = QueryMapping("T", "f", "acme", "jobs", find={"a": {"$arg": "@user"}})
    with pytest.raises(FetchError, match="variable @user not bound"):
        plan_load(find, Scope({}, user=USER), limits=Limits(), regex_length=20)


def test_an_unbound_name_fails_the_field() -> None:
    with pytest.raises(FetchError, match="variable nope not bound"):
        fill({"$limit": {"$arg": "nope"}})
    with pytest.raises(FetchError, match=r"variable rootDoc\.x not bound"):
        plan_load(
            mapped({"$match": {"a": {"$arg": "rootDoc.x"}}}),
            Scope({}, PARENT, UNBOUND),
            limits=Limits(),
            regex_length=20,
        )


@pytest.mark.parametrize(
    "stage", [{"$match": {"a": {"$fk": "absent"}}}, {"$match": {"a": {"$in": {"$fk": "nothing"}}}}]
)
def test_a_null_reference_asks_nothing(stage: Document) -> None:
    assert plan(mapped({"$sort": {"a": 1}}, stage, {"$group": {"_id": None}})) is None


@pytest.mark.parametrize("later", [{"$unionWith": "jobs"}, {"$facet": {"f": [{"$limit": 1}]}}])
def test_a_null_reference_lets_nothing_pass_where_later_stages_give_documents(later: Document) -> None:
    nothing: Document = {"$match": {"_id": {"$in": []}}}
    assert fill({"$sort": {"a": 1}}, {"$match": {"a": {"$fk": "absent"}}}, later) == [nothing, later]


def test_a_null_reference_in_a_nested_pipeline_empties_that_pipeline() -> None:
    nested = [{"$limit": 5}, {"$match": {"a": {"$fk": "absent"}}}, {"$limit": 1}]
    filled = fill({"$lookup": {"from": "jobs", "pipeline": nested, "as": "x"}})
    assert filled[0]["$lookup"]["pipeline"] == [{"$match": {"_id": {"$in": []}}}, {"$limit": 1}]


@pytest.mark.parametrize(
    ("stages", "arguments", "last"),
    [
        ([KEPT], {}, {"$limit": 100}),
        ([KEPT, {"$limit": 5000}], {}, {"$limit": 5000}),
        ([{"$limit": 5}, KEPT], {}, {"$limit": 100}),
        ([{"$limit": {"$arg": "n"}}], {"n": 7}, {"$limit": 7}),
        ([{"$limit": {"$arg": "n"}}], {"n": 5000}, {"$limit": 100}),
        ([{"$ifarg": ["n", {"$limit": 3}]}], {}, {"$limit": 100}),
        ([{"$ifarg": ["n", {"$limit": 3}]}], {"n": 1}, {"$limit": 3}),
    ],
)
def test_a_list_ends_in_a_limit(stages: list[Any], arguments: Document, last: Document) -> None:
    load = plan(mapped(*stages), **arguments)
    assert load is not None
    assert isinstance(load.query, AggregateQuery)
    assert load.query.stages[-1] == last


def test_a_single_document_is_asked_for_alone() -> None:
    load = plan(mapped(KEPT, field="one"))
    assert load is not None
    assert not load.plural
    assert load.query == AggregateQuery((KEPT, {"$limit": 1}))


@pytest.mark.parametrize(
    ("stage", "value", "message"),
    [
        ({"$match": {"$arg": "v"}}, {"a": [{"$where": "1"}]}, f"{OPERATOR} '$where' at pipeline[0].$match.a[0]"),
        ({"$arg": "v"}, {"$out": "x"}, f"{STAGE} '$out' at pipeline[0]"),
        ({"$arg": "v"}, {"$lookup": {"from": "secrets"}}, f"{STAGE} '$lookup' at argument v"),
        ({"$facet": {"f": [{"$arg": "v"}]}}, {"$unionWith": "jobs"}, f"{STAGE} '$unionWith' at argument v"),
        (
            {"$unionWith": {"coll": "jobs", "pipeline": {"$arg": "v"}}},
            [{"$graphLookup": {}}],
            f"{STAGE} '$graphLookup' at argument v[0]",
        ),
        ({"$fk": "stage"}, None, f"{STAGE} '$unionWith' at a value"),
        ({"$arg": "v"}, {"$currentOp": {}}, f"{STAGE} '$currentOp' at pipeline[0]"),
    ],
)
def test_values_bring_no_forbidden_stage_and_no_collection(stage: Document, value: Any, message: str) -> None:
    with pytest.raises(FetchError) as caught:
        fill(stage, v=value)
    prefix = "GraphQL aggregation pipeline security violation: Security violation: "
    assert str(caught.value).startswith(prefix + message)
    assert caught.value.code == "OC310"


@pytest.mark.parametrize("value", [5, "x", {"$nope": 1}, {}, None])
def test_what_is_no_stage_fails_the_field(value: Any) -> None:
    with pytest.raises(FetchError, match="malformed aggregation pipeline: "):
        fill({"$arg": "v"}, v=value)


def test_long_patterns_come_from_mappings_only() -> None:
    long = {"$match": {"a": {"$regex": "x" * 21}}}
    assert fill(long) == [long]
    with pytest.raises(FetchError, match="cannot be longer than 20 characters"):
        fill({"$match": {"a": {"$regex": {"$arg": "p"}}}}, p="x" * 21)


def test_equal_pipelines_are_equal_loads() -> None:
    mapping = mapped({"$match": {"a": {"$arg": "n"}}})
    assert key(mapping, n=1) == key(mapping, n=1)
    assert key(mapping, n=1) != key(mapping, n="1")
    assert key(mapping, n=1) != key(replace(mapping, allow_disk_use=True), n=1)


def test_random_pipelines_are_equal_only_where_they_are_cached() -> None:
    mapping = mapped({"$sample": {"size": 1}})
    cached = replace(mapping, loader=LoaderOptions(batching=True, caching=True))
    assert key(mapping) != key(mapping)
    assert key(cached) == key(cached)


def test_an_aggregation_has_a_call_of_its_own() -> None:
    loads = [plan(mapped({"$match": {"a": {"$arg": "n"}}}), n=n) for n in (1, 2)]
    calls = plan_calls([load for load in loads if load is not None], batch_keys=1000)

    assert [len(call.loads) for call in calls] == [1, 1]
    assert [call.query for call in calls] == [load.query for load in loads if load is not None]
    documents: list[Document] = [{"_id": 1}, {"_id": 2}]
    assert distribute(calls[0], documents).found == {calls[0].loads[0].key: documents}
