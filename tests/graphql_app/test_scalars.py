"""Every scalar through the real database: what is stored comes out, what is given finds it."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Code, Decimal128, Int64, ObjectId, Regex, Timestamp

from content_core.documents import Document
from content_core.store import Store
from graphql_app.schema.build import ExecutableApp
from graphql_app.schema.scalars import SCALAR_NAMES
from tests.graphql_app.query.workshop import ask, build

OID = "64a5f0c2e4b0a1b2c3d4e5f6"
LARGE = 2**53 + 1
STORED: Document = {
    "_id": 1,
    "string": "a$b",
    "int": 3,
    "float": 3.5,
    "boolean": False,
    "id": ObjectId(OID),
    "long": Int64(LARGE),
    "decimal128": Decimal128("12.50"),
    "objectId": ObjectId(OID),
    "dateTime": datetime(2025, 1, 6, 10, tzinfo=UTC),
    "timestamp": Timestamp(1, 2),
    "regex": Regex("^a", re.IGNORECASE),
    "bsonDocument": {"b": 1, "a": [ObjectId(OID), {"d": Decimal128("1")}]},
    "json": [1, {"t": Timestamp(1, 1)}, None],
}
SHOWN: Document = {
    "string": "a$b",
    "int": 3,
    "float": 3.5,
    "boolean": False,
    "id": OID,
    "long": LARGE,
    "decimal128": {"$numberDecimal": "12.50"},
    "objectId": {"$oid": OID},
    "dateTime": {"$date": 1736157600000},
    "timestamp": {"$timestamp": {"t": 1, "i": 2}},
    "regex": {"$regularExpression": {"pattern": "^a", "options": "i"}},
    "bsonDocument": {"b": 1, "a": [{"$oid": OID}, {"d": {"$numberDecimal": "1"}}]},
    "json": [1, {"t": {"$timestamp": {"t": 1, "i": 1}}}, None],
}
NAMES = {name[0].lower() + name[1:] if name not in {"ID", "JSON"} else name.lower(): name for name in SCALAR_NAMES}
FIELDS = " ".join(f"{field}: {name}" for field, name in NAMES.items())
ROOTS = " ".join(f"by_{field}(value: {name}): [Thing]" for field, name in NAMES.items())
SDL = f"""
enum State {{ ZERO YES REF PLAIN NULLISH DAY }}
input Nested {{ deep: BsonDocument n: Long }}
type Thing {{ _id: Int state: State states: [State] {FIELDS} }}
type Query {{ thing: Thing filtered(filter: JSON, document: BsonDocument): [Thing] {ROOTS}
              nested(options: Nested): [Thing] byState(state: State = REF): [Thing] }}
