"""Every check of a definition with its text, the order of reasons, warnings, and what a good one gives."""

from typing import Any

import pytest
from bson import Int64, ObjectId

from content_core.documents import Document
from content_core.errors import DefinitionError
from content_core.names import AppKey
from graphql_app.schema.definition import (
    AggregationMapping,
    Definition,
    Limits,
    LoaderOptions,
    PathMapping,
    QueryMapping,
    parse_definition,
)
from tests.graphql_app.schema.workshop import definition, small

PLACE = {"db": "acme", "collection": "things"}
THINGS = """type Query { things(a: Int, f: BsonDocument): [Thing] other: Int }
            type Thing { id: String sub: Thing subs: [Thing] }"""
UNION = THINGS + " union U = Thing | Query"
INTERFACE = "type Query { things: [Thing] } interface I { id: String } type Thing implements I { id: String }"
ENUM = THINGS + " enum E { A B }"
WRONG_DESCRIPTORS: list[Document] = [
    {"uri": 1},
    {"name": []},
    {"description": None},
    {"enabled": "yes"},
    {"introspection": 0},
]
EMPTY_QUERIES: list[Document] = [{}, {"Query": {}}, {"Query": {"nothing": "x"}}]
MALFORMED_OPTIONS: list[Document] = [
    {"$ifarg": "a"},
    {"$ifarg": []},
    {"$ifarg": ["a"]},
    {"$ifarg": ["a", [{"$limit": 1}]]},
    {"$ifarg": ["a", {"$limit": 1}, None]},
    {"$ifarg": ["a", {"$limit": 1}, {"$limit": 2}, {"$limit": 3}]},
    {"$ifarg": [[], {"$limit": 1}]},
    {"$ifarg": [["a", 1], {"$limit": 1}]},
    {"$ifarg": ["", {"$limit": 1}]},
    {"$ifarg": ["a", {"$limit": 1}], "$limit": 1},
]
BLACK_STAGE = "Pipeline stage is in security blacklist"
BLACK_OPERATOR = "Operator is in security blacklist"
VARIABLE = "Collection and database names must be constant"
VIOLATIONS: list[tuple[list[Document], str]] = [
    ([{"$match": {}}, {"$out": "x"}], f"BLACKLISTED_STAGE operator '$out' at pipeline[1] - {BLACK_STAGE}"),
    ([{"$merge": {"into": "x"}}], f"BLACKLISTED_STAGE operator '$merge' at pipeline[0] - {BLACK_STAGE}"),
    ([{"$CurrentOp": {}}], f"BLACKLISTED_STAGE operator '$CurrentOp' at pipeline[0] - {BLACK_STAGE}"),
    (
        [{"$facet": {"f": [{"$indexStats": {}}]}}],
        f"BLACKLISTED_STAGE operator '$indexStats' at pipeline[0].$facet.f[0] - {BLACK_STAGE}",
    ),
    (
        [{"$match": {"a": [{"$where": "1"}]}}],
        f"BLACKLISTED_OPERATOR operator '$where' at pipeline[0].$match.a[0] - {BLACK_OPERATOR}",
    ),
    (
        [{"$ifarg": ["a", {"$group": {"_id": 1, "n": {"$ACCUMULATOR": {}}}}]}],
        f"BLACKLISTED_OPERATOR operator '$ACCUMULATOR' at pipeline[0].$ifarg[1].$group.n - {BLACK_OPERATOR}",
    ),
    (
        [{"$limit": 1}, {"$unionWith": {"db": "other", "coll": "c"}}],
        "CROSS_DATABASE_ACCESS operator '$unionWith' at pipeline[1] - Access to the database 'other' is not allowed",
    ),
    (
        [{"$lookup": {"from": "apikeys", "as": "a"}}],
        "RESERVED_COLLECTION operator '$lookup' at pipeline[0] - The collection 'apikeys' is reserved",
    ),
    (
        [{"$lookup": {"from": {"$arg": "c"}, "as": "a"}}],
        f"VARIABLE_COLLECTION operator '$lookup' at pipeline[0] - {VARIABLE}",
    ),
    (
        [{"$graphLookup": {"from": {"$fk": "c"}}}],
        f"VARIABLE_COLLECTION operator '$graphLookup' at pipeline[0] - {VARIABLE}",
    ),
    (
        [{"$facet": {"f": [{"$unionWith": {"coll": {"$arg": ["c", "d"]}}}]}}],
        f"VARIABLE_COLLECTION operator '$unionWith' at pipeline[0].$facet.f[0] - {VARIABLE}",
    ),
]
MALFORMED: list[Document] = [
    {"$arg": 1},
    {"$arg": ""},
    {"$arg": []},
    {"$arg": ["a"]},
    {"$arg": ["a", 1, 2]},
    {"$arg": [1, "a"]},
    {"$arg": "a", "x": 1},
    {"$fk": 1},
    {"$fk": ""},
]
GOOD_UNION = {"Thing": "field-exists(id)", "Query": "false"}


