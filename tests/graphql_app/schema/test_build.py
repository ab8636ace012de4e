"""Executable schemas, end to end on in-memory data: mappings, lists, enums, abstract types, arguments, bad SDL."""

import asyncio
from typing import Any

import pytest
from bson import Int64, ObjectId
from graphql import ExecutionResult, GraphQLEnumType, get_introspection_query, graphql, validate_schema

from content_core.documents import Document
from content_core.errors import DefinitionError
from graphql_app.schema.build import build_app
from graphql_app.schema.definition import Limits, parse_definition
from graphql_app.schema.errors import describe_error
from tests.graphql_app.schema.workshop import DATA, ListFetcher, build, definition, run, small

OID = "64a5f0c2e4b0a1b2c3d4e5f6"


async def answer(document: Document, query: str, things: list[Any], **variables: Any) -> ExecutionResult:
    return await run(build(document), query, {"things": things}, **variables)


def texts(result: ExecutionResult) -> list[str]:
    return [describe_error(error) for error in result.errors or []]


async def test_paths_read_the_documents() -> None:
    result = await run(build(definition()), "{ mechanics { id name phone mainMail skillCodes } }")
    assert result.errors is None
    assert result.data == {
        "mechanics": [
            {"id": "m1", "name": "Ada", "phone": "+49 1", "mainMail": "ada@w.example", "skillCodes": ["brk", "whl"]},
            {"id": "m2", "name": "Bo", "phone": None, "mainMail": None, "skillCodes": []},
        ]
    }


async def test_queries_follow_each_other() -> None:
    query = '{ mechanic(id: "m1") { jobs(state: DONE) { title state owner { name } } } }'
    result = await run(build(definition()), query)
    assert result.errors is None
    assert result.data == {"mechanic": {"jobs": [{"title": "True wheel", "state": "DONE", "owner": {"name": "Ada"}}]}}


async def test_single_field_without_a_document_is_null() -> None:
    result = await run(build(definition()), '{ mechanic(id: "zz") { name } }')
    assert (result.data, result.errors) == ({"mechanic": None}, None)


async def test_fetcher_gets_bound_arguments_only() -> None:
    fetcher = ListFetcher(DATA)
    query = "query ($s: State) { mechanics(filter: {}, sort: null) { jobs(state: $s) { id } } }"
    await graphql(build(definition()).schema, query, context_value=fetcher)
    assert fetcher.calls[0] == ("Query.mechanics", {"filter": {}, "sort": None, "skip": 0, "limit": 20})
    assert fetcher.calls[1] == ("Mechanic.jobs", {"limit": 10})


@pytest.mark.parametrize(
    ("call", "expected"),
    [("", "stored"), ("(state: OPEN)", 0), ("(state: null)", None), ("(state: DONE)", "stored")],
)
async def test_enum_arguments_arrive_as_stored_values(call: str, expected: Any) -> None:
    schema = "enum State { OPEN DONE } type Query { things(state: State = DONE): [Int] }"
    app = build(small(schema, {"State": {"OPEN": 0, "DONE": "stored"}}))
    fetcher = ListFetcher({"things": []})
    await graphql(app.schema, f"{{ things{call} }}", context_value=fetcher)
    assert fetcher.calls == [("Query.things", {"state": expected})]


async def test_enum_defaults_inside_input_objects_are_stored_values() -> None:
    schema = """enum State { OPEN DONE } input Opt { state: State = DONE states: [State!] = [OPEN, DONE] }
                type Query { things(opt: Opt = {}): [Int] }"""
    fetcher = ListFetcher({"things": []})
    app = build(small(schema, {"State": {"OPEN": 0, "DONE": 1}}))
    await graphql(app.schema, "{ things }", context_value=fetcher)
    await graphql(app.schema, "{ things(opt: {state: OPEN}) }", context_value=fetcher)
    assert fetcher.calls[0] == ("Query.things", {"opt": {"state": 1, "states": [0, 1]}})
    assert fetcher.calls[1] == ("Query.things", {"opt": {"state": 0, "states": [0, 1]}})


async def test_enum_of_mixed_stored_values_resolves() -> None:
    schema = "enum E { ZERO YES ID PLAIN } type Thing { e: E } type Query { things: [Thing] }"
    document = small(schema, {"E": {"ZERO": 0, "YES": True, "ID": {"$oid": OID}}})
    stored = [0, 0.0, Int64(0), True, ObjectId(OID), "PLAIN", None, False, OID, 1]
    result = await answer(document, "{ things { e } }", [{"e": value} for value in stored])
    assert result.data is not None
    names = [thing["e"] for thing in result.data["things"]]
    assert names == ["ZERO", "ZERO", "ZERO", "YES", "ID", "PLAIN", None, None, None, None]
    assert texts(result) == [
        "Can't serialize value (/things[7]/e) : Invalid input for enum 'E'. Unknown value 'false'",
        f"Can't serialize value (/things[8]/e) : Invalid input for enum 'E'. Unknown value '{OID}'",
        "Can't serialize value (/things[9]/e) : Invalid input for enum 'E'. Unknown value '1'",
    ]


