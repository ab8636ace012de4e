"""Operations that mean harm, and an application that gives them room: long lists, loops, many types and fields."""

from typing import Any, Final

from content_core.documents import Document

__all__ = ["ASKED", "NODES", "yard_definition"]

_TYPES: Final = 60
_NAMES: Final = 400

NODES: Final[list[Document]] = [
    {
        "_id": number,
        "kind": f"k{number % _TYPES}",
        "name": f"node {number}",
        "next": (number + 1) % 100,
        "kids": [{"name": f"kid {kid}", "kids": [{"name": "grandkid"}] * 3} for kid in range(10)],
    }
    for number in range(100)
]


def yard_definition(tenant: str) -> Document:
    """Build a definition with everything that an attacker may wish for."""
    fields = "_id: Int name: String next: Node near(limit: Int, f: Deep, list: [Int], any: BsonDocument): [Node]"
    objects = [f"K{n}" for n in range(_TYPES)]
    sdl = "\n".join([
        "input Deep { a: Int b: [Int] c: Deep d: [Deep] s: String }",
        "type Kid { name: String say(list: [Int], s: String, any: BsonDocument, f: Deep): String kids: [Kid] }",
        f"interface Node {{ {fields} kids: [Kid] }}",
        *(f"type {name} implements Node {{ {fields} kids: [Kid] own{name}: String }}" for name in objects),
        f"union Any = {' | '.join(objects)}",
        "type Names { " + " ".join(f"field_of_many_{n}_names: Int" for n in range(_NAMES)) + " }",
        "type Query { nodes(limit: Int = 20, filter: BsonDocument, list: [Int], f: Deep, s: String): [Node]",
        "anything(limit: Int = 20): [Any] names: Names node(id: Int): Node }",
    ])  # fmt: skip
    place = {"db": tenant, "collection": "nodes"}
    resolver = {"$typeResolver": {name: f"field-eq(field=kind, value='\"k{n}\"')" for n, name in enumerate(objects)}}
    next_one = place | {"find": {"_id": {"$fk": "next"}}}
    near = place | {"find": {"_id": {"$gt": {"$fk": "_id"}}}, "limit": {"$arg": "limit"}}
    return {
        "_id": f"{tenant}___yard",
        "descriptor": {"uri": f"{tenant}/yard"},
        "schema": sdl,
        "mappings": {
            "Node": resolver,
            "Any": resolver,
            **{name: {"next": next_one, "near": near} for name in objects},
            "Query": {
                "nodes": place | {"find": {"$arg": ["filter", {}]}, "limit": {"$arg": "limit"}},
                "anything": place | {"limit": {"$arg": "limit"}},
                "names": place | {"find": {"_id": 1}},
                "node": place | {"find": {"_id": {"$arg": "id"}}},
            },
        },
    }


def _many(count: int, text: str) -> str:
    return " ".join(text.replace("%", str(n)) for n in range(count))


def _nested(count: int, opening: str, inner: str, closing: str) -> str:
    return opening * count + inner + closing * count


def _deep(levels: int) -> Document:
    value: Document = {"a": 1}
    for _ in range(levels):
        value = {"c": value}
    return value


_IN_FRAGMENTS: Final = _many(40, "fragment f% on K% { next { ...g% } kids { name } } fragment g% on Node { name _id }")
_LOOP: Final = """
fragment q on Query { a: __schema { ...s } }
fragment s on __Schema { types { ...t } }
fragment t on __Type { fields { type { ...u } } }
fragment u on __Type { possibleTypes { fields { name } } }
"""
_STANDARD: Final = "__schema { types { fields { type { fields { type { name } } } } } }"

