from collections.abc import Mapping
from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, OperationType, parse
from graphql.execution.values import VariableValues

from graphql_app.plan.selection import (
    AbstractPlan,
    LeafPlan,
    ObjectPlan,
    Selection,
    Target,
    UnplannableError,
    plan_selection,
)
from graphql_app.schema.build import ExecutableApp
from tests.graphql_app.compile.workbench import make_app, select

SDL = """
interface Named { name: String note: String }
type Person implements Named { name: String note: String age(unit: String): Int friend: Person home: Place }
type Firm implements Named { name: String note: String! seat: Place boss: Person }
type Rock { weight: Int seat: Place }
type Place { town: String }
union Thing = Person | Firm | Rock
type Query { person: Person named: Named things: [Thing] }
"""
RESOLVER = {name: f"field-eq(field=kind, value='\"{name}\"')" for name in ("Person", "Firm", "Rock")}


@pytest.fixture(scope="module")
def app() -> ExecutableApp:
    place = {"db": "acme", "collection": "things"}
    return make_app(
        SDL,
        {
            "Query": {"person": place, "named": place, "things": place},
            "Person": {"friend": place | {"find": {"_id": {"$fk": "friend"}}}},
            "Firm": {"boss": place | {"find": {"_id": {"$fk": "boss"}}}},
            "Named": {"$typeResolver": {name: RESOLVER[name] for name in ("Person", "Firm")}},
            "Thing": {"$typeResolver": RESOLVER},
        },
    )


def outline(target: Target | None) -> Any:
    """Write a tree down: keys with what is below, types of interfaces and unions by their names."""
    match target:
        case LeafPlan(leaf):
            return leaf.name
        case ObjectPlan():
            return {entry.key: outline(entry.target) for entry in target.fields}
        case AbstractPlan():
            return {f"on {name}": outline(case) for name, case in target.cases.items()}
        case None:
            return "the type's name"


def plan(app: ExecutableApp, text: str, variables: Mapping[str, Any] | None = None) -> Any:
    return outline(select(app, text, variables or {}).root)


def things(selection: Selection) -> AbstractPlan:
    target = selection.root.fields[0].target
    assert isinstance(target, AbstractPlan)
    return target


# --- what is selected ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ person { name age } }", {"person": {"name": "String", "age": "Int"}}),
        ("{ person { age name age } }", {"person": {"age": "Int", "name": "String"}}),
        ("{ person { first: name name } }", {"person": {"first": "String", "name": "String"}}),
        ("{ person { name } person { age } }", {"person": {"name": "String", "age": "Int"}}),
        (
            "{ person { friend { name } name friend { age name } } }",
            {"person": {"friend": {"name": "String", "age": "Int"}, "name": "String"}},
        ),
        ("{ person { ...F age } } fragment F on Person { name }", {"person": {"name": "String", "age": "Int"}}),
        ("{ person { ... { age } ... on Named { name } } }", {"person": {"age": "Int", "name": "String"}}),
        ("{ person { ... on Person { __typename } } }", {"person": {"__typename": "the type's name"}}),
        ("{ __typename person { name } }", {"__typename": "the type's name", "person": {"name": "String"}}),
        (
            "{ named { name ... on Person { age } ... on Firm { boss { name } } } }",
            {
                "named": {
                    "on Person": {"name": "String", "age": "Int"},
                    "on Firm": {"name": "String", "boss": {"name": "String"}},
                }
            },
        ),
        (
            "{ things { ... on Named { name } ... on Rock { weight } } }",
            {"things": {"on Person": {"name": "String"}, "on Firm": {"name": "String"}, "on Rock": {"weight": "Int"}}},
        ),
        (
            "{ named { ... on Thing { ... on Firm { note } } } }",
            {"named": {"on Person": {}, "on Firm": {"note": "String"}}},
        ),
    ],
)  # fmt: skip
def test_fields_are_merged_in_the_order_of_their_first_places(app: ExecutableApp, text: str, expected: object) -> None:
    assert plan(app, text) == expected
    assert str(plan(app, text)) == str(expected)  # dictionaries compare without their order


@pytest.mark.parametrize(
    ("spreads", "places"),
    [
        ("...F", 1),
        ("...F ...F", 1),
        ("...F ... { ...F } ...G", 1),
        ("...F name", 2),
        ("...F ... on Named { name } name", 3),
    ],
)
def test_a_fragment_counts_once_in_each_selection_set(app: ExecutableApp, spreads: str, places: int) -> None:
    fragments = "fragment F on Person { name }" + (" fragment G on Person { ...F }" if "G" in spreads else "")

    selection = select(app, f"{{ person {{ {spreads} }} }} {fragments}")

    person = selection.root.fields[0].target
    assert isinstance(person, ObjectPlan)
    assert [(entry.key, len(entry.nodes)) for entry in person.fields] == [("name", places)]


