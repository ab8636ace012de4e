from typing import Any

import pytest

from graphql_app.plan import Cost, LimitExceededError, Price, check_cost, parse_operations, price_operation
from graphql_app.schema.build import ExecutableApp
from graphql_app.schema.mappings import Limits
from tests.graphql_app.query.workshop import SDL, build, workshop_definition

LIMITS = Limits(default_limit=20, max_limit=100)
TYPES = """
interface Part { name: String }
type Bolt implements Part { name: String maker: Mechanic }
type Nut implements Part { name: String makers(limit: Int): [Mechanic] }
union Any = Bolt | Nut
extend type Query { part: Part parts: [Part] any: [Any] options(o: Options): [Mechanic] top: [Mechanic] }
extend type Mechanic { tags: [Tag] text(s: String, n: [Int], f: BsonDocument): String }
type Tag { boss: Mechanic }
input Options { limit: Int = 7 }
"""


@pytest.fixture(scope="module")
def app() -> ExecutableApp:
    definition = workshop_definition("acme", sdl=SDL + TYPES)
    mechanics = {"db": "acme", "collection": "mechanics"}
    mappings = definition["mappings"]
    mappings["Query"] |= {
        "part": mechanics,
        "parts": mechanics,
        "any": mechanics,
        "options": mechanics | {"limit": {"$arg": "o.limit"}},
        "top": mechanics | {"stages": [{"$match": {}}, {"$limit": 3}]},
    }
    mappings["Query"]["top"].pop("find", None)
    mappings["Bolt"] = {"maker": mechanics | {"find": {"_id": {"$fk": "maker"}}}}
    mappings["Nut"] = {"makers": mechanics | {"find": {"nut": {"$fk": "_id"}}, "limit": {"$arg": "limit"}}}
    mappings["Tag"] = {"boss": mechanics | {"find": {"_id": {"$fk": "boss"}}}}
    for name in ("Part", "Any"):
        mappings[name] = {"$typeResolver": {"Bolt": "field-exists(bolt)", "Nut": "field-exists(nut)"}}
    return build(definition)


def price(app: ExecutableApp, text: str) -> Price:
    operations = parse_operations(app.schema, text, max_tokens=15_000, max_errors=5)
    operation = next(iter(operations.named.values()))
    return price_operation(app.schema, app.definition.fields, operation, operations.fragments, limits=LIMITS)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("{ __typename }", 0),
        ('{ mechanic(id: "m1") { name phone } }', 10),
        ("{ mechanics { name } }", 10),
        ("{ mechanics { boss { name } } }", 10 + 20 * 2),
        ("{ mechanics(limit: 3) { boss { name } } }", 10 + 3 * 2),
        ("{ unlimited { boss { boss { name } } } }", 10 + 20 * (2 + 2)),
        ("{ mechanics(limit: 3) { jobs(limit: 4) { owner { name } } } }", 10 + 3 * (2 + 4 * 2)),
        ("{ mechanics(limit: 3) { jobs { owner { name } } } }", 10 + 3 * (2 + 10 * 2)),
        ("{ mechanics(limit: 3) { ownedJobs { sameTeam { name } } } }", 10 + 3 * (2 + 20 * 10)),
        ("{ mechanics(limit: 0) { boss { name } } }", 10 + 100 * 2),
        ("{ mechanics(limit: 5000) { boss { name } } }", 10 + 100 * 2),
        ("{ mechanics(limit: null) { boss { name } } }", 10 + 20 * 2),
        ("{ paged(options: {limit: 4}) { boss { name } } }", 10 + 4 * 2),
        ("{ options(o: {}) { boss { name } } }", 10 + 100 * 2),
        ("{ top { boss { name } } }", 10 + 3 * 2),
        ('{ a: mechanic(id: "1") { name } b: mechanic(id: "2") { name } }', 20),
        ('{ mechanic(id: "1") { boss { name } boss { phone } } }', 10 + 2),
        ("{ mechanics(limit: 2) { ...f ...f } } fragment f on Mechanic { boss { name } }", 10 + 2 * 2),
        ("{ mechanics(limit: 2) { ...f ... { boss { boss { name } } } } } fragment f on Mechanic { boss { id } }", 18),
        ("{ part { ... on Bolt { maker { name } } } }", 10 + 2),
        ("{ part { ... on Bolt { maker { name } } ... on Nut { makers(limit: 1) { boss { name } } } } }", 10 + 4),
        ("{ any { ... on Part { ... on Nut { makers(limit: 2) { boss { name } } } } } }", 10 + 20 * (2 + 2 * 2)),
        ("{ parts { name } }", 10),
    ],
)  # fmt: skip
def test_cost_is_counted_by_the_rule(app: ExecutableApp, text: str, points: int) -> None:
    assert price(app, text).of({}).points == points


