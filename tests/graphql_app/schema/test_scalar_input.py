"""Arguments of every scalar of ours, from variables and from literals, and what is refused."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from graphql import GraphQLError, parse_value

from graphql_app.schema.scalar_input import INPUT, LITERALS

OID = "64a5f0c2e4b0a1b2c3d4e5f6"
MOMENT = datetime(2025, 1, 6, 10, tzinfo=UTC)
DIGITS = "1.234567890123456789012345678901234"

VARIABLES = [
    ("Long", 5, Int64(5)),
    ("Long", "-5", Int64(-5)),
    ("Long", 2**63 - 1, Int64(2**63 - 1)),
    ("Decimal128", "12.50", Decimal128("12.50")),
    ("Decimal128", 12, Decimal128("12")),
    ("Decimal128", 0.1, Decimal128("0.1")),
    ("ObjectId", OID, ObjectId(OID)),
    ("ObjectId", {"$oid": OID}, ObjectId(OID)),
    ("DateTime", "2025-01-06T10:00:00Z", MOMENT),
    ("DateTime", "2025-01-06T12:00:00.000+02:00", MOMENT),
    ("DateTime", 1736157600000, MOMENT),
    ("DateTime", 1736157600000.0, MOMENT),
    ("DateTime", "1736157600000", MOMENT),
    ("DateTime", 10**15, DatetimeMS(10**15)),
    ("Timestamp", {"t": 1, "i": 2}, Timestamp(1, 2)),
    ("Timestamp", {"$timestamp": {"t": 1, "i": 2}}, Timestamp(1, 2)),
    ("Timestamp", (1 << 32) + 2, Timestamp(1, 2)),
    ("Regex", "^a", Regex("^a")),
    ("BsonDocument", {"b": 1, "a": [1, {"_id": {"$oid": OID}}]}, {"b": 1, "a": [1, {"_id": ObjectId(OID)}]}),
    ("BsonDocument", {"locale.identifier": "EN"}, {"locale.identifier": "EN"}),
    ("JSON", [1, "a", {"$numberLong": "5"}], [1, "a", Int64(5)]),
    ("JSON", "text", "text"),
]

LITERAL_TEXTS = [
    ("Long", "5", Int64(5)),
    ("Long", '"5"', Int64(5)),
    ("Decimal128", DIGITS, Decimal128(DIGITS)),
    ("Decimal128", "12", Decimal128("12")),
    ("Decimal128", '"12.50"', Decimal128("12.50")),
    ("ObjectId", f'"{OID}"', ObjectId(OID)),
    ("DateTime", '"2025-01-06T10:00:00Z"', MOMENT),
    ("DateTime", "1736157600000", MOMENT),
    ("Timestamp", "{t: 1, i: 2}", Timestamp(1, 2)),
    ("Timestamp", "4294967298", Timestamp(1, 2)),
    ("Regex", '"^a"', Regex("^a")),
    (
        "BsonDocument",
        '{s: "x", i: 1, f: 1.5, b: true, n: null, e: RED, o: {p: 1}, l: [1, "a", {x: 2}, [3]]}',
        {"s": "x", "i": 1, "f": 1.5, "b": True, "n": None, "e": "RED", "o": {"p": 1}, "l": [1, "a", {"x": 2}, [3]]},
    ),
    ("JSON", "[1, {a: null}]", [1, {"a": None}]),
]

REFUSED = [
    ("Long", 1.5),
    ("Long", True),
    ("Long", "x"),
    ("Long", 2**63),
    ("Long", "9" * 5000),
    ("Decimal128", "NaN"),
    ("Decimal128", "Infinity"),
    ("Decimal128", "x"),
    ("Decimal128", True),
    ("Decimal128", "1." + "1" * 40),
    ("ObjectId", "xyz"),
    ("ObjectId", 5),
    ("ObjectId", {"$oid": OID, "x": 1}),
    ("DateTime", "2025-01-06T10:00:00"),
    ("DateTime", "tomorrow"),
    ("DateTime", 1.5),
    ("DateTime", True),
    ("DateTime", None),
    ("Timestamp", {"t": 1}),
    ("Timestamp", {"t": -1, "i": 0}),
    ("Timestamp", {"$timestamp": 5}),
    ("Timestamp", -1),
    ("Timestamp", "5"),
    ("Regex", 5),
    ("Regex", "a\0"),
    ("BsonDocument", [1]),
    ("BsonDocument", "x"),
    ("BsonDocument", {"$oid": OID}),
    ("BsonDocument", {"a": {"$oid": "x"}}),
    ("JSON", {"$date": "x"}),
]


@pytest.mark.parametrize(("scalar", "value", "expected"), VARIABLES)
def test_variable_is_read(scalar: str, value: Any, expected: Any) -> None:
    result = INPUT[scalar](value)
    assert expected == result
    assert type(result) is type(expected)


@pytest.mark.parametrize(("scalar", "text", "expected"), LITERAL_TEXTS)
def test_literal_is_read(scalar: str, text: str, expected: Any) -> None:
    result = LITERALS[scalar](parse_value(text), None)
    assert expected == result
    assert type(result) is type(expected)


@pytest.mark.parametrize(("scalar", "value"), REFUSED)
def test_unfit_value_is_refused(scalar: str, value: Any) -> None:
    with pytest.raises(GraphQLError):
        INPUT[scalar](value)


@pytest.mark.parametrize(
    ("scalar", "text"),
    [("JSON", "1" * 100), ("BsonDocument", "{a: 1e999}"), ("BsonDocument", "[1]"), ("BsonDocument", "null")],
)
def test_unfit_literal_is_refused(scalar: str, text: str) -> None:
    with pytest.raises(GraphQLError):
        LITERALS[scalar](parse_value(text), None)


def test_order_of_keys_is_kept() -> None:
    assert list(INPUT["BsonDocument"]({"b": 1, "a": -1})) == ["b", "a"]
    assert list(LITERALS["BsonDocument"](parse_value("{b: 1, a: -1}"), None)) == ["b", "a"]


def test_variables_inside_literals_are_filled_in() -> None:
    node = parse_value("{_id: $id, gone: $missing, l: [$id, $missing], t: {n: $n}}")
    variables = {"id": ObjectId(OID), "n": None}
    expected = {"_id": ObjectId(OID), "l": [ObjectId(OID), None], "t": {"n": None}}
    assert expected == LITERALS["BsonDocument"](node, variables)


def test_variables_are_not_judged_before_they_are_known() -> None:
    assert LITERALS["Timestamp"](parse_value("{t: $t, i: 1}"), None) is not None
    with pytest.raises(GraphQLError):
        LITERALS["Timestamp"](parse_value("{t: $t, i: 1}"), {})


def test_refusal_names_scalar_and_type() -> None:
    with pytest.raises(GraphQLError, match=re.escape("BsonDocument takes a JSON object, but got ARRAY.")):
        INPUT["BsonDocument"]([1])
