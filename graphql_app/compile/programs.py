"""Compiles operations when they are first asked, and keeps their programs with the documents that hold them."""

import contextlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.values import VariableValues

from content_core import observe
from graphql_app.compile.program import Program, compile_operation
from graphql_app.plan.cache import PlanCache
from graphql_app.plan.selection import UnplannableError
from graphql_app.plan.types import Operations
from graphql_app.schema.build import ExecutableApp

__all__ = ["Variants", "find_program"]

_MOST_VARIANTS: Final = 16
"""Programs of one operation for different values of its conditions."""


@dataclass(slots=True)
class Variants:
    """The programs of one operation by the values of the variables that its conditions look at.

    Attributes:
        conditions: these variables.
        programs: None where graphql-core has to run the operation.
    """

    conditions: tuple[str, ...]
    programs: OrderedDict[tuple[Any, ...], Program | None] = field(default_factory=OrderedDict)

    @property
    def count(self) -> int:
        """The number of programs."""
        return len(self.programs)

    @property
    def fields(self) -> int:
        """The fields of all programs together."""
        return sum(program.size for program in self.programs.values() if program is not None)


def find_program(
    app: ExecutableApp,
    plans: PlanCache,
    operations: Operations,
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> Program | None:
    """Give the program of a valid operation, compiled now if it was not yet; None if graphql-core has to run it.

    Args:
        app: the application.
        plans: what keeps the operations of the application, and weighs them again with a new program.
        operations: the document; programs are kept with it, and go with it.
        operation: the one of its operations that runs.
        variables: coerced; those that conditions look at choose the program.
    """
    name = operation.name.value if operation.name else None
    variants: Any = operations.programs.get(name)
    if variants is None:
        variants = Variants(tuple(sorted(_read_conditions(operation, operations.fragments))))
        operations.programs[name] = variants
    values = tuple(variables.coerced.get(name) for name in variants.conditions) if variants.conditions else ()
    try:
        found: Program | None = variants.programs[values]
    except KeyError:
        found = variants.programs[values] = _compile(app, operations, operation, variables)
        if len(variants.programs) > _MOST_VARIANTS:
            variants.programs.popitem(last=False)
        plans.put(operations.text, operations)
    return found


def _compile(
    app: ExecutableApp, operations: Operations, operation: OperationDefinitionNode, variables: VariableValues
) -> Program | None:
    # What cannot be planned is remembered as None: it will not be tried again.
    with observe.stage("compile"), contextlib.suppress(UnplannableError):
        return compile_operation(app, operation, operations.fragments, variables)
    return None


def _read_conditions(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> set[str]:
    """List the variables that ``@skip`` and ``@include`` look at, in an operation and its fragments."""
    names: set[str] = set()
    seen: set[str] = set()
    pending = [operation.selection_set]
    while pending:
        for node in pending.pop().selections:
            names.update(_variables(node.directives or ()))
            inner: SelectionSetNode | None = None
            if isinstance(node, FragmentSpreadNode):
                if node.name.value not in seen:
                    seen.add(node.name.value)
                    inner = fragments[node.name.value].selection_set
            else:
                inner = node.selection_set if isinstance(node, FieldNode) else getattr(node, "selection_set", None)
            if inner is not None:
                pending.append(inner)
    return names


def _variables(directives: Any) -> Iterator[str]:
    for directive in directives:
        yield from _used_by(directive)


def _used_by(directive: DirectiveNode) -> Iterator[str]:
    for argument in directive.arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value