NO_INT = "Expected types 'Integer' or 'BsonInt32' but was 'BsonString'."
THING = """type Thing { s: String i: Int f: Float b: Boolean d: ID ss: [String] ii: [[Int]]
           doc: BsonDocument docs: [JSON] sub: Thing subs: [Thing] must: String! long: Long }
           type Query { things: [Thing] }"""


@pytest.mark.parametrize(
    ("field", "stored", "expected", "errors"),
    [
        ("s", "x", "x", []),
        ("s", None, None, []),
        (
            "s",
            5,
            None,
            ["Can't serialize value (/things[0]/s) : Expected types 'String' or 'BsonString' but was 'BsonInt32'."],
        ),
        ("f", 3, 3.0, []),
        ("i", Int64(3), 3, []),
        ("d", ObjectId(OID), OID, []),
        ("long", Int64(2**40), 2**40, []),
        ("doc", {"_id": ObjectId(OID)}, {"_id": {"$oid": OID}}, []),
        ("docs", [1, None, {"a": Int64(1)}], [1, None, {"a": 1}], []),
        ("ss", ["a", None], ["a", None], []),
        (
            "ss",
            ["a", 5, "b"],
            ["a", None, "b"],
            ["Can't serialize value (/things[0]/ss[1]) : Expected types 'String' or 'BsonString' but was 'BsonInt32'."],
        ),
        (
            "ii",
            [[1], 2, [3, "x"]],
            [[1], None, [3, None]],
            [
                "Can't resolve value (/things[0]/ii[1]) : type mismatch error, expected type LIST",
                f"Can't serialize value (/things[0]/ii[2][1]) : {NO_INT}",
            ],
        ),
        ("ss", "x", None, ["Can't resolve value (/things[0]/ss) : type mismatch error, expected type LIST"]),
        (
            "subs { s }",
            {"s": "x"},
            None,
            ["Can't resolve value (/things[0]/subs) : type mismatch error, expected type LIST"],
        ),
        ("subs { s }", [{"s": "x"}, None, 5], [{"s": "x"}, None, {"s": None}], []),
        ("sub { s }", {"s": "x"}, {"s": "x"}, []),
        ("sub { s }", "scalar", {"s": None}, []),
    ],
)
async def test_value_is_fitted_to_its_type(field: str, stored: Any, expected: Any, errors: list[str]) -> None:
    name = field.split(maxsplit=1)[0]
    result = await answer(small(THING), f"{{ things {{ {field} }} }}", [{name: stored}])
    assert result.data == {"things": [{name: expected}]}
    assert errors == texts(result)


async def test_null_in_a_non_null_field_moves_up() -> None:
    result = await answer(small(THING), "{ things { s must } }", [{"s": "a"}, {"s": "b", "must": "x"}])
    assert result.data == {"things": [None, {"s": "b", "must": "x"}]}


async def test_database_fields_may_be_scalars() -> None:
    schema = "type Query { things: [Int] one: Int doc: BsonDocument }"
    place = {"db": "acme", "collection": "things"}
    document = small(schema, {"Query": {"things": place, "one": place, "doc": place}})
    result = await answer(document, "{ things one }", [1, Int64(2), "x"])
    assert result.data == {"things": [1, 2, None], "one": 1}
    assert (await answer(document, "{ doc }", [{"a": ObjectId(OID)}])).data == {"doc": {"a": {"$oid": OID}}}


async def test_arguments_may_have_any_name() -> None:
    schema = """type Thing { s(source: Int, info: Int, self: Int): String }
                type Query { things(info: Int, source: Int): [Thing] }"""
    query = "{ things(info: 1, source: 2) { s(source: 1, info: 2, self: 3) } }"
    assert (await answer(small(schema), query, [{"s": "x"}])).data == {"things": [{"s": "x"}]}


async def test_unmapped_query_fields_and_mutations_are_null() -> None:
    schema = "type Query { things: [Int] other: String } type Mutation { change: String }"
    app = build(small(schema))
    assert (await run(app, "{ other }")).data == {"other": None}
    assert (await run(app, "mutation { change }")).data == {"change": None}


VEHICLES = """
interface Part { size: Int }
type Bike implements Part { size: Int gears: Int } type Trailer implements Part { size: Int kind: String }
union Vehicle = Bike | Trailer
type Query { things: [Vehicle] part: Part }
"""
RESOLVER = {
    "$typeResolver": {
        "Bike": "field-exists(gears)",
        "Trailer": "field-eq(field=kind, value='\"trailer\"') and not field-exists(gears)",
    }
}
VEHICLE_APP = small(
    VEHICLES,
    {
        "Vehicle": RESOLVER,
        "Part": RESOLVER,
        "Query": {
            "things": {"db": "acme", "collection": "things"},
            "part": {"db": "acme", "collection": "things"},
        },
    },
)


async def test_abstract_types_are_resolved_by_predicates() -> None:
    query = (
        "{ things { __typename ... on Bike { gears } ... on Trailer { kind } } part { size ... on Bike { gears } } }"
    )
    things = [{"gears": 7, "size": 2}, {"kind": "trailer"}, None]
    result = await answer(VEHICLE_APP, query, things)
    assert result.errors is None
    assert result.data == {
        "things": [{"__typename": "Bike", "gears": 7}, {"__typename": "Trailer", "kind": "trailer"}, None],
        "part": {"size": 2, "gears": 7},
    }


