"""Null and errors travel as graphql-core has them: expected values written out, and both ways compared."""

from typing import Any, Final

import pytest

from content_core.documents import Document
from content_core.store import Store
from graphql_app.compile.positions import list_keys
from tests.graphql_app.compile.workbench import (
    Handed,
    answer_both_ways,
    make_app,
    make_definition,
    prepare,
    run_handed,
)

RESOLVER: Final[Document] = {
    "U": {"$typeResolver": {name: f"field-eq(field=kind, value='\"{name}\"')" for name in ("X", "Y")}}
}
GONE: Final = "the thing itself is null"


def run_one(type_: str, value: Any, selected: str) -> Handed:
    """Shape one thing whose field ``f`` has a value."""
    sdl = f"type T {{ f: {type_} }} type X {{ v: Int w: Int! }} type Y {{ v: Int w: Int }} union U = X | Y"
    return run_handed(make_app(sdl, RESOLVER), f"{{ things {{ f {selected} }} }}", lambda read: [{"f": value}])


def value_of(outcome: Handed) -> Any:
    (thing,) = outcome.data["things"]
    return GONE if thing is None else thing["f"]


# --- each nesting of lists and non-null ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "value", "expected", "places"),
    [
        ("Int", None, None, []),
        ("Int", "x", None, [["f"]]),
        ("Int!", None, GONE, [["f"]]),
        ("Int!", "x", GONE, [["f"]]),
        ("[Int]", None, None, []),
        ("[Int]", [], [], []),
        ("[Int]", [1, None], [1, None], []),
        ("[Int]", [1, "x", None, {}], [1, None, None, None], [["f", 1], ["f", 3]]),
        ("[Int]", 5, None, [["f"]]),
        ("[Int]", "text", None, [["f"]]),
        ("[Int]", {"a": 1}, None, [["f"]]),
        ("[Int!]", [1, None], None, [["f", 1]]),
        ("[Int!]", [1, "x", None], None, [["f", 1]]),
        ("[Int]!", None, GONE, [["f"]]),
        ("[Int]!", [None, 2], [None, 2], []),
        ("[Int]!", 5, GONE, [["f"]]),
        ("[Int!]!", [1, 2], [1, 2], []),
        ("[Int!]!", [1, None], GONE, [["f", 1]]),
        ("[Int!]!", None, GONE, [["f"]]),
        ("[[Int]]", [[1, None], None, 3], [[1, None], None, None], [["f", 2]]),
        ("[[Int!]]", [[1], [None], [2, None]], [[1], None, None], [["f", 1, 0], ["f", 2, 1]]),
        ("[[Int]!]", [[1], None], None, [["f", 1]]),
        ("[[Int!]!]", [[1], [None]], None, [["f", 1, 0]]),
        ("[[Int!]!]!", [[1], [None]], GONE, [["f", 1, 0]]),
        ("[[Int!]!]!", [[1], [2]], [[1], [2]], []),
        ("[[[Int!]]!]", [[[1, None]], [[2]]], [[None], [[2]]], [["f", 0, 0, 1]]),
    ],
)
def test_null_in_leaves_goes_to_the_next_place_that_may_be_null(
    type_: str, value: Any, expected: Any, places: list[list[Any]]
) -> None:
    outcome = run_one(type_, value, "")

    assert value_of(outcome) == expected
    assert [error.path for error in outcome.errors] == [["things", 0, *place] for place in places]


GOOD: Final = {"v": 1, "w": 2}
BAD: Final = {"v": 1}


@pytest.mark.parametrize(
    ("type_", "value", "expected", "places"),
    [
        ("X", GOOD, GOOD, []),
        ("X", None, None, []),
        ("X", BAD, None, [["f", "w"]]),
        ("X", "text", None, [["f", "w"]]),
        ("X!", None, GONE, [["f"]]),
        ("X!", BAD, GONE, [["f", "w"]]),
        ("[X]", [GOOD, None, BAD], [GOOD, None, None], [["f", 2, "w"]]),
        ("[X]", GOOD, None, [["f"]]),
        ("[X!]", [GOOD, BAD], None, [["f", 1, "w"]]),
        ("[X!]", [GOOD, None], None, [["f", 1]]),
        ("[X]!", [BAD, GOOD], [None, GOOD], [["f", 0, "w"]]),
        ("[X]!", None, GONE, [["f"]]),
        ("[X!]!", [GOOD], [GOOD], []),
        ("[X!]!", [GOOD, BAD], GONE, [["f", 1, "w"]]),
        ("[[X!]]", [[GOOD], [BAD], None], [[GOOD], None, None], [["f", 1, 0, "w"]]),
        ("[[X]!]!", [[GOOD, BAD]], [[GOOD, None]], [["f", 0, 1, "w"]]),
        ("[[X]!]!", [[GOOD], None], GONE, [["f", 1]]),
    ],
)
def test_null_in_objects_goes_to_the_next_place_that_may_be_null(
    type_: str, value: Any, expected: Any, places: list[list[Any]]
) -> None:
    outcome = run_one(type_, value, "{ v w }")

    assert value_of(outcome) == expected
    assert [error.path for error in outcome.errors] == [["things", 0, *place] for place in places]