def parse(document: Document) -> Definition:
    return parse_definition(document, tenant="acme", limits=Limits())


def reasons(document: Document) -> tuple[str, ...]:
    with pytest.raises(DefinitionError) as caught:
        parse(document)
    return caught.value.reasons


def with_field(mapping: Any, *, type_name: str = "Thing", field: str = "sub") -> Document:
    return small(THINGS, {type_name: {field: mapping}} if type_name != "Query" else {"Query": {field: mapping}})


CHECKS = [
    pytest.param(definition(descriptor=1), "'Descriptor' field must be an Object but was INT32", id="descriptor"),
    pytest.param(
        definition(descriptor=None), "'Descriptor' field must be an Object but was NULL", id="null descriptor"
    ),
    *(
        pytest.param(definition(descriptor=member), "Error with GraphQL App Descriptor", id=f"descriptor {member}")
        for member in WRONG_DESCRIPTORS
    ),
    pytest.param(definition(schema=1), "'Schema' field must be a String but was INT32", id="schema type"),
    pytest.param(definition(schema=...), "Invalid GraphQL schema: the schema is missing", id="schema missing"),
    pytest.param(
        definition(schema="type Query {"),
        "Invalid GraphQL schema: Syntax Error: Expected Name, found <EOF>. (line 1, column 13)",
        id="schema syntax",
    ),
    pytest.param(
        definition(schema="type Query { a: Int } query { a }"),
        "Invalid GraphQL schema: a schema holds no operations and no fragments",
        id="operation in the schema",
    ),
    pytest.param(
        definition(mappings=...),
        "Missing mappings: please provide a mapping for at least one Query.",
        id="mappings missing",
    ),
    pytest.param(definition(mappings=[]), "'mappings' field must be an Object but was ARRAY", id="mappings type"),
    pytest.param(
        small(THINGS, {"Thing": "x"}),
        "Error with mappings of type: Thing. Type mappings must be of type Object but was STRING",
        id="type entry",
    ),
    pytest.param(
        with_field(1), "The mapping for Thing.sub must be a String or a Document, but it is a INT32", id="field entry"
    ),
    pytest.param(
        with_field({"collection": "c"}), "The mapping for Thing.sub does not specify the property 'db'", id="no db"
    ),
    pytest.param(
        with_field({"db": "acme"}),
        "The mapping for Thing.sub does not specify the property 'collection'",
        id="no collection",
    ),
    pytest.param(
        with_field({"db": 1, "collection": "c"}),
        "The mapping for Thing.sub requires the property 'db' to be a string but it is a INT32",
        id="db type",
    ),
    pytest.param(
        with_field({"db": "acme", "collection": True}),
        "The mapping for Thing.sub requires the property 'collection' to be a string but it is a BOOLEAN",
        id="collection type",
    ),
    pytest.param(
        with_field(PLACE | {"stages": {}}),
        "The mapping for Thing.sub requires the property 'db' to be a ARRAY but it is a DOCUMENT",
        id="stages type",
    ),
    *(
        pytest.param(
            with_field(PLACE | {member: "x"}),
            f"The mapping for Thing.sub requires the property '{member}' to be a Object but it is a STRING",
            id=f"{member} type",
        )
        for member in ("find", "sort", "dataLoader", "limit", "skip")
    ),
    pytest.param(
        with_field(PLACE | {"limit": 1.5}),
        "The mapping for Thing.sub requires the property 'limit' to be a Object but it is a DOUBLE",
        id="fractional limit",
    ),
    pytest.param(
        with_field(PLACE | {"limit": 2**40}),
        "The mapping for Thing.sub requires the property 'limit' to be a Object but it is a INT64",
        id="long limit",
    ),
    pytest.param(
        with_field(PLACE | {"limit": True}),
        "The mapping for Thing.sub requires the property 'limit' to be a Object but it is a BOOLEAN",
        id="boolean limit",
    ),
    pytest.param(
        with_field(PLACE | {"limit": 101}),
        "Error with field 'limit' of type Thing, value cannot be grater than 100",
        id="limit over the maximum",
    ),
    pytest.param(
        small(ENUM, {"E": 1}),
        "Error with mappings of enum: 'E'. Enum mappings must be of type 'DOCUMENT' but was INT32",
        id="enum entry",
    ),
    pytest.param(small(UNION), "Missing mappings for union U", id="union without entry"),
    pytest.param(small(INTERFACE), "Missing mappings for interface I", id="interface without entry"),
    pytest.param(small(UNION, {"U": {}}), "Missing $typeResolver for union U", id="union without resolver"),
    pytest.param(small(INTERFACE, {"I": {}}), "Missing $typeResolver for interface I", id="interface without resolver"),
    pytest.param(
        small(UNION, {"U": {"$typeResolver": "x"}}),
        "Wrong mappings for union U: the $typeResolver is not an Object",
        id="resolver type",
    ),
    pytest.param(
        small(UNION, {"U": {"$typeResolver": GOOD_UNION | {"Thing": None}}}),
        "null $typeResolver predicate",
        id="null predicate",
    ),
    pytest.param(
        small(UNION, {"U": {"$typeResolver": GOOD_UNION | {"Thing": {"a": 1}}}}),
        '$typeResolver predicate is not a String: {"a":1}',
        id="predicate type",
    ),
    pytest.param(
        small(UNION, {"U": {"$typeResolver": {"Thing": "true"}}}),
        "$typeResolver for union U does not map all union members",
        id="member missing",
    ),
    pytest.param(
        small(INTERFACE, {"I": {"$typeResolver": {}}}),
        "$typeResolver for interface I does not map all objects implementing it",
        id="implementor missing",
    ),
    *(
        pytest.param(
            definition(mappings={"State": {}} | query),
            "Missing or empty mappings for type Query: please provide a mapping for at least one Query field.",
            id=f"no mapped Query field {query}",
        )
        for query in EMPTY_QUERIES
    ),
]


