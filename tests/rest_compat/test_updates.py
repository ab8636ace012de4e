"""Bodies of writes as documents and updates: what is unfolded, what is refused, what stays as it is."""

from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from content_core.errors import RequestError
from rest_compat.updates import make_changes, make_document, make_documents, same_value

VERSION = ObjectId()


@pytest.mark.parametrize(
    ("body", "document"),
    [
        ({}, {}),
        ({"b": 1, "a.x": 1, "a.y": 2, "c": 3}, {"b": 1, "a": {"x": 1, "y": 2}, "c": 3}),
        ({"a": {"x": 1}, "a.y": 2}, {"a": {"x": 1, "y": 2}}),
        ({"l.1": "b", "l.0": "a"}, {"l": ["a", "b"]}),
        ({"l.2": "c"}, {"l": [None, None, "c"]}),
        ({"l.0.0": 1, "l.1.0.x": 2}, {"l": [[1], [{"x": 2}]]}),
        ({"l": ["a"], "l.1": "b"}, {"l": ["a", "b"]}),
        ({"l": [[{"a.b": 1}]]}, {"l": [[{"a": {"b": 1}}]]}),
        ({"o": {"a.b": 1, "l": [{"c.d": 1}]}}, {"o": {"a.b": 1, "l": [{"c": {"d": 1}}]}}),
    ],
)
def test_dotted_names_are_unfolded(body: Any, document: Any) -> None:
    made = make_document(body, version=VERSION)

    assert {**document, "_etag": VERSION} == made
    assert [*document, "_etag"] == list(made)


def test_gaps_in_arrays_are_bounded_over_all_documents() -> None:
    with pytest.raises(RequestError, match="position 10"):
        make_documents([{"l.1000": 1} for _ in range(20)], version=VERSION)


names = st.text(st.sampled_from("ab.0$1"), max_size=5)
values = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(names, values, max_size=4))
def test_any_body_is_a_document_or_refused(body: dict[str, Any]) -> None:
    try:
        made = make_document(body, version=VERSION)
    except RequestError:
        return
    assert made["_etag"] is VERSION
    assert not [name for name in made if "." in name or name.startswith("$")]


@given(st.dictionaries(names, values, max_size=4))
def test_any_patch_is_an_update_or_refused(body: dict[str, Any]) -> None:
    try:
        update = make_changes(body, version=VERSION)
    except RequestError:
        return
    assert update["$set"]["_etag"] is VERSION
    assert all(name.startswith("$") for name in update)


def test_changes_keep_operators_and_set_the_rest() -> None:
    body = {"_id": 1, "_etag": 2, "a.b": 3, "$inc": {"n": 1, "_etag": 1}, "$unset": {"_etag": ""}, "$set": {"c": 4}}

    assert {"$set": {"a.b": 3, "c": 4, "_etag": VERSION}, "$inc": {"n": 1}} == make_changes(body, version=VERSION)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [(1, 1.0, True), (1, True, False), (0, False, False), ("a", "a", True), (True, True, True), (None, 0, False)],
)
def test_values_are_compared_as_mongodb_does(left: Any, right: Any, same: bool) -> None:
    assert same is same_value(left, right)
