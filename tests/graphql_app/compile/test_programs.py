from typing import Any

import pytest

from graphql_app.compile import programs as programs_module
from graphql_app.compile.program import Program, compile_operation
from graphql_app.compile.programs import find_program
from graphql_app.plan import BoundedCache, Operations, PlanCache, coerce_variables, parse_operations, select_operation
from graphql_app.schema.build import ExecutableApp
from tests.graphql_app.query.workshop import build, workshop_definition

TEXT = """query Q($a: Boolean = false, $b: Boolean! = true, $id: String!) {
  mechanic(id: $id) { name @skip(if: $a) ...F @include(if: $b) } }
fragment F on Mechanic { jobs { title @include(if: $b) } }"""


class Cache:
    """The operations of a text in a cache, and the programs that are found for it."""

    def __init__(self, app: ExecutableApp, text: str) -> None:
        self.app = app
        self.plans = PlanCache(BoundedCache[Operations](entries=10, length=10_000_000))
        self.operations = parse_operations(app.schema, text, max_tokens=10_000, max_errors=1)

    def find(self, variables: dict[str, Any], name: str | None = None) -> Program | None:
        plan = select_operation(self.app.schema, self.operations, name)
        coerced = coerce_variables(plan, variables)
        return find_program(self.app, self.plans, self.operations, plan.operation, coerced)


@pytest.fixture(scope="module")
def app() -> ExecutableApp:
    return build(workshop_definition("acme"))


def test_a_program_is_kept_for_the_values_of_its_conditions(app: ExecutableApp) -> None:
    cache = Cache(app, TEXT)

    first = cache.find({"id": "m1", "a": True})

    assert first is not None
    assert cache.find({"id": "m1", "a": True}) is first
    assert cache.find({"id": "m2", "a": True}) is first  # not a condition
    assert cache.find({"id": "m1", "a": True, "b": True}) is first  # the default
    assert cache.find({"id": "m1", "a": False}) is not first
    assert cache.find({"id": "m1", "a": True, "b": False}) is not first


def test_programs_differ_by_what_their_conditions_leave(app: ExecutableApp) -> None:
    cache = Cache(app, TEXT)

    sizes = {
        (a, b): program.size
        for a in (True, False)
        for b in (True, False)
        if (program := cache.find({"id": "m1", "a": a, "b": b})) is not None
    }

    # mechanic; name; jobs and title
    assert sizes == {(True, True): 3, (True, False): 1, (False, True): 4, (False, False): 2}


def test_conditions_inside_fragments_of_fragments_count(app: ExecutableApp) -> None:
    text = """query ($a: Boolean!) { mechanic(id: "m1") { ...F ...G } }
              fragment F on Mechanic { ...G } fragment G on Mechanic { name ... { id @skip(if: $a) } }"""
    cache = Cache(app, text)

    with_id, without = cache.find({"a": False}), cache.find({"a": True})

    assert with_id is not None
    assert without is not None
    assert (with_id.size, without.size) == (3, 2)


def test_operations_of_one_document_have_programs_of_their_own(app: ExecutableApp) -> None:
    cache = Cache(app, "query A { mechanics { name } } query B { mechanics { name id } }")

    one, other = cache.find({}, "A"), cache.find({}, "B")

    assert one is not None
    assert other is not None
    assert (one.size, other.size) == (2, 3)
    assert cache.find({}, "A") is one


def test_what_has_no_program_is_not_tried_again(app: ExecutableApp, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(app, "{ __schema { queryType { name } } }")
    tried = 0
    compiling = compile_operation

    def compile_and_count(*arguments: Any) -> Program:
        nonlocal tried
        tried += 1
        return compiling(*arguments)

    monkeypatch.setattr(programs_module, "compile_operation", compile_and_count)

    assert [cache.find({}) for _ in range(3)] == [None, None, None]
    assert tried == 1


def test_sixteen_variants_of_an_operation_are_kept_at_most(app: ExecutableApp) -> None:
    names = "abcde"
    header = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: name @skip(if: ${name})" for name in names)
    cache = Cache(app, f"query ({header}) {{ mechanics {{ id {fields} }} }}")

    def values(number: int) -> dict[str, Any]:
        return {name: bool(number >> bit & 1) for bit, name in enumerate(names)}

    first = cache.find(values(0))
    for number in range(1, 16):
        cache.find(values(number))
    assert cache.find(values(0)) is first

    cache.find(values(16))
    assert cache.find(values(0)) is not first
    assert cache.operations.programs[None].count == 16


def test_a_new_program_weighs_in_the_cache_of_documents(app: ExecutableApp) -> None:
    """With room for the document alone, the compiled one goes."""
    text = "{ mechanics { " + " ".join(f"a{n}: name" for n in range(90)) + " } }"
    cache = Cache(app, text)
    cache.plans = PlanCache(BoundedCache[Operations](entries=10, length=200_000))
    cache.plans.put(text, cache.operations)
    assert cache.plans.get(text) is cache.operations

    cache.find({})

    assert cache.plans.get(text) is None
