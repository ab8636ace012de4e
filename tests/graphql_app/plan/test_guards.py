from dataclasses import replace
from typing import Any

import pytest
from graphql import build_schema, parse

from graphql_app.plan import Bounds, LimitExceededError, PlanRefusedError, parse_operations
from graphql_app.plan.guards import check_document, count_operations
from graphql_app.shape import render_refusal

SCHEMA = build_schema("schema { query: Q } type Q { a(n: Int): Q b: String }")
WIDE = Bounds(
    **dict.fromkeys(
        (
            "max_operations",
            "max_fragments",
            "max_depth",
            "max_fields",
            "max_aliases",
            "max_root_fields",
            "max_spreads",
            "max_introspection_fields",
            "max_introspection_depth",
        ),
        10**12,
    )
)


def refused(text: str, **bounds: int) -> dict[str, Any]:
    """Give what a client sees of the refusal."""
    with pytest.raises(LimitExceededError) as caught:
        check_document(parse(text), replace(WIDE, **bounds))
    (entry,) = render_refusal(caught.value)
    assert isinstance(entry, dict)
    return entry


# --- each guard: as much as may be passes, one more does not, but for the guard it would ------------------------------


@pytest.mark.parametrize(
    ("limit", "value", "fits", "beyond", "counted", "words"),
    [
        ("max_depth", 2, "{ a { b } }", "{ a { a { b } } }", 3, "is 3 fields deep"),
        ("max_depth", 2, "{ ...f } fragment f on Q { a { b } }", "{ a { ...f } } fragment f on Q { a { b } }", 3, ""),
        ("max_fields", 3, "{ a { b } b }", "{ a { b } a { b } }", 4, "has 4 fields"),
        ("max_fields", 3, "{ ...f } fragment f on Q { a { b } }", "{ ...f ...f } fragment f on Q { a { b } }", 4, ""),
        ("max_aliases", 1, "{ x: b b b }", "{ x: b y: b }", 2, "has 2 aliases"),
        ("max_aliases", 1, "{ ...f } fragment f on Q { x: b }", "{ a { ...f } ...f } fragment f on Q { x: b }", 2, ""),
        ("max_root_fields", 2, "{ a { a { b } b } b }", "{ a { b } b b }", 3, "has 3 fields at its root"),
        ("max_root_fields", 2, "{ ... { b } b }", "{ ... { ... { b } b } b }", 3, ""),
        ("max_root_fields", 1, "{ a { ...f } } fragment f on Q { b b }", "{ ...f } fragment f on Q { b b }", 2, ""),
        (
            "max_spreads",
            2,
            "{ ... { b } ...f } fragment f on Q { b }",
            "{ ... { ...f } ...f } fragment f on Q { b }",
            3,
            "uses fragments 3 times",
        ),
        (
            "max_fragments",
            1,
            "{ ...f } fragment f on Q { b }",
            "{ ...f ...g } fragment f on Q { b } fragment g on Q { b }",
            2,
            "defines 2 fragments",
        ),
        ("max_operations", 1, "query A { b }", "query A { b } query B { b }", 2, "has 2 operations"),
    ],
)
def test_guard_refuses_what_is_over_its_limit(
    limit: str, value: int, fits: str, beyond: str, counted: int, words: str
) -> None:
    check_document(parse(fits), replace(WIDE, **{limit: value}))
    check_document(parse(beyond), WIDE)

    entry = refused(beyond, **{limit: value})

    assert entry["message"].endswith(f"the limit is {value} ({limit})")
    assert words in entry["message"]
    assert entry["extensions"] == {
        "classification": "ValidationError",
        "code": "OC303",
        "limit": limit,
        "allowed": value,
        "counted": counted,
    }


def test_tokens_are_refused_while_they_are_read() -> None:
    text = "{ " + "b " * 6 + "}"
    parse_operations(SCHEMA, text, max_tokens=8, max_errors=1)

    with pytest.raises(PlanRefusedError) as caught:
        parse_operations(SCHEMA, text, max_tokens=7, max_errors=1)

    (entry,) = render_refusal(caught.value)
    assert isinstance(entry, dict)
    assert entry["extensions"] == {
        "classification": "InvalidSyntax",
        "code": "OC303",
        "limit": "max_tokens",
        "allowed": 7,
    }
    assert "more than 7 tokens" in entry["message"]


def test_fragments_without_fields_cannot_nest_without_end() -> None:
    chain = "".join(f"fragment f{n} on Q {{ ...f{n + 1} }} " for n in range(20)) + "fragment f20 on Q { b }"

    assert refused("{ ...f0 } " + chain, max_depth=5)["extensions"]["limit"] == "4 * max_depth"
    check_document(parse("{ ...f0 } " + chain), replace(WIDE, max_depth=6))


def test_default_limits_are_those_of_the_specification() -> None:
    bounds = Bounds()

    assert (bounds.max_depth, bounds.max_fields, bounds.max_aliases, bounds.max_root_fields) == (25, 2_000, 100, 20)
    assert (bounds.max_introspection_fields, bounds.max_introspection_depth) == (500, 20)


def test_what_is_over_a_limit_is_not_validated() -> None:
    with pytest.raises(LimitExceededError):
        parse_operations(SCHEMA, "{ zzz { zzz } }", max_tokens=100, max_errors=1, bounds=Bounds(max_depth=1))


# --- counting ---------------------------------------------------------------------------------------------------------


def test_every_operation_is_counted_for_itself() -> None:
    document = parse("query A { b ...f } query B { a { ...f } } fragment f on Q { x: b b }")

    counted = [
        (counts.fields, counts.aliases, counts.root_fields, counts.depth) for _, counts in count_operations(document)
    ]

    assert counted == [(3, 1, 3, 1), (3, 1, 1, 2)]


def test_fragments_that_double_are_counted_at_once() -> None:
    doubling = "".join(f"fragment f{n} on Q {{ ...f{n + 1} ...f{n + 1} }} " for n in range(400))
    document = parse("{ ...f0 } " + doubling + "fragment f400 on Q { b }")

    ((_, counts),) = count_operations(document)

    assert counts.fields == counts.spreads == 1_000_000_000
    assert (
        "1000000000 or more" in refused("{ ...f0 } " + doubling + "fragment f400 on Q { b }", max_fields=9)["message"]
    )


def test_circles_end() -> None:
    document = parse("{ ...f } fragment f on Q { a { ...g } } fragment g on Q { a { ...f ...g } b }")

    ((_, counts),) = count_operations(document)

    assert 1 <= counts.fields <= 4


def test_unknown_fragments_count_as_nothing() -> None:
    ((_, counts),) = count_operations(parse("{ b ...nobody }"))

    assert (counts.fields, counts.spreads) == (1, 1)
