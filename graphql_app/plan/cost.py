"""What an operation may cost at most, known before anything runs: the database calls and the values it multiplies.

The rule of spec 9.2: a list costs its own price and, for each entry that it may have, what is below it. The prices are
read off the operation once; what depends on variables stays open until they are there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)
from graphql.utilities.coerce_input_value import coerce_default_value

from content_core.documents import Document
from graphql_app.plan.price import Cost, Price, Sum, Term
from graphql_app.plan.types import LimitExceededError
from graphql_app.plan.values import count_arguments, count_json, count_literal
from graphql_app.query.arguments import Scope
from graphql_app.query.errors import FetchError
from graphql_app.query.interpolate import interpolate_page
from graphql_app.query.paging import read_limit
from graphql_app.schema.mappings import AggregationMapping, FieldMapping, Limits, PathMapping, QueryMapping

__all__ = ["check_cost", "price_operation"]

_DATABASE: Final = 10
_REFERENCE: Final = 2
_EMBEDDED: Final = 5
"""Entries of a list inside a document: nobody can limit them, and what a document holds is read already."""

_Variables: TypeAlias = Mapping[str, Any]
_Mappings: TypeAlias = Mapping[str, Mapping[str, FieldMapping]]


def check_cost(price: Price, variables: _Variables, *, max_cost: int, max_values: int) -> Cost:
    """Refuse an operation that costs too much, or whose arguments hold too much.

    Args:
        price: of the operation that is to run.
        variables: their values, as they came.
        max_cost: the budget in points: the application's own, or the server's.
        max_values: values in arguments and variables, counted as often as fields read them.

    Returns:
        What it costs.

    Raises:
        LimitExceededError: with cost and budget in ``extensions``.
    """
    given = sum(count_json(value) for value in variables.values()) if variables else 0
    if given > max_values:
        message = f"The variables hold {given} values"
        raise LimitExceededError.of("max_input_values", allowed=max_values, counted=given, message=message)
    cost = price.of(variables)
    if cost.values > max_values:
        message = f"The fields of the operation read {cost.values} values of arguments"
        raise LimitExceededError.of("max_input_values", allowed=max_values, counted=cost.values, message=message)
    if cost.points > max_cost:
        raise LimitExceededError.of(
            "max_cost",
            allowed=max_cost,
            counted=cost.points,
            message=f"The operation costs {cost.points}",
            code="COST_LIMIT",
            cost=cost.points,
            budget=max_cost,
        )
    return cost


def price_operation(
    schema: GraphQLSchema,
    mappings: _Mappings,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    *,
    limits: Limits,
) -> Price:
    """Read the price off an operation of a valid document; what ``@skip`` leaves out is in it.

    Args:
        schema: what it asks.
        mappings: of the schema's fields, by type and field.
        operation: the operation.
        fragments: those of its document, by name.
        limits: how many entries a list has that says nothing else, and at most.
    """
    defaults = {
        node.variable.name.value: value_from_ast_untyped(node.default_value)
        for node in operation.variable_definitions or ()
        if node.default_value is not None
    }
    root = schema.get_root_type(operation.operation)
    if root is None:
        return Price(Sum(), defaults)
    costly = frozenset(
        name for of_type in mappings.values() for name, mapping in of_type.items() if _own_points(mapping)
    )
    pricing = _Pricing(schema, mappings, fragments, limits, costly)
    return Price(pricing.sum([operation.selection_set], root), defaults)


@dataclass(slots=True)
class _Pricing:
    schema: GraphQLSchema
    mappings: _Mappings
    fragments: Mapping[str, FragmentDefinitionNode]
    limits: Limits
    costly: frozenset[str]

    def sum(self, selection_sets: Iterable[SelectionSetNode], parent: Any) -> Sum:
        """Add up what is selected of a value of an object type, an interface or a union."""
        possible = self._possible(parent)
        always: list[Term] = []
        by_type: dict[str, list[Term]] = {}
        for (types, _), nodes in self._collect(selection_sets, possible).items():
            for names, term in self._terms(nodes, types):
                if names >= possible:
                    always.append(term)
                else:
                    for name in names:
                        by_type.setdefault(name, []).append(term)
        return _add_up(always, {name: _add_up(terms, {}) for name, terms in by_type.items()})

    def _collect(
        self, selection_sets: Iterable[SelectionSetNode], possible: frozenset[str]
    ) -> dict[tuple[frozenset[str], str], list[FieldNode]]:
        """Group fields by the object types that they are selected on and their names in the response."""
        groups: dict[tuple[frozenset[str], str], list[FieldNode]] = {}
        visited: set[tuple[str, frozenset[str]]] = set()
        stack = [(selection_set, possible) for selection_set in selection_sets]
        while stack:
            selection_set, types = stack.pop()
            for selection in selection_set.selections:
                if isinstance(selection, FieldNode):
                    groups.setdefault((types, (selection.alias or selection.name).value), []).append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    condition = selection.type_condition
                    narrowed = self._narrow(types, condition.name.value) if condition else types
                    if narrowed:
                        stack.append((selection.selection_set, narrowed))
                elif isinstance(selection, FragmentSpreadNode):
                    fragment = self.fragments[selection.name.value]
                    narrowed = self._narrow(types, fragment.type_condition.name.value)
                    if narrowed and (selection.name.value, narrowed) not in visited:
                        visited.add((selection.name.value, narrowed))
                        stack.append((fragment.selection_set, narrowed))
        return groups

    def _narrow(self, types: frozenset[str], condition: str) -> frozenset[str]:
        return types & self._possible(self.schema.type_map[condition])

    def _possible(self, type_: Any) -> frozenset[str]:
        if isinstance(type_, GraphQLAbstractType):
            return frozenset(one.name for one in self.schema.get_possible_types(type_))
        return frozenset({type_.name})

    def _terms(self, nodes: list[FieldNode], types: frozenset[str]) -> Iterator[tuple[frozenset[str], Term]]:
        """Price fields that merge into one, once for all object types that map and type it alike."""
        node = nodes[0]
        name = node.name.value
        literal, variables = count_arguments(node.arguments or ())
        below = [each.selection_set for each in nodes if each.selection_set is not None]
        if not below and not literal and name not in self.costly:
            return
        for alike in self._alike(name, types):
            mapping = self.mappings.get(min(alike), {}).get(name)
            definition = self._fields(min(alike))[name]
            named = get_named_type(definition.type)
            inner = self.sum(below, named) if below and is_composite_type(named) else Sum()
            own = Cost(_own_points(mapping), literal)
            if inner != Sum():
                yield alike, Term(own, variables, self._entries(node, definition, mapping), inner)
            elif own != Cost():
                yield alike, Term(own, variables)

    def _alike(self, name: str, types: frozenset[str]) -> Iterator[frozenset[str]]:
        """Part object types by what a field of theirs is: most types of an interface share that."""
        parts: dict[tuple[Any, ...], list[str]] = {}
        for of_type in types:
            definition = self._fields(of_type).get(name)
            if definition is not None:
                mapping = self.mappings.get(of_type, {}).get(name) if name in self.costly else None
                kind = (_own_points(mapping), repr(_limit_of(mapping))) if mapping else ()
                parts.setdefault((str(definition.type), kind), []).append(of_type)
        return (frozenset(names) for names in parts.values())

    def _fields(self, of_type: str) -> Mapping[str, GraphQLField]:
        found = self.schema.type_map[of_type]
        return found.fields if isinstance(found, GraphQLObjectType) else {}

    def _entries(
        self, node: FieldNode, definition: GraphQLField, mapping: FieldMapping | None
    ) -> int | Callable[[_Variables], int]:
        """Tell how many entries a field's value may have."""
        if not _is_list(definition):
            return 1
        if mapping is None or isinstance(mapping, PathMapping):
            return _EMBEDDED
        template = _limit_of(mapping)
        name = _named_argument(template)
        given = next((each.value for each in node.arguments or () if each.name.value == name), None)

        def entries(variables: _Variables) -> int:
            return _read_entries(template, given, definition, self.limits, variables)

        return entries if given is not None and count_literal(given)[1] else entries({})