def test_lists_inside_documents_count_a_few_entries(app: ExecutableApp) -> None:
    assert price(app, '{ mechanic(id: "1") { tags { boss { name } } } }').of({}).points == 10 + 5 * 2


@pytest.mark.parametrize(
    ("variables", "points"),
    [
        ({"n": 7}, 10 + 7 * 2),
        ({}, 10 + 4 * 2),
        ({"n": None}, 10 + 20 * 2),
        ({"n": 0}, 10 + 100 * 2),
        ({"n": 100_000}, 10 + 100 * 2),
        ({"n": "seven"}, 10 + 100 * 2),
    ],
)
def test_limits_come_from_variables_and_their_defaults(app: ExecutableApp, variables: Any, points: int) -> None:
    asked = price(app, "query ($n: Int = 4) { mechanics(limit: $n) { boss { name } } }")

    assert asked.of(variables).points == points


def test_limits_inside_of_variables_are_found(app: ExecutableApp) -> None:
    whole = price(app, "query ($o: Page) { paged(options: $o) { boss { name } } }")
    part = price(app, "query ($n: Int) { paged(options: {limit: $n}) { boss { name } } }")

    assert whole.of({"o": {"limit": 6}}).points == part.of({"n": 6}).points == 10 + 6 * 2


def test_costliest_type_counts_whatever_the_variables_are(app: ExecutableApp) -> None:
    asked = price(
        app,
        "query ($n: Int) { part { ... on Bolt { maker { boss { name } } }"
        " ... on Nut { makers(limit: $n) { boss { name } } } } }",
    )

    assert [asked.of({"n": n}).points for n in (1, 3)] == [10 + 2 + 2, 10 + 2 + 3 * 2]


# --- values of arguments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "variables", "values"),
    [
        ('{ mechanic(id: "m1") { name } }', {}, 1),
        ("{ mechanics(limit: 3) { text(n: [1, 2, 3, 4]) } }", {}, 1 + 3 * 5),
        ("query ($n: [Int]) { mechanics(limit: 3) { text(n: $n) } }", {"n": [1, 2, 3]}, 1 + 3 * (1 + 4)),
        ("query ($f: BsonDocument) { mechanics(limit: 3) { text(f: $f) } }", {"f": {"a": {"b": 1}}}, 1 + 3 * (1 + 5)),
        ('{ mechanics(limit: 3) { text(s: "' + "x" * 1_000 + '") } }', {}, 1 + 3 * 11),
        ("query ($s: String) { mechanics(limit: 3) { text(s: $s) } }", {"s": "x" * 1_000}, 1 + 3 * (1 + 11)),
    ],
)
def test_values_count_as_often_as_they_are_read(app: ExecutableApp, text: str, variables: Any, values: int) -> None:
    assert price(app, text).of(variables).values == values


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_cost_over_the_budget_is_refused(app: ExecutableApp) -> None:
    asked = price(app, "{ mechanics { boss { name } } }")
    assert check_cost(asked, {}, max_cost=50, max_values=100) == Cost(50, 0)

    with pytest.raises(LimitExceededError) as refused:
        check_cost(asked, {}, max_cost=49, max_values=100)

    assert refused.value.message == "The operation costs 50, the limit is 49 (max_cost)"
    assert refused.value.refusal.value == "ValidationError"
    assert refused.value.errors[0].extensions == {
        "code": "COST_LIMIT",
        "limit": "max_cost",
        "allowed": 49,
        "counted": 50,
        "cost": 50,
        "budget": 49,
    }


@pytest.mark.parametrize(
    ("text", "variables", "counted"),
    [
        ("{ mechanics(limit: 3) { text(n: [1, 2, 3]) } }", {}, 13),
        ("{ __typename }", {"nobody": [1] * 12}, 13),
    ],
)
def test_values_over_the_limit_are_refused(app: ExecutableApp, text: str, variables: Any, counted: int) -> None:
    asked = price(app, text)
    check_cost(asked, variables, max_cost=1_000, max_values=13)

    with pytest.raises(LimitExceededError) as refused:
        check_cost(asked, variables, max_cost=1_000, max_values=12)

    assert refused.value.errors[0].extensions == {
        "code": "OC303",
        "limit": "max_input_values",
        "allowed": 12,
        "counted": counted,
    }
