from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId

from content_core.documents import Document
from content_core.store import FindQuery
from graphql_app.query.arguments import Scope
from graphql_app.query.batching import Call, distribute, plan_calls
from graphql_app.query.find import Load, plan_load
from graphql_app.query.matching import UndecidedError, read_condition
from graphql_app.schema.mappings import Limits, LoaderOptions, QueryMapping


def reference(key: Any, types: Any, language: str, *, collection: str = "content") -> Load:
    find = {"identifier": {"$fk": "id"}, "fsType": types, "locale.language": {"$arg": "rootDoc.language"}}
    mapping = QueryMapping("T", "f", "acme", collection, find=find, limit=1)
    return _plan(mapping, {"id": key}, {"language": language})


def listed(keys: list[Any], *, limit: int = 10, sort: Document | None = None) -> Load:
    mapping = QueryMapping(
        "T", "f", "acme", "jobs", find={"_id": {"$in": {"$fk": "ids"}}}, limit=limit, sort=sort, plural=True
    )
    return _plan(mapping, {"ids": keys}, None)


def _plan(mapping: QueryMapping, source: Any, root: Any) -> Load:
    load = plan_load(mapping, Scope({}, source, root), limits=Limits(), regex_length=1000)
    assert load is not None
    return load


def query_of(call: Call) -> FindQuery:
    assert isinstance(call.query, FindQuery)
    return call.query


def merged(*loads: Load) -> Call:
    (call,) = plan_calls(loads, batch_keys=1000)
    return call


def test_lookups_of_two_languages_and_two_types_are_one_call() -> None:
    call = merged(
        reference("a", {"$in": ["PageRef", "Media"]}, "de"),
        reference("b", {"$in": ["PageRef", "Media"]}, "de"),
        reference("c", "Dataset", "de"),
        reference("a", {"$in": ["PageRef", "Media"]}, "en"),
    )

    assert query_of(call).filter == {
        "$or": [
            {"identifier": {"$in": ["a", "b"]}, "fsType": {"$in": ["PageRef", "Media"]}, "locale.language": "de"},
            {"identifier": "c", "fsType": "Dataset", "locale.language": "de"},
            {"identifier": "a", "fsType": {"$in": ["PageRef", "Media"]}, "locale.language": "en"},
        ]
    }


def test_a_single_group_needs_no_or() -> None:
    call = merged(reference("a", "Media", "de"), reference("b", "Media", "de"))

    assert query_of(call).filter == {"identifier": {"$in": ["a", "b"]}, "fsType": "Media", "locale.language": "de"}


def test_a_lone_lookup_is_its_own_query() -> None:
    load = reference("a", "Media", "de")

    assert merged(load).query == load.query


def test_collections_are_asked_apart() -> None:
    loads = [reference(key, "Media", "de", collection=name) for name in ("one", "two") for key in "ab"]

    assert [call.collection for call in plan_calls(loads, batch_keys=1000)] == ["one", "two"]


def test_calls_hold_a_bounded_number_of_keys() -> None:
    loads = [reference(f"k{n}", "Media", "de") for n in range(25)]

    assert [len(call.loads) for call in plan_calls(loads, batch_keys=10)] == [10, 10, 5]


@pytest.mark.parametrize("key", [{"x": 1}, [1], float("nan"), float("inf")])
def test_keys_that_cannot_be_compared_in_memory_are_asked_alone(key: Any) -> None:
    loads = [reference(key, "Media", "de"), reference("b", "Media", "de"), reference("c", "Media", "de")]

    assert sorted(len(call.loads) for call in plan_calls(loads, batch_keys=1000)) == [1, 2]


@pytest.mark.parametrize(
    ("loader", "sizes"),
    [
        (LoaderOptions(batching=True, max_batch_size=2), [2, 2, 1]),
        (LoaderOptions(batching=True), [5]),
        (LoaderOptions(max_batch_size=2), [5]),
    ],
)
def test_loads_of_a_field_share_calls_up_to_its_batch_size(loader: LoaderOptions, sizes: list[int]) -> None:
    mapping = QueryMapping("T", "f", "acme", "content", find={"_id": {"$fk": "id"}}, loader=loader)
    loads = [_plan(mapping, {"id": n}, None) for n in range(5)]

    assert [len(call.loads) for call in plan_calls(loads, batch_keys=1000)] == sizes


