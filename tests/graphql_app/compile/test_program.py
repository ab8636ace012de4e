from typing import Any

import bson
import pytest
from graphql import GraphQLError
from graphql.execution.values import VariableValues

from tests.graphql_app.compile.workbench import compile_text, make_app
from tests.graphql_app.query.workshop import build, workshop_definition

WORKSHOP = build(workshop_definition("acme"))


def arguments(text: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the arguments of the fields that run queries, in the order of their numbers."""
    program = compile_text(WORKSHOP, text, variables)
    return [dict(bound) for bound, _ in program.bind(VariableValues({}, variables))]


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ('{ mechanic(id: "m1") { name } }', {}, [{"id": "m1"}]),
        ("query ($i: String!) { mechanic(id: $i) { name } }", {"i": "m2"}, [{"id": "m2"}]),
        ("{ mechanics(limit: 3) { name } }", {}, [{"skip": 0, "limit": 3}]),
        ("query ($n: Int) { mechanics(limit: $n) { name } }", {}, [{"skip": 0, "limit": 20}]),
        ("query ($n: Int) { mechanics(limit: $n) { name } }", {"n": 0}, [{"skip": 0, "limit": 0}]),
        ("query ($n: Int) { paged(options: {skip: $n}) { name } }", {"n": 4}, [{"options": {"skip": 4}}]),
        ("{ mechanics { jobs(state: DONE) { id } } }", {}, [{"limit": 10, "state": 1}, {"skip": 0, "limit": 20}]),
    ],
)
def test_arguments_are_bound(text: str, variables: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    assert arguments(text, variables) == expected


def test_arguments_without_variables_are_bound_once() -> None:
    program = compile_text(WORKSHOP, '{ mechanic(id: "m1") { jobs(limit: 2) { id } } }')

    assert program.bind(VariableValues({}, {})) is program.bind(VariableValues({}, {"other": 1}))


def test_bound_arguments_of_requests_do_not_mix() -> None:
    text = 'query ($n: Int) { mechanics(limit: $n) { name } mechanic(id: "m1") { name } }'
    program = compile_text(WORKSHOP, text)

    first, second = (program.bind(VariableValues({}, {"n": n})) for n in (1, 2))

    assert [bound["limit"] for bound in (first[0][0], second[0][0])] == [1, 2]
    assert first[1] == second[1] == ({"id": "m1"}, {})


def test_defaults_of_arguments_that_are_null_are_at_hand() -> None:
    program = compile_text(WORKSHOP, "{ mechanics(limit: null, filter: null) { name } }")

    assert program.bind(VariableValues({}, {})) == (({"limit": None, "filter": None, "skip": 0}, {"limit": 20}),)


def test_an_argument_without_a_fitting_value_cannot_be_bound() -> None:
    place = {"db": "acme", "collection": "things"}
    app = make_app("type T { n: Int } type Query { things(n: Int! = 1): [T] }", {"Query": {"things": place}})
    program = compile_text(app, "query ($n: Int = 1) { things(n: $n) { n } }")

    with pytest.raises(GraphQLError):
        program.bind(VariableValues({}, {"n": None}))


def test_lookups_of_a_collection_read_what_any_of_them_needs() -> None:
    program = compile_text(WORKSHOP, "{ mechanics { boss { name } ownedJobs { title owner { phone } } } }")

    written = {place: bson.decode(part.raw) for place, part in program.projections.items() if part}  # type: ignore[attr-defined]
    phone = {"$cond": [{"$eq": [{"$type": "$contact"}, "object"]}, {"phone": "$contact.phone"}, "$contact"]}
    assert written == {
        ("acme", "mechanics"): {"first": 1, "_id": 1, "contact": phone},
        ("acme", "jobs"): {"title": 1, "owner": 1, "_id": 0},
    }