@pytest.mark.parametrize(("document", "reason"), CHECKS)
def test_check_gives_its_reason(document: Document, reason: str) -> None:
    assert reason == reasons(document)[0]


@pytest.mark.parametrize(
    "predicate", ["", "foo(bar) and not field-exists(x)", "field-eq(field=a, value=PageRef)", "field-exists(a"]
)
def test_unreadable_predicate_is_refused(predicate: str) -> None:
    document = small(UNION, {"U": {"$typeResolver": GOOD_UNION | {"Thing": predicate}}})
    assert reasons(document)[0].startswith(f"error parsing $typeResolver predicate: {predicate}")


EXTRAS = [
    pytest.param(
        with_field(PLACE | {"db": "other"}),
        "The mapping for Thing.sub reads the database 'other'; it may only read 'acme'",
        id="another database",
    ),
    *(
        pytest.param(
            with_field(PLACE | {"collection": name}),
            f"The mapping for Thing.sub reads the collection '{name}', which is reserved",
            id=f"collection {name}",
        )
        for name in ("apikeys", "gql-apps", "system.users", "_properties", "")
    ),
    *(
        pytest.param(
            with_field(PLACE | {member: {"a": [{"b": {operator: 1}}]}}),
            f"The mapping for Thing.sub uses the operator '{operator}' in '{member}', which is not allowed",
            id=f"{operator} in {member}",
        )
        for member in ("find", "sort", "limit", "skip")
        for operator in ("$where", "$FUNCTION", "$accumulator", "$out", "$merge", "$currentOp", "$collStats")
    ),
    pytest.param(
        with_field(PLACE | {"find": {"$arg": ["f", {"$where": "1"}]}}),
        "The mapping for Thing.sub uses the operator '$where' in 'find', which is not allowed",
        id="operator in a default",
    ),
    *(
        pytest.param(
            with_field(PLACE | {"find": {"a": value}}),
            f"The mapping for Thing.sub has a malformed {next(iter(value))}: ",
            id=f"malformed {value}",
        )
        for value in MALFORMED
    ),
    pytest.param(
        with_field(PLACE | {"find": {"a": {"$fk": "b"}}}, type_name="Query", field="other"),
        "The mapping for Query.other uses $fk 'b', but fields of Query have no parent",
        id="$fk on Query",
    ),
    *(
        pytest.param(
            with_field(PLACE | {"find": {"a": {"$arg": name}}}, type_name="Query", field="other"),
            f"The mapping for Query.other uses '{name}' without a default, but fields of Query have no root document",
            id=f"{name} on Query",
        )
        for name in ("rootDoc", "rootDoc.a", "rootDoc[0]")
    ),
    pytest.param(
        small(UNION, {"U": {"$typeResolver": GOOD_UNION | {"Stranger": "true"}}}),
        "$typeResolver for union U names Stranger, which is none of its types",
        id="non-member",
    ),
    *(
        pytest.param(
            with_field(PLACE | {"stages": [stage]}),
            "The mapping for Thing.sub has a malformed $ifarg: ",
            id=f"malformed {stage}",
        )
        for stage in MALFORMED_OPTIONS
    ),
    *(
        pytest.param(
            with_field(PLACE | {"stages": [{"$match": {"a": value}}, {"$ifarg": ["x", {"$match": {"b": value}}]}]}),
            f"The mapping for Thing.sub has a malformed {next(iter(value))}: ",
            id=f"malformed {value} in stages",
        )
        for value in MALFORMED
    ),
    *(
        pytest.param(
            with_field(PLACE | {"stages": stages}),
            f"The mapping for Thing.sub has stages that are not allowed: Security violation: {violation}",
            id=violation,
        )
        for stages, violation in VIOLATIONS
    ),
    pytest.param(
        with_field(PLACE | {"stages": [{"$match": {"a": {"$fk": "b"}}}]}, type_name="Query", field="other"),
        "The mapping for Query.other uses $fk 'b', but fields of Query have no parent",
        id="$fk in stages of Query",
    ),
    pytest.param(
        with_field(PLACE | {"stages": [{"$match": {"a": {"$arg": "rootDoc.a"}}}]}, type_name="Query", field="other"),
        "The mapping for Query.other uses 'rootDoc.a' without a default, but fields of Query have no root document",
        id="rootDoc in stages of Query",
    ),
    pytest.param(
        with_field(PLACE | {"stages": [{"$match": {"_id": {"$oid": "x"}}}]}),
        "The mapping for Thing.sub has 'stages' that cannot be read: malformed extended JSON at [0].$match._id",
        id="extended JSON in stages",
    ),
    pytest.param(
        with_field({"db": "other", "collection": "things", "stages": []}),
        "The mapping for Thing.sub reads the database 'other'; it may only read 'acme'",
        id="another database for stages",
    ),
    pytest.param(
        with_field(PLACE | {"stages": [], "dataLoader": 1}),
        "The mapping for Thing.sub requires the property 'dataLoader' to be a Object but it is a INT32",
        id="dataLoader beside stages",
    ),
    pytest.param(
        with_field(PLACE | {"find": {"_id": {"$oid": "x"}}}),
        "The mapping for Thing.sub has a 'find' that cannot be read: malformed extended JSON at _id",
        id="extended JSON in a query",
    ),
    pytest.param(
        small(ENUM, {"E": {"A": {"$oid": "x"}}}),
        "Error with mappings of enum: 'E'. A stored value cannot be read: malformed",
        id="extended JSON in an enum",
    ),
    pytest.param(definition(_id=5), "the '_id' must be a String but was INT32", id="id type"),
    pytest.param(definition(_id=...), "the '_id' must be a String but was NULL", id="id missing"),
    *(
        pytest.param(
            definition(_id=identifier),
            "the '_id' must be 'acme___' followed by letters, digits, '.', '_' or '-', but was",
            id=f"id {identifier}",
        )
        for identifier in ("workshop", "other___workshop", "acme___", "acme___a/b", "acme___a b")
    ),
    pytest.param(
        definition(descriptor={"uri": "other/workshop"}),
        "Error with GraphQL App Descriptor: the uri 'other/workshop' belongs to another tenant",
        id="uri of another tenant",
    ),
    *(
        pytest.param(
            definition(descriptor={"uri": uri}),
            f"Error with GraphQL App Descriptor: '{uri}' is no application address",
            id=f"uri {uri!r}",
        )
        for uri in ("", "workshop", "acme/", "acme/ä")
    ),
    *(
        pytest.param(
            definition(descriptor={"uri": uri}),
            f"Error with GraphQL App Descriptor: the uri '{uri}' holds an empty segment, '.' or '..'",
            id=f"uri {uri!r}",
        )
        for uri in ("acme/a//b", "acme/../b", "acme___/b", "acme/.")
    ),
]