X: Final = {"kind": "X", "v": 1, "w": 2}
Y: Final = {"kind": "Y", "v": 3}
OF_X: Final = {"__typename": "X", "v": 1, "w": 2}
OF_Y: Final = {"__typename": "Y", "v": 3, "u": None}
BAD_X: Final = {"kind": "X"}
NO_KIND: Final = {"v": 1}


@pytest.mark.parametrize(
    ("type_", "value", "expected", "places"),
    [
        ("U", X, OF_X, []),
        ("U", Y, OF_Y, []),
        ("U", None, None, []),
        ("U", NO_KIND, None, [["f"]]),
        ("U", "text", None, [["f"]]),
        ("U", BAD_X, None, [["f", "w"]]),
        ("U!", NO_KIND, GONE, [["f"]]),
        ("U!", BAD_X, GONE, [["f", "w"]]),
        ("[U]", [X, Y, BAD_X, None, NO_KIND], [OF_X, OF_Y, None, None, None], [["f", 2, "w"], ["f", 4]]),
        ("[U]", X, None, [["f"]]),
        ("[U!]", [X, NO_KIND], None, [["f", 1]]),
        ("[U!]", [X, BAD_X, Y], None, [["f", 1, "w"]]),
        ("[U!]!", [X, None], GONE, [["f", 1]]),
        ("[[U!]]", [[X], [BAD_X], [Y]], [[OF_X], None, [OF_Y]], [["f", 1, 0, "w"]]),
    ],
)
def test_null_in_values_of_several_types_goes_to_the_next_place_that_may_be_null(
    type_: str, value: Any, expected: Any, places: list[list[Any]]
) -> None:
    outcome = run_one(type_, value, "{ __typename ... on X { v w } ... on Y { v u: w } }")

    assert value_of(outcome) == expected
    assert [error.path for error in outcome.errors] == [["things", 0, *place] for place in places]


@pytest.mark.parametrize(
    ("root", "given", "expected", "errors"),
    [
        ("[T]", [{"n": 1}, {}], {"r": [{"n": 1}, None], "other": []}, [["r", 1, "n"]]),
        ("[T!]", [{"n": 1}, {}], {"r": None, "other": []}, [["r", 1, "n"]]),
        ("[T]!", [{}], {"r": [None], "other": []}, [["r", 0, "n"]]),
        ("[T!]!", [{}], None, [["r", 0, "n"]]),
        ("T", [{}], {"r": None, "other": []}, [["r", "n"]]),
        ("T", [], {"r": None, "other": []}, []),
        ("T", [{"n": 1}, {"n": 2}], {"r": {"n": 1}, "other": []}, []),
        ("T!", [], None, [["r"]]),
        ("T!", [{}], None, [["r", "n"]]),
    ],
)
def test_null_at_the_root(root: str, given: list[Document], expected: Any, errors: list[Any]) -> None:
    place = {"db": "acme", "collection": "things"}
    app = make_app(
        f"type T {{ n: Int! }} type Query {{ r: {root} other: [T] }}",
        {"Query": {"r": place | {"find": {"r": 1}}, "other": place}},
    )

    outcome = run_handed(app, "{ r { n } other { n } }", lambda read: given if read.fields == ("Query.r",) else [])

    assert outcome.data == expected
    assert [error.path for error in outcome.errors] == errors


def test_a_field_that_nothing_maps_at_the_root_is_null() -> None:
    place = {"db": "acme", "collection": "things"}
    app = make_app("type T { n: Int } type Query { r: [T] n: Int must: T }", {"Query": {"r": place}})

    outcome = run_handed(app, "{ n must { n } r { n } }", lambda read: [])

    assert outcome.data == {"n": None, "must": None, "r": []}


# --- the errors themselves -------------------------------------------------------------------------------------------


