import gc
import weakref

from graphql import GraphQLSchema, build_schema

from graphql_app.plan import Plan, parse_operations, select_operation
from graphql_app.shape import Answer, SchemaAnswers

NOTHING: dict[str, object] = {}
QUESTION = "{ __schema { description } }"


def make_plan(schema: GraphQLSchema, text: str = QUESTION) -> Plan:
    operations = parse_operations(schema, text, max_tokens=100, max_errors=1)
    return select_operation(schema, operations, None)


def make_schema() -> GraphQLSchema:
    return build_schema("type Query { a: String }")


def test_schemas_have_answers_of_their_own() -> None:
    answers, one, other = SchemaAnswers(), make_plan(make_schema()), make_plan(make_schema())
    kept = Answer(200, b"{}")

    answers.keep(one, QUESTION, NOTHING, kept)

    assert answers.get(one, QUESTION, NOTHING) is kept
    assert answers.get(one, QUESTION, {"a": 1}) is None
    assert answers.get(other, QUESTION, NOTHING) is None


def test_answers_with_data_of_documents_and_refusals_are_not_kept() -> None:
    answers, schema = SchemaAnswers(), make_schema()
    answers.keep(make_plan(schema, "{ a }"), "{ a }", NOTHING, Answer(200, b"{}"))
    answers.keep(make_plan(schema), QUESTION, NOTHING, Answer(400, b"{}"))

    assert answers.get(make_plan(schema, "{ a }"), "{ a }", NOTHING) is None
    assert answers.get(make_plan(schema), QUESTION, NOTHING) is None


def test_the_answers_of_all_schemas_are_bounded_together() -> None:
    answers, plans = SchemaAnswers(), [make_plan(make_schema()) for _ in range(4)]

    for plan in plans:
        answers.keep(plan, QUESTION, NOTHING, Answer(200, b" " * 3_000_000))

    kept = [answers.get(plan, QUESTION, NOTHING) is not None for plan in plans]
    assert kept == [False, False, True, True]


def test_a_schema_that_goes_takes_its_answers_along() -> None:
    answers, plan = SchemaAnswers(), make_plan(make_schema())
    schema = weakref.ref(plan.schema)
    kept = Answer(200, b"{}")
    answers.keep(plan, QUESTION, NOTHING, kept)

    del plan
    gc.collect()
    answers.get(make_plan(make_schema()), QUESTION, NOTHING)

    assert schema() is None
    assert not [holder for holder in gc.get_referrers(kept) if isinstance(holder, tuple)]