@pytest.mark.parametrize(("document", "reason"), EXTRAS)
def test_further_checks_give_their_reason(document: Document, reason: str) -> None:
    assert reasons(document)[0].startswith(reason)


def test_all_reasons_are_told_in_the_order_of_the_checks() -> None:
    document = small(
        UNION,
        {"Thing": {"sub": PLACE | {"find": 1, "limit": 1000}, "id": 5}, "U": {"$typeResolver": 1}},
        descriptor={"enabled": 1, "uri": "other/x"},
    )
    assert reasons(document) == (
        "Error with GraphQL App Descriptor",
        "Error with GraphQL App Descriptor: the uri 'other/x' belongs to another tenant",
        "The mapping for Thing.id must be a String or a Document, but it is a INT32",
        "The mapping for Thing.sub requires the property 'find' to be a Object but it is a INT32",
        "Error with field 'limit' of type Thing, value cannot be grater than 100",
        "Wrong mappings for union U: the $typeResolver is not an Object",
    )


def test_reasons_come_in_the_documented_order() -> None:
    """Every kind of fault at once, each in a place of its own, written against the order."""
    schema = """type Query { things: [Thing] }
                type Thing { a: Int b: Int c: Int d: Int e: Int f: Int g: Int h: Zzzzzzzz }
                type Other { id: Int } interface I { id: Int } enum E { A } union U = Thing | Other union V = Thing
                union W = Thing | Other union X = Thing"""
    mappings = {
        "X": {"$typeResolver": {"Thing": "true", "Query": "true"}},
        "W": {"$typeResolver": {"Other": None}},
        "V": {"$typeResolver": 1},
        "U": {},
        "E": 1,
        "Query": {"nothing": "x"},
        "Thing": {
            "h": PLACE | {"db": "foreign", "find": {"$where": "1", "x": {"$arg": []}}, "sort": {"y": {"$oid": "z"}}},
            "g": PLACE | {"skip": "x", "limit": 1000},
            "f": PLACE | {"limit": "x", "sort": 1},
            "e": PLACE | {"stages": 1, "dataLoader": 1},
            "d": {"db": 1, "collection": "apikeys"},
            "c": {"db": "acme"},
            "b": 1,
        },
        "Other": 1,
    }
    found = reasons(definition(_id="acme___", schema=schema, mappings=mappings, descriptor={"enabled": 1, "uri": "x"}))
    expected = [
        "the '_id' must be 'acme___' followed by",
        "Error with GraphQL App Descriptor",
        "Error with GraphQL App Descriptor: 'x' is no application address",
        "Error with mappings of type: Other. Type mappings must be of type Object but was INT32",
        "The mapping for Thing.b must be a String or a Document, but it is a INT32",
        "The mapping for Thing.c does not specify the property 'collection'",
        "The mapping for Thing.d requires the property 'db' to be a string but it is a INT32",
        "The mapping for Thing.e requires the property 'db' to be a ARRAY but it is a INT32",
        "The mapping for Thing.f requires the property 'sort' to be a Object but it is a INT32",
        "The mapping for Thing.e requires the property 'dataLoader' to be a Object but it is a INT32",
        "The mapping for Thing.f requires the property 'limit' to be a Object but it is a STRING",
        "Error with field 'limit' of type Thing, value cannot be grater than 100",
        "The mapping for Thing.g requires the property 'skip' to be a Object but it is a STRING",
        "Error with mappings of enum: 'E'. Enum mappings must be of type 'DOCUMENT' but was INT32",
        "Missing mappings for interface I",
        "Missing $typeResolver for union U",
        "Wrong mappings for union V: the $typeResolver is not an Object",
        "null $typeResolver predicate",
        "$typeResolver for union W does not map all union members",
        "Missing or empty mappings for type Query: please provide a mapping for at least one Query field.",
        "The mapping for Thing.h has a 'sort' that cannot be read",
        "The mapping for Thing.h reads the database 'foreign'; it may only read 'acme'",
        "The mapping for Thing.h uses the operator '$where' in 'find', which is not allowed",
        "The mapping for Thing.h has a malformed $arg: ",
        "$typeResolver for union X names Query, which is none of its types",
        "Invalid GraphQL schema: Unknown type 'Zzzzzzzz'.",
    ]
    assert len(found) == len(expected)
    assert all(reason.startswith(start) for reason, start in zip(found, expected, strict=True))


