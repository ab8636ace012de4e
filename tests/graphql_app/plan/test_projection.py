from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Decimal128, Regex

from content_core.documents import Document
from content_core.store import FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app.plan.projection import (
    add_path,
    add_root_document,
    add_whole,
    encode_projection,
    parts_of,
    render_projection,
    unite,
)
from graphql_app.schema.mappings import QueryMapping
from tests.graphql_app.compile.workbench import (
    RecordingStore,
    answer_both_ways,
    make_app,
    make_definition,
    prepare,
    select,
)

PLACE = {"db": "acme", "collection": "things"}
SDL = """type T { _id: Int n: Int o: T many: [T] must: [T!]! lines: [[T]] codes: [Int] deep: Int far: Int el: Int
                  dollar: Int star: Int all: JSON ref: T refs: [T] } """
PATHS: Document = {"codes": "skills.code", "deep": "a.b.c", "far": "x.0.y", "el": "mails.0", "dollar": "a.$b"}
MAPPINGS: Document = {
    "T": PATHS
    | {"star": "p.*", "ref": PLACE | {"find": {"_id": {"$fk": "owner.id"}, "s": {"$arg": ["rootDoc.l.k", None]}}}}
    | {"refs": PLACE | {"find": {"_id": {"$in": {"$fk": "0.ids"}}}}}
}


def project(selected: str, sdl: str = SDL, mappings: Document | None = None) -> Any:
    """Give the projection of what a root field selects, without what ``rootDoc`` needs."""
    app = make_app(sdl, mappings or MAPPINGS)
    return render_projection(
        parts_of(select(app, f"{{ things {{ {selected} }} }}").root.fields[0].target, app.matchers)
    )


def if_object(path: str, inner: Any) -> Document:
    return {"$cond": [{"$eq": [{"$type": path}, "object"]}, inner, path]}


def if_list(path: str, variable: str, element: Any) -> Document:
    return {"$cond": [{"$isArray": path}, {"$map": {"input": path, "as": variable, "in": element}}, path]}


# --- what fields need ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ("n", {"n": 1, "_id": 0}),
        ("n all", {"n": 1, "all": 1, "_id": 0}),
        ("_id", {"_id": 1}),
        ("first: n second: n", {"n": 1, "_id": 0}),
        ("__typename", {"_id": 1}),
        ("o { n }", {"o": if_object("$o", {"n": "$o.n"}), "_id": 0}),
        ("o { __typename }", {"o": if_object("$o", {"$literal": {}}), "_id": 0}),
        ("o { o { n } }", {"o": if_object("$o", {"o": if_object("$o.o", {"n": "$o.o.n"})}), "_id": 0}),
        ("a: o { n } b: o { el }", {"o": if_object("$o", {"n": "$o.n", "mails": "$o.mails"}), "_id": 0}),
        ("many { n }", {"many": if_list("$many", "e1", if_object("$$e1", {"n": "$$e1.n"})), "_id": 0}),
        ("must { n }", {"must": if_list("$must", "e1", if_object("$$e1", {"n": "$$e1.n"})), "_id": 0}),
        ("lines { n }", {"lines": if_list("$lines", "e1", if_object("$$e1", {"n": "$$e1.n"})), "_id": 0}),
        (
            "many { many { n } }",
            {
                "many": if_list(
                    "$many",
                    "e1",
                    if_object(
                        "$$e1", {"many": if_list("$$e1.many", "e2", if_object("$$e2", {"n": "$$e2.n"}))}
                    ),
                ),
                "_id": 0,
            },
        ),
        ("deep", {"a": if_object("$a", {"b": if_object("$a.b", {"c": "$a.b.c"})}), "_id": 0}),
        ("codes", {"skills": if_object("$skills", {"code": "$skills.code"}), "_id": 0}),
        # A number may be an element of a list or a name, and MongoDB's paths pick no elements.
        ("el", {"mails": 1, "_id": 0}),
        ("far", {"x": 1, "_id": 0}),
        # No expression names these.
        ("dollar", {"a": 1, "_id": 0}),
        ("dollar deep", {"a": 1, "_id": 0}),
        ("deep dollar", {"a": 1, "_id": 0}),
        ("star", {"p": 1, "_id": 0}),
        # Queries need their keys, and nothing of what they give.
        ("ref { n }", {"owner": if_object("$owner", {"id": "$owner.id"}), "_id": 0}),
        ("refs { n }", None),
        ("o { refs { n } }", {"o": 1, "_id": 0}),
    ],
)  # fmt: skip
def test_fields_need_their_paths(selected: str, expected: object) -> None:
    assert project(selected) == expected