def test_a_fragment_counts_again_in_another_selection_set(app: ExecutableApp) -> None:
    text = "{ person { ...F friend { ...F } } } fragment F on Person { name }"

    assert plan(app, text) == {"person": {"name": "String", "friend": {"name": "String"}}}


# --- conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("directives", "values", "is_there"),
    [
        ("@include(if: $a)", (True, None), True),
        ("@include(if: $a)", (False, None), False),
        ("@skip(if: $a)", (True, None), False),
        ("@skip(if: $a)", (False, None), True),
        ("@skip(if: $a) @include(if: $b)", (False, True), True),
        ("@skip(if: $a) @include(if: $b)", (True, True), False),
        ("@skip(if: $a) @include(if: $b)", (False, False), False),
        ("@include(if: false)", (True, True), False),
        ("@skip(if: false)", (True, True), True),
        ("@include(if: $c)", (False, False), True),
    ],
)
@pytest.mark.parametrize("where", ["name {}", "... {} {{ name }}", "...F {}"])
def test_conditions_look_at_variables(
    app: ExecutableApp, where: str, directives: str, values: tuple[Any, Any], is_there: bool
) -> None:
    fragment = "fragment F on Person { name }" if "F" in where else ""
    header = "query ($a: Boolean!, $b: Boolean = false, $c: Boolean! = true)"
    text = f"{header} {{ person {{ age {where.format(directives)} }} any: person @skip(if: $b) {{ name }} }} {fragment}"
    if "$c" not in directives:
        text = text.replace(", $c: Boolean! = true", "")
    if "$a" not in directives:
        text = text.replace("age", "age @skip(if: $a)")
    variables = {"a": values[0]} | ({} if values[1] is None else {"b": values[1]})

    person = plan(app, text, variables)["person"]

    assert ("name" in person) is is_there


def test_a_fragment_that_is_skipped_in_one_place_counts_in_the_next(app: ExecutableApp) -> None:
    text = "{ person { ...F @skip(if: true) age ...F } } fragment F on Person { name }"

    assert list(plan(app, text)["person"]) == ["age", "name"]


def test_a_condition_whose_variable_is_null_has_no_plan(app: ExecutableApp) -> None:
    """A default makes a nullable variable fit, and null can be given all the same."""
    text = "query ($a: Boolean = true) { person { name @include(if: $a) } }"

    with pytest.raises(UnplannableError, match="a condition without a value"):
        plan(app, text, {"a": None})
    assert plan(app, text) == {"person": {"name": "String"}}


# --- shared plans ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selected", "shared"),
    [
        ("... on Named { name }", [("Person", "Firm")]),
        ("... on Named { __typename name }", [("Person", "Firm")]),
        ("... on Firm { seat { town } } ... on Rock { seat { town } }", []),
        ("... on Named { note }", []),  # non-null in one of them
        ("... on Person { name } ... on Firm { name }", []),  # errors have different places
        ("__typename", [("Person", "Firm"), ("Firm", "Rock")]),
    ],
)
def test_types_that_answer_alike_share_a_plan(app: ExecutableApp, selected: str, shared: list[tuple[str, str]]) -> None:
    cases = things(select(app, f"{{ things {{ {selected} }} }}")).cases
    pairs = [("Person", "Firm"), ("Person", "Rock"), ("Firm", "Rock")]

    together = [pair for pair in pairs if cases[pair[0]] is cases[pair[1]]]

    assert set(shared) <= set(together)
    assert bool(shared) is bool(together)


def test_a_type_that_runs_queries_of_its_own_shares_no_plan() -> None:
    place = {"db": "acme", "collection": "things"}
    sdl = """interface N { up: T } type T implements N { up: T _id: Int } type S implements N { up: T }
             type Query { things: [N] }"""
    asked = {"T": {"up": place | {"find": {"_id": 1}}}, "S": {"up": place | {"find": {"_id": 2}}}}
    resolver = {"N": {"$typeResolver": {"T": "field-eq(field=k, value='1')", "S": "field-eq(field=k, value='2')"}}}

    selection = select(make_app(sdl, {"Query": {"things": place}} | asked | resolver), "{ things { up { _id } } }")

    cases = things(selection).cases
    assert cases["T"] is not cases["S"]
    assert [site.mapping.type_name for site in selection.sites if site.mapping] == ["T", "S", "Query"]  # type: ignore[union-attr]