def test_faults_of_mappings_do_not_hide_those_of_the_schema() -> None:
    document = small(THINGS + " type Odd { a: Zzzzzzzz b: Strange } scalar Strange", {"Thing": {"id": 5}})
    assert reasons(document) == (
        "The mapping for Thing.id must be a String or a Document, but it is a INT32",
        "Invalid GraphQL schema: Unknown type 'Zzzzzzzz'.",
    )
    document = small("type Query { things: Int odd: Strange } scalar Strange", {"Query": {"things": PLACE, "odd": 5}})
    assert reasons(document) == (
        "The mapping for Query.odd must be a String or a Document, but it is a INT32",
        "Invalid GraphQL schema: there is no implementation for the scalar 'Strange'",
    )


def test_missing_mappings_do_not_hide_faults_of_the_schema() -> None:
    assert reasons(definition(schema="type Query { a: Zzzzzzzz }", mappings=...)) == (
        "Missing mappings: please provide a mapping for at least one Query.",
        "Invalid GraphQL schema: Unknown type 'Zzzzzzzz'.",
    )


def test_a_missing_place_does_not_hide_a_wrong_query() -> None:
    assert reasons(with_field({"collection": "c", "find": 1, "limit": "x"})) == (
        "The mapping for Thing.sub does not specify the property 'db'",
        "The mapping for Thing.sub requires the property 'find' to be a Object but it is a INT32",
        "The mapping for Thing.sub requires the property 'limit' to be a Object but it is a STRING",
    )


