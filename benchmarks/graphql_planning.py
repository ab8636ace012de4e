"""From the text of a query with 300 fields to a compiled function: the first time, and when it is kept."""

from collections.abc import Callable
from typing import Final

from graphql import FieldNode, Visitor, parse, validate, visit

from benchmarks.clock import best_of
from benchmarks.content import TENANT
from benchmarks.graphql_synthetic import count_types, make_definition, make_query
from graphql_app.compile.program import Program
from graphql_app.compile.programs import find_program
from graphql_app.plan import (
    BoundedCache,
    Operations,
    PlanCache,
    check_cost,
    coerce_variables,
    parse_operations,
    price_operation,
    select_operation,
)
from graphql_app.schema.build import ExecutableApp, build_app
from graphql_app.schema.definition import parse_definition
from graphql_app.settings import GraphQLSettings

__all__ = ["main"]

_TYPES: Final = 200
_TEMPLATES: Final = 33
_SETTINGS: Final = GraphQLSettings()
_RUNS: Final = 15
_MANY: Final = 1_000


def main() -> None:
    """Print milliseconds of CPU, the least of several runs."""
    definition = make_definition(0, types=_TYPES)
    app = build_app(parse_definition(definition, tenant=TENANT, limits=_SETTINGS.limits))
    text = make_query(0, templates=_TEMPLATES)
    kept = _Cache(app)
    operations = kept.read(text)
    kept.price(operations)
    if kept.compile(operations) is None:
        raise SystemExit("the query is not compiled")
    fields = _count_fields(text)
    print(f"a schema of {count_types(definition)} types, a query of {fields} fields")
    reference = _least(lambda: validate(app.schema, parse(text)))
    again = _least(lambda: [kept.all(text) for _ in range(_MANY)]) / _MANY
    for label, milliseconds, wanted in (
        ("graphql-core: parsing, validating", reference, ""),
        ("parsing, counting, validating", _least(lambda: _Cache(app).read(text)), ""),
        ("counting what it costs", _least(lambda: _Cache(app).price(_unpriced(operations))), ""),
        ("planning and compiling", _least(lambda: _Cache(app).compile(_uncompiled(operations))), ""),
        ("all, once", _least(lambda: _Cache(app).all(text)), "below 50"),
        ("all, from the cache", again, "below 1"),
    ):
        print(f"  {label:36} {milliseconds:9.4f} ms  {wanted}")


class _Cache:
    """What the engine does with a text before it runs, and what it keeps for the next time."""

    def __init__(self, app: ExecutableApp) -> None:
        self._app = app
        self._plans = PlanCache(BoundedCache(entries=_SETTINGS.plan_cache_size, length=_SETTINGS.plan_cache_bytes))

    def all(self, text: str) -> Program | None:
        operations = self.read(text)
        self.price(operations)
        return self.compile(operations)

    def read(self, text: str) -> Operations:
        operations = self._plans.get(text)
        if operations is None:
            operations = parse_operations(
                self._app.schema,
                text,
                max_tokens=_SETTINGS.max_tokens,
                max_errors=_SETTINGS.max_validation_errors,
                bounds=_SETTINGS.bounds,
            )
            self._plans.put(text, operations)
        return operations

    def price(self, operations: Operations) -> None:
        price = operations.prices.get(None)
        if price is None:
            plan = select_operation(self._app.schema, operations, None)
            price = operations.prices[None] = price_operation(
                plan.schema,
                self._app.definition.fields,
                plan.operation,
                operations.fragments,
                limits=_SETTINGS.limits,
            )
        check_cost(price, {}, max_cost=_SETTINGS.max_cost, max_values=_SETTINGS.max_input_values)

    def compile(self, operations: Operations) -> Program | None:
        plan = select_operation(self._app.schema, operations, None)
        variables = coerce_variables(plan, {})
        return find_program(self._app, self._plans, operations, plan.operation, variables)


def _unpriced(operations: Operations) -> Operations:
    operations.prices.clear()
    return operations


def _uncompiled(operations: Operations) -> Operations:
    operations.programs.clear()
    return operations


def _least(work: Callable[[], object]) -> float:
    return best_of(_RUNS, work).cpu * 1000


def _count_fields(text: str) -> int:
    count = 0

    class Count(Visitor):
        def enter_field(self, _node: FieldNode, *_place: object) -> None:
            nonlocal count
            count += 1

    visit(parse(text), Count())
    return count
