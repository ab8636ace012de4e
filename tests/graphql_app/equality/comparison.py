"""Are two answers the same? ``data`` byte for byte, errors as a set, with one exception that is no choice of ours.

graphql-core executes fields that ask the database at the same time. When a null reaches a position through a non-null
field, it cancels what still runs below, and drops errors that come later. Which errors it has told by then depends on
which field was quicker. So below a position that became null in this way, and where fields ask the database, the set
of errors is a race between equals: each side tells at least one, and none that an execution without propagation would
not tell. Everywhere else, the same errors are wanted: without the database nothing is executed at the same time, and
graphql-core goes by the order of the selection.
"""

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from graphql_app.schema.definition import Definition
from graphql_app.schema.mappings import PathMapping
from graphql_app.shape import Answer

__all__ = [
    "Errors",
    "Place",
    "data_bytes",
    "errors_of",
    "find_difference",
    "find_loads",
    "nulled_places",
    "write_error",
]

Place = tuple[str | int, ...]
Errors = list[bytes]


def data_bytes(answer: Answer) -> bytes | None:
    """Give the text of ``data`` as it stands in the body; None if there is no such member."""
    start = b'{"data":'
    if not answer.body.startswith(start):
        return None
    errors = orjson.loads(answer.body).get("errors")
    if errors is None:
        return answer.body[len(start) : -1]
    marker = b',"errors":['
    end = answer.body.rindex(marker)
    while orjson.loads(b'{"errors":[' + answer.body[end + len(marker) :]) != {"errors": errors}:
        end = answer.body.rindex(marker, 0, end)
    return answer.body[len(start) : end]


def errors_of(answer: Answer) -> list[dict[str, Any]]:
    """Give the errors of a body."""
    errors: list[dict[str, Any]] = orjson.loads(answer.body).get("errors", [])
    return errors


def write_error(error: dict[str, Any]) -> bytes:
    """Write an error so that equal ones are equal bytes."""
    return orjson.dumps(error, option=orjson.OPT_SORT_KEYS)


def find_difference(
    left: Answer, right: Answer, *, loads: Collection[Place], possible: Errors | None = None
) -> str | None:
    """Tell how two answers to one operation differ; None if they do not.

    Args:
        left: an answer.
        right: another.
        loads: the places of fields that ask the database, without positions in lists.
        possible: every error that the operation can meet, written; None: anything.
    """
    if left.status != right.status:
        return f"status {left.status} and {right.status}"
    left_data, right_data = data_bytes(left), data_bytes(right)
    if left_data != right_data:
        return "data"
    racing = [] if left_data is None else _racing_places(left, right, loads)
    left_strict, left_raced = _divide(left, racing)
    right_strict, right_raced = _divide(right, racing)
    if left_strict != right_strict:
        return "errors"
    for place in racing:
        if not (left_raced[place] and right_raced[place]):
            return f"one has no error below {list(place)}, which is null by propagation"
    allowed = possible
    for one in (*left_raced.values(), *right_raced.values()) if allowed is not None else ():
        strangers = [error for error in one if error not in (allowed or ())]
        if strangers:
            return f"an error that nothing can cause: {strangers[0].decode()}"
    return None


def nulled_places(answer: Answer) -> list[Place]:
    """List the places of ``data`` that are null because of an error below them."""
    data = orjson.loads(data_bytes(answer) or b"null")
    found: dict[Place, None] = {}
    for error in errors_of(answer):
        path = tuple(error["path"])
        value = data
        for depth, key in enumerate(path):
            if value is None:
                found[path[:depth]] = None
                break
            value = value[key] if isinstance(value, list) else value.get(key)
    return list(found)


def _racing_places(left: Answer, right: Answer, loads: Collection[Place]) -> list[Place]:
    places = dict.fromkeys((*nulled_places(left), *nulled_places(right)))
    return [place for place in places if _has_load_below(place, loads)]


def has_race(answer: Answer, loads: Collection[Place]) -> bool:
    """Say whether a null was propagated over fields that ask the database."""
    return any(_has_load_below(place, loads) for place in nulled_places(answer))


def _has_load_below(place: Place, loads: Collection[Place]) -> bool:
    names = tuple(key for key in place if isinstance(key, str))
    return any(len(load) > len(names) and load[: len(names)] == names for load in loads)


def _divide(answer: Answer, places: list[Place]) -> tuple[Errors, Mapping[Place, Errors]]:
    """Divide errors into those that count one by one and those below some places."""
    strict: Errors = []
    raced: dict[Place, Errors] = {place: [] for place in places}
    for error in errors_of(answer):
        written = write_error(error)
        path = tuple(error.get("path", ()))
        above = [place for place in places if len(path) > len(place) and path[: len(place)] == place]
        if above:
            raced[min(above, key=len)].append(written)
        else:
            strict.append(written)
    return sorted(strict), raced


# --- where an operation asks the database ----------------------------------------------------------------------------


def find_loads(schema: GraphQLSchema, definition: Definition, document: DocumentNode) -> frozenset[Place]:
    """List the places of an operation's fields that ask the database: response names, from the root on."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    found: set[Place] = set()

    def walk(selections: SelectionSetNode, type_: Any, place: Place) -> None:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                enter(node, type_, place)
                continue
            inner: Any = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = inner.type_condition
            walk(inner.selection_set, schema.type_map[condition.name.value] if condition else type_, place)

    def enter(node: FieldNode, type_: Any, place: Place) -> None:
        name = node.name.value
        if name.startswith("__"):
            return
        here = (*place, node.alias.value if node.alias else name)
        owners = schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]
        mappings = (definition.fields.get(owner.name, {}).get(name) for owner in owners)
        if any(mapping is not None and not isinstance(mapping, PathMapping) for mapping in mappings):
            found.add(here)
        inner = get_named_type(type_.fields[name].type)
        if node.selection_set and is_composite_type(inner):
            walk(node.selection_set, inner, here)

    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            walk(node.selection_set, schema.query_type, ())
    return frozenset(found)