def test_bad_schema_does_not_hide_bad_mappings() -> None:
    assert len(reasons(definition(schema=1, mappings=1))) == 2


def test_entries_of_other_kinds_are_ignored() -> None:
    assert parse(small(THINGS + " input Opt { a: Int }", {"Opt": 1, "Nothing": 2, "Long": 3})).warnings == (
        "Query fields without a mapping are always null: other",
    )


@pytest.mark.parametrize(
    ("document", "warning"),
    [
        (small(THINGS), "Query fields without a mapping are always null: other"),
        (
            small(THINGS, {"Thing": {"nope": "x"}}),
            "The mapping for Thing.nope is not used: type Thing has no field nope",
        ),
        (
            with_field(PLACE | {"find": {"a": {"$arg": "b.c"}}}),
            "The mapping for Thing.sub takes 'b.c' from an argument that the field does not declare",
        ),
        (
            with_field(PLACE | {"limit": {"a": 1}}),
            "The mapping for Thing.sub has a 'limit' that is no number, $arg or $fk: the field always fails",
        ),
    ],
)
def test_oddities_are_warned_of(document: Document, warning: str) -> None:
    assert warning in parse(document).warnings


@pytest.mark.parametrize(
    ("stages", "warning"),
    [
        ([{"$match": {"a": {"$arg": "nope"}}}], "takes 'nope' from an argument that the field does not declare"),
        ([{"$ifarg": ["nope", {"$limit": 1}]}], "takes 'nope' from an argument that the field does not declare"),
        (
            [{"$facet": {"f": [{"$ifarg": ["a", {"$limit": 1}]}]}}],
            "has an $ifarg inside a stage, where it is not read",
        ),
        ([{"$nope": 1}], "has stages that always fail: Unrecognized pipeline stage name: '$nope' at pipeline[0].$nope"),
        (
            [{"$limit": 1}, 5],
            "has stages that always fail: the stage at pipeline[1] is no object with exactly one member",
        ),
    ],
)
def test_oddities_of_stages_are_warned_of(stages: list[Any], warning: str) -> None:
    assert f"The mapping for Thing.sub {warning}" in parse(with_field(PLACE | {"stages": stages})).warnings


