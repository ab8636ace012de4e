import itertools

import pytest
from graphql import build_schema, get_introspection_query, parse

from graphql_app.plan import Bounds, LimitExceededError, parse_operations
from graphql_app.plan.guards import check_document
from graphql_app.plan.introspection import asks_schema_only

SCHEMA = build_schema("type Query { a: String fields: [Query] }")
OPTIONS = (
    "descriptions",
    "specified_by_url",
    "directive_is_repeatable",
    "schema_description",
    "input_value_deprecation",
    "one_of",
)


def refusal(text: str) -> LimitExceededError:
    with pytest.raises(LimitExceededError) as caught:
        check_document(parse(text), Bounds())
    return caught.value


@pytest.mark.parametrize("choice", list(itertools.product([False, True], repeat=len(OPTIONS))))
def test_every_standard_query_passes(choice: tuple[bool, ...]) -> None:
    text = get_introspection_query(**dict(zip(OPTIONS, choice, strict=True)))

    parse_operations(SCHEMA, text, max_tokens=15_000, max_errors=1)


@pytest.mark.parametrize(
    "text",
    [
        '{ __type(name: "Query") { name fields { name type { name ofType { name } } } } }',
        "{ __schema { queryType { name } types { name kind } } a }",
        "{ __typename fields { fields { a } fields { a } } }",
        "{ __schema { types { name ...t } } } fragment t on __Type { fields { name } possibleTypes { name } }",
    ],
)
def test_questions_in_good_faith_pass(text: str) -> None:
    check_document(parse(text), Bounds())


@pytest.mark.parametrize(
    ("text", "limit", "counted"),
    [
        ("{ a: __schema { types { name } } b: __schema { types { name } } }", "__schema", 2),
        ('{ a: __type(name: "A") { name } b: __type(name: "B") { name } }', "__type", 2),
        ("{ __schema { types { fields { type { fields { name } } } } } }", "__Type.fields", 2),
        ("{ __schema { types { a: inputFields { name } b: inputFields { name } } } }", "__Type.inputFields", 2),
        ("{ __schema { types { interfaces { interfaces { name } } } } }", "__Type.interfaces", 2),
        (
            "{ __schema { types { ...t ...t } } } fragment t on __Type { possibleTypes { name } }",
            "__Type.possibleTypes",
            2,
        ),
        (
            "{ __schema { types { fields { type { ...t } } } } } fragment t on __Type { fields { name } }",
            "__Type.fields",
            2,
        ),
        ("{ __schema { types { " + "name " * 500 + "} } }", "max_introspection_fields", 502),
        ("{ __schema { types { " + "ofType { " * 20 + "name " + "}" * 20 + " } } }", "max_introspection_depth", 23),
    ],
)
def test_questions_in_bad_faith_are_refused(text: str, limit: str, counted: int) -> None:
    refused = refusal(text)

    assert refused.refusal.value == "BadFaithIntrospection"
    assert refused.message.startswith("This request is not asking for introspection in good faith - ")
    extensions = refused.errors[0].extensions or {}
    assert (extensions["limit"], extensions["counted"]) == (limit, counted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __schema { types { name } } }", True),
        ("{ __schema { types { name } } a }", False),
        ("{ __typename }", False),
    ],
)
def test_only_answers_about_the_schema_stay_the_same(text: str, expected: bool) -> None:
    operations = parse_operations(SCHEMA, text, max_tokens=100, max_errors=1)

    assert asks_schema_only(operations.named[None]) is expected
