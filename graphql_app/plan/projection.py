"""Which parts of the stored documents an operation needs, as a projection of MongoDB.

A plain projection of ``a.b`` drops whatever it does not expect on the way: null and text among the elements of a list,
text in the place of a document. Answers must not depend on what is selected beside them, so the projection is made of
expressions that take documents apart only where they are documents, and leave everything else as it is.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import bson
from bson.raw_bson import RawBSONDocument
from graphql import GraphQLList, GraphQLNonNull, GraphQLOutputType

from graphql_app.plan.selection import AbstractPlan, FieldPlan, LeafPlan, ObjectPlan, Target
from graphql_app.schema.constants import ROOT_DOCUMENT, ArgumentUse, ForeignKeyUse, read_uses
from graphql_app.schema.mappings import DatabaseMapping, PathMapping, QueryMapping
from graphql_app.schema.matching import TypeMatcher

__all__ = [
    "Parts",
    "add_path",
    "add_root_document",
    "add_whole",
    "encode_projection",
    "parts_of",
    "render_projection",
    "unite",
]

Parts: TypeAlias = dict[str, Any]
"""A tree of field names; what is below :data:`WHOLE` is needed altogether."""

WHOLE: Final = "*"
"""A key that no tree mixes up with a field: fields with this name make their parent whole."""

_LISTED: Final = "[]"
"""Marks a part whose elements are taken apart where it is a list."""

_DEEPEST: Final = 13
"""Levels that are taken apart; MongoDB bounds the nesting of commands."""

_MOST_PARTS: Final = 100
"""Parts that are taken apart; with more, most of a document is needed anyway, and the command itself costs."""


def parts_of(target: Target | None, matchers: Mapping[str, TypeMatcher]) -> Parts:
    """Give the parts of a document (or of a value inside it) that a field's target reads."""
    parts: Parts = {}
    _add_target(parts, target, matchers, set())
    return parts


def add_path(parts: Parts, segments: Iterable[str], *, listed: bool = False) -> Parts:
    """Add a path to a tree; numbers and names that no expression can write make their parent whole.

    Args:
        parts: the tree.
        segments: the path.
        listed: whether the last part is expected to be a list.

    Returns:
        The part at the end of the path.
    """
    current = parts
    for segment in segments:
        if WHOLE in current:
            return current
        if not _is_plain(segment):
            _make_whole(current)
            return current
        current = current.setdefault(segment, {})
    if listed:
        current[_LISTED] = {}
    return current


def unite(trees: Iterable[Parts]) -> Parts:
    """Give one tree that has all parts of several."""
    united: Parts = {}
    for tree in trees:
        _unite(united, tree)
    return united


def _unite(parts: Parts, more: Parts) -> None:
    if WHOLE in parts:
        return
    if WHOLE in more:
        _make_whole(parts)
        return
    for name, part in more.items():
        _unite(parts.setdefault(name, {}), part)


def encode_projection(parts: Parts) -> Mapping[str, Any] | None:
    """Write the projection of a find as BSON, once for all requests; None where whole documents are needed."""
    projection = render_projection(parts)
    return None if projection is None else RawBSONDocument(bson.encode(projection))


def render_projection(parts: Parts) -> dict[str, Any] | None:
    """Write the projection of a find; None where whole documents are needed."""
    names = [name for name in parts if name != _LISTED]
    if WHOLE in parts:
        return None
    deepest = next((depth for depth in range(_DEEPEST, 1, -1) if _count(parts, depth) <= _MOST_PARTS), 1)
    projection: dict[str, Any] = {name: _render(parts[name], f"${name}", 1, deepest) for name in names}
    if "_id" not in projection:
        projection["_id"] = 0
        if not names:  # nothing but the existence counts, and excluding is not the same as including nothing
            return {"_id": 1}
    return {name: 1 if part == f"${name}" else part for name, part in projection.items()}


