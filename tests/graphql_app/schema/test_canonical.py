"""Equality of BSON values: by type, but by value among numbers."""

import math
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import SON, Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

from graphql_app.schema.canonical import canonical, equal_values

OID = ObjectId("64a5f0c2e4b0a1b2c3d4e5f6")

EQUAL = [
    (0, 0.0),
    (0, Int64(0)),
    (1, Decimal128("1.00")),
    (0.5, Decimal128("0.5")),
    (math.nan, math.nan),
    (math.nan, Decimal128("NaN")),
    (math.inf, Decimal128("Infinity")),
    ({"a": 1, "b": [2]}, {"b": [2.0], "a": Int64(1)}),
    (SON([("a", 1)]), {"a": 1}),
    (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1)),  # noqa: DTZ001 - the store may give dates without a zone
    (datetime(1970, 1, 1, tzinfo=UTC), DatetimeMS(0)),
    (b"x", Binary(b"x")),
    (Regex("a", "i"), re.compile("a", re.IGNORECASE)),
    (None, None),
    (OID, ObjectId(str(OID))),
    (Timestamp(1, 2), Timestamp(1, 2)),
    (MinKey(), MinKey()),
]

DIFFERENT = [
    (0, False),
    (1, True),
    (1, "1"),
    (0.1, Decimal128("0.1")),
    (2**53, float(2**53) + 2),
    ("x", Code("x")),
    ("x", b"x"),
    (b"x", Binary(b"x", 5)),
    (None, 0),
    (None, False),
    (str(OID), OID),
    ([1, 2], [2, 1]),
    ([1], {"0": 1}),
    ({}, []),
    ({"a": None}, {}),
    ({"a": 1}, {"a": True}),
    (Regex("a"), Regex("a", "i")),
    (Regex("a"), "a"),
    (MinKey(), MaxKey()),
    (Timestamp(1, 2), Timestamp(1, 3)),
    (0, datetime(1970, 1, 1, tzinfo=UTC)),
    (Code("x"), Code("x", {"a": 1})),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal_values_have_one_form(left: Any, right: Any) -> None:
    assert equal_values(left, right)
    assert hash(canonical(left)) == hash(canonical(right))


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_values_of_other_types_differ(left: Any, right: Any) -> None:
    assert not equal_values(left, right)
    assert not equal_values(right, left)
