"""Introspection in good faith: what the standard queries of all tools ask, and not the loops that the schema allows.

The bounds are graphql-java's (spec 6.3): one ``__schema``, one ``__type``, and each list of ``__Type`` once, so that
no list of types is read for every type of a list.
"""

from collections.abc import Mapping
from typing import Final

from graphql import FieldNode, OperationDefinitionNode

from graphql_app.plan.types import LimitExceededError, Refusal

__all__ = ["asks_schema_only", "check_introspection", "watch"]

_ROOTS: Final = frozenset({"__schema", "__type"})
_LISTS: Final = {name: f"__Type.{name}" for name in ("fields", "inputFields", "interfaces", "possibleTypes")}
_TEXT: Final = "This request is not asking for introspection in good faith"


def watch(field: str, *, inside: bool) -> str | None:
    """Give the name by which a field is counted, None for a field that has no bound.

    Args:
        field: the field's name.
        inside: whether it stands below ``__schema`` or ``__type``.
    """
    if field in _ROOTS:
        return field
    return _LISTS.get(field) if inside else None


def check_introspection(
    operation: OperationDefinitionNode, counted: Mapping[str, int], *, fields: tuple[int, int], depth: tuple[int, int]
) -> None:
    """Refuse an operation that asks for more of the schema than any tool does.

    Args:
        operation: where the error is.
        counted: how often each watched field is asked for, fragments counted at each spread.
        fields: the operation's fields, and how many it may have.
        depth: its fields inside each other, and how deep they may be.

    Raises:
        LimitExceededError: with the classification ``BadFaithIntrospection``.
    """
    for name, count in sorted(counted.items()):
        if count > 1:
            _refuse(operation, f"{name} is present too often: {count} times", name, 1, count)
    if fields[0] > fields[1]:
        text = f"the query is too big: {fields[0]} fields"
        _refuse(operation, text, "max_introspection_fields", fields[1], fields[0])
    if depth[0] > depth[1]:
        text = f"the query is too deep: {depth[0]} fields inside each other"
        _refuse(operation, text, "max_introspection_depth", depth[1], depth[0])


def asks_schema_only(operation: OperationDefinitionNode) -> bool:
    """Tell whether an operation asks nothing but the schema, so that its answer stays the same with the schema."""
    return all(
        isinstance(selection, FieldNode) and selection.name.value in _ROOTS
        for selection in operation.selection_set.selections
    )


def _refuse(operation: OperationDefinitionNode, text: str, limit: str, allowed: int, counted: int) -> None:
    raise LimitExceededError.of(
        limit,
        allowed=allowed,
        counted=counted,
        message=f"{_TEXT} - {text}",
        refusal=Refusal.BAD_FAITH,
        node=operation,
    )
