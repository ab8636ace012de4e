"""Tells quickly that the fields of a document merge, so that the thorough rule runs on the others only.

graphql-core compares every two fields of one name in every selection. Here the fields of one name are one group whose
members are compared with the first, in the manner that Simon Adameit described for the same rule of the specification
(5.3.2): each field of an operation is looked at about twice. The quick way gives no messages; where it is not sure, the
thorough rule decides and reports, within a budget.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLWrappingType,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    SelectionSetNode,
    Token,
    TokenKind,
    ValidationContext,
    get_named_type,
    is_composite_type,
    is_leaf_type,
)
from graphql.validation.validate import ValidationAbortedError

__all__ = ["BoundedOverlapRule", "surely_merge"]

_THOROUGH = 60_000
"""Steps of the thorough rule, of about two microseconds each; graphql-core itself stops after 500 000."""

_QUICK = 200_000
"""Fields that the quick way looks at before it gives up; an operation within the other limits needs a few thousand."""

_DEEP = 200


class BoundedOverlapRule(OverlappingFieldsCanBeMergedRule):
    """The thorough rule within a budget of ours; it says so when it stops."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = _THOROUGH
        self._stopped = False

    def enter_selection_set(self, selection_set: SelectionSetNode, *args: Any) -> None:
        """Compare the fields of a selection, unless the budget is spent."""
        if self._stopped:
            return
        try:
            super().enter_selection_set(selection_set, *args)
        except ValidationAbortedError:
            self._stopped = True
            text = (
                "Too many fields of the same names overlap to tell whether they can be merged;"
                " use different aliases, or select each field once"
            )
            members = {"code": "OC303", "limit": "overlapping fields", "allowed": _THOROUGH}
            self.report_error(GraphQLError(text, selection_set, extensions=members))


@dataclass(frozen=True, slots=True)
class _Selected:
    """A field as it stands in a selection: on which type, and what that type says of it."""

    parent: GraphQLCompositeType
    node: FieldNode
    definition: GraphQLField


_Selection: TypeAlias = tuple[GraphQLCompositeType, SelectionSetNode]


class _Mode(Enum):
    """What is still to be compared: an outer group may have compared the shapes for its inner ones."""

    ALL = "names, arguments and shapes"
    NAMES = "names and arguments"
    SHAPES = "shapes"


class _UnsureError(Exception):
    """The quick way ends here."""


