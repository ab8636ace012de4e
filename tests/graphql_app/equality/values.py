"""Pools of values: what fits each scalar, what fits nothing, what refers to documents, what arguments are given."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

__all__ = ["ARGUMENTS", "FITTING", "IDS", "KEYS", "MISFITS", "MISSING", "REFERENCES"]

MISSING: Final = object()
"""In place of a value: there is none."""

_OID: Final = ObjectId("0123456789abcdef01234567")
_OTHER_OID: Final = ObjectId("ffffffffffffffffffffffff")
_NOON: Final = datetime(2024, 5, 17, 12, 0, 0, 123000, tzinfo=UTC)
_FAR: Final = DatetimeMS(-(2**62))
_NAN: Final = float("nan")
_INFINITY: Final = float("inf")

FITTING: Final[dict[str, tuple[Any, ...]]] = {
    "String": ("x", "", 'a "quoted" \\ text\n', "ä€😀", "$a", "a.b", "1"),
    "Int": (1, 0, -7, 3.0, Int64(5), Decimal128("8"), 2**31 - 1),
    "Float": (1.5, 2, -0.0, 1e300, Int64(2**53 + 1), Decimal128("0.1"), 1e-7, 5e22),
    "Boolean": (True, False),
    "ID": ("x", 1, _OID, 1.5, Int64(2**40), Decimal128("1.50"), ""),
    "Long": (1, Int64(2**62), 2**40, 4.0, -(2**63)),
    "Decimal128": (Decimal128("12.50"), Decimal128("1E+3"), Decimal128("NaN")),
    "ObjectId": (_OID, _OTHER_OID),
    "DateTime": (_NOON, datetime(1, 1, 1, tzinfo=UTC), _FAR, DatetimeMS(2**62)),
    "Timestamp": (Timestamp(1, 1), Timestamp(2**32 - 1, 0)),
    "Regex": (Regex("a+b"), Regex("x", "im"), Regex("(?<n>y)", re.UNICODE)),
    "BsonDocument": (
        {"a": 1},
        {},
        {"n": None, "f": 0.5, "d": _NOON, "o": {"id": _OID}},
        {"nan": _NAN, "l": [1, [_INFINITY], {"x": _FAR}]},
        {"$oid": "no id", "a.b": 1},
    ),
    "JSON": ({"a": [1, None]}, "x", 1, [], [[{"b": _NOON}]], _NAN, -_INFINITY, Binary(b"\x00\xff"), True, MinKey()),
}
"""Stored values that fit a scalar, by its name."""

MISFITS: Final[tuple[Any, ...]] = (
    MISSING,
    None,
    MISSING,
    None,
    "text",
    3,
    3.5,
    True,
    [],
    {},
    [None],
    [1, "x", None],
    [[1], []],
    {"x": 1},
    [{"a0": 1}, 5, None],
    "",
    0,
    _NAN,
    _INFINITY,
    -_INFINITY,
    2**40,
    Int64(3),
    Decimal128("NaN"),
    Decimal128("Infinity"),
    Decimal128("2.5"),
    _OID,
    _NOON,
    _FAR,
    Regex("r"),
    Timestamp(7, 7),
    Binary(b"b"),
    Code("f()"),
    Code("g()", {"s": 1}),
    MaxKey(),
    {"$gt": 0},
    {"$ref": "c0", "$id": 1},
    {"$ref": "c0", "$id": 1, "f0": 1, "sub": {"f0": 2}},
)
"""What stands where something else is expected."""

IDS: Final[tuple[Any, ...]] = (1, 2, 3, "a", "b", _OID, 4, "1", 2.5, {"a": 1}, None)
"""Where the ``_id`` of stored documents come from."""

REFERENCES: Final[tuple[Any, ...]] = (
    *IDS,
    1.0,
    Int64(2),
    Decimal128("3"),
    True,
    99,
    "zz",
    None,
    MISSING,
    _OTHER_OID,
    1,
)
"""What refers to documents, well or badly."""

ODD_REFERENCES: Final[tuple[Any, ...]] = ([1, 2], {"$gt": 0}, {"x": 1}, _NAN, [[1]], [], Regex("a"), [None, 1])

KEYS: Final[tuple[Any, ...]] = (1, 2, "x", 1.0, None, MISSING, [1, 2], ["x", 1], True, {"y": 1}, _NAN, [], 2)
"""Keys that are not unique."""

ARGUMENTS: Final[dict[str, tuple[tuple[str, Any], ...]]] = {
    "Int": (("2", 2), ("1", 1), ("3", 3), ("0", 0), ("-1", -1), ("101", 101)),
    "String": (('"x"', "x"), ('"a"', "a"), ('"$a0"', "$a0"), ('""', "")),
    "ID": (('"a"', "a"), ("1", 1), ('"1"', "1")),
    "Boolean": (("true", True), ("false", False)),
    "Float": (("1.5", 1.5), ("1", 1)),
    "DateTime": (('"2024-05-17T12:00:00.123Z"', "2024-05-17T12:00:00.123Z"), ('"0"', 0)),
    "ObjectId": (('"0123456789abcdef01234567"', "0123456789abcdef01234567"),),
    "Long": (("1", 1), ('"2"', "2")),
    "JSON": (("1", 1), ("[1, 2]", [1, 2]), ("{a: 1}", {"$in": [1, 2, "a"]}), ('"a"', "a")),
    "[Int]": (("[1, 2]", [1, 2]), ("1", 1), ("[]", []), ("[null, 1]", [None, 1])),
    "[ID!]": (('["a", "1"]', ["a", "b", 1]), ("[]", [])),
    "BsonDocument": (
        ("{}", {}),
        ('{_id: "a"}', {"_id": {"$in": [1, 2, "a", "b"]}}),
        ("{k: 1}", {"k": {"$gte": 1}}),
        ("{k: null}", {"sub.k": {"$exists": False}}),
        ("{k: [1, 2]}", {"$or": [{"k": 1}, {"k": {"$type": "string"}}]}),
        ("{kind: T0}", {"_id": {"$oid": "0123456789abcdef01234567"}}),
        ('{or: ["a"]}', {"$or": []}),
        ("{a: {b: {c: 1.5}}}", {"$where": "1"}),
        ("{ref: 1}", {"$expr": {"$eq": ["$k", 1]}}),
    ),
    "sort": (("{_id: 1}", {"_id": 1}), ("{_id: -1}", {"_id": -1}), ("{k: 1, _id: -1}", {"sub.k": -1, "_id": 1})),
    "Options": (
        ("{}", {}),
        ("{limit: 2}", {"limit": 2}),
        ('{limit: 1, keys: [1], inner: {word: "x"}}', {"limit": 3, "keys": [1, 2], "inner": {"word": "a"}}),
        ("{limit: null, inner: null}", {"limit": None, "keys": None}),
    ),
}
"""Arguments by type, as a literal and as a variable's value; ``sort`` names orders that leave nothing open."""