"""
DAY = datetime(2024, 2, 29, tzinfo=UTC)


@pytest.fixture
async def app(store: Store, database: str) -> ExecutableApp:
    await store.bulk_replace(database, "things", [STORED])
    place = {"db": database, "collection": "things", "sort": {"_id": 1}}
    by_field = {f"by_{field}": place | {"find": {field: {"$arg": "value"}}} for field in NAMES}
    return build(
        {
            "_id": f"{database}___scalars",
            "schema": SDL,
            "mappings": {
                "State": {
                    "ZERO": 0,
                    "YES": True,
                    "REF": {"$oid": OID},
                    "DAY": {"$date": "2024-02-29T00:00:00Z"},
                    "NULLISH": {"a": 1, "b": [1.0]},
                },
                "Query": by_field
                | {
                    "thing": place,
                    "filtered": place | {"find": {"$and": [{"$arg": ["filter", {}]}, {"$arg": ["document", {}]}]}},
                    "nested": place | {"find": {"$and": [{"$arg": "options.deep"}, {"long": {"$arg": "options.n"}}]}},
                    "byState": place | {"find": {"state": {"$arg": "state"}}},
                },
            },
        }
    )


async def test_every_scalar_shows_what_is_stored(app: ExecutableApp, store: Store) -> None:
    answer = await ask(app, store, f"{{ thing {{ {' '.join(NAMES)} }} }}")

    assert answer == {"data": {"thing": SHOWN}}


async def test_null_and_missing_are_null_in_every_scalar(app: ExecutableApp, store: Store, database: str) -> None:
    await store.bulk_replace(database, "things", [{"_id": 0} | dict.fromkeys(list(NAMES)[::2])])

    answer = await ask(app, store, f"{{ thing {{ {' '.join(NAMES)} }} }}")

    assert answer == {"data": {"thing": dict.fromkeys(NAMES)}}


@pytest.mark.parametrize(
    ("field", "literal", "variable"),
    [
        ("string", '"a$b"', "a$b"),
        ("int", "3", 3),
        ("int", "3", 3.0),
        ("float", "3.5", 3.5),
        ("boolean", "false", False),
        ("long", str(LARGE), LARGE),
        ("long", f'"{LARGE}"', str(LARGE)),
        ("decimal128", "12.5", 12.5),
        ("decimal128", '"12.50"', "12.50"),
        ("objectId", f'"{OID}"', OID),
        ("objectId", f'"{OID.upper()}"', {"$oid": OID}),
        ("dateTime", '"2025-01-06T11:00:00+01:00"', "2025-01-06T10:00:00.000Z"),
        ("dateTime", "1736157600000", 1736157600000),
        ("dateTime", '"1736157600000"', "1736157600000"),
        ("timestamp", "{t: 1, i: 2}", {"t": 1, "i": 2}),
        ("timestamp", str((1 << 32) + 2), (1 << 32) + 2),
        ("json", "[1, {t: null}]", [1, {"t": {"$timestamp": {"t": 1, "i": 1}}}, None]),
    ],
)
async def test_arguments_find_what_is_stored(
    field: str, literal: str, variable: Any, app: ExecutableApp, store: Store
) -> None:
    root = f"by_{field}"
    text = f"query ($v: {NAMES[field]}) {{ a: {root}(value: {literal}) {{ _id }} b: {root}(value: $v) {{ _id }} }}"

    answer = await ask(app, store, text, {"v": variable})

    found = [{"_id": 1}]
    assert answer["data"]["b"] == found
    assert answer["data"]["a"] == (found if field != "json" else [])


async def test_a_regular_expression_finds_texts(app: ExecutableApp, store: Store) -> None:
    text = 'query ($p: Regex) { a: by_regex(value: "^a") { _id } b: by_regex(value: $p) { _id } }'

    answer = await ask(app, store, text, {"p": "^a"})

    assert answer == {"data": {"a": [], "b": []}}  # the stored one has options, and no text is stored there
    strings = await ask(app, store, "query ($f: JSON) { filtered(filter: $f) { string } }", {"f": REGEX})
    assert strings["data"] == {"filtered": [{"string": "a$b"}]}


REGEX = {"string": {"$regularExpression": {"pattern": "^A", "options": "i"}}}


@pytest.mark.parametrize(
    "given",
    [
        {"objectId": {"$oid": OID}},
        {"long": LARGE},
        {"long": {"$numberLong": str(LARGE)}},
        {"decimal128": {"$numberDecimal": "12.5"}},
        {"dateTime": {"$date": 1736157600000}},
        {"dateTime": {"$date": {"$numberLong": "1736157600000"}}},
        {"dateTime": {"$gte": {"$date": "2025-01-06T00:00:00Z"}}},
        {"timestamp": {"$timestamp": {"t": 1, "i": 2}}},
        {"$or": [{"int": {"$numberInt": "3"}}, {"x": [1, "a", None]}]},
        {"int": {"$type": "int"}},
        {"bsonDocument.a.0": {"$in": [{"$oid": OID}]}},
    ],
)
async def test_extended_json_in_documents_is_understood(given: Document, app: ExecutableApp, store: Store) -> None:
    text = "query ($f: JSON, $d: BsonDocument) { filtered(filter: $f, document: $d) { _id } }"

    answer = await ask(app, store, text, {"f": given, "d": given})

    assert answer == {"data": {"filtered": [{"_id": 1}]}}


async def test_whole_numbers_in_documents_stay_whole(app: ExecutableApp, store: Store) -> None:
    """As doubles, 2**53 + 1 and 2**53 would be one number."""
    text = "query ($f: BsonDocument) { filtered(document: $f) { _id } }"

    assert (await ask(app, store, text, {"f": {"long": LARGE - 1}}))["data"] == {"filtered": []}
    assert (await ask(app, store, text, {"f": {"int": {"$type": ["long", "double"]}}}))["data"] == {"filtered": []}


async def test_variables_stand_inside_literals(app: ExecutableApp, store: Store) -> None:
    text = """query ($id: ObjectId, $n: Long, $t: Int, $gone: Int, $part: JSON) {
                a: filtered(document: {objectId: $id, nested: $gone}) { _id }
                b: nested(options: {deep: {long: $n, int: 3}, n: $n}) { _id }
                c: by_timestamp(value: {t: $t, i: 2}) { _id }
                d: filtered(filter: {bsonDocument: {b: 1, a: [$id, $part]}}) { _id } }"""
    variables = {"id": OID, "n": LARGE, "t": 1, "part": {"d": {"$numberDecimal": "1"}}}

    answer = await ask(app, store, text, variables)

    assert answer["data"] == {key: [{"_id": 1}] for key in "abcd"}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (0, "ZERO"),
        (Int64(0), "ZERO"),
        (0.0, "ZERO"),
        (Decimal128("0"), "ZERO"),
        (True, "YES"),
        (ObjectId(OID), "REF"),
        ("PLAIN", "PLAIN"),
        ({"a": 1, "b": [1]}, "NULLISH"),
        (DAY, "DAY"),
    ],
)
async def test_enums_show_their_names(stored: Any, shown: str, app: ExecutableApp, store: Store, database: str) -> None:
    await store.bulk_replace(database, "things", [{"_id": 1, "state": stored, "states": [stored, None]}])

    answer = await ask(app, store, f"{{ thing {{ state states }} found: byState(state: {shown}) {{ _id }} }}")

    assert answer == {"data": {"thing": {"state": shown, "states": [shown, None]}, "found": [{"_id": 1}]}}


async def test_enum_defaults_are_stored_values(app: ExecutableApp, store: Store, database: str) -> None:
    await store.bulk_replace(database, "things", [{"_id": 1, "state": ObjectId(OID)}])

    assert await ask(app, store, "{ byState { state } }") == {"data": {"byState": [{"state": "REF"}]}}


@pytest.mark.parametrize(
    ("stored", "text"),
    [(False, "false"), (1, "1"), ("ZERO", "ZERO"), (Code("PLAIN"), '{"$code":"PLAIN"}'), ({"b": [1]}, '{"b":[1]}')],
)
async def test_values_that_an_enum_does_not_know_are_errors(
    stored: Any, text: str, app: ExecutableApp, store: Store, database: str
) -> None:
    await store.bulk_replace(database, "things", [{"_id": 1, "state": stored}])

    answer = await ask(app, store, "{ thing { state } }")

    assert answer["data"] == {"thing": {"state": None}}
    assert answer["errors"][0]["message"] == (
        f"Can't serialize value (/thing/state) : Invalid input for enum 'State'. Unknown value '{text}'"
    )


@pytest.mark.parametrize("field", ["float", "int", "long", "id"])
@pytest.mark.parametrize("stored", [7, Int64(7), 7.0])
async def test_numbers_fit_whatever_their_type(
    field: str, stored: Any, app: ExecutableApp, store: Store, database: str
) -> None:
    await store.bulk_replace(database, "things", [{"_id": 1, field: stored}])

    value = (await ask(app, store, f"{{ thing {{ {field} }} }}"))["data"]["thing"][field]

    assert value == (7 if field != "id" else str(stored))