def surely_merge(schema: GraphQLSchema, document: DocumentNode) -> bool:
    """Tell that no two fields of a document conflict; False if they do, and whenever that is not quite clear."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    survey = _Survey(schema, fragments)
    try:
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                root = schema.get_root_type(node.operation)
                if root is not None:
                    survey.compare([(root, node.selection_set)], _Mode.ALL, 0)
    except _UnsureError:
        return False
    return survey.spread.issuperset(fragments)


@dataclass(slots=True)
class _Survey:
    """One look at a document."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    spread: set[str] = field(default_factory=set)
    steps: int = 0
    _texts: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    def compare(self, selections: Iterable[_Selection], mode: _Mode, depth: int) -> None:
        """Compare the fields of selections that merge into one, and what is below them.

        Raises:
            _UnsureError: some may conflict.
        """
        if depth > _DEEP:
            raise _UnsureError
        for group in self._collect(selections).values():
            if len(group) == 1:
                self._descend(group, mode, depth)
                continue
            if mode is not _Mode.NAMES:
                self._require(_same_shape(group[0], other) for other in group[1:])
            if mode is _Mode.SHAPES:
                self._descend(group, mode, depth)
                continue
            parts = _split(group)
            for part in parts:
                self._require(self._same_field(part[0], other) for other in part[1:])
            if len(parts) == 1:
                self._descend(group, mode, depth)
                continue
            if mode is _Mode.ALL:
                self._descend(group, _Mode.SHAPES, depth)
            for part in parts:
                self._descend(part, _Mode.NAMES, depth)

    def _descend(self, group: list[_Selected], mode: _Mode, depth: int) -> None:
        inner = list(self._inner(group))
        if inner:
            self.compare(inner, mode, depth + 1)

    def _inner(self, group: list[_Selected]) -> Iterator[_Selection]:
        for selected in group:
            named = get_named_type(selected.definition.type)
            if selected.node.selection_set is not None:
                if not is_composite_type(named):
                    raise _UnsureError
                yield named, selected.node.selection_set

    def _collect(self, selections: Iterable[_Selection]) -> dict[str, list[_Selected]]:
        """Group the fields of selections by their names in the response; each fragment counts once."""
        groups: dict[str, list[_Selected]] = {}
        visited: set[str] = set()
        stack = list(selections)
        while stack:
            parent, selection_set = stack.pop()
            self.steps += len(selection_set.selections)
            if self.steps > _QUICK:
                raise _UnsureError
            for selection in selection_set.selections:
                if isinstance(selection, FieldNode):
                    definition = self.schema.get_field(parent, selection.name.value)
                    if definition is None or any(node.name.value == "stream" for node in selection.directives or ()):
                        raise _UnsureError
                    name = (selection.alias or selection.name).value
                    groups.setdefault(name, []).append(_Selected(parent, selection, definition))
                elif isinstance(selection, InlineFragmentNode):
                    condition = selection.type_condition
                    stack.append((self._find_type(condition) if condition else parent, selection.selection_set))
                elif isinstance(selection, FragmentSpreadNode):
                    self._enter(selection.name, visited, stack)
        return groups

    def _enter(self, name: NameNode, visited: set[str], stack: list[_Selection]) -> None:
        if name.value in visited:
            return
        visited.add(name.value)
        self.spread.add(name.value)
        fragment = self.fragments.get(name.value)
        if fragment is None:
            raise _UnsureError
        stack.append((self._find_type(fragment.type_condition), fragment.selection_set))

    def _find_type(self, condition: NamedTypeNode) -> GraphQLCompositeType:
        found = self.schema.type_map.get(condition.name.value)
        if found is None or not is_composite_type(found):
            raise _UnsureError
        return found

    def _same_field(self, one: _Selected, other: _Selected) -> bool:
        if one.node.name.value != other.node.name.value:
            return False
        if not one.node.arguments and not other.node.arguments:
            return True
        return self._arguments(one.node) == self._arguments(other.node)

    def _arguments(self, node: FieldNode) -> tuple[Any, ...]:
        """Give arguments as their tokens, in the order of their names: equal tokens are equal arguments."""
        known = self._texts.get(id(node))
        if known is None:
            arguments = sorted(node.arguments or (), key=lambda argument: argument.name.value)
            known = self._texts[id(node)] = tuple(_tokens(argument) for argument in arguments)
        return known

    @staticmethod
    def _require(comparisons: Iterable[bool]) -> None:
        if not all(comparisons):
            raise _UnsureError


def _split(group: list[_Selected]) -> list[list[_Selected]]:
    """Part fields that can never meet in one object: those on different object types."""
    objects: dict[str, list[_Selected]] = {}
    others: list[_Selected] = []
    for selected in group:
        if isinstance(selected.parent, GraphQLObjectType):
            objects.setdefault(selected.parent.name, []).append(selected)
        else:
            others.append(selected)
    return [[*others, *part] for part in objects.values()] or [others]


def _same_shape(one: _Selected, other: _Selected) -> bool:
    return _same_type(one.definition.type, other.definition.type)


def _same_type(one: GraphQLOutputType, other: GraphQLOutputType) -> bool:
    while one is not other:
        if isinstance(one, GraphQLWrappingType) and isinstance(other, GraphQLWrappingType):
            if type(one) is not type(other):
                return False
            one, other = one.of_type, other.of_type
        elif isinstance(one, GraphQLWrappingType) or isinstance(other, GraphQLWrappingType):
            return False
        else:
            return not is_leaf_type(one) and not is_leaf_type(other)
    return True


def _tokens(node: Node) -> tuple[tuple[TokenKind, str | None], ...]:
    """Give what a node was parsed from, without the freedom of white space."""
    if node.loc is None:
        raise _UnsureError
    found = []
    token: Token | None = node.loc.start_token
    while token is not None:
        if token.kind is not TokenKind.COMMENT:
            found.append((token.kind, token.value))
        if token is node.loc.end_token:
            break
        token = token.next
    return tuple(found)