def _add_up(terms: list[Term], by_type: Mapping[str, Sum]) -> Sum:
    """Add the terms that are known, and keep those that depend on variables."""
    base = Cost()
    for term in terms:
        if term.fixed():
            base += term.cost({}, {})
    unknown = {name: part for name, part in by_type.items() if not part.fixed()}
    known = [part.base for name, part in by_type.items() if name not in unknown]
    most = Cost(max((cost.points for cost in known), default=0), max((cost.values for cost in known), default=0))
    if unknown:
        unknown[""] = Sum(most)
    else:
        base += most
    return Sum(base, tuple(term for term in terms if not term.fixed()), unknown)


def _own_points(mapping: FieldMapping | None) -> int:
    if mapping is None or isinstance(mapping, PathMapping):
        return 0
    template = mapping.find if isinstance(mapping, QueryMapping) else mapping.stages
    return _REFERENCE if _holds_key(template, "$fk") else _DATABASE


def _holds_key(template: Any, key: str) -> bool:
    stack = [template]
    while stack:
        value = stack.pop()
        if isinstance(value, Mapping):
            if key in value:
                return True
            stack.extend(value.values())
        elif isinstance(value, list | tuple):
            stack.extend(value)
    return False


def _is_list(definition: GraphQLField) -> bool:
    type_ = definition.type
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def _limit_of(mapping: FieldMapping | None) -> Any:
    if isinstance(mapping, QueryMapping):
        return mapping.limit
    if isinstance(mapping, AggregationMapping):
        limits = [stage["$limit"] for stage in mapping.stages if "$limit" in stage]
        return limits[-1] if limits else None
    return None


def _named_argument(template: Any) -> str | None:
    """Give the argument that a limit is taken from, without the path into it."""
    if not isinstance(template, Mapping) or set(template) != {"$arg"}:
        return None
    named: Document | Any = template["$arg"]
    name = named[0] if isinstance(named, list) and named else named
    return name.partition(".")[0].partition("[")[0] if isinstance(name, str) else None


def _read_entries(
    template: Any, given: ValueNode | None, definition: GraphQLField, limits: Limits, variables: _Variables
) -> int:
    """Give a list's limit as it will be read; what will be refused then counts as the largest."""
    name = _named_argument(template)
    declared: Any = Undefined
    if name in definition.args:
        declared = coerce_default_value(definition.args[name])
    value: Any = Undefined if given is None else value_from_ast_untyped(given, dict(variables))
    if value is Undefined:
        value = declared
    arguments = {} if name is None or value is Undefined else {name: value}
    defaults = {} if name is None or declared is Undefined else {name: declared}
    try:
        return read_limit(interpolate_page(template, Scope(arguments, declared=defaults)), limits)
    except FetchError:
        return limits.max_limit
