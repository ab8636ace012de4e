"""Keeps the compiled operations of one version of an application."""

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
from graphql_app.plan.selection import UnplannableError
from graphql_app.schema.build import ExecutableApp

__all__ = ["Programs"]

_MOST_VARIANTS: Final = 16
"""Programs of one operation for different values of its conditions."""


@dataclass(slots=True)
class _Entry:
    """One operation: what its conditions look at, and its programs by the values of these."""

    operation: OperationDefinitionNode
    conditions: tuple[str, ...]
    variants: OrderedDict[tuple[Any, ...], Program | None] = field(default_factory=OrderedDict)

    @property
    def weight(self) -> int:
        return 1 + sum(program.size for program in self.variants.values() if program is not None)


class Programs:
    """A least-recently-used cache of compiled operations.

    Args:
        fields: fields of all kept programs together at most.
    """

    def __init__(self, *, fields: int) -> None:
        self._fields = fields
        self._used = 0
        self._entries: OrderedDict[int, _Entry] = OrderedDict()

    def find(
        self,
        app: ExecutableApp,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> Program | None:
        """Give the program of a valid operation, compiled now if it was not yet; None if graphql-core has to run it.

        Args:
            app: the application.
            operation: the operation.
            fragments: of its document.
            variables: coerced; those that conditions look at choose the program.
        """
        entry = self._entries.get(id(operation))
        if entry is None:
            entry = _Entry(operation, tuple(sorted(_read_conditions(operation, fragments))))
            self._entries[id(operation)] = entry
            self._used += entry.weight
        else:
            self._entries.move_to_end(id(operation))
        values = tuple(variables.coerced.get(name) for name in entry.conditions) if entry.conditions else ()
        try:
            return entry.variants[values]
        except KeyError:
            return self._compile(entry, values, app, fragments, variables)

    def __len__(self) -> int:
        return len(self._entries)

    def _compile(
        self,
        entry: _Entry,
        values: tuple[Any, ...],
        app: ExecutableApp,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> Program | None:
        program: Program | None = None
        # What cannot be planned is remembered as None: it will not be tried again.
        with observe.stage("compile"), contextlib.suppress(UnplannableError):
            program = compile_operation(app, entry.operation, fragments, variables)
        self._used -= entry.weight
        entry.variants[values] = program
        if len(entry.variants) > _MOST_VARIANTS:
            entry.variants.popitem(last=False)
        self._used += entry.weight
        while self._used > self._fields and self._entries:
            _, dropped = self._entries.popitem(last=False)
            self._used -= dropped.weight
        return program


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
