"""The predicate language: grammar, precedence, quoting, comments, and what is refused."""

from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given, settings

from graphql_app.schema.predicate_parser import PredicateSyntaxError, parse_predicate
from graphql_app.schema.predicates import (
    AllOf,
    AnyOf,
    Constant,
    FieldEquals,
    FieldsExist,
    Not,
    Predicate,
    ValueEquals,
    render,
)
from tests.graphql_app.schema.predicate_strategies import PREDICATES

A, B, C = (FieldsExist((name,)) for name in "abc")
OID = "64a5f0c2e4b0a1b2c3d4e5f6"

TEXTS: list[tuple[str, Predicate]] = [
    ("field-exists(a)", A),
    ("field-exists(sub.foo, bar)", FieldsExist(("sub.foo", "bar"))),
    ("field-exists({a, b})", FieldsExist(("a", "b"))),
    ("field-exists(fields={a, b})", FieldsExist(("a", "b"))),
    ("field-exists(fields=a)", A),
    ("field-exists[a]", A),
    ("field-exists('a b', \"c\")", FieldsExist(("a b", "c"))),
    ("field-exists('a[0].b')", FieldsExist(("a[0].b",))),
    ("field-exists(%x, $y)", FieldsExist(("%x", "$y"))),
    ("field-eq(field=sub.n, value=1)", FieldEquals("sub.n", 1)),
    ("field-eq(value=1, field=sub.n)", FieldEquals("sub.n", 1)),
    ("field-eq[field=n, value=1.5]", FieldEquals("n", 1.5)),
    ("field-eq(field=s, value='\"a string\"')", FieldEquals("s", "a string")),
    ('field-eq(field=s, value="\\"x\\"")', FieldEquals("s", "x")),
    ("field-eq(field=s, value='\"it\\'s\"')", FieldEquals("s", "it's")),
    ("field-eq(field=s, value='\"tab\\t\"')", FieldEquals("s", "tab\t")),
    ("field-eq(field=o, value='{\"a\":1}')", FieldEquals("o", {"a": 1})),
    (f'field-eq(field=o, value=\'{{"$oid":"{OID}"}}\')', FieldEquals("o", ObjectId(OID))),
    ("field-eq(field=b, value=true)", FieldEquals("b", True)),
    ("field-eq(field=b, value=null)", FieldEquals("b", None)),
    ("value-eq(1)", ValueEquals(1)),
    ("value-eq(value=1)", ValueEquals(1)),
    ("value-eq(false)", ValueEquals(False)),
    ("value-eq('[1, 2]')", ValueEquals([1, 2])),
    ("true", Constant(True)),
    ("false", Constant(False)),
    ("not true", Not(Constant(True))),
    ("not not true", Not(Not(Constant(True)))),
    ("(true)", Constant(True)),
    ("field-exists(a) or field-exists(b) and field-exists(c)", AnyOf((A, AllOf((B, C))))),
    ("(field-exists(a) or field-exists(b)) and field-exists(c)", AllOf((AnyOf((A, B)), C))),
    ("not field-exists(a) and field-exists(b)", AllOf((Not(A), B))),
    ("not (field-exists(a) and field-exists(b))", Not(AllOf((A, B)))),
    ("field-exists(a) and field-exists(b) and field-exists(c)", AllOf((A, B, C))),
    ("field-exists(a)\nor\n\tfield-exists(b)\r\n", AnyOf((A, B))),
    ("# first\nfield-exists(a)\n# and field-exists(c)\nand field-exists(b)", AllOf((A, B))),
    ("field-exists(a#b)", FieldsExist(("a#b",))),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_text_is_read(text: str, expected: Predicate) -> None:
    assert expected == parse_predicate(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a predicate at position 0"),
        ("and", "expected a predicate"),
        ("true and", "expected a predicate"),
        ("true true", "expected 'and', 'or' or the end"),
        ("true AND true", "expected 'and', 'or' or the end"),
        ("(true", r"expected '\)'"),
        ("true)", "expected 'and', 'or' or the end"),
        ("field-exists", r"expected '\(' after field-exists"),
        ("field-exists()", "expected a value"),
        ("field-exists(a", r"expected '\)'"),
        ("field-exists[a)", r"expected '\]'"),
        ("field-exists(a,)", "expected a value"),
        ("field-exists(and)", "expected a value"),
        ("field-exists({a)", r"expected '}'"),
        ("field-exists('a", "unexpected"),
        ("field-exists(a'b')", "a quote in the middle of a word"),
        ("field-exists(a;b)", "unexpected ';'"),
        ("field-exists(a..b)", "'a..b' is no path"),
        ("field-exists('a[x]')", "is no path"),
        ("field-exists('')", "a path is empty"),
        ("field-exists(nope=a)", "has no parameter nope"),
        ("field-eq(a)", "takes the parameters field, value by name"),
        ("field-eq(field=a)", "needs the parameter value"),
        ("field-eq(field=a, value=1, x=2)", "has no parameter x"),
        ("field-eq(field=a, field=b, value=1)", "the parameter field is given twice"),
        ("field-eq(field=a, 1)", "named and unnamed parameters do not mix"),
        ("field-eq(field={a, b}, value=1)", "takes one field, not 2"),
        ("field-eq(field=a, value=PageRef)", "the value PageRef is not JSON"),
        ('field-eq(field=a, value=\'{"$oid":"x"}\')', "is not JSON"),
        ("value-eq(1, 2)", "takes one value, not 2"),
        ("path('/x')", "unknown predicate path at position 0; known: field-eq, field-exists, value-eq"),
        ("'field-exists'(a)", "expected a predicate"),
    ],
)
def test_unreadable_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(PredicateSyntaxError, match=message):
        parse_predicate(text)


@pytest.mark.parametrize("text", ["(" * 10_000 + "true" + ")" * 10_000, "not " * 10_000 + "true"])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(PredicateSyntaxError, match="nested"):
        parse_predicate(text)


def test_long_conjunctions_are_flat() -> None:
    assert parse_predicate(" and ".join(["true"] * 5000)) == AllOf((Constant(True),) * 5000)


@settings(deadline=None)
@given(PREDICATES)
def test_rendered_predicate_reads_back(predicate: Predicate) -> None:
    text = render(predicate)
    assert _typed(predicate) == _typed(parse_predicate(text))


def _typed(predicate: Predicate) -> str:
    """Tell predicates apart that Python calls equal, such as those of 1 and true."""
    return repr(_normal(predicate))


def _normal(predicate: Any) -> Any:
    if isinstance(predicate, AllOf | AnyOf):
        # Conjunctions within conjunctions are written in parentheses, so they stay what they were.
        return (type(predicate).__name__, [_normal(term) for term in predicate.terms])
    return Not(_normal(predicate.term)) if isinstance(predicate, Not) else predicate
