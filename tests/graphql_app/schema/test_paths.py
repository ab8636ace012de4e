"""The path algorithm of field mappings and ``$fk``, and its compiled form."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_app.schema.paths import compile_path, read_path

CASES = [
    ({"a": 1}, "a", 1),
    ({"a": {"b": 2}}, "a.b", 2),
    ({"a": {}}, "a.b", None),
    ({}, "a.b.c", None),
    ({"a": 5}, "a.b", None),
    ({"a": None}, "a.b", None),
    ({"a": ["x", "y"]}, "a.1", "y"),
    ({"a": ["x", "y"]}, "a.2", None),
    ({"a": ["x", "y"]}, "a.99999999999999999999", None),
    ({"a": [{"b": 1}, {"c": 2}, 3]}, "a.b", [1, None, None]),
    ({"a": [{"b": [1, 2]}, {"b": [3]}]}, "a.b", [[1, 2], [3]]),
    ({"a": [{"b": {"c": 1}}, {"b": {}}]}, "a.b.c", [1, None]),
    ({"a": []}, "a.b", []),
    ({"a": [[{"b": 1}], [{"b": 2}]]}, "a.b", [[1], [2]]),
    ({"a": {"0": "key"}}, "a.0", "key"),
    ({"a.b": 1, "a": {"b": 2}}, "a.b", 2),
    ([{"a": 1}, {"a": 2}], "a", [1, 2]),
    ([{"a": 1}], "0.a", 1),
    ("text", "a", None),
    (None, "a", None),
    ({"a": [1]}, "a.-1", [None]),
    ({"a": [1]}, "a.²", [None]),
]


@pytest.mark.parametrize(("value", "path", "expected"), CASES)
def test_path_reads(value: Any, path: str, expected: Any) -> None:
    segments = tuple(path.split("."))
    assert expected == read_path(value, segments)
    assert expected == compile_path(segments)(value)


VALUES = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0", "1"]), inner, max_size=3)
    ),
)


@settings(deadline=None)
@given(VALUES, st.lists(st.sampled_from(["a", "b", "0", "1"]), min_size=1, max_size=4).map(tuple))
def test_compiled_path_reads_the_same(value: Any, segments: tuple[str, ...]) -> None:
    assert read_path(value, segments) == compile_path(segments)(value)
