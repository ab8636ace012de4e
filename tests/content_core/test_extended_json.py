"""Extended JSON: every type in both directions, malformed input, depth, and the round trip."""

import json
import math
import re
import uuid
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from bson import (
    SON,
    Binary,
    Code,
    DBRef,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from bson.datetime_ms import DatetimeMS
from hypothesis import given, settings
from hypothesis import strategies as st

from content_core.errors import RequestError
from content_core.extended_json import dumps, from_json, parse_json, to_json

OID = "64a5f0c2e4b0a1b2c3d4e5f6"
MOMENT = datetime(2019, 9, 12, 13, 42, 49, 260000, tzinfo=UTC)

BOTH_WAYS = [
    pytest.param(5, 5, id="int32"),
    pytest.param(3_000_000_000, 3_000_000_000, id="int64 by size"),
    pytest.param(1.5, 1.5, id="double"),
    pytest.param(2.0, 2.0, id="whole double"),
    pytest.param(math.inf, {"$numberDouble": "Infinity"}, id="infinity"),
    pytest.param(-math.inf, {"$numberDouble": "-Infinity"}, id="minus infinity"),
    pytest.param(Decimal128("1.50"), {"$numberDecimal": "1.50"}, id="decimal128"),
    pytest.param(MOMENT, {"$date": 1568295769260}, id="date"),
    pytest.param(DatetimeMS(10**15), {"$date": 10**15}, id="date after the year 9999"),
    pytest.param(ObjectId(OID), {"$oid": OID}, id="object id"),
    pytest.param(Binary(b"\x01\x02", 5), {"$binary": {"base64": "AQI=", "subType": "05"}}, id="binary"),
    pytest.param(Regex("^a", "i"), {"$regularExpression": {"pattern": "^a", "options": "i"}}, id="regex"),
    pytest.param(Timestamp(1, 2), {"$timestamp": {"t": 1, "i": 2}}, id="timestamp"),
    pytest.param(MinKey(), {"$minKey": 1}, id="min key"),
    pytest.param(MaxKey(), {"$maxKey": 1}, id="max key"),
    pytest.param(Code("f()"), {"$code": "f()"}, id="code"),
    pytest.param(Code("f()", {"x": 1}), {"$code": "f()", "$scope": {"x": 1}}, id="code with scope"),
    pytest.param("text", "text", id="string"),
    pytest.param(True, True, id="bool"),
    pytest.param(None, None, id="null"),
    pytest.param({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, id="containers"),
]

OUT_ONLY = [
    pytest.param(Int64(5), 5, id="int64 is plain"),
    pytest.param(math.nan, {"$numberDouble": "NaN"}, id="nan"),
    pytest.param(MOMENT.replace(tzinfo=None), {"$date": 1568295769260}, id="date without a zone is UTC"),
    pytest.param(datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), {"$date": -1}, id="date before 1970"),
    pytest.param(MOMENT.astimezone(timezone(timedelta(hours=2))), {"$date": 1568295769260}, id="date elsewhere"),
    pytest.param(b"\x01\x02", {"$binary": {"base64": "AQI=", "subType": "00"}}, id="bytes"),
    pytest.param(
        re.compile("^a", re.IGNORECASE | re.MULTILINE),
        {"$regularExpression": {"pattern": "^a", "options": "im"}},
        id="Python's pattern",
    ),
    pytest.param(DBRef("c", 1), {"$ref": "c", "$id": 1}, id="reference"),
    pytest.param(SON([("b", 1), ("a", Int64(2))]), {"b": 1, "a": 2}, id="ordered document"),
    pytest.param(MappingProxyType({"a": 1}), {"a": 1}, id="frozen document"),
    pytest.param((1, Int64(2)), [1, 2], id="tuple"),
]

IN_ONLY = [
    pytest.param({"$numberInt": "5"}, 5, id="int32"),
    pytest.param({"$numberLong": "5"}, Int64(5), id="int64"),
    pytest.param({"$numberLong": 5}, Int64(5), id="int64 as a number"),
    pytest.param({"$numberDouble": "1.5"}, 1.5, id="double"),
    pytest.param({"$date": "2019-09-12T13:42:49.26Z"}, MOMENT, id="ISO date"),
    pytest.param({"$date": "2019-09-12T15:42:49.260+02:00"}, MOMENT, id="ISO date with an offset"),
    pytest.param({"$date": {"$numberLong": "1568295769260"}}, MOMENT, id="canonical date"),
    pytest.param({"$binary": "AQI=", "$type": "05"}, Binary(b"\x01\x02", 5), id="old binary"),
    pytest.param({"$uuid": str(uuid.UUID(int=1))}, Binary.from_uuid(uuid.UUID(int=1)), id="uuid"),
    pytest.param({"a": {"$regex": "^a", "$options": "i"}}, {"a": Regex("^a", "i")}, id="old regex"),
    pytest.param(
        {"a": {"$elemMatch": {"$regex": "^a", "$options": "i"}}},
        {"a": {"$elemMatch": {"$regex": "^a", "$options": "i"}}},
        id="regex operators that MongoDB wants as an object",
    ),
    pytest.param({"a": {"$regex": "^a"}}, {"a": {"$regex": "^a"}}, id="regex operator"),
    pytest.param({"$undefined": True}, None, id="undefined"),
    pytest.param(
        {"a": {"$gt": 1, "$in": [{"$oid": OID}]}}, {"a": {"$gt": 1, "$in": [ObjectId(OID)]}}, id="query operators"
    ),
    pytest.param({"_id": ObjectId(OID)}, {"_id": ObjectId(OID)}, id="BSON already"),
]


@pytest.mark.parametrize(("value", "expected"), [*BOTH_WAYS, *OUT_ONLY])
def test_bson_becomes_json(value: Any, expected: Any) -> None:
    assert expected == to_json(value)
    assert type(to_json(value)) is type(expected)
    assert json.dumps(expected, separators=(",", ":")).encode() == dumps(value)


@pytest.mark.parametrize(("expected", "value"), BOTH_WAYS)
def test_json_becomes_bson(value: Any, expected: Any) -> None:
    result = from_json(value)
    assert expected == result
    assert type(result) is type(expected)


@pytest.mark.parametrize(("value", "expected"), IN_ONLY)
def test_other_forms_are_read(value: Any, expected: Any) -> None:
    result = from_json(value)
    assert expected == result
    assert type(result) is type(expected)


def test_whole_doubles_keep_their_fraction() -> None:
    assert dumps({"a": 2.0}) == b'{"a":2.0}'


@pytest.mark.parametrize("value", [math.nan, [1, math.nan], {"a": [{"b": math.nan}]}, Code("x", {"a": math.nan})])
def test_nan_survives_anywhere(value: Any) -> None:
    assert b'{"$numberDouble":"NaN"}' in dumps(value)


def test_null_beside_plain_values_stays_null() -> None:
    assert dumps({"a": None, "b": [None, 1.5, "null"]}) == b'{"a":null,"b":[null,1.5,"null"]}'


def test_plain_documents_are_not_copied() -> None:
    document = {"a": [1, {"b": "c"}], "d": None}
    assert to_json(document) is document


def test_only_changed_branches_are_copied() -> None:
    plain = {"b": "c"}
    document = {"x": ObjectId(OID), "a": plain}
    written = to_json(document)
    assert written["a"] is plain
    assert list(written) == ["x", "a"]
    assert isinstance(document["x"], ObjectId)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"$oid": "xyz"}, ""),
        ({"a": {"$oid": OID, "x": 1}}, "a"),
        ({"a": [{"b": {"$date": "yesterday"}}]}, "a[0].b"),
        ({"a": {"$date": True}}, "a"),
        ({"a": {"$date": 1.5}}, "a"),
        ({"a": {"$date": {"$numberLong": "x"}}}, "a"),
        ({"a": {"$numberInt": "3000000000"}}, "a"),
        ({"a": {"$numberLong": str(2**63)}}, "a"),
        ({"a": {"$numberLong": "9" * 5000}}, "a"),
        ({"a": {"$numberDouble": "x"}}, "a"),
        ({"a": {"$numberDecimal": "1." + "1" * 40}}, "a"),
        ({"a": {"$numberDecimal": "x"}}, "a"),
        ({"a": {"$binary": {"base64": "?", "subType": "00"}}}, "a"),
        ({"a": {"$binary": {"base64": "AQI=", "subType": "100"}}}, "a"),
        ({"a": {"$binary": 1}}, "a"),
        ({"a": {"$uuid": "x"}}, "a"),
        ({"a": {"$regularExpression": {"pattern": 1, "options": ""}}}, "a"),
        ({"a": {"$regularExpression": {"pattern": "a", "options": "q"}}}, "a"),
        ({"a": {"$regularExpression": {}}}, "a"),
        ({"a": {"$timestamp": {"t": -1, "i": 0}}}, "a"),
        ({"a": {"$timestamp": {"t": 1}}}, "a"),
        ({"a": {"$code": 1}}, "a"),
        ({"a": {"$minKey": "x"}}, "a"),
        ({"a": [1, 2**63]}, "a[1]"),
    ],
)
def test_malformed_values_are_refused_with_their_path(value: Any, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        from_json(value)
    assert path == caught.value.details["path"]


def test_deep_nesting_is_refused() -> None:
    value: Any = 1
    for _ in range(10_000):
        value = [value]
    for convert in (from_json, to_json, dumps):
        with pytest.raises(RequestError):
            convert(value)


def test_unknown_types_are_refused() -> None:
    for convert in (to_json, dumps):
        with pytest.raises(RequestError):
            convert({"a": object()})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{'a': 1}",
        '{"a": 1,}',
        "NaN",
        "[Infinity]",
        "1 2",
        '"\\ud800"',
        b"\xff",
        "\ud800",
        "[" * 10_000 + "]" * 10_000,
    ],
)
def test_text_that_is_no_json_is_refused_with_its_place(text: str | bytes) -> None:
    with pytest.raises(RequestError) as caught:
        parse_json(text)
    assert caught.value.details["line"] == 1
    assert caught.value.details["column"] >= 1


