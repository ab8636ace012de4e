"""Counts a parsed document before it is validated, and refuses what is over a limit.

Validating costs more than counting, so that size has to be known first. A fragment is counted once, and its counts are
added wherever it is spread: the time is linear in the document, whatever the fragments multiply to.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from graphql_app.plan.introspection import check_introspection, watch
from graphql_app.plan.types import LimitExceededError

__all__ = ["Bounds", "Counts", "check_document", "count_operations"]

_MANY = 1_000_000_000
"""Counts stop here: fragments that spread each other multiply beyond any use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How large a document may be; the numbers are those of spec 6.1 where it has any.

    Attributes:
        max_operations: operations of the document.
        max_fragments: fragments that the document defines.
        max_depth: fields inside each other.
        max_fields: fields of an operation, those of fragments at each spread.
        max_aliases: fields of an operation that have an alias, counted alike.
        max_root_fields: fields at the root of an operation, counted alike.
        max_spreads: fragments, named and inline, that an operation uses, counted alike.
        max_introspection_fields: fields of an operation that asks for the schema.
        max_introspection_depth: fields inside each other in such an operation.
    """

    max_operations: int = 25
    max_fragments: int = 500
    max_depth: int = 25
    max_fields: int = 2_000
    max_aliases: int = 100
    max_root_fields: int = 20
    max_spreads: int = 2_000
    max_introspection_fields: int = 500
    max_introspection_depth: int = 20


@dataclass(frozen=True, slots=True)
class Counts:
    """What an operation, or a fragment with all that it spreads, holds.

    Attributes:
        fields: all fields.
        aliases: fields with an alias.
        root_fields: fields at the outermost level.
        spreads: uses of fragments.
        depth: fields inside each other.
        nesting: fields and fragments inside each other.
        introspection: fields of introspection, by the names that their bounds go by.
    """

    fields: int = 0
    aliases: int = 0
    root_fields: int = 0
    spreads: int = 0
    depth: int = 0
    nesting: int = 0
    introspection: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Spread:
    name: str
    depth: int
    nesting: int


def check_document(document: DocumentNode, bounds: Bounds) -> None:
    """Refuse a document that is too large, before anything else looks at it.

    Raises:
        LimitExceededError: naming the limit, its value and what was counted; the first one that is exceeded.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = sum(isinstance(node, FragmentDefinitionNode) for node in document.definitions)
    _refuse_above("max_operations", bounds.max_operations, len(operations), "The document has {} operations")
    _refuse_above("max_fragments", bounds.max_fragments, fragments, "The document defines {} fragments")
    for operation, counts in count_operations(document):
        for name, counted, message in (
            ("max_depth", counts.depth, "The operation is {} fields deep"),
            ("max_root_fields", counts.root_fields, "The operation has {} fields at its root"),
            ("max_aliases", counts.aliases, "The operation has {} aliases"),
            ("max_fields", counts.fields, "The operation has {} fields"),
            ("max_spreads", counts.spreads, "The operation uses fragments {} times"),
        ):
            _refuse_above(name, getattr(bounds, name), counted, message, operation)
        # Fragments in fragments are levels without fields, and later stages go down them by recursion.
        nesting = "The operation nests fields and fragments {} levels deep"
        _refuse_above("4 * max_depth", 4 * bounds.max_depth, counts.nesting, nesting, operation)
        if counts.introspection:
            check_introspection(
                operation,
                counts.introspection,
                fields=(counts.fields, bounds.max_introspection_fields),
                depth=(counts.depth, bounds.max_introspection_depth),
            )


def count_operations(document: DocumentNode) -> Iterator[tuple[OperationDefinitionNode, Counts]]:
    """Count each operation of a document; unknown fragments and the ends of circles count as nothing."""
    own = {
        node.name.value: _count_own(node.selection_set, node.type_condition.name.value)
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    totals = _count_fragments(own)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            yield node, _add(*_count_own(node.selection_set, ""), totals)


def _count_own(selection_set: SelectionSetNode, condition: str) -> tuple[Counts, list[_Spread]]:
    """Count what is written in a definition itself; ``condition`` is the type that it is on, if it is a fragment."""
    fields = aliases = root_fields = uses = deepest = nested = 0
    watched: Counter[str] = Counter()
    spreads: list[_Spread] = []
    stack = [(selection_set, 0, 1, condition.startswith("__"))]
    while stack:
        current, depth, nesting, meta = stack.pop()
        nested = max(nested, nesting)
        for selection in current.selections:
            if isinstance(selection, FieldNode):
                fields += 1
                aliases += selection.alias is not None
                root_fields += depth == 0
                deepest = max(deepest, depth + 1)
                name = watch(selection.name.value, inside=meta)
                if name is not None:
                    watched[name] += 1
                if selection.selection_set is not None:
                    stack.append((selection.selection_set, depth + 1, nesting + 1, meta or name is not None))
            elif isinstance(selection, InlineFragmentNode):
                uses += 1
                stack.append((selection.selection_set, depth, nesting + 1, meta))
            elif isinstance(selection, FragmentSpreadNode):
                uses += 1
                spreads.append(_Spread(selection.name.value, depth, nesting))
    return Counts(fields, aliases, root_fields, uses, deepest, nested, watched), spreads


def _count_fragments(own: Mapping[str, tuple[Counts, list[_Spread]]]) -> dict[str, Counts]:
    """Add up every fragment after those that it spreads, without recursion."""
    totals: dict[str, Counts] = {}
    for root in own:
        if root in totals:
            continue
        path = [(root, iter(own[root][1]))]
        on_path = {root}
        while path:
            name, rest = path[-1]
            for spread in rest:
                if spread.name in own and spread.name not in totals and spread.name not in on_path:
                    path.append((spread.name, iter(own[spread.name][1])))
                    on_path.add(spread.name)
                    break
            else:
                path.pop()
                on_path.discard(name)
                totals[name] = _add(*own[name], totals)
    return totals


def _add(counts: Counts, spreads: list[_Spread], totals: Mapping[str, Counts]) -> Counts:
    fields, aliases, roots, uses = counts.fields, counts.aliases, counts.root_fields, counts.spreads
    depth, nesting = counts.depth, counts.nesting
    watched = Counter(counts.introspection)
    for spread in spreads:
        inner = totals.get(spread.name)
        if inner is None:
            continue
        fields += inner.fields
        aliases += inner.aliases
        uses += inner.spreads
        if spread.depth == 0:
            roots += inner.root_fields
        depth = max(depth, spread.depth + inner.depth)
        nesting = max(nesting, spread.nesting + inner.nesting)
        if inner.introspection:
            watched.update(inner.introspection)
    return Counts(
        min(fields, _MANY),
        min(aliases, _MANY),
        min(roots, _MANY),
        min(uses, _MANY),
        depth,
        nesting,
        {name: min(count, _MANY) for name, count in watched.items()},
    )


def _refuse_above(
    limit: str, allowed: int, counted: int, message: str, operation: OperationDefinitionNode | None = None
) -> None:
    if counted > allowed:
        text = message.format(f"{_MANY} or more" if counted >= _MANY else counted)
        raise LimitExceededError.of(limit, allowed=allowed, counted=counted, message=text, node=operation)
