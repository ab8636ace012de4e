"""Which stored values fit which scalar, what they become, and the texts where they do not fit."""

import math
import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from bson import Binary, Code, Decimal128, Int64, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

from graphql_app.schema.errors import SerializationError
from graphql_app.schema.scalar_output import OUTPUT

OID = "64a5f0c2e4b0a1b2c3d4e5f6"
MOMENT = datetime(2025, 1, 6, 10, tzinfo=UTC)

FITTING = [
    ("String", "text", "text"),
    ("Int", 3, 3),
    ("Int", Int64(3), 3),
    ("Int", 3.0, 3),
    ("Int", -(2**31), -(2**31)),
    ("Float", 3.5, 3.5),
    ("Float", 3, 3.0),
    ("Float", Int64(3_000_000_000), 3e9),
    ("Float", Decimal128("2.5"), 2.5),
    ("Boolean", True, True),
    ("ID", "a", "a"),
    ("ID", 5, "5"),
    ("ID", Int64(5), "5"),
    ("ID", ObjectId(OID), OID),
    ("Long", Int64(2**40), 2**40),
    ("Long", 5, 5),
    ("Long", 5.0, 5),
    ("Decimal128", Decimal128("12.50"), {"$numberDecimal": "12.50"}),
    ("ObjectId", ObjectId(OID), {"$oid": OID}),
    ("DateTime", MOMENT, {"$date": 1736157600000}),
    ("DateTime", DatetimeMS(10**15), {"$date": 10**15}),
    ("Timestamp", Timestamp(1, 1), {"$timestamp": {"t": 1, "i": 1}}),
    ("Regex", Regex("a"), {"$regularExpression": {"pattern": "a", "options": ""}}),
    ("Regex", re.compile("a"), {"$regularExpression": {"pattern": "a", "options": ""}}),
    ("BsonDocument", {"a": [ObjectId(OID)], "n": Int64(5)}, {"a": [{"$oid": OID}], "n": 5}),
    ("JSON", [1, {"d": MOMENT}, math.nan], [1, {"d": {"$date": 1736157600000}}, {"$numberDouble": "NaN"}]),
    ("JSON", "text", "text"),
]

NOT_FITTING = [
    ("String", 5, "Expected types 'String' or 'BsonString' but was 'BsonInt32'."),
    ("String", True, "Expected types 'String' or 'BsonString' but was 'BsonBoolean'."),
    ("String", {}, "Expected types 'String' or 'BsonString' but was 'BsonDocument'."),
    ("String", [], "Expected types 'String' or 'BsonString' but was 'BsonArray'."),
    ("String", Code("x"), "Expected types 'String' or 'BsonString' but was 'BsonJavaScript'."),
    ("Int", 3.5, "Expected types 'Integer' or 'BsonInt32' but was 'BsonDouble'."),
    ("Int", 2**31, "Expected types 'Integer' or 'BsonInt32' but was 'BsonInt64'."),
    ("Int", True, "Expected types 'Integer' or 'BsonInt32' but was 'BsonBoolean'."),
    ("Int", "3", "Expected types 'Integer' or 'BsonInt32' but was 'BsonString'."),
    ("Int", math.nan, "Expected types 'Integer' or 'BsonInt32' but was 'BsonDouble'."),
    ("Int", Decimal128("1E+6000"), "Expected types 'Integer' or 'BsonInt32' but was 'BsonDecimal128'."),
    ("Float", "3.5", "Expected types 'Double' or 'BsonDouble' but was 'BsonString'."),
    ("Float", False, "Expected types 'Double' or 'BsonDouble' but was 'BsonBoolean'."),
    ("Float", math.inf, "inf is not a JSON number."),
    ("Boolean", 1, "Expected types 'Boolean' or 'BsonBoolean' but was 'BsonInt32'."),
    ("ID", True, "Expected types 'String', 'Number' or 'ObjectId' but was 'BsonBoolean'."),
    ("ID", {}, "Expected types 'String', 'Number' or 'ObjectId' but was 'BsonDocument'."),
    ("Long", 1.5, "Expected types 'Long' or 'BsonInt64' but was 'BsonDouble'."),
    ("Long", 1e300, "Expected types 'Long' or 'BsonInt64' but was 'BsonDouble'."),
    ("Decimal128", 1, "Expected type 'Decimal128' but was 'BsonInt32'."),
    ("ObjectId", OID, "Expected type 'ObjectId' but was 'BsonString'."),
    ("DateTime", "2025-01-06", "Expected type 'BsonDateTime' but was 'BsonString'."),
    ("DateTime", 5, "Expected type 'BsonDateTime' but was 'BsonInt32'."),
    ("Timestamp", MOMENT, "Expected type 'BsonTimestamp' but was 'BsonDateTime'."),
    ("Regex", "a", "Expected type 'BsonRegularExpression' but was 'BsonString'."),
    ("BsonDocument", [], "Expected type 'BsonDocument' but was 'BsonArray'."),
    ("BsonDocument", Binary(b"x"), "Expected type 'BsonDocument' but was 'BsonBinary'."),
]


@pytest.mark.parametrize(("scalar", "value", "expected"), FITTING)
def test_fitting_value_is_written(scalar: str, value: Any, expected: Any) -> None:
    written = OUTPUT[scalar](value)
    assert expected == written
    assert type(written) is type(expected)
    assert orjson.loads(orjson.dumps(written)) == expected


@pytest.mark.parametrize(("scalar", "value", "text"), NOT_FITTING)
def test_other_value_is_refused(scalar: str, value: Any, text: str) -> None:
    with pytest.raises(SerializationError) as caught:
        OUTPUT[scalar](value)
    assert text == str(caught.value)
    assert caught.value.describe(["a", 0, "b"]) == f"Can't serialize value (/a[0]/b) : {text}"


def test_deep_document_is_refused() -> None:
    value: Any = {}
    for _ in range(1000):
        value = {"a": value}
    with pytest.raises(SerializationError, match="nested"):
        OUTPUT["BsonDocument"](value)