# --- sites, arguments, what can be null ------------------------------------------------------------------------------


def test_fields_that_run_queries_are_numbered(app: ExecutableApp) -> None:
    text = "{ a: person { friend { name } home { town } } b: person { name } named { ... on Firm { boss { age } } } }"

    selection = select(app, text)

    assert [site.site for site in selection.sites] == [0, 1, 2, 3, 4]
    assert {site.key for site in selection.sites} == {"a", "b", "friend", "named", "boss"}
    first = selection.root.fields[0].target
    assert isinstance(first, ObjectPlan)
    assert {entry.key: (entry.site >= 0, entry.fetches) for entry in first.fields} == {
        "friend": (True, True),
        "home": (False, False),
    }
    assert [entry.fetches for entry in selection.root.fields] == [True, True, True]
    assert first.fetches
    assert not outline_fetches(selection, "b")


def outline_fetches(selection: Selection, key: str) -> bool:
    (target,) = [entry.target for entry in selection.root.fields if entry.key == key]
    assert isinstance(target, ObjectPlan)
    return target.fetches


def test_fields_with_arguments_are_listed_even_if_they_read_a_path(app: ExecutableApp) -> None:
    selection = select(app, '{ person { age(unit: "y") name friend { old: age } } }')

    assert [entry.key for entry in selection.argued] == ["age", "old"]


@pytest.mark.parametrize(
    ("selected", "raises"), [("... on Firm { note }", True), ("... on Firm { name }", False), ("__typename", False)]
)
def test_objects_know_whether_null_can_leave_them(app: ExecutableApp, selected: str, raises: bool) -> None:
    assert things(select(app, f"{{ things {{ {selected} }} }}")).cases["Firm"].raises is raises


def test_the_size_counts_the_fields_of_each_type(app: ExecutableApp) -> None:
    selection = select(app, "{ things { ... on Named { name } ... on Rock { weight __typename } } }")

    assert selection.size == 4  # things; name of two types; weight


# --- what has no plan ------------------------------------------------------------------------------------------------


def plan_unchecked(app: ExecutableApp, text: str) -> Selection:
    """Plan what validation or limits would refuse."""
    document = parse(text)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return plan_selection(app, operation, fragments, VariableValues({}, {}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ __schema { queryType { name } } }", "__schema"),
        ('{ person { name } __type(name: "Person") { name } }', "__type"),
        ("mutation { person { name } }", OperationType.MUTATION.value),
        ("subscription { person { name } }", OperationType.SUBSCRIPTION.value),
        ("query ($a: Boolean!) { person { name @skip(if: $a) } }", "a condition without a value"),
    ],
)
def test_what_graphql_core_executes_is_told_apart(app: ExecutableApp, text: str, reason: str) -> None:
    with pytest.raises(UnplannableError, match=f"^{reason}$"):
        plan_unchecked(app, text)


@pytest.mark.parametrize("number", [200, 201])
def test_more_than_two_hundred_fields_with_queries_have_no_plan(app: ExecutableApp, number: int) -> None:
    text = "{ " + " ".join(f"a{n}: person {{ name }}" for n in range(number)) + " }"

    if number <= 200:
        assert len(plan_unchecked(app, text).sites) == 200
    else:
        with pytest.raises(UnplannableError, match=r"^size$"):
            plan_unchecked(app, text)


@pytest.mark.parametrize("number", [19_999, 20_000])
def test_more_than_twenty_thousand_fields_have_no_plan(app: ExecutableApp, number: int) -> None:
    text = "{ person { " + " ".join(f"a{n}: name" for n in range(number)) + " } }"

    if number < 20_000:
        assert plan_unchecked(app, text).size == 20_000
    else:
        with pytest.raises(UnplannableError, match=r"^size$"):
            plan_unchecked(app, text)


def test_fragments_that_double_each_other_are_planned_once_for_each_place(app: ExecutableApp) -> None:
    """The text has 2^6 places for the innermost field."""
    chain = [f"fragment F{n} on Person {{ a: friend {{ ...F{n + 1} }} b: friend {{ ...F{n + 1} }} }}" for n in range(6)]

    selection = plan_unchecked(app, "{ person { ...F0 } } " + " ".join([*chain, "fragment F6 on Person { name }"]))

    # One root field; two fields in F0; in both places where they spread each further fragment, its fields.
    assert selection.size == 1 + 2 + 5 * 2 * 2 + 2
    assert len(selection.sites) == 1 + 6 * 2