@pytest.mark.parametrize(
    "text", ["18446744073709551616", '{"a": [9223372036854775808]}', "-9223372036854775809", "[1" + "0" * 30 + "]"]
)
def test_integers_beyond_64_bits_are_refused(text: str) -> None:
    with pytest.raises(RequestError):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ('{"a": "18446744073709551616"}', {"a": "18446744073709551616"}),
        ("0.12345678901234567890123", 0.12345678901234568),
        (b'{"b": 1, "a": 2.0}', {"b": 1, "a": 2.0}),
    ],
)
def test_json_text_is_read(text: str | bytes, expected: Any) -> None:
    assert expected == parse_json(text)


KEYS = st.text(max_size=5).filter(lambda key: not key.startswith("$"))
DATES = st.integers(-(2**45), 2**45).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=10),
    DATES,
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.binary(max_size=10).map(lambda data: Binary(data, 5)),
    st.decimals(allow_nan=False, places=3, min_value=-(10**20), max_value=10**20).map(Decimal128),
    st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.builds(Regex, st.text("ab.^$", max_size=5), st.sets(st.sampled_from("imsx")).map("".join)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    assert value == from_json(parse_json(dumps(value)))
    assert value == from_json(to_json(value))


@settings(deadline=None)
@given(VALUES)
def test_both_writers_agree(value: Any) -> None:
    assert parse_json(dumps(value)) == parse_json(dumps(to_json(value)))
