import gc
import weakref
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    build_ast_schema,
    build_schema,
    get_introspection_query,
    graphql_sync,
    parse,
    print_schema,
)

from graphql_app.schema.trim import trim_schema

SDL = """
directive @marked(by: String = "nobody" @deprecated(reason: "said elsewhere")) on FIELD
"How things are."
enum State { GOOD "Not so." BAD @deprecated(reason: "optimism") }
scalar Stamp @specifiedBy(url: "https://stamps.example")
input Filter @oneOf { state: State text: String }
input Page { size: Int! = 20 of: [State!] = [GOOD, BAD] filter: Filter }
interface Named { name: String }
interface Dated implements Named { name: String at: String @deprecated }
type Thing implements Named & Dated { name: String at: String @deprecated state: State }
type Other { thing(page: Page = {size: 3}, state: State = BAD): Thing! }
union Any = Thing | Other
extend type Other { more: [Any!] }
extend enum State { UNKNOWN }
extend union Any = Query
type Query { any(page: Page): Any named: [Named!]! }
"""
QUESTION = get_introspection_query(
    specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
)


def introspect(schema: Any) -> Any:
    return graphql_sync(schema, QUESTION).data


def test_a_trimmed_schema_tells_the_same_of_itself() -> None:
    schema = build_schema(SDL)
    told, printed = introspect(schema), print_schema(schema)

    trim_schema(schema)

    assert introspect(schema) == told
    assert print_schema(schema) == printed


@pytest.mark.parametrize(
    "query",
    [
        "{ any { ... on Other { thing { state } } } }",
        "{ any(page: {of: [UNKNOWN], filter: {state: GOOD}}) { ... on Thing { at } } }",
        "{ any(page: {filter: {state: GOOD, text: 1}}) { nothing } named { at } }",
        "query ($page: Page = {size: null}) { any(page: $page) { __typename } }",
    ],
)
def test_a_trimmed_schema_answers_alike(query: str) -> None:
    whole, trimmed = build_schema(SDL), build_schema(SDL)
    trim_schema(trimmed)

    def resolve(*_: Any, **arguments: Any) -> Any:
        return {"__typename": "Other", "thing": lambda *_, **given: {"state": given["state"]}, "asked": arguments}

    answers = []
    for schema in (whole, trimmed):
        assert schema.query_type is not None
        schema.query_type.fields["any"].resolve = resolve
        answers.append(graphql_sync(schema, query).formatted)
    assert answers[0] == answers[1]


def test_nothing_of_the_text_is_left_but_default_values() -> None:
    document = parse(SDL, no_location=True)
    schema = build_ast_schema(document)
    gone = [weakref.ref(_Mark.of(node)) for node in _declarations(document)]

    trim_schema(schema)
    del document
    gc.collect()

    assert gone
    assert [mark() for mark in gone if mark() is not None] == []


class _Mark:
    """Lives as long as the node that it was put on."""

    @classmethod
    def of(cls, node: Any) -> "_Mark":
        mark = cls()
        object.__setattr__(node, "_mark", mark)
        return mark


def _declarations(document: DocumentNode) -> list[Any]:
    nodes: list[Any] = [document]
    for definition in document.definitions:
        nodes.append(definition)
        nodes += getattr(definition, "fields", None) or ()
        nodes += getattr(definition, "values", None) or ()
    return nodes