def test_a_batch_size_does_not_part_the_loads_of_other_fields() -> None:
    loader = LoaderOptions(batching=True, max_batch_size=2)
    small = QueryMapping("T", "f", "acme", "content", find={"_id": {"$fk": "id"}}, loader=loader)
    other = QueryMapping("T", "g", "acme", "content", find={"_id": {"$fk": "id"}})
    loads = [_plan(mapping, {"id": f"{n}{mapping.field_name}"}, None) for n in range(4) for mapping in (small, other)]

    calls = plan_calls(loads, batch_keys=1000)

    assert [[load.field for load in call.loads].count("T.f") for call in calls] == [2, 2]
    assert [[load.field for load in call.loads].count("T.g") for call in calls] == [4, 0]


def test_lists_share_a_call_in_one_order_only() -> None:
    loads = [listed([1, 2], sort={"_id": 1}), listed([3], sort={"_id": 1}), listed([4], sort={"_id": -1})]

    calls = plan_calls(loads, batch_keys=1000)

    assert sorted((query_of(call).sort, len(call.loads)) for call in calls) == [((("_id", -1),), 1), ((("_id", 1),), 2)]


def test_a_list_that_its_limit_could_cut_is_asked_alone() -> None:
    calls = plan_calls([listed([1, 2, 3], limit=2), listed([4]), listed([5])], batch_keys=1000)

    assert sorted(len(call.loads) for call in calls) == [1, 2]


def doc(identifier: Any, fs_type: str = "Media", language: str = "de") -> Document:
    return {"_id": ObjectId(), "identifier": identifier, "fsType": fs_type, "locale": {"language": language}}


def test_documents_go_to_the_lookups_that_they_answer() -> None:
    loads = [reference("a", "Media", "de"), reference("a", "Media", "en"), reference("b", "Media", "de")]
    german, english = doc("a"), doc("a", language="en")

    distribution = distribute(merged(*loads), [english, german])

    assert [distribution.found[load.key] for load in loads] == [[german], [english], []]
    assert distribution.unsettled == ()


def test_a_key_with_two_documents_is_unsettled() -> None:
    loads = [reference("a", "Media", "de"), reference("b", "Media", "de")]

    distribution = distribute(merged(*loads), [doc("a"), doc("a"), doc("b")])

    assert distribution.unsettled == (loads[0],)
    assert list(distribution.found) == [loads[1].key]


def test_an_answer_that_may_be_cut_settles_nothing() -> None:
    call = merged(reference("a", "Media", "de"), reference("b", "Media", "de"))

    assert distribute(call, [doc("a")] * query_of(call).limit).unsettled == call.loads


def test_a_document_that_nobody_asked_for_settles_nothing() -> None:
    call = merged(reference("a", "Media", "de"), reference("b", "Media", "de"))

    assert distribute(call, [doc("A")]).unsettled == call.loads


@pytest.mark.parametrize(
    ("part", "document", "expected"),
    [
        (1, {"a": 1}, True),
        (1, {"a": 1.0}, True),
        (1, {"a": Int64(1)}, True),
        (1, {"a": Decimal128("1.0")}, True),
        (1, {"a": True}, False),
        (1, {"a": "1"}, False),
        (1, {"a": float("nan")}, False),
        (1, {"a": Decimal128("NaN")}, False),
        (True, {"a": 1}, False),
        ("x", {"a": ["y", "x"]}, True),
        ("x", {"a": [["x"]]}, False),
        ("x", {"a": {"b": "x"}}, False),
        (None, {}, True),
        (None, {"a": None}, True),
        (None, {"a": []}, False),
        (None, {"a": [None]}, True),
        ({"$in": [1, "x"]}, {"a": "x"}, True),
        ({"$in": []}, {"a": "x"}, False),
    ],
)
def test_conditions_compare_as_mongodb_does(part: Any, document: Document, expected: bool) -> None:
    condition = read_condition("a", part)

    assert condition is not None
    assert condition.matches(document) is expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"a": {"b": 1}}, True),
        ({"a": [{"b": 2}, {"b": [1]}]}, True),
        ({"a": [[{"b": 1}]]}, False),
        ({"a": 1}, False),
        ({}, False),
    ],
)
def test_paths_lead_through_lists_of_documents(document: Document, expected: bool) -> None:
    condition = read_condition("a.b", 1)

    assert condition is not None
    assert condition.matches(document) is expected


def test_null_behind_a_list_is_left_to_mongodb() -> None:
    condition = read_condition("a.b", None)

    assert condition is not None
    with pytest.raises(UndecidedError):
        condition.matches({"a": [{"c": 1}]})


@pytest.mark.parametrize(
    ("path", "part"), [("a.0", 1), ("a", {"$gt": 1}), ("a", [1]), ("$or", [{}]), ("a..b", 1), ("a", {"$in": [[1]]})]
)
def test_other_conditions_are_not_simple(path: str, part: Any) -> None:
    assert read_condition(path, part) is None