def _add_target(
    parts: Parts, target: Target | None, matchers: Mapping[str, TypeMatcher], under_way: set[tuple[int, int]]
) -> None:
    match target:
        case ObjectPlan():
            for field in target.fields:
                _add_field(parts, field, matchers, under_way)
        case AbstractPlan():
            for path in matchers[target.name].paths:
                add_whole(parts, map(str, path))
            for case in target.cases.values():
                _add_target(parts, case, matchers, under_way)
        case LeafPlan():
            _make_whole(parts)
        case None:
            pass


def _add_field(
    parts: Parts, field: FieldPlan, matchers: Mapping[str, TypeMatcher], under_way: set[tuple[int, int]]
) -> None:
    mapping = field.mapping
    if mapping is None:
        return
    if isinstance(mapping, PathMapping):
        if isinstance(field.target, LeafPlan):
            add_whole(parts, mapping.segments)
            return
        part = add_path(parts, mapping.segments, listed=_is_list(field.type))
        if (id(part), id(field.target)) not in under_way:
            under_way.add((id(part), id(field.target)))
            _add_target(part, field.target, matchers, under_way)
        return
    for use in read_uses(_templates(mapping)):
        if isinstance(use, ForeignKeyUse):
            add_whole(parts, use.path.split("."))


def _templates(mapping: DatabaseMapping) -> list[Any]:
    """List the parts of a mapping that may hold ``$arg`` and ``$fk``."""
    if isinstance(mapping, QueryMapping):
        return [mapping.find, mapping.sort, mapping.skip, mapping.limit]
    return list(mapping.stages)


def add_root_document(parts: Parts, mapping: DatabaseMapping) -> bool:
    """Add what a mapping reads of the root document, through ``rootDoc``; False if it reads nothing of it."""
    paths = [
        use.name.removeprefix(ROOT_DOCUMENT)
        for use in read_uses(_templates(mapping))
        if isinstance(use, ArgumentUse) and use.head == ROOT_DOCUMENT
    ]
    for path in paths:
        steps = path.removeprefix(".").split(".") if path.startswith(".") else []
        # A bracket picks an element: everything from there on is needed.
        plain = list(itertools.takewhile(lambda step: "[" not in step, steps))
        cut = (
            plain
            if len(plain) == len(steps)
            else [*plain, *(step.partition("[")[0] for step in steps[len(plain) :][:1])]
        )
        add_whole(parts, cut)
    return bool(paths)


def add_whole(parts: Parts, segments: Iterable[str]) -> None:
    """Add a path to a tree, with everything below it."""
    part = add_path(parts, segments)
    _make_whole(part)


def _make_whole(part: Parts) -> None:
    part.clear()
    part[WHOLE] = {}


def _is_list(type_: GraphQLOutputType) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def _is_plain(segment: str) -> bool:
    """Say whether an expression can name a field; a number may be an element, which no path of MongoDB's picks."""
    return (
        bool(segment)
        and segment not in {WHOLE, _LISTED}
        and not segment.isdigit()
        and not segment.startswith("$")
        and "\0" not in segment
    )


def _count(parts: Parts, depth: int) -> int:
    """Count the parts of the first levels of a tree."""
    below = sum(_count(part, depth - 1) for part in parts.values()) if depth > 1 else 0
    return len(parts) + below


def _render(part: Parts, path: str, depth: int, deepest: int) -> Any:
    """Write the expression that rebuilds a part; where it is no document, it stays what it is."""
    names = [name for name in part if name != _LISTED]
    if WHOLE in part or depth >= deepest:
        return path
    if _LISTED in part:
        variable = f"e{depth}"
        element = _render({name: part[name] for name in names}, f"$${variable}", depth, deepest)
        return {"$cond": [{"$isArray": path}, {"$map": {"input": path, "as": variable, "in": element}}, path]}
    inner: Any = {name: _render(part[name], f"{path}.{name}", depth + 1, deepest) for name in names}
    return {"$cond": [{"$eq": [{"$type": path}, "object"]}, inner or {"$literal": {}}, path]}
