"""The lenient reader: what people type into addresses, what is refused, and that it never fails in another way."""

import contextlib
import json
import math
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from content_core.errors import RequestError
from content_core.extended_json import from_json, parse_json
from content_core.relaxed_json import parse_relaxed

OID = "64a5f0c2e4b0a1b2c3d4e5f6"
MOMENT = datetime(2024, 1, 2, tzinfo=UTC)
UUID = "6d4bfa52-5b6f-4a43-8d2d-1f9b7a7c9a10"

ACCEPTED: list[tuple[str, Any]] = [
    ('{"a": 1}', {"a": 1}),
    ('{fs_language: "EN", price: {$gt: 3}}', {"fs_language": "EN", "price": {"$gt": 3}}),
    ("{'locale.language': 'de'}", {"locale.language": "de"}),
    ("{a: 'it\\'s \"x\"'}", {"a": 'it\'s "x"'}),
    ('{a: "\\u00e4\\ud83d\\ude00\\n\\/"}', {"a": "ä😀\n/"}),
    ("{a: '\t\n'}", {"a": "\t\n"}),
    ("{a: 1,}", {"a": 1}),
    ("{a: [1, 2,],}", {"a": [1, 2]}),
    (" \n{ } ", {}),
    ("[]", []),
    ("{a: null, b: true, c: false, d: undefined}", {"a": None, "b": True, "c": False, "d": None}),
    ("{a: Infinity, b: -Infinity}", {"a": math.inf, "b": -math.inf}),
    ("{a: /^foo/i}", {"a": Regex("^foo", "i")}),
    ("{a: /a\\/b[{}]/msx}", {"a": Regex("a\\/b[{}]", "msx")}),
    ("{a: -1.5e3, b: 2.0, c: 0}", {"a": -1500.0, "b": 2.0, "c": 0}),
    ("{a: 2147483648, b: -9223372036854775808}", {"a": 2**31, "b": -(2**63)}),
    (f"{{_id: {{$oid: '{OID}'}}}}", {"_id": ObjectId(OID)}),
    (f'{{"_id": {{"$oid": "{OID}"}}}}', {"_id": ObjectId(OID)}),
    (f'{{"_id": {{"\\u0024oid": "{OID}"}}}}', {"_id": ObjectId(OID)}),
    ('{"d": {"$date": "2024-01-02T00:00:00Z"}}', {"d": MOMENT}),
    ("{d: {$date: {$numberLong: '1704153600000'}}}", {"d": MOMENT}),
    ("{d: {$date: 1704153600000}}", {"d": MOMENT}),
    ("{d: {$date: NumberLong('1704153600000')}}", {"d": MOMENT}),
    ("ISODate(NumberLong('1704153600000'))", MOMENT),
    ("{d: {$regex: '^a', $options: 'i'}}", {"d": Regex("^a", "i")}),
    ("{d: {$regex: '^a'}}", {"d": {"$regex": "^a"}}),
    ("{d: {$regex: /^a/, $options: 'i'}}", {"d": {"$regex": Regex("^a"), "$options": "i"}}),
    (f"ObjectId('{OID}')", ObjectId(OID)),
    ('ISODate("2024-01-02T00:00:00Z")', MOMENT),
    ('{a: new Date("2024-01-02")}', {"a": MOMENT}),
    ("Date(1704153600000)", MOMENT),
    ("new Date(1704153600000)", MOMENT),
    ("[NumberInt(5), NumberInt('5')]", [5, 5]),
    ("NumberLong('5')", Int64(5)),
    ("NumberDecimal('1.50')", Decimal128("1.50")),
    ("BinData(0, 'AQI=')", Binary(b"\x01\x02", 0)),
    ("HexData(5, '0102')", Binary(b"\x01\x02", 5)),
    (f"UUID('{UUID}')", Binary.from_uuid(uuid.UUID(UUID))),
    ("Timestamp(1, 2)", Timestamp(1, 2)),
    ("RegExp('^a', 'i')", Regex("^a", "i")),
    ("[MinKey, MaxKey(), new MinKey()]", [MinKey(), MaxKey(), MinKey()]),
]

