"""What an operation selects, as a tree: every field with its mapping, every object type with its own fields.

A tree holds for one choice of the variables that ``@skip`` and ``@include`` look at, so that it has no conditions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.values import VariableValues

from graphql_app.schema.build import ExecutableApp
from graphql_app.schema.mappings import FieldMapping, PathMapping

__all__ = [
    "AbstractPlan",
    "FieldPlan",
    "LeafPlan",
    "ObjectPlan",
    "Selection",
    "Target",
    "UnplannableError",
    "plan_selection",
]

_MOST_FIELDS: Final = 20_000
"""Fields of all types together; an operation with more is not worth a plan of its own."""

_MOST_SITES: Final = 200
"""Fields that ask the database, counted for each type that they differ in: compiling takes longest for these."""

_TYPENAME: Final = "__typename"


class UnplannableError(Exception):
    """The operation holds something that has no plan; the text says what."""


@dataclass(frozen=True, slots=True, eq=False)
class LeafPlan:
    """Values of a scalar or an enum."""

    type: GraphQLLeafType


@dataclass(slots=True, eq=False)
class ObjectPlan:
    """The selected fields of one object type, or of several that answer them alike.

    Attributes:
        type_name: the type; one of them, if several share the plan.
        fields: in the order of the answer.
        fetches: whether fields at any depth run queries.
        raises: whether a null inside can reach beyond the object.
    """

    type_name: str
    fields: tuple["FieldPlan", ...]
    fetches: bool
    raises: bool


@dataclass(slots=True, eq=False)
class AbstractPlan:
    """Values of an interface or a union; ``cases`` are its object types by name."""

    name: str
    cases: Mapping[str, ObjectPlan]
    fetches: bool


Target: TypeAlias = LeafPlan | ObjectPlan | AbstractPlan


@dataclass(slots=True, eq=False)
class FieldPlan:
    """One field of an answer.

    Attributes:
        key: its name in the answer.
        parent: the object type that it belongs to, for messages.
        definition: its declaration.
        nodes: all places of the operation that select it, merged.
        mapping: where its value comes from; None for ``__typename``.
        target: what becomes of its values, lists and non-null aside.
        site: counts the fields that run queries; -1 for all others.
    """

    key: str
    parent: str
    definition: GraphQLField | None
    nodes: tuple[FieldNode, ...]
    mapping: FieldMapping | None
    target: Target | None
    site: int = -1

    @property
    def type(self) -> GraphQLOutputType:
        """The declared type; not for ``__typename``."""
        assert self.definition is not None  # noqa: S101 - for mypy
        return self.definition.type

    @property
    def name(self) -> str:
        """The name of the field in its type."""
        return self.nodes[0].name.value

    @property
    def fetches(self) -> bool:
        """Whether the field or one below it runs a query."""
        return self.site >= 0 or (not isinstance(self.target, LeafPlan | None) and self.target.fetches)


@dataclass(frozen=True, slots=True)
class Selection:
    """A whole operation.

    Attributes:
        root: the fields of the query type.
        sites: the fields that run queries, by their numbers.
        argued: fields with arguments: variables in them have values only with a request.
        size: number of fields, those of different types of an interface or a union counted one by one.
    """

    root: ObjectPlan
    sites: tuple[FieldPlan, ...]
    argued: tuple[FieldPlan, ...]
    size: int


def plan_selection(
    app: ExecutableApp,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: VariableValues,
) -> Selection:
    """Lay out what a valid operation selects.

    Args:
        app: whose schema and mappings.
        operation: a query.
        fragments: of its document.
        variables: only those that decide about ``@skip`` and ``@include`` are looked at.

    Raises:
        UnplannableError: it is no query, asks for the schema, or is too large.
    """
    if operation.operation is not OperationType.QUERY or app.schema.query_type is None:
        raise UnplannableError(operation.operation.value)
    planner = _Planner(app, fragments, variables)
    root = planner.plan_object(app.schema.query_type, (operation.selection_set,), is_root=True)
    return Selection(root, tuple(planner.sites), tuple(planner.argued), planner.planned)


@dataclass(slots=True)
class _Planner:
    app: ExecutableApp
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues
    sites: list[FieldPlan] = field(default_factory=list)
    argued: list[FieldPlan] = field(default_factory=list)
    _objects: dict[tuple[Any, ...], ObjectPlan] = field(default_factory=dict)
    _alike: dict[tuple[Any, ...], ObjectPlan] = field(default_factory=dict)
    _fields: dict[tuple[Any, ...], FieldPlan] = field(default_factory=dict)
    _abstract: dict[tuple[Any, ...], AbstractPlan] = field(default_factory=dict)
    _signatures: dict[int, str] = field(default_factory=dict)
    planned: int = 0

    def plan_object(
        self, type_: GraphQLObjectType, selection_sets: tuple[SelectionSetNode, ...], *, is_root: bool = False
    ) -> ObjectPlan:
        """Plan what some merged selection sets select of an object type."""
        place = (is_root, type_.name, *map(id, selection_sets))
        plan = self._objects.get(place)
        if plan is None:
            groups = self._collect(type_, selection_sets)
            fields = tuple(self._plan_field(type_, key, tuple(nodes), is_root=is_root) for key, nodes in groups.items())
            signature = tuple(self._sign(entry) for entry in fields)
            plan = None if is_root else self._alike.get(signature)
            if plan is None:
                plan = ObjectPlan(
                    type_.name,
                    fields,
                    fetches=any(entry.fetches for entry in fields),
                    raises=any(_raises(entry) for entry in fields),
                )
                if not is_root:
                    self._alike[signature] = plan
            self._objects[place] = plan
        return plan

    def _plan_field(
        self, parent: GraphQLObjectType, key: str, nodes: tuple[FieldNode, ...], *, is_root: bool
    ) -> FieldPlan:
        name = nodes[0].name.value
        if name == _TYPENAME:
            return FieldPlan(key, parent.name, None, nodes, None, None)
        if name.startswith("__"):
            raise UnplannableError(name)
        self.planned += 1
        if self.planned > _MOST_FIELDS:
            raise UnplannableError("size")
        definition = parent.fields[name]
        mapping = self.app.definition.fields.get(parent.name, {}).get(name) or PathMapping.of(name)
        # Types that read the same from their values share what is planned for it; queries have one site each.
        place: tuple[Any, ...] = (
            is_root,
            key,
            *map(id, nodes),
            self._sign_mapping(mapping),
        )
        names_parent = _tells_parent(definition.type)
        place = (*place, str(definition.type), parent.name if names_parent else "", *_argument_signature(definition))
        planned = self._fields.get(place)
        if planned is None:
            planned = FieldPlan(key, parent.name, definition, nodes, mapping, self._plan_target(definition.type, nodes))
            if not isinstance(mapping, PathMapping):
                planned.site = len(self.sites)
                self.sites.append(planned)
                if len(self.sites) > _MOST_SITES:
                    raise UnplannableError("size")
            if definition.args:
                self.argued.append(planned)
            self._fields[place] = planned
        return planned

    def _plan_target(self, type_: GraphQLOutputType, nodes: tuple[FieldNode, ...]) -> Target:
        named = get_named_type(type_)
        if is_leaf_type(named):
            return LeafPlan(named)
        selection_sets = tuple(node.selection_set for node in nodes if node.selection_set is not None)
        if isinstance(named, GraphQLObjectType):
            return self.plan_object(named, selection_sets)
        return self._plan_abstract(named, selection_sets)

    def _plan_abstract(self, type_: Any, selection_sets: tuple[SelectionSetNode, ...]) -> AbstractPlan:
        place = (type_.name, *map(id, selection_sets))
        plan = self._abstract.get(place)
        if plan is None:
            possible = self.app.schema.get_possible_types(type_)
            cases = {member.name: self.plan_object(member, selection_sets) for member in possible}
            plan = AbstractPlan(type_.name, cases, any(case.fetches for case in cases.values()))
            self._abstract[place] = plan
        return plan

    def _sign_mapping(self, mapping: FieldMapping) -> str:
        """Tell mappings apart by what they read, not by the field that they stand at."""
        if isinstance(mapping, PathMapping):
            return mapping.path
        signature = self._signatures.get(id(mapping))
        if signature is None:
            signature = self._signatures[id(mapping)] = repr(replace(mapping, type_name="", field_name=""))
        return signature

    def _sign(self, entry: FieldPlan) -> tuple[Any, ...]:
        """Tell apart what has to be: plans of fields are shared already where they may be."""
        return (entry.key, id(entry) if entry.mapping is not None else None)

    def _collect(
        self, type_: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        groups: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selection_set in selection_sets:
            for node in self._walk(type_, selection_set, visited):
                groups.setdefault((node.alias or node.name).value, []).append(node)
        return groups

    def _walk(
        self, type_: GraphQLObjectType, selection_set: SelectionSetNode, visited: set[str]
    ) -> Iterator[FieldNode]:
        """Give the fields of an object type, through fragments; each named fragment counts once."""
        for node in selection_set.selections:
            if node.directives and not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._applies(node.type_condition.name.value, type_):
                    yield from self._walk(type_, node.selection_set, visited)
            else:
                name = node.name.value  # type: ignore[attr-defined]  # the third kind is a spread
                fragment = self.fragments[name]
                if name not in visited and self._applies(fragment.type_condition.name.value, type_):
                    visited.add(name)
                    yield from self._walk(type_, fragment.selection_set, visited)

    def _applies(self, condition: str, type_: GraphQLObjectType) -> bool:
        if condition == type_.name:
            return True
        conditional = self.app.schema.type_map.get(condition)
        return is_abstract_type(conditional) and self._is_possible(conditional, type_)

    def _is_possible(self, abstract: GraphQLAbstractType, type_: GraphQLObjectType) -> bool:
        return self.app.schema.is_sub_type(abstract, type_)

    def _is_included(self, node: SelectionNode) -> bool:
        try:
            skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
            include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        except GraphQLError as error:
            raise UnplannableError("a condition without a value") from error
        return not (skip and skip["if"]) and (include is None or include["if"] is True)


def _raises(entry: FieldPlan) -> bool:
    return entry.definition is not None and isinstance(entry.definition.type, GraphQLNonNull)


def _tells_parent(type_: GraphQLOutputType) -> bool:
    """Say whether a message about a value of this type names the type that the field belongs to."""
    if isinstance(type_, GraphQLNonNull):
        return True
    if isinstance(type_, GraphQLList):
        return _tells_parent(type_.of_type)
    return is_abstract_type(type_)


def _argument_signature(definition: GraphQLField) -> tuple[int, ...]:
    return (id(definition),) if definition.args else ()
