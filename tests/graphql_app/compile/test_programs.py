from collections.abc import Mapping
from typing import Any

from graphql_app.compile.program import Program
from graphql_app.compile.programs import find_program
from graphql_app.plan import BoundedCache, Operations, PlanCache, coerce_variables, parse_operations, select_operation
from graphql_app.schema.build import ExecutableApp
from tests.graphql_app.query.workshop import build

SDL = "type Query { things: [T] } type T { a: String b: String t: T }"
MAPPINGS = {"Query": {"things": {"db": "acme", "collection": "things"}}}


def make_app() -> ExecutableApp:
    return build({"_id": "acme___any", "schema": SDL, "mappings": MAPPINGS})


class Bench:
    """An application with its cache, asked as the engine asks."""

    def __init__(self, *, shared: BoundedCache[Operations] | None = None) -> None:
        self.app = make_app()
        self.plans = PlanCache(BoundedCache(entries=100, length=10_000_000) if shared is None else shared)

    def find(self, text: str, *, name: str | None = None, **variables: bool) -> Program | None:
        operations = self.plans.get(text)
        if operations is None:
            operations = parse_operations(self.app.schema, text, max_tokens=10_000, max_errors=1)
            self.plans.put(text, operations)
        return self.compile(operations, name=name, variables=variables)

    def compile(
        self, operations: Operations, *, name: str | None = None, variables: Mapping[str, Any]
    ) -> Program | None:
        plan = select_operation(self.app.schema, operations, name)
        return find_program(self.app, self.plans, operations, plan.operation, coerce_variables(plan, variables))


def test_an_operation_is_compiled_once() -> None:
    bench = Bench()

    first = bench.find("{ things { a } }")

    assert first is not None
    assert bench.find("{ things { a } }") is first


def test_each_operation_of_a_document_has_its_own_program() -> None:
    bench = Bench()
    text = "query One { things { a } } query Two { things { a b } }"

    programs = [bench.find(text, name=name) for name in ("One", "Two", "One")]

    assert programs[0] is programs[2]
    assert programs[0] is not programs[1]


def test_conditions_choose_the_program_and_other_variables_do_not() -> None:
    bench = Bench()
    text = """query ($b: Boolean = false, $other: Boolean = true) { ...F @skip(if: $other) things { a } }
              fragment F on Query { things { ... @include(if: $b) { b } t { ...G } } }
              fragment G on T { t { ...H } } fragment H on T { a }"""

    with_b = bench.find(text, b=True, other=False)

    assert bench.find(text, b=True, other=False) is with_b
    assert bench.find(text, b=False, other=False) is not with_b
    assert bench.find(text, other=False) is bench.find(text, b=False, other=False)
    assert bench.find(text, b=True) is not with_b


def test_what_cannot_be_compiled_is_not_tried_again() -> None:
    bench = Bench()
    text = "{ __schema { queryType { name } } }"

    assert bench.find(text) is None

    kept = bench.plans.get(text)
    assert kept is not None
    assert (kept.programs[None].count, kept.programs[None].fields) == (1, 0)


def test_programs_for_values_of_conditions_are_bounded() -> None:
    bench = Bench()
    names = [f"v{number}" for number in range(5)]
    declared = " ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"x{name}: a @include(if: ${name})" for name in names)
    text = f"query ({declared}) {{ things {{ a {fields} }} }}"

    for number in range(32):
        v0, v1, v2, v3, v4 = (bool(number >> place & 1) for place in range(5))
        bench.find(text, v0=v0, v1=v1, v2=v2, v3=v3, v4=v4)

    kept = bench.plans.get(text)
    assert kept is not None
    assert kept.programs[None].count == 16


def test_programs_count_in_what_all_applications_may_keep() -> None:
    shared = BoundedCache[Operations](entries=100, length=60_000)
    one, other = Bench(shared=shared), Bench(shared=shared)
    one.find("{ things { a } }")
    other.find("{ things { a } }")
    assert len(shared) == 2

    other.find("{ things { a b } }")

    assert one.plans.get("{ things { a } }") is None
    assert other.plans.get("{ things { a b } }") is not None


def test_operations_of_a_version_that_went_are_compiled_and_not_kept() -> None:
    bench = Bench()
    operations = parse_operations(bench.app.schema, "{ things { a } }", max_tokens=100, max_errors=1)
    bench.plans.close()

    assert bench.compile(operations, variables={}) is not None

    assert bench.plans.get("{ things { a } }") is None