def test_declared_and_predefined_names_in_stages_give_no_warning() -> None:
    stages = [
        {"$match": {"a": {"$arg": "@user.tenant"}, "b": {"$arg": ["f.x", 1]}, "c": {"$arg": ["rootDoc.x", None]}}},
        {"$ifarg": [["a", "@user", "rootDoc"], {"$limit": {"$arg": "a"}}]},
    ]
    assert parse(small(THINGS, {"Query": {"things": PLACE | {"stages": stages}, "other": "x"}})).warnings == ()


def test_the_user_is_known_in_aggregations_only() -> None:
    document = small(THINGS, {"Query": {"things": PLACE | {"find": {"a": {"$arg": "@user"}}}, "other": "x"}})
    assert "The mapping for Query.things takes '@user' from an argument that the field does not declare" in (
        parse(document).warnings
    )


def test_stages_win_over_the_members_of_a_query() -> None:
    written = PLACE | {"stages": [{"$limit": 1}], "find": 1, "sort": 2, "limit": "x", "skip": "y", "allowDiskUse": True}
    assert parse(with_field(written)).fields["Thing"]["sub"] == AggregationMapping(
        type_name="Thing",
        field_name="sub",
        db="acme",
        collection="things",
        stages=({"$limit": 1},),
        reads=frozenset({("acme", "things")}),
        allow_disk_use=True,
    )


@pytest.mark.parametrize("written", [1, "true", None, {}])
def test_disk_use_that_is_no_boolean_counts_as_false(written: Any) -> None:
    mapping = parse(with_field(PLACE | {"stages": [], "allowDiskUse": written})).fields["Thing"]["sub"]
    assert isinstance(mapping, AggregationMapping)
    assert mapping.allow_disk_use is False


def test_collections_that_stages_name_are_read_by_the_application() -> None:
    stages = [
        {"$lookup": {"from": "7c1e.release.content", "pipeline": [{"$unionWith": "deep"}], "as": "a"}},
        {"$ifarg": ["a", {"$unionWith": {"db": "acme", "coll": "then"}}, {"$unionWith": "otherwise"}]},
        {"$facet": {"f": [{"$graphLookup": {"from": "graph"}}]}},
    ]
    parsed = parse(with_field(PLACE | {"stages": stages}))
    names = {"things", "7c1e.release.content", "deep", "then", "otherwise", "graph"}
    assert {("acme", name) for name in names} <= parsed.collections


def test_declared_arguments_and_paths_into_them_give_no_warning() -> None:
    mapping = PLACE | {"find": {"a": {"$arg": "a"}, "b": {"$arg": "f.x[0]"}, "c": {"$arg": ["rootDoc.x", None]}}}
    document = small(THINGS, {"Query": {"things": mapping, "other": "x"}})
    assert parse(document).warnings == ()


def test_defaults_of_a_definition() -> None:
    parsed = parse(definition())
    assert parsed.key == AppKey("acme", "workshop")
    assert parsed.document_id == "acme___workshop"
    assert (parsed.enabled, parsed.introspection, parsed.description) == (True, True, "")
    assert parsed.collections == {("acme", "mechanics"), ("acme", "jobs")}
    assert parsed.enums == {"State": {"OPEN": 0, "DONE": 1}}
    assert parsed.warnings == ()


def test_descriptor_is_read() -> None:
    descriptor = {"uri": "/acme/a/b", "name": "old", "description": "bikes", "enabled": False, "introspection": False}
    parsed = parse(definition(descriptor=descriptor))
    assert parsed.key == AppKey("acme", "a/b")
    assert parsed.document_id == "acme___workshop"
    assert (parsed.enabled, parsed.introspection, parsed.description) == (False, False, "bikes")


