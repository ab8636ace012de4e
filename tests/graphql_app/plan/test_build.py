import pytest
from graphql import GraphQLSchema, build_schema

from graphql_app.plan import Plan, PlanRefusedError, parse_operations, select_operation

SCHEMA = build_schema("type Query { a(n: Int): String b: String } type Mutation { m: String }")


def plan(text: str, name: str | None = None, *, schema: GraphQLSchema = SCHEMA, tokens: int = 15_000) -> Plan:
    return select_operation(schema, parse_operations(schema, text, max_tokens=tokens, max_errors=3), name)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("{ a }", None, None),
        ("query X { a }", None, "X"),
        ("query X { a }", "", "X"),
        ("query X { a } query Y { b }", "Y", "Y"),
        ("mutation M { m }", None, "M"),
    ],
)
def test_the_named_or_only_operation_is_chosen(text: str, name: str | None, expected: str | None) -> None:
    assert plan(text, name).operation_name == expected


@pytest.mark.parametrize(
    ("text", "name", "classification", "message"),
    [
        ("{", None, "InvalidSyntax", "Syntax Error"),
        ("", None, "InvalidSyntax", "Syntax Error"),
        ("{ a(filter: {locale.identifier: 1}) }", None, "InvalidSyntax", "Syntax Error"),
        ("{ c }", None, "ValidationError", "Cannot query field 'c'"),
        ("{ a(x: 1) }", None, "ValidationError", "Unknown argument 'x'"),
        ('{ a(n: "x") }', None, "ValidationError", "Int cannot represent"),
        ("query X { a }", "Z", "ValidationError", "Unknown operation named 'Z'."),
        (
            "query X { a } query Y { b }",
            None,
            "ValidationError",
            "Must provide operation name if query contains multiple operations.",
        ),
        ("fragment F on Query { a }", None, "ValidationError", "Fragment 'F' is never used"),
        ("subscription { a }", None, "OperationNotSupported", "Schema is not configured for subscriptions."),
        ("{ " + "a " * 20_000 + "}", None, "InvalidSyntax", "Document contains more than 15000 tokens"),
        ("{ a " + "#\n" * 20_000 + "}", None, "InvalidSyntax", "15000"),
        ("{ a" * 5_000, None, "InvalidSyntax", "nested too deeply"),
    ],
)
def test_other_operations_are_refused(text: str, name: str | None, classification: str, message: str) -> None:
    with pytest.raises(PlanRefusedError) as refused:
        plan(text, name)

    assert refused.value.refusal.value == classification
    assert message in refused.value.message


def test_validation_stops_after_some_errors() -> None:
    with pytest.raises(PlanRefusedError) as refused:
        plan("{ " + " ".join(f"c{n}" for n in range(20)) + " }")

    assert len(refused.value.errors) == 4
    assert "Too many validation errors" in refused.value.errors[-1].message


def test_introspection_can_be_closed() -> None:
    with pytest.raises(PlanRefusedError, match="introspection"):
        parse_operations(SCHEMA, "{ __schema { types { name } } }", max_tokens=100, max_errors=3, introspection=False)
