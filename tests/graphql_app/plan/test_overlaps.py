"""The quick way is compared with graphql-core's rule, which stays the judge."""

import pytest
from graphql import OverlappingFieldsCanBeMergedRule, build_schema, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_app.plan import Bounds, PlanRefusedError, parse_operations
from graphql_app.plan.overlaps import surely_merge

SCHEMA = build_schema("""
interface Node { id: ID name: String size: Int peer: Node peers(n: Int): [Node] }
type A implements Node { id: ID name: String size: Int peer: Node peers(n: Int): [Node] own: String! list: [Int] }
type B implements Node { id: ID name: String size: Int peer: Node peers(n: Int): [Node] own: Int list: [String] any: U }
union U = A | B
type Query { node: Node nodes(n: Int): [Node] u: U a: A b: B }
""")
_UNBOUNDED = Bounds(max_aliases=10_000, max_fields=100_000)
LEAVES = {
    "Node": ("id", "name", "size"),
    "A": ("own", "list", "name"),
    "B": ("own", "list", "size"),
    "U": (),
    "Query": (),
}
INNER = {
    "Node": (("peer", "Node"), ("peers(n: 1)", "Node"), ("peers(n: 2)", "Node")),
    "A": (("peer", "Node"), ("peers(n: 1)", "Node")),
    "B": (("peer", "Node"), ("any", "U")),
    "U": (),
    "Query": (("node", "Node"), ("nodes(n: 1)", "Node"), ("nodes(n:  1 )", "Node"), ("u", "U"), ("a", "A"), ("b", "B")),
}
NARROWER = {"Node": ("A", "B", "Node"), "A": ("Node",), "B": ("Node",), "U": ("A", "B", "Node"), "Query": ("Query",)}


@st.composite
def selections(draw: st.DrawFn, type_name: str, depth: int, fragments: tuple[tuple[str, str], ...] = ()) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        choices = ["leaf", "fragment"] if depth else ["leaf"]
        choices += ["inner"] if depth and INNER[type_name] else []
        choices += ["spread"] if fragments else []
        alias = draw(st.sampled_from(["", "", "x: ", "y: "]))
        match draw(st.sampled_from(choices)):
            case "leaf":
                parts.append(alias + draw(st.sampled_from([*LEAVES[type_name], "__typename"])))
            case "inner":
                name, inner = draw(st.sampled_from(INNER[type_name]))
                parts.append(f"{alias}{name} {{ {draw(selections(inner, depth - 1, fragments))} }}")
            case "fragment":
                condition = draw(st.sampled_from(NARROWER[type_name]))
                parts.append(f"... on {condition} {{ {draw(selections(condition, depth - 1, fragments))} }}")
            case "spread":
                parts.append("..." + draw(st.sampled_from(fragments))[0])
    return " ".join(parts)


@st.composite
def documents(draw: st.DrawFn) -> str:
    fragments: list[tuple[str, str]] = []
    texts = []
    for number in range(draw(st.integers(0, 3))):
        condition = draw(st.sampled_from(["Node", "A", "B"]))
        texts.append(f"fragment f{number} on {condition} {{ {draw(selections(condition, 2, tuple(fragments)))} }}")
        fragments.append((f"f{number}", condition))
    texts.append(f"{{ {draw(selections('Query', 4, tuple(fragments)))} }}")
    return " ".join(texts)


def conflicts(text: str) -> bool:
    return bool(validate(SCHEMA, parse(text), [OverlappingFieldsCanBeMergedRule]))


@settings(max_examples=600, deadline=None)
@given(documents())
def test_nothing_that_conflicts_is_let_pass(text: str) -> None:
    if surely_merge(SCHEMA, parse(text)):
        assert not conflicts(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ node { name name id x: size x: size } }",
        "{ u { ... on A { name } ... on B { size } __typename __typename } }",
        "{ u { ... on A { x: name } ... on B { x: name } } }",
        "{ nodes(n: 1) { id } nodes(n:1,) { name } }",
        "{ u { ... on A { x: peer { id } } ... on B { x: peer { name } } } }",
        "{ node { ...f ...f peer { ...f } } } fragment f on Node { id peer { name } }",
        "query A { x: node { id } } query B { x: a { id } }",
        "{ __schema { types { name } types { kind } } }",
    ],
)
def test_usual_documents_are_settled_quickly(text: str) -> None:
    assert surely_merge(SCHEMA, parse(text))
    assert not conflicts(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ node { x: name x: id } }",
        "{ nodes(n: 1) { id } nodes(n: 2) { id } }",
        "{ nodes(n: 1) { id } nodes { id } }",
        "{ u { ... on A { own } ... on B { own } } }",
        "{ u { ... on A { list } ... on B { list } } }",
        "{ u { ... on A { x: name } ... on B { x: peer { id } } } }",
        "{ u { ... on A { peer { x: id } } ... on B { peer { x: size } } } }",
        "{ node { x: id ...f } } fragment f on A { x: name }",
        "{ node { peer { ...f } peer { x: name } } } fragment f on Node { x: id }",
    ],
)
def test_conflicts_are_left_to_the_thorough_rule(text: str) -> None:
    assert not surely_merge(SCHEMA, parse(text))
    assert conflicts(text)
    with pytest.raises(PlanRefusedError, match=r"conflict because"):
        parse_operations(SCHEMA, text, max_tokens=100, max_errors=5)


@pytest.mark.parametrize(
    "text",
    [
        "{ nothing }",
        "{ node { id } ...nobody }",
        "{ node { id } } fragment unused on Node { x: id x: name }",
        "{ node { ... on Nobody { id } } }",
        "{ node { id { id } } }",
        "{ node { ...f } } fragment f on Node { peer { ...f } }",
    ],
)
def test_what_is_not_understood_is_left_to_the_thorough_rule(text: str) -> None:
    assert not surely_merge(SCHEMA, parse(text))


def test_the_thorough_rule_stops_with_a_reason() -> None:
    text = (
        "{ node { "
        + " ".join(f"peer {{ a{n}: id b: name peer {{ c: id d: size }} }}" for n in range(300))
        + " b: id b: name } }"
    )

    with pytest.raises(PlanRefusedError) as caught:
        parse_operations(SCHEMA, text, max_tokens=15_000, max_errors=5, bounds=_UNBOUNDED)

    assert "Too many fields of the same names overlap" in caught.value.errors[-1].message
    assert "aborted" not in caught.value.errors[-1].message
