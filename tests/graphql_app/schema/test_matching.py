"""What predicates say about values; the remembering matcher gives the answers of the plain one."""

from typing import Any

import pytest
from bson import Int64, ObjectId
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_app.schema import matching
from graphql_app.schema.matching import TypeMatcher, compile_predicate, first_match
from graphql_app.schema.predicate_parser import parse_predicate
from graphql_app.schema.predicates import Predicate
from tests.graphql_app.schema.predicate_strategies import PREDICATES, VALUES

OID = "64a5f0c2e4b0a1b2c3d4e5f6"
DOCUMENT = {
    "sub": {"foo": 1, "n": 1, "none": None},
    "bar": "x",
    "s": "a string",
    "o": {"a": 1, "b": 2},
    "id": ObjectId(OID),
    "long": Int64(5),
    "flag": True,
    "list": [{"x": 1}, {"y": 2, "x": 3}, "text"],
    "nested": [[{"z": 1}]],
    "": "no path reaches this",
}

CASES = [
    ("field-exists(sub.foo, bar)", True),
    ("field-exists(sub.foo, nope)", False),
    ("field-exists(sub.nope)", False),
    ("field-exists(sub.none)", True),
    ("field-exists(bar.x)", False),
    ("field-exists(sub.nope) or field-exists(bar)", True),
    ("field-exists(sub.foo) and not field-exists(bar)", False),
    ("field-eq(field=sub.n, value=1)", True),
    ("field-eq(field=sub.n, value=1.0)", True),
    ("field-eq(field=sub.n, value=true)", False),
    ("field-eq(field=sub.n, value='\"1\"')", False),
    ("field-eq(field=sub.none, value=null)", True),
    ("field-eq(field=sub.nope, value=null)", False),
    ("field-eq(field=long, value=5)", True),
    ("field-eq(field=flag, value=true)", True),
    ("field-eq(field=flag, value=1)", False),
    ("field-eq(field=s, value='\"a string\"')", True),
    ("field-eq(field=s, value='\"A string\"')", False),
    ('field-eq(field=o, value=\'{"b":2,"a":1}\')', True),
    ("field-eq(field=o, value='{\"a\":1}')", False),
    (f'field-eq(field=id, value=\'{{"$oid":"{OID}"}}\')', True),
    (f"field-eq(field=id, value='\"{OID}\"')", False),
    ("field-eq(field='list[1].x', value=3)", True),
    ("field-eq(field='list[2]', value='\"text\"')", True),
    ("field-exists('list[3]')", False),
    ("field-exists('bar[0]')", False),
    ("field-eq(field=list.y, value=2)", True),
    ("field-eq(field=list.x, value=1)", True),
    ("field-eq(field=list.x, value=3)", False),
    ("field-exists(list.nope)", False),
    ("field-eq(field=nested.z, value=1)", True),
    ("value-eq(1)", False),
    ("true", True),
    ("false", False),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_predicate_tests_a_document(text: str, expected: bool) -> None:
    assert compile_predicate(parse_predicate(text))(DOCUMENT) is expected


@pytest.mark.parametrize(("value", "expected"), [(1, "One"), (1.0, "One"), ("a", "Letter"), (True, None), (None, None)])
def test_scalars_in_a_union(value: Any, expected: str | None) -> None:
    matcher = TypeMatcher([("One", parse_predicate("value-eq(1)")), ("Letter", parse_predicate("value-eq('\"a\"')"))])
    assert expected == matcher(value)


def test_first_true_predicate_wins() -> None:
    always, never = parse_predicate("true"), parse_predicate("false")
    assert TypeMatcher([("No", never), ("First", always), ("Second", always)])({}) == "First"
    assert TypeMatcher([("No", never)])({}) is None
    assert TypeMatcher([])({}) is None


def generated(uids: list[str]) -> list[tuple[str, Predicate]]:
    """The shape of generated resolvers: one predicate per template, and one for everything else."""
    tests = [
        f"field-eq(field=template.uid, value='\"{uid}\"') and field-eq(field=template.uidType, value='\"PAGE\"')"
        for uid in uids
    ]
    unknown = " and ".join(f"not ({test})" for test in tests)
    return [(uid, parse_predicate(test)) for uid, test in [*zip(uids, tests, strict=True), ("Unknown", unknown)]]


def test_generated_resolver_knows_its_templates() -> None:
    uids = [f"t{number}" for number in range(50)]
    matcher = TypeMatcher(generated(uids))
    for _ in range(2):  # once to find the answers, once to remember them
        for uid in uids:
            assert uid == matcher({"template": {"uid": uid, "uidType": "PAGE"}})
            assert matcher({"template": {"uid": uid, "uidType": "SECTION"}}) == "Unknown"
        for stranger in ({}, {"template": None}, {"template": {"uid": "t50", "uidType": "PAGE"}}, "text", None):
            assert matcher(stranger) == "Unknown"


def test_answer_is_remembered_per_combination_of_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def count(tests: Any, value: Any) -> str | None:
        asked.append(value)
        return first_match(tests, value)

    monkeypatch.setattr(matching, "first_match", count)
    matcher = TypeMatcher(generated(["a", "b"]))
    for number in range(100):
        matcher({"template": {"uid": f"other {number}", "uidType": "PAGE"}, "number": number})
    assert len(asked) == 1


RESOLVERS = st.lists(st.tuples(st.sampled_from("PQRS"), PREDICATES), max_size=5)


@settings(deadline=None)
@given(RESOLVERS, st.lists(VALUES, min_size=1, max_size=10))
def test_remembering_matcher_agrees_with_the_plain_one(
    resolver: list[tuple[str, Predicate]], values: list[Any]
) -> None:
    matcher = TypeMatcher(resolver)
    tests = [(name, compile_predicate(predicate)) for name, predicate in resolver]
    for value in values * 2:
        assert first_match(tests, value) == matcher(value)