def test_types_of_values_need_what_their_predicates_look_at() -> None:
    sdl = """interface N { n: Int } type A implements N { n: Int a: Int } type B implements N { n: Int b: Int }
             type T { one: N }"""
    resolver = {
        "A": "field-eq(field=kind, value='\"A\"')",
        "B": "field-eq(field=meta.sort.name, value='\"B\"')",
    }

    projection = project("one { n ... on A { a } }", sdl, {"N": {"$typeResolver": resolver}})

    meta = if_object("$one.meta", {"sort": if_object("$one.meta.sort", {"name": "$one.meta.sort.name"})})
    inner = {"kind": "$one.kind", "meta": meta, "n": "$one.n", "a": "$one.a"}
    assert projection == {"one": if_object("$one", inner), "_id": 0}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rootDoc.locale.language", {"locale": if_object("$locale", {"language": "$locale.language"}), "_id": 0}),
        ("rootDoc.team", {"team": 1, "_id": 0}),
        ("rootDoc", None),
        ("rootDoc[0]", None),
        ("rootDoc.items[0].x", {"items": 1, "_id": 0}),
        ("rootDoc.a.items[0][1].x", {"a": if_object("$a", {"items": "$a.items"}), "_id": 0}),
        ("rootDoc.a.0.x", {"a": 1, "_id": 0}),
    ],
)
def test_what_rootdoc_names_is_needed_of_root_documents(name: str, expected: object) -> None:
    parts: Document = {}
    mapping = QueryMapping("T", "f", "acme", "things", find={"a": {"$arg": [name, None]}}, sort={"b": 1})

    assert add_root_document(parts, mapping) is True
    assert render_projection(parts) == expected


def test_other_arguments_need_nothing_of_root_documents() -> None:
    parts: Document = {}
    mapping = QueryMapping("T", "f", "acme", "things", find={"a": {"$arg": "rootDocument.x"}, "b": {"$fk": "c"}})

    assert add_root_document(parts, mapping) is False
    assert parts == {}


# --- trees -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("segment", ["0", "12", "$a", "*", "[]", "", "a\0b"])
def test_segments_that_no_expression_can_write_make_their_parent_whole(segment: str) -> None:
    parts: Document = {"a": {"x": {}}}

    add_path(parts, ["a", segment, "c"])

    assert render_projection(parts) == {"a": 1, "_id": 0}


@pytest.mark.parametrize("name", ["a b", "a\nb", 'a"b', "ä", "_", "a$b"])
def test_other_names_are_written_as_they_are(name: str) -> None:
    parts: Document = {}

    add_whole(parts, ["o", name])

    assert render_projection(parts) == {"o": if_object("$o", {name: f"$o.{name}"}), "_id": 0}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.b", "a"], {"a": 1, "_id": 0}),
        (["a", "a.b"], {"a": 1, "_id": 0}),
        (["a.b", "a.c"], {"a": if_object("$a", {"b": "$a.b", "c": "$a.c"}), "_id": 0}),
        (["$x", "a"], None),
        (["a", "$x"], None),
        ([], {"_id": 1}),
    ],
)
def test_united_trees_have_the_parts_of_all(paths: list[str], expected: object) -> None:
    trees: list[Document] = []
    for path in paths:
        tree: Document = {}
        add_whole(tree, path.split("."))
        trees.append(tree)

    assert render_projection(unite(trees)) == expected