REFUSED = [
    "", " ", "{", "{a:", "{a: 1", "{a}", "{lang: EN}", "{a.b: 1}", "{a: 1 b: 2}", "{a: 1} x", "{a: 1}}", "{,}", "[,]",
    "[1,,2]", "{a: /* c */ 1}", "{a: 1 // c\n}", "// c\n{}", "{1: 2}", "{a: 'x}", '{a: "x\\q"}', "{a: '\\ud800'}",
    "{a: '\\ude00\\ud83d'}", "{a: 01}", "{a: .5}", "{a: 1.}", "{a: +1}", "{a: 1e999}", "{a: 0x10}", "{a: 1x}",
    "{a: 9223372036854775808}", '{"a": 9223372036854775808}', "{a: " + "9" * 5000 + "}", "{a: /x/g}", "{a: /x}",
    "{a: //}", "{a: ObjectId}", "{a: ObjectId('x')}", "{a: ObjectId(1, 2)}", "{a: ISODate('x')}", "{a: Nothing(1)}",
    "{a: new Nothing(1)}", "{a: new}", "{a: NumberInt(2147483648)}", "{a: BinData('x', 1)}", "{a: BinData({}, [])}",
    "{a: Timestamp(-1, 0)}", "{a: Timestamp('x')}", "{a: HexData(0, 'zz')}", "{a: UUID(5)}", "{a: RegExp('a', 'q')}",
    "{a: {$oid: 'x'}}", '{"a": {"$oid": 5}}', "{a: {$date: 'x'}}", "nonsense", "\0", "{\0: 1}", "{a: ٣}",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_lenient_json_in(text: str, expected: Any) -> None:
    value = parse_relaxed(text)

    assert expected == value
    assert repr(expected) == repr(value)


def test_nan_is_read() -> None:
    assert math.isnan(parse_relaxed("{a: NaN}")["a"])


def test_constructors_without_arguments_make_new_values() -> None:
    made = parse_relaxed("{a: ObjectId(), b: new Date(), c: Timestamp()}")

    assert [ObjectId, datetime, Timestamp] == [type(value) for value in made.values()]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_read_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        parse_relaxed(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("{lang: EN}", 1, 8, "needs quotes"),
        ("{a: 1,\n b.c: 2}", 2, 3, "keys with a dot need quotes"),
        ("{a:", 1, 4, "ends too early"),
        ("{a: 1} x", 1, 8, "after the value"),
        ('{\n  "a": ?\n}', 2, 8, "value is missing"),
    ],
)
def test_refusal_says_where_and_why(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(RequestError, match=said) as caught:
        parse_relaxed(text)

    assert {"line": line, "column": column} == caught.value.details


@pytest.mark.parametrize("opening", ["[", "{a: ", '{"a": ', "[[", "ObjectId(", "[{'a':"])
def test_deep_nesting_is_refused(opening: str) -> None:
    with pytest.raises(RequestError):
        parse_relaxed(opening * 10_000)


@pytest.mark.parametrize("opening", ["[]", "{a:}", '{"a":}'])
def test_depth_limit_is_the_callers(opening: str) -> None:
    def nested(depth: int) -> str:
        return opening[:-1] * depth + "1" + opening[-1] * depth

    assert parse_relaxed(nested(200)) is not None
    for depth, limit in [(201, 200), (5, 4)]:
        with pytest.raises(RequestError, match="levels deep"):
            parse_relaxed(nested(depth), max_depth=limit)


@given(st.text())
def test_reader_raises_nothing_but_request_errors(text: str) -> None:
    with contextlib.suppress(RequestError):
        parse_relaxed(text)


PIECES = st.sampled_from(
    [*"{}[]():,/'\"\\.-+ \n", "a", "$oid", "$date", "$binary", "$regex", "new ", "Date", "BinData", "Timestamp", "UUID",
     "HexData", "RegExp", "ObjectId", "NumberInt", "NumberLong", "NumberDecimal", "ISODate", "1", "-1", "1e5", "null",
     "true", "NaN", "\\u", "d800", "'a'", '"b"', "{a:", "}", "\0"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join))
def test_pieces_of_the_dialect_raise_nothing_but_request_errors(text: str) -> None:
    with contextlib.suppress(RequestError):
        parse_relaxed(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.booleans())
def test_strict_json_is_read_as_by_the_strict_reader(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert from_json(parse_json(text)) == parse_relaxed(text)


@given(JSON)
def test_lenient_path_agrees_with_the_strict_one(value: Any) -> None:
    text = json.dumps([value])

    assert parse_relaxed(text) == parse_relaxed(f"{text[:-1]},]")