@pytest.mark.parametrize("uri", ["acme/shop", "/acme/shop", "acme___shop"])
def test_every_spelling_of_a_uri_is_one_application(uri: str) -> None:
    assert parse(definition(descriptor={"uri": uri})).key == AppKey("acme", "shop")


def test_mappings_are_read() -> None:
    fields = parse(definition()).fields
    assert fields["Mechanic"]["mainMail"] == PathMapping("contact.mails.0", ("contact", "mails", "0"))
    assert fields["Mechanic"]["jobs"] == QueryMapping(
        type_name="Mechanic",
        field_name="jobs",
        db="acme",
        collection="jobs",
        find={"_id": {"$in": {"$fk": "jobIds"}}, "state": {"$arg": ["state", 0]}},
        sort={"_id": 1},
        limit={"$arg": "limit"},
        plural=True,
    )
    owner = fields["Job"]["owner"]
    assert isinstance(owner, QueryMapping)
    assert not owner.plural
    assert (owner.sort, owner.skip, owner.limit) == (None, None, None)


@pytest.mark.parametrize(("declared", "plural"), [("[T]", True), ("[T!]!", True), ("T!", False), ("[[T]]", True)])
def test_plural_looks_through_non_null(declared: str, plural: bool) -> None:
    mapping = parse(small(f"type Query {{ things: {declared} }} type T {{ a: Int }}")).fields["Query"]["things"]
    assert isinstance(mapping, QueryMapping)
    assert mapping.plural is plural


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, LoaderOptions()),
        ({"batching": True, "caching": True, "maxBatchSize": 5}, LoaderOptions(True, True, 5)),
        ({"batching": False, "maxBatchSize": 5.0}, LoaderOptions(max_batch_size=5)),
        ({"caching": True, "maxBatchSize": 5}, LoaderOptions(caching=True)),
        ({"batching": 1, "caching": "x", "maxBatchSize": 5}, LoaderOptions()),
        ({"batching": True, "maxBatchSize": -1}, LoaderOptions(batching=True)),
        ({"batching": True, "maxBatchSize": "x"}, LoaderOptions(batching=True)),
        ({"batching": True, "maxBatchSize": float("inf")}, LoaderOptions(batching=True)),
    ],
)
def test_loader_options_ignore_wrong_types(written: Document, expected: LoaderOptions) -> None:
    mapping = parse(with_field(PLACE | {"dataLoader": written})).fields["Thing"]["sub"]
    assert isinstance(mapping, QueryMapping)
    assert expected == mapping.loader


def test_extended_json_in_constants_becomes_bson() -> None:
    oid = "64a5f0c2e4b0a1b2c3d4e5f6"
    document = with_field(PLACE | {"find": {"_id": {"$oid": oid}, "n": {"$numberLong": "5"}}, "skip": 1.0})
    mapping = parse(document).fields["Thing"]["sub"]
    assert isinstance(mapping, QueryMapping)
    assert mapping.find == {"_id": ObjectId(oid), "n": Int64(5)}
    assert mapping.skip == 1.0


def test_unlisted_enum_values_are_stored_as_their_names() -> None:
    assert parse(small(ENUM, {"E": {"B": 7, "Z": 1}})).enums == {"E": {"A": "A", "B": 7}}
    assert parse(small(ENUM)).enums == {"E": {"A": "A", "B": "B"}}


def test_extensions_count_as_declared() -> None:
    schema = THINGS + " extend type Thing { more: Int } union U = Thing extend union U = Query"
    document = small(schema, {"Thing": {"more": "x.y"}, "U": {"$typeResolver": GOOD_UNION}})
    assert parse(document).fields["Thing"]["more"] == PathMapping("x.y", ("x", "y"))


def test_order_of_predicates_is_kept() -> None:
    for names in (["Thing", "Query"], ["Query", "Thing"]):
        document = small(UNION, {"U": {"$typeResolver": dict.fromkeys(names, "true")}})
        assert names == [name for name, _ in parse(document).resolvers["U"]]


def test_deeply_nested_schema_is_refused() -> None:
    schema = "type Query { things: " + "[" * 20_000 + "Int" + "]" * 20_000 + " }"
    assert reasons(small(schema))[0].startswith("Invalid GraphQL schema: ")