def test_errors_say_where_they_are() -> None:
    text = """{
      things {
        second: f {
          w
          ...F
        }
      }
    }
    fragment F on X { w }"""
    sdl = "type T { f: [X] } type X { w: Int! }"

    outcome = run_handed(make_app(sdl), text, lambda read: [{"f": [{"w": 1}]}, {"f": [{}, {"w": "x"}]}])

    assert outcome.data == {"things": [{"second": [{"w": 1}]}, {"second": [None, None]}]}
    assert [error.path for error in outcome.errors] == [
        ["things", 1, "second", 0, "w"],
        ["things", 1, "second", 1, "w"],
    ]
    for error in outcome.errors:  # both places of the operation that select the field
        assert [(place.line, place.column) for place in error.locations] == [(4, 11), (9, 23)]
    assert outcome.errors[0].message == "Cannot return null for non-nullable field X.w."


def test_shared_plans_tell_the_type_of_their_own_value() -> None:
    """Two types of a union that select the same answer from one plan; names differ all the same."""
    sdl = "type T { f: [U] } type X { w: Int! } type Y { w: Int! } union U = X | Y"

    outcome = run_handed(
        make_app(sdl, RESOLVER),
        "{ things { f { __typename ... on X { w } ... on Y { w } } } }",
        lambda read: [{"f": [{"kind": "Y"}, {"kind": "X"}, {"kind": "Y", "w": 1}]}],
    )

    assert outcome.data == {"things": [{"f": [None, None, {"__typename": "Y", "w": 1}]}]}
    assert [error.message.split()[-1] for error in outcome.errors] == ["Y.w.", "X.w."]


@pytest.mark.parametrize(
    ("path", "keys"),
    [("context", []), ((("context", "a"), 0), ["a", 0]), (((("context", "a"), 1), "b"), ["a", 1, "b"])],
)
def test_paths_are_written_from_the_root(path: Any, keys: list[Any]) -> None:
    assert list_keys(path) == keys


# --- the same on both ways, of a real database -----------------------------------------------------------------------

TYPES: Final = ["Int", "Int!", "[Int]", "[Int!]", "[Int]!", "[Int!]!", "[[Int!]!]", "[[Int]]!"]
VALUES: Final[list[Any]] = [
    None,
    1,
    "x",
    {},
    [],
    [None],
    [1, None, "x"],
    [[1], [None], None, 2],
    [[1, 2]],
    {"v": 1, "w": 1},
    {"kind": "X"},
    {"kind": "Y"},
    {"kind": "X", "v": "x", "w": 1},
    [{"v": 1}, {"w": 1}, None, "x", [{"w": 1}]],
    [{"kind": "X"}, {"kind": "Y"}, {"kind": "X", "w": 1}, {"kind": "Z"}, None],
    [[{"kind": "X", "w": 1}], [{"kind": "Y"}, None], {"kind": "Y"}],
]


@pytest.mark.parametrize("kind", ["Int", "X", "U"])
async def test_every_nesting_is_completed_as_by_graphql_core(kind: str, store: Store, database: str) -> None:
    types = [type_.replace("Int", kind) for type_ in TYPES]
    fields = " ".join(f"f{n}: {type_}" for n, type_ in enumerate(types))
    wraps = " ".join(f"w{n}: W{n}" for n in range(len(types)))
    wrappers = " ".join(f"type W{n} {{ f: {type_} }}" for n, type_ in enumerate(types))
    sdl = f"""type T {{ _id: Int {fields} {wraps} }} {wrappers}
              type X {{ v: Int w: Int! }} type Y {{ v: Int w: Int }} union U = X | Y"""
    paths = {f"f{n}": "f" for n in range(len(types))} | {f"w{n}": "o" for n in range(len(types))}
    documents: list[Document] = [{"_id": n, "f": value, "o": {"f": value}} for n, value in enumerate(VALUES)]
    await store.bulk_replace(database, "things", documents)
    active = await prepare(store, make_definition(sdl, {"T": paths} | RESOLVER, tenant=database))
    selected = {"Int": "", "X": "{ v w }", "U": "{ __typename ... on X { v w } ... on Y { v u: w } }"}[kind]

    seen = 0
    for n in range(len(types)):
        text = f"{{ a: things {{ _id f{n} {selected} }} b: things {{ w{n} {{ f {selected} }} }} }}"
        compiled, interpreted = await answer_both_ways(active, store, text)
        assert compiled == interpreted
        seen += len(compiled["errors"])
    assert seen > 30
