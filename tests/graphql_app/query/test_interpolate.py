from datetime import UTC, datetime
from typing import Any

import pytest
from bson import DBRef

from graphql_app.query.arguments import UNBOUND, Scope
from graphql_app.query.errors import EmptyRelationError, FetchError
from graphql_app.query.interpolate import interpolate_filter, interpolate_page, interpolate_value

REFERENCE = DBRef("people", 1)
DAY = datetime(2024, 2, 29, tzinfo=UTC)
PARENT = {
    "owner": "m1",
    "ids": [1, None, 2],
    "parts": [{"ref": {"id": 7}}, {}],
    "nothing": None,
    "odd": {"$gt": ""},
    "reference": REFERENCE,
    "day": DAY,
}
ARGUMENTS = {
    "id": "m1",
    "none": None,
    "opts": {"limit": 2, "ranges": [{"from": 1}, {"from": 5}]},
    "a.b": "exact",
    "smuggle": {"$fk": "owner"},
    "nested": {"x": {"$arg": "id"}},
    "dollar": "$secret",
    "list": [{"k": 4}],
}
ROOT = {"team": "T1", "locale": {"language": "de"}, "mails": ["a", "b"], "odd": {"$ne": 1}}
SCOPE = Scope(ARGUMENTS, PARENT, ROOT)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"$arg": "id"}, "m1"),
        ({"$arg": "none"}, None),
        ({"$arg": ["none", 3]}, None),
        ({"$arg": ["absent", 3]}, 3),
        ({"$arg": ["absent", {"$arg": "id"}]}, {"$arg": "id"}),
        ({"$arg": "opts.limit"}, 2),
        ({"$arg": "opts.ranges[1].from"}, 5),
        ({"$arg": "list[0].k"}, 4),
        ({"$arg": ["list.0.k", "dots do not index"]}, "dots do not index"),
        ({"$arg": ["list[3].k", "beyond the end"]}, "beyond the end"),
        ({"$arg": ["opts.limit.deeper", None]}, None),
        ({"$arg": "a.b"}, "exact"),
        ({"$arg": "rootDoc"}, ROOT),
        ({"$arg": "rootDoc.locale.language"}, "de"),
        ({"$arg": "rootDoc.mails[1]"}, "b"),
        ({"$arg": ["rootDoc.locale.country", None]}, None),
        ({"$fk": "owner"}, "m1"),
        ({"$fk": "owner", "ignored": 1}, "m1"),
        ({"$fk": "parts.ref.id"}, [7, None]),
        ({"$fk": "ids.2"}, 2),
        ({"$fk": "absent"}, None),
        ([1, {"$arg": "id"}, {"x": [{"$fk": "owner"}]}], [1, "m1", {"x": ["m1"]}]),
        ({"$arg": "id", "other": 1}, {"$arg": "id", "other": 1}),
        ({"$arg": "smuggle"}, {"$fk": "owner"}),
        ({"$arg": "nested"}, {"x": {"$arg": "id"}}),
    ],
)
def test_values_are_filled_in_one_pass(template: Any, expected: Any) -> None:
    assert interpolate_value(template, SCOPE) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"$arg": "absent"}, "variable absent not bound"),
        ({"$arg": "rootDoc.absent"}, "variable rootDoc.absent not bound"),
        ({"$arg": 1}, "invalid app definition"),
        ({"$arg": ["a", 1, 2]}, "invalid app definition"),
        ({"$fk": 1}, "invalid app definition"),
    ],
)
def test_what_cannot_be_filled_fails_the_field(template: Any, message: str) -> None:
    with pytest.raises(FetchError) as failed:
        interpolate_value(template, SCOPE)

    assert str(failed.value) == message


def test_the_root_document_is_unbound_on_root_fields() -> None:
    scope = Scope({"rootDoc": {"team": "shadowed"}}, None, UNBOUND)

    assert interpolate_value({"$arg": ["rootDoc.team", "default"]}, scope) == "default"


def test_the_root_document_shadows_an_argument_of_its_name() -> None:
    assert interpolate_value({"$arg": "rootDoc.team"}, Scope({"rootDoc": {"team": "T9"}}, None, ROOT)) == "T1"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"_id": {"$in": {"$fk": "ids"}}}, {"_id": {"$in": [1, 2]}}),
        ({"_id": {"$in": [{"$fk": "owner"}, {"$fk": "nothing"}, None]}}, {"_id": {"$in": ["m1", None]}}),
        ({"_id": {"$ne": {"$fk": "nothing"}}}, {"_id": {"$ne": None}}),
        ({"a": {"$arg": "none"}}, {"a": None}),
        ({"$arg": ["none", {}]}, {}),
        ({"$and": [{"a": 1}, {"$arg": ["none", {}]}]}, {"$and": [{"a": 1}]}),
        ({"$and": [{"$arg": "none"}]}, {"$and": [{}]}),
        ({"$or": [{"a": {"$fk": "owner"}}]}, {"$or": [{"a": "m1"}]}),
        ({"a": {"$elemMatch": {"b": {"$fk": "owner"}}}}, {"a": {"$elemMatch": {"b": "m1"}}}),
        # what comes from documents is no operator
        ({"a": {"$fk": "odd"}}, {"a": {"$eq": {"$gt": ""}}}),
        ({"a": {"$arg": "rootDoc.odd"}}, {"a": {"$eq": {"$ne": 1}}}),
        # in expressions no text is a field path
        ({"$expr": {"$eq": ["$a", {"$arg": "dollar"}]}}, {"$expr": {"$eq": ["$a", {"$literal": "$secret"}]}}),
        ({"$expr": {"$eq": ["$a", {"$arg": "id"}]}}, {"$expr": {"$eq": ["$a", "m1"]}}),
        ({"$expr": {"$eq": ["$a", {"$fk": "reference"}]}}, {"$expr": {"$eq": ["$a", {"$literal": REFERENCE}]}}),
        ({"$expr": {"$eq": ["$a", {"$fk": "day"}]}}, {"$expr": {"$eq": ["$a", DAY]}}),
        ({"$expr": {"$eq": ["$a", {"$fk": "odd"}]}}, {"$expr": {"$eq": ["$a", {"$literal": {"$gt": ""}}]}}),
    ],
)
def test_filters_are_filled(template: Any, expected: Any) -> None:
    assert interpolate_filter(template, SCOPE) == expected


@pytest.mark.parametrize(
    "template",
    [
        {"owner": {"$fk": "nothing"}},
        {"owner": {"$eq": {"$fk": "absent"}}},
        {"owner": {"$in": {"$fk": "absent"}}},
        {"state": 1, "$and": [{"owner": {"$fk": "nothing"}}]},
    ],
)
def test_a_null_reference_that_stands_alone_finds_nothing(template: Any) -> None:
    with pytest.raises(EmptyRelationError):
        interpolate_filter(template, SCOPE)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"$arg": "opts.limit"}, 2),
        ({"$arg": "none"}, 10),
        ({"$arg": ["none", 5]}, 10),
        ({"$arg": ["other", 5]}, 5),
        ({"$arg": "other"}, None),
        (7, 7),
        (None, None),
    ],
)
def test_null_for_a_page_counts_as_not_given(template: Any, expected: Any) -> None:
    scope = Scope(ARGUMENTS | {"other": None}, declared={"none": 10})

    assert interpolate_page(template, scope) == expected


def test_a_filter_must_be_a_document() -> None:
    with pytest.raises(FetchError, match="a filter must be a document"):
        interpolate_filter({"$arg": "list"}, SCOPE)