async def test_value_of_no_known_type_is_an_error_of_its_element() -> None:
    result = await answer(VEHICLE_APP, "{ things { __typename } }", [{"gears": 1}, {"kind": "boat"}])
    assert result.data == {"things": [{"__typename": "Bike"}, None]}
    (text,) = texts(result)
    assert text == (
        "Can't resolve '/things[1]'. Abstract type 'Vehicle' must resolve to an Object type at runtime for field "
        "'Query.things'. Could not determine the exact type of 'Vehicle'"
    )


async def test_document_arguments_arrive_as_bson() -> None:
    schema = "type Query { things(f: BsonDocument, d: DateTime, l: Long): [Int] }"
    fetcher = ListFetcher({"things": []})
    query = 'query ($f: BsonDocument, $x: ObjectId) { a: things(f: $f) b: things(f: {id: $x, l: [1, "a"]}, l: 5) }'
    variables = {"f": {"_id": {"$oid": OID}, "z.y": 1, "a": -1}, "x": OID}
    result = await graphql(build(small(schema)).schema, query, context_value=fetcher, variable_values=variables)
    assert result.errors is None
    assert fetcher.calls[0] == ("Query.things", {"f": {"_id": ObjectId(OID), "z.y": 1, "a": -1}})
    assert fetcher.calls[1] == ("Query.things", {"f": {"id": ObjectId(OID), "l": [1, "a"]}, "l": Int64(5)})


@pytest.mark.parametrize("value", [[1], "x", {"a": {"$oid": "x"}}])
async def test_unfit_document_variable_stops_the_request(value: Any) -> None:
    query = "query ($f: BsonDocument) { mechanics(filter: $f) { id } }"
    result = await run(build(definition()), query, f=value)
    assert result.data is None
    assert result.errors is not None
    assert "Variable '$f'" in result.errors[0].message


def test_built_in_scalars_may_be_declared_again() -> None:
    scalars = "scalar BsonDocument scalar JSON scalar ObjectId scalar Long scalar String "
    app = build(small(scalars + "type Query { things: [JSON] }"))
    assert validate_schema(app.schema) == []


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("type Query { things: [Nope] }", "Unknown type 'Nope'."),
        ("scalar Money type Query { things: [Money] }", "there is no implementation for the scalar 'Money'"),
        ("type Query { things: [Int] things: [Int] }", "Field 'Query.things' can only be defined once."),
        ("type Query { things: [Int] } type A", "Type A must define one or more fields."),
        ("type Query { things: [Int] @odd }", "Unknown directive '@odd'."),
        ("type Query { things: [Int] } type JSON { a: Int }", "Type 'JSON' already exists in the schema."),
        ("type Query { things(a: E = X): [Int] } enum E { A }", "Value 'X' does not exist in 'E' enum."),
        ("type Query { things: [Int] } type __A { a: Int }", "must not begin with"),
        ("schema { query: Other } type Other { a: Int } type Query { things: [Int] }", "the query type is 'Other'"),
    ],
)
def test_schema_without_meaning_is_refused(schema: str, message: str) -> None:
    parsed = parse_definition(small(schema), tenant="acme", limits=Limits())
    with pytest.raises(DefinitionError) as caught:
        build_app(parsed)
    assert all(reason.startswith("Invalid GraphQL schema: ") for reason in caught.value.reasons)
    assert message in caught.value.message


def test_interface_of_an_interface_is_built() -> None:
    schema = """interface A { x: Int } interface B implements A { x: Int } type T implements A & B { x: Int }
                type Query { things: [B] }"""
    resolver = {"$typeResolver": {"T": "true"}}
    result = asyncio.run(
        answer(small(schema, {"A": resolver, "B": resolver}), "{ things { __typename x } }", [{"x": 1}])
    )
    assert result.data == {"things": [{"__typename": "T", "x": 1}]}


async def test_introspection_shows_names_of_enum_defaults() -> None:
    schema = "enum State { OPEN DONE } type Query { things(state: State = DONE): [Int] }"
    app = build(small(schema, {"State": {"OPEN": 0, "DONE": 1}}))
    assert (await run(app, get_introspection_query())).errors is None
    result = await run(app, '{ __type(name: "Query") { fields { args { defaultValue } } } }')
    assert result.data == {"__type": {"fields": [{"args": [{"defaultValue": "DONE"}]}]}}


def test_applications_share_no_types() -> None:
    schema = "enum State { OPEN } type Query { things: [State] }"
    first, second = (build(small(schema, {"State": {"OPEN": stored}})) for stored in (1, 2))
    types = [app.schema.type_map["State"] for app in (first, second)]
    assert [type_.values["OPEN"].value for type_ in types if isinstance(type_, GraphQLEnumType)] == [1, 2]


def test_warnings_are_handed_on() -> None:
    assert build(small("type Query { things: [Int] other: Int }")).warnings == (
        "Query fields without a mapping are always null: other",
    )