ASKED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "many aliases": ("{ " + _many(3000, "a%: nodes { name }") + " }", {}),
    "as many aliases as may be": ("{ nodes { " + _many(100, "a%: next { name }") + " } }", {}),
    "one field again and again": ("{ nodes { " + "name " * 14_000 + "} }", {}),
    "one field as often as may be": ("{ nodes { " + "name " * 1_990 + "} }", {}),
    "one object as often as may be": ("{ nodes { " + "next { name } " * 990 + "} }", {}),
    "objects in objects": ("{ nodes { " + _nested(20, "next { name ", "_id", "} ") * 90 + "} }", {}),
    "conflicting names": ("{ nodes { " + _many(60, "a: name b: _id ...on K% { a: _id b: name }") + " } }", {}),
    "conflicts below": ("{ nodes { " + _many(90, "next { a: name next { b: name } } next { a: _id }") + " } }", {}),
    "different arguments": ("{ " + _many(19, "nodes(limit: %) { " + "near(limit: %) { name } " * 40 + "}") + " }", {}),
    "many fragments": ("{ nodes { " + _many(1500, "...f%") + " } } " + _many(1500, "fragment f% on Node { name }"), {}),
    "fragments as many as may be": (
        "{ nodes { " + _many(500, "...f%") + " } } " + _many(500, "fragment f% on Node { next { name _id } name }"),
        {},
    ),
    "one fragment again and again": ("{ nodes { " + "...f " * 6_000 + "} } fragment f on Node { name }", {}),
    "fragments in a circle": (
        "{ nodes { ...f } } fragment f on Node { next { ...g } } fragment g on Node { next { ...f } }",
        {},
    ),
    "fragments in circles": (
        "{ nodes { ...f0 } } "
        + _many(60, "fragment f% on Node { next { " + " ".join(f"...f{n}" for n in range(60)) + " } }"),
        {},
    ),
    "fragments that double": (
        "{ nodes { ...f0 } } "
        + "".join(f"fragment f{n} on Node {{ ...f{n + 1} next {{ ...f{n + 1} }} }} " for n in range(60))
        + "fragment f60 on Node { name }",
        {},
    ),
    "fragments in a long row": (
        "{ nodes { ...f0 } } "
        + "".join(f"fragment f{n} on Node {{ ...f{n + 1} }} " for n in range(490))
        + "fragment f490 on Node { name }",
        {},
    ),
    "fragments on types": ("{ anything { " + _many(40, "...f%") + " } } " + _IN_FRAGMENTS, {}),
    "inline fragments": ("{ nodes { " + "... { name } " * 3_000 + "} }", {}),
    "inline fragments on types": (
        "{ anything { " + "".join(_many(60, "... on K% { name next { name } } ")) + " } }",
        {},
    ),
    "deep": ("{ nodes { " + _nested(3_000, "next { ", "name", " }") + " } }", {}),
    "as deep as may be": ("{ nodes { " + _nested(23, "next { ", "name", " }") + " } }", {}),
    "deep inline fragments": ("{ nodes { " + _nested(150, "... { ", "name", " }") + " } }", {}),
    "lists of lists": ("{ nodes(limit: 100) { " + _nested(3, "near(limit: 100) { ", "name", " }") + " } }", {}),
    "many root fields": ("{ " + _many(100, "nodes(limit: 100) { name }") + " }", {}),
    "many operations": (_many(2_900, "query q% { nodes { name } }"), {}),
    "operations as many as may be": (
        _many(25, "query q% { nodes { " + " ".join(f"...f{n}" for n in range(120)) + " } }")
        + _many(120, "fragment f% on Node { name next { name } }"),
        {},
    ),
    "many directives": ("{ nodes " + "@include(if: true) " * 2_400 + "{ name } }", {}),
    "unknown directives": ("{ nodes " + "@x " * 7_000 + "{ name } }", {}),
    "many variables": ("query (" + _many(3_600, "$v%: Int") + ") { nodes { name } }", {}),
    "one variable again and again": ("query (" + "$v: Int " * 3_600 + ") { nodes(limit: $v) { name } }", {"v": 1}),
    "unknown variables": ("{ nodes(list: [" + _many(7_000, "$v%") + "]) { name } }", {}),
    "many arguments": ("{ nodes(" + _many(3_700, "a%: 1") + ") { name } }", {}),
    "unknown fields": ("{ nodes { " + _many(1_900, "zz%") + " } }", {}),
    "fields that are nearly known": ("{ names { " + _many(1_900, "field_of_many%_name") + " } }", {}),
    "unknown types": ("{ nodes { " + _many(1_900, "... on Kx% { name }") + " } }", {}),
    "a long list": ("{ nodes(list: [" + "1 " * 14_900 + "]) { name } }", {}),
    "a long list of errors": ("{ nodes(list: [" + "x " * 14_900 + "]) { name } }", {}),
    "a long list at every parent": ("{ nodes(limit: 100) { kids { say(list: [" + "1 " * 14_000 + "]) } } }", {}),
    "a deep value": ("{ nodes(f: " + _nested(180, "{c: ", "{a: 1}", "}") + ") { name } }", {}),
    "a deep list": ("{ nodes(list: " + _nested(7_000, "[", "1", "]") + ") { name } }", {}),
    "a wide value": ("{ nodes(f: {d: [" + "{a: 1} " * 2_900 + "]}) { name } }", {}),
    "one member again and again": ("{ nodes(f: {" + "a: 1 " * 3_600 + "}) { name } }", {}),
    "a long text": ('{ nodes(s: "' + "x" * 900_000 + '") { name } }', {}),
    "a long text at every parent": (
        '{ nodes(limit: 100) { kids { say(s: "' + "x" * 900_000 + '") } } }',
        {},
    ),
    "escapes": ('{ nodes(s: "' + "\\u00e4" * 100_000 + '") { name } }', {}),
    "a block text": ('{ nodes(s: """' + "  x\n" * 180_000 + '""") { name } }', {}),
    "an open block text": ('{ nodes(s: """' + '\\"""' * 100_000, {}),
    "comments": ("{ nodes { name } }" + "#x\n" * 14_000, {}),
    "more comments": ("{ nodes { name } }" + "#\n" * 300_000, {}),
    "a long comment": ("{ nodes { name } }#" + "x" * 1_000_000, {}),
    "blanks": ("{ nodes { name } }" + " ,\n" * 250_000, {}),
    "a long name": ("{ nodes { " + "x" * 1_000_000 + " } }", {}),
    "many introspections": ("{ " + _many(50, f"a%: {_STANDARD}") + " }", {}),
    "a loop of introspection": ("{ " + _STANDARD + " }", {}),
    "introspection in fragments": ("{ ...q ...q } " + _LOOP, {}),
    "a large list of numbers": ("query ($v: [Int]) { nodes(list: $v) { name } }", {"v": [1] * 400_000}),
    "a large list of errors": ("query ($v: [Int]) { nodes(list: $v) { name } }", {"v": ["x"] * 90_000}),
    "a large list as large as may be": ("query ($v: [Int]) { nodes(list: $v) { name } }", {"v": [1] * 99_000}),
    "large objects": ("query ($v: Deep) { nodes(f: $v) { name } }", {"v": {"d": [{"a": 1}] * 90_000}}),
    "a deep object": ("query ($v: Deep) { nodes(f: $v) { name } }", {"v": _deep(150)}),
    "a deep filter": ("query ($v: BsonDocument) { nodes(filter: $v) { name } }", {"v": {"$or": [_deep(150)]}}),
    "a large filter": (
        "query ($v: BsonDocument) { nodes(filter: $v) { name } }",
        {"v": {"_id": {"$in": [1] * 300_000}}},
    ),
    "a filter as large as may be": (
        "query ($v: BsonDocument) { nodes(filter: $v) { name } }",
        {"v": {"_id": {"$in": list(range(99_000))}}},
    ),
    "a filter of many members": (
        "query ($v: BsonDocument) { nodes(filter: $v) { name } }",
        {"v": {"$or": [{"name": str(n)} for n in range(9_000)]}},
    ),
    "a large value at every parent": (
        "query ($v: BsonDocument) { nodes(limit: 100) { near(any: $v) { name } } }",
        {"v": {"a": list(range(9_000))}},
    ),
    "variables that nobody asked for": ("{ nodes { name } }", {f"v{n}": n for n in range(60_000)}),
}
"""Texts and variables by what they try."""
