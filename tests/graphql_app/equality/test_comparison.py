"""What counts as the same answer, and what does not."""

from typing import Any

import orjson
import pytest
from graphql import parse

from graphql_app.schema.build import build_app
from graphql_app.schema.definition import Limits, parse_definition
from graphql_app.shape import Answer
from tests.graphql_app.equality.comparison import (
    data_bytes,
    find_difference,
    find_loads,
    nulled_places,
    write_error,
)

LOADS = frozenset({("a",), ("a", "b"), ("c",)})


def error(*path: str | int, message: str = "m") -> dict[str, Any]:
    return {"message": message, "path": list(path)}


def answer(data: Any, *errors: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, orjson.dumps({"data": data} | ({"errors": list(errors)} if errors else {})))


def test_data_is_taken_as_it_stands_in_the_body() -> None:
    body = b'{"data":{"a":"\\",\\"errors\\":["},"errors":[{"message":"x","path":[]}]}'

    assert data_bytes(Answer(200, body)) == b'{"a":"\\",\\"errors\\":["}'
    assert data_bytes(answer({"a": 1})) == b'{"a":1}'
    assert data_bytes(Answer(400, b'{"errors":[]}')) is None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (answer({"a": 1, "c": 2}), answer({"c": 2, "a": 1})),
        (answer({"a": 1}), answer({"a": 1.0})),
        (answer({"a": None}), answer({})),
        (answer({"a": None}, error("a")), answer({"a": None})),
        (answer({"a": None}, error("a")), answer({"a": None}, error("a", message="n"))),
        (answer({"a": None}, error("a")), answer({"a": None}, error("a"), error("a"))),
        (answer({"d": None}, error("d", "x")), answer({"d": None}, error("d", "y"))),
        (answer({"a": None}, error("a", "b")), answer({"a": None}, error("a"))),
        (answer({"a": 1}), answer({"a": 1}, status=400)),
    ],
)
def test_answers_differ(left: Answer, right: Answer) -> None:
    assert find_difference(left, right, loads=LOADS) is not None
    assert find_difference(right, left, loads=LOADS) is not None


def test_errors_are_a_set() -> None:
    left = answer({"a": None, "c": None}, error("a"), error("c"))
    right = answer({"a": None, "c": None}, error("c"), error("a"))

    assert find_difference(left, right, loads=LOADS) is None


def test_errors_below_a_null_that_came_over_queries_are_a_race() -> None:
    left = answer({"a": None, "d": None}, error("a", "b", 1), error("a", "x"), error("d"))
    right = answer({"a": None, "d": None}, error("d"), error("a", "b", 0))
    every = [write_error(one) for one in (error("a", "b", 0), error("a", "b", 1), error("a", "x"), error("d"))]

    assert find_difference(left, right, loads=LOADS) is None
    assert find_difference(left, right, loads=LOADS, possible=every) is None
    assert "nothing can cause" in (find_difference(left, right, loads=LOADS, possible=every[1:]) or "")


def test_places_are_nulled_by_errors_below_them() -> None:
    found = answer({"a": [None, {"b": None}]}, error("a", 0, "b"), error("a", 1, "b"), error("a", 1, "c"))

    assert nulled_places(found) == [("a", 0)]
    assert nulled_places(answer(None, error("a", 0))) == [()]


def test_loads_are_found_behind_fragments_and_interfaces() -> None:
    sdl = """interface I { one: T } type T implements I { one: T plain: T }
             type Query { things: [I] }"""
    place = {"db": "acme", "collection": "things"}
    mappings = {"Query": {"things": place}, "T": {"one": place}, "I": {"$typeResolver": {"T": "true"}}}
    document = {"_id": "acme___loads", "schema": sdl, "mappings": mappings}
    app = build_app(parse_definition(document, tenant="acme", limits=Limits()))
    query = parse("{ t: things { one { plain { o: one { __typename } } } ...F } } fragment F on T { plain { ...F2 } } "
                  "fragment F2 on I { one { __typename } }")  # fmt: skip

    found = find_loads(app.schema, app.definition, query)

    assert found == {("t",), ("t", "one"), ("t", "one", "plain", "o"), ("t", "plain", "one")}
