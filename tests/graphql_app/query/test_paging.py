from typing import Any

import pytest
from bson import Int64

from graphql_app.query.errors import FetchError
from graphql_app.query.paging import read_limit, read_skip, read_sort
from graphql_app.schema.mappings import Limits


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, 20), (1, 1), (100, 100), (0, 100), (-5, 100), (7.0, 7), (Int64(9), 9)],
)
def test_limits_stay_within_the_maximum(value: Any, expected: int) -> None:
    assert read_limit(value, Limits()) == expected


def test_the_default_limit_gives_way_to_a_smaller_maximum() -> None:
    assert read_limit(None, Limits(default_limit=20, max_limit=5)) == 5


@pytest.mark.parametrize("value", [101, 2**40, 101.0])
def test_a_limit_above_the_maximum_is_refused(value: Any) -> None:
    with pytest.raises(FetchError, match=r"^Query variable cannot be greater than 100$"):
        read_limit(value, Limits())


@pytest.mark.parametrize("value", [1.5, "5", True, {}, [], float("nan")])
def test_a_limit_is_a_whole_number(value: Any) -> None:
    with pytest.raises(FetchError, match="limit must be a whole number"):
        read_limit(value, Limits())


@pytest.mark.parametrize(("value", "expected"), [(None, 0), (0, 0), (3, 3), (2.0, 2), (2**31 - 1, 2**31 - 1)])
def test_skips_are_whole_numbers(value: Any, expected: int) -> None:
    assert read_skip(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [(-1, "negative"), (2**31, "greater than 2147483647"), (0.5, "whole number"), (False, "whole number")],
)
def test_other_skips_are_refused(value: Any, message: str) -> None:
    with pytest.raises(FetchError, match=message):
        read_skip(value)


def test_sort_keys_keep_their_order() -> None:
    assert read_sort({"b": 1, "a.c": -1.0, "s": {"$meta": "textScore"}}) == (
        ("b", 1),
        ("a.c", -1),
        ("s", {"$meta": "textScore"}),
    )


def test_no_sort_is_no_order() -> None:
    assert read_sort(None) == ()


@pytest.mark.parametrize("value", [[("a", 1)], "a", {"a": 2}, {"a": True}, {"a": "asc"}, {"": 1}])
def test_other_sorts_are_refused(value: Any) -> None:
    with pytest.raises(FetchError, match="sort"):
        read_sort(value)