def test_uniting_leaves_the_trees_alone() -> None:
    first: Document = {}
    add_whole(first, ["a", "b"])
    second: Document = {}
    add_whole(second, ["a"])

    unite([first, second])

    assert render_projection(first) == {"a": if_object("$a", {"b": "$a.b"}), "_id": 0}


def test_the_encoded_projection_is_the_same() -> None:
    parts: Document = {}
    add_whole(parts, ["a", "b"])

    encoded = encode_projection(parts)

    assert encoded is not None
    assert bson.decode(encoded.raw) == render_projection(parts)  # type: ignore[attr-defined]
    assert encode_projection({"*": {}}) is None


# --- bounds ----------------------------------------------------------------------------------------------------------


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((depth_of(each) for each in inner), default=0)


async def test_the_deepest_projection_is_one_that_mongodb_takes(store: Store, database: str) -> None:
    """A hundred lists in each other: what is too deep is read whole."""
    parts: Document = {}
    current, wanted, stored = parts, 7, 7
    for _ in range(100):
        current = add_path(current, ["l"], listed=True)
    add_whole(current, ["n"])
    document: Document = {"n": wanted, "other": 1}
    for _ in range(20):
        document = {"l": [document], "other": 1}
    await store.bulk_replace(database, "deep", [document | {"_id": stored}])

    projection = render_projection(parts)
    (read,) = await store.find(database, "deep", FindQuery(filter={}, projection=projection))

    assert depth_of(projection) < 150
    for level in range(20):
        # Levels are taken apart down to a bound, and whole from there on.
        assert set(read) == ({"l"} if level < 13 else {"l", "other"})
        (read,) = read["l"]
    assert read == {"n": 7, "other": 1}


@pytest.mark.parametrize(
    ("tops", "below", "is_taken_apart"), [(10, 9, True), (10, 10, False), (50, 1, True), (51, 1, False)]
)
def test_a_hundred_parts_are_taken_apart_at_most(tops: int, below: int, is_taken_apart: bool) -> None:
    parts: Document = {}
    for top in range(tops):
        for number in range(below):
            add_whole(parts, [f"t{top}", f"n{number}"])

    projection = render_projection(parts)

    assert projection is not None
    assert set(projection) == {"_id", *(f"t{top}" for top in range(tops))}
    assert (projection["t0"] != 1) is is_taken_apart


def test_the_levels_that_fit_are_taken_apart() -> None:
    parts: Document = {}
    for number in range(98):
        add_whole(parts, ["a", "b", f"n{number}"])
    add_whole(parts, ["c"])

    assert render_projection(parts) == {"a": if_object("$a", {"b": "$a.b"}), "c": 1, "_id": 0}


# --- on MongoDB: a projected document gives the answer of the whole one --------------------------------------------

