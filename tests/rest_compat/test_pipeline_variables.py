"""Variables of pipelines: how requests bind them, and how they take their places."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from content_core.errors import PipelineMalformedError, RequestError
from rest_compat.pipeline_variables import check_variables, fill_stages, paging_variables, read_avars
from rest_compat.request import Page, Request, parse_request

Document = dict[str, Any]


def request(**parameters: Any) -> Request:
    query = urlencode(parameters, doseq=True).encode()
    return parse_request({"method": "GET", "path": "/d/c", "headers": [], "query_string": query})


def test_without_avars_nothing_is_bound() -> None:
    assert read_avars(request()) == {}
    assert read_avars(request(avars="{}")) == {}


def test_avars_are_read_leniently_as_bson_values() -> None:
    text = "{t: 'Page', at: {$date: 0}, id: ObjectId('64a51c0de3b1f20f4d7a1001'), sort: {releasedDate: -1}, l: [1, 2]}"

    bound = read_avars(request(avars=text))

    assert bound["t"] == "Page"
    assert bound["at"] == datetime(1970, 1, 1, tzinfo=UTC)
    assert bound["id"] == ObjectId("64a51c0de3b1f20f4d7a1001")
    assert (bound["sort"], bound["l"]) == ({"releasedDate": -1}, [1, 2])


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "[]", "5", "null", '"x"', "{a:", "{a: b}", '{"a": {"$gt": ""}}', '{"$where": "1"}'],
        *['{"a": [[{"$ne": 1}]]}', '{"a": {"b": {"$in": []}}}', '{"a": {"$regex": "x"}}', '{"a": {"$var": "b"}}'],
        *['{"a": {"$regex": "x", "$options": ""}}', "{a: /x/}", '{"a": {"$code": "1"}}', '{"$oid": "x"}'],
        *['{"a": {"$regularExpression": {"pattern": "a", "options": ""}}}', '{"a": {"\\u0024gt": 1}}'],
        *['{"@user": {"_id": "admin"}}', '{"@limit": 1000}', '{"a": ' * 51 + "1" + "}" * 51],
        '{"a": {"$ref": "x", "$id": 1}}',
    ],
)
def test_bad_avars_are_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"illegal avars parameter") as refused:
        read_avars(request(avars=text))

    assert refused.value.status == 400


def test_avars_twice_are_refused() -> None:
    with pytest.raises(RequestError, match="more than once"):
        read_avars(request(avars=["{}", "{}"]))


@pytest.mark.parametrize(
    ("operand", "value"),
    [
        ("name", "x"), ("null", None), ("a.b", 1), ("a.c", [{"d": 2}]), ("a.c.0.d", 2), ("dot.ted", "whole"),
        (["name", "default"], "x"), (["missing", "default"], "default"), (["a.x", {"_id": -1}], {"_id": -1}),
        (["missing", None], None), (["missing", []], []), (["missing", {"$var": "name"}], "x"),
        (["missing", {"$var": ["also", {"$var": "a.b"}]}], 1), ("@page", 3), ("@pagesize", 20), ("@limit", 20),
        ("@skip", 40),
    ],
)  # fmt: skip
def test_a_variable_takes_the_place_of_its_object(operand: Any, value: Any) -> None:
    bound = {"name": "x", "null": None, "a": {"b": 1, "c": [{"d": 2}]}, "dot.ted": "whole"}
    stages: list[Document] = [{"$match": {"f": {"$in": [1, {"$var": operand}]}}}]

    filled = fill_stages(stages, {**bound, **paging_variables(Page(3, 20))})

    assert filled == [{"$match": {"f": {"$in": [1, value]}}}]
    assert stages == [{"$match": {"f": {"$in": [1, {"$var": operand}]}}}], "the definition is not changed"


@pytest.mark.parametrize("name", ["missing", "a.x", "a.b.c", "a.c.1", "a.c.00000000000000001", "a.c.x", "@user", "a."])
def test_unbound_variable_is_named(name: str) -> None:
    with pytest.raises(RequestError) as refused:
        fill_stages([{"$match": {"a": {"$var": name}}}], {"a": {"b": 1, "c": [1]}})

    assert (refused.value.status, refused.value.message) == (400, f"variable {name} not bound")


@pytest.mark.parametrize(
    ("bound", "stages"),
    [
        pytest.param({}, ["after"], id="nothing-bound"),
        pytest.param({"a": 1}, ["one", "after"], id="one-bound"),
        pytest.param({"a": None}, ["one", "after"], id="bound-to-null"),
        pytest.param({"b": 1}, ["after"], id="half-bound"),
        pytest.param({"a": 1, "b": 2}, ["one", "both", "after"], id="both-bound"),
    ],
)
def test_optional_stages_stay_or_go(bound: Document, stages: list[str]) -> None:
    defined: list[Document] = [
        {"$ifvar": ["a", {"$addFields": {"is": "one", "a": {"$var": "a"}}}]},
        {"$ifvar": [["a", "b"], {"$addFields": {"is": "both", "b": {"$var": "b"}}}]},
        {"$addFields": {"is": "after"}},
    ]

    filled = fill_stages(defined, bound)

    assert [stage["$addFields"]["is"] for stage in filled] == stages


def test_optional_stage_has_an_alternative() -> None:
    defined: list[Document] = [{"$ifvar": ["a", {"$limit": {"$var": "a"}}, {"$limit": 5}]}]

    assert fill_stages(defined, {"a": 2}) == [{"$limit": 2}]
    assert fill_stages(defined, {}) == [{"$limit": 5}]


def test_optional_parts_stand_in_any_array_and_with_alternative_anywhere() -> None:
    defined: list[Document] = [
        {"$match": {"$and": [{"a": 1}, {"$ifvar": ["b", {"b": {"$var": "b"}}]}], "c": {"$ifvar": ["c", 1, 2]}}},
        {"$facet": {"x": [{"$ifvar": ["b", {"$limit": 1}, {"$ifvar": ["c", {"$limit": 2}, {"$limit": 3}]}]}]}},
    ]

    assert fill_stages(defined, {"c": 0}) == [
        {"$match": {"$and": [{"a": 1}], "c": 1}}, {"$facet": {"x": [{"$limit": 2}]}},
    ]  # fmt: skip
    with pytest.raises(PipelineMalformedError, match="third element"):
        fill_stages([{"$match": {"$ifvar": ["a", {"b": 1}]}}], {})


BAD_VARIABLES: list[Any] = [None, 5, "", [], ["a"], ["a", 1, 2], [5, 1], ["", 1], {}, {"a": 1}]
BAD_OPTIONS: list[Any] = [None, "a", [], ["a"], [[], 1], [["a", 5], 1], [5, 1], ["a", 1, 2, 3], {}]


@pytest.mark.parametrize(
    "place",
    [
        *[{"$var": operand} for operand in BAD_VARIABLES],
        *[{"$ifvar": operand} for operand in BAD_OPTIONS],
        {"$var": "a", "other": 1},
        {"$ifvar": ["a", 1, 2], "$var": "a"},
    ],
)
def test_malformed_places_are_told(place: Document) -> None:
    """When the pipeline runs, and when it is written: in a branch that nobody takes too."""
    with pytest.raises(PipelineMalformedError) as refused:
        fill_stages([{"$match": {"x": place}}], {"a": 1})
    assert refused.value.status == 422

    for stages in ([{"$match": {"x": [place]}}], [{"$ifvar": ["a", {"$limit": 1}, {"$match": {"x": place}}]}]):
        with pytest.raises(PipelineMalformedError):
            check_variables(stages)


def test_places_are_bounded() -> None:
    stages: list[Document] = [{"$match": {"a": [{"$var": "x"}] * 1_001}}]

    for run in (check_variables, lambda stages: fill_stages(stages, {"x": 1})):
        with pytest.raises(PipelineMalformedError, match="more than 1000"):
            run(stages)
    assert len(fill_stages([{"$match": {"a": [{"$var": "x"}] * 1_000}}], {"x": 1})[0]["$match"]["a"]) == 1_000


def test_depth_is_bounded() -> None:
    stages: list[Document] = [{"$match": {}}]
    for _ in range(200):
        stages = [{"$facet": {"a": stages}}]

    with pytest.raises(PipelineMalformedError, match="levels deep"):
        fill_stages(stages, {})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=4), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES, VALUES)
def test_bound_values_come_through_unchanged(value: Any, other: Any) -> None:
    stages: list[Document] = [{"$match": {"a": {"$var": "v"}, "b": other}}, {"$sort": {"$var": ["w", other]}}]

    assert fill_stages(stages, {"v": value}) == [{"$match": {"a": value, "b": other}}, {"$sort": other}]


@given(st.lists(VALUES, max_size=3))
def test_what_has_no_places_stays_as_it_is(values: list[Any]) -> None:
    stages: list[Document] = [{"$match": {"x": value}} for value in values]

    check_variables(stages)
    assert fill_stages(stages, {}) == stages