ODD: list[Any] = [
    None,
    5,
    "text",
    True,
    1.5,
    [],
    {},
    [None],
    [{}],
    {"n": 1},
    {"n": None},
    {"n": {"n": 1}},
    {"n": [1, 2]},
    {"other": 1},
    {"other": 1, "n": 2},
    [{"n": 1}, {"n": 2}],
    [None, 1, "text", {"n": 1}, [], [{"n": 2}], {"n": None}, True],
    [[{"n": 1}, {"n": 2}], {"n": 3}],
    [[[{"n": 1}]]],
    {"o": {"n": 1}, "many": [{"n": 1}]},
    {"o": None, "many": None},
    {"o": "text", "many": "text"},
    {"o": [{"n": 1}, 1], "many": {"n": 1}},
    {"many": [None, {"n": 1, "o": {"n": 2}}, [{"n": 3}], {}]},
    [{"o": {"n": 1}}, {"o": [{"n": 2}]}, {"o": None}, {"many": [1, {"n": 3}]}],
    {"$n": 1, "n": 2},
    {"a.b": 1, "n": 3},
    {"": 1, "n": 4},
    {"0": {"n": 5}, "n": 6},
    {"$ref": "things", "$id": 1, "n": 7},
    datetime(2024, 2, 29, tzinfo=UTC),
    Decimal128("1.5"),
    Regex("a"),
    b"bytes",
    {"kind": "T", "n": 8, "o": {"kind": "S", "n": 9}},
    [{"kind": "T", "n": 8}, {"kind": "S", "n": 9}, {"kind": "X", "n": 10}, {"n": 11}],
    {"deep": {"n": 1}, "skills": [{"code": 1}, 2, [{"code": 3}], {"code": [4]}]},
    {"skills": {"code": 1}, "mails": [1, 2], "a": {"b": {"c": 1}}, "x": [{"y": 2}]},
    {"skills": None, "mails": {"0": 3}, "a": {"b": [{"c": 1}, 5]}, "x": {"0": {"y": 3}}},
    {"a": [{"b": {"c": 1}}, {"b": [{"c": 2}, None]}, 3], "x": [[{"y": 1}]]},
]
ODD_SDL = """interface N { n: Int o: N } type S implements N { n: Int o: N }
type T implements N { _id: Int n: Int v: N o: N w: W ws: [W] many: [W] grid: [[W]] vs: [N]
                      ns: [Int] codes: [Int] deep: Int deeps: [Int] far: Int el: Int }
type W { n: Int o: W many: [W] codes: [Int] deeps: [Int] whole: JSON }
"""
ODD_PATHS = {"codes": "v.skills.code", "deep": "v.a.b.c", "deeps": "v.a.b.c", "far": "v.x.0.y", "el": "v.mails.0"}
ODD_MAPPINGS = {
    "T": ODD_PATHS | {"w": "v", "ws": "v", "many": "v.many", "grid": "v", "vs": "v", "ns": "v.n"},
    "W": {"codes": "skills.code", "deeps": "a.b.c", "whole": "other"},
    "N": {"$typeResolver": {name: f"field-eq(field=kind, value='\"{name}\"')" for name in ("T", "S")}},
}


@pytest.mark.parametrize(
    "selected",
    [
        "w { n }",
        "w { __typename }",
        "w { o { n } many { n } }",
        "w { many { o { n } whole } o { many { n } } }",
        "ws { n }",
        "ws { o { n } many { n } codes deeps }",
        "grid { n o { n } }",
        "many { n many { n } }",
        "v { n }",
        "v { __typename ... on T { o { n } } ... on S { n } }",
        "vs { n o { __typename n } }",
        "ns",
        "codes deep deeps far el",
        "w { n } ws { o { n } } v { n } codes",
    ],
)
async def test_projected_documents_give_the_answers_of_whole_ones(
    selected: str, store: Store, mongo: EmbeddedMongo, database: str
) -> None:
    await store.bulk_replace(database, "things", [{"_id": n, "v": value} for n, value in enumerate(ODD)])
    active = await prepare(store, make_definition(ODD_SDL, ODD_MAPPINGS, tenant=database))
    recording = RecordingStore.on(mongo.uri)

    compiled, interpreted = await answer_both_ways(active, recording, f"{{ things {{ _id {selected} }} }}")

    await recording.close()
    assert [query.projection is not None for _, query in recording.asked] == [True, False]
    assert compiled["data"]["things"] == interpreted["data"]["things"]
    assert compiled == interpreted
    assert len(compiled["data"]["things"]) == len(ODD)
    assert any(set(thing.values()) - {None, thing["_id"]} for thing in _flat(compiled["data"]["things"]))


def _flat(things: list[Document]) -> list[Document]:
    return [{name: str(value) if value is not None else None for name, value in thing.items()} for thing in things]
