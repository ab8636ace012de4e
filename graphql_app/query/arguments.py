"""What ``$arg`` can name: the arguments of a field, paths into them, and the root document."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from graphql import GraphQLArgument, Undefined
from graphql.utilities.coerce_input_value import coerce_default_value

__all__ = ["ROOT", "UNBOUND", "USER", "Argument", "Scope", "declared_defaults", "find_argument"]

ROOT: Final = "rootDoc"
"""The pseudo-argument that names the document of the enclosing root field entry."""


USER: Final = "@user"
"""The pseudo-argument that names whoever asks, in aggregations."""


class _Unbound:
    """The type of :data:`UNBOUND`."""

    def __repr__(self) -> str:
        return "UNBOUND"


UNBOUND: Final = _Unbound()
"""No value at all, where None is a value."""


@dataclass(frozen=True, slots=True)
class Scope:
    """All that a mapping's query may refer to.

    Attributes:
        arguments: the bound arguments of the field, enum values as they are stored.
        source: the parent value, for ``$fk``.
        root: the root document, :data:`UNBOUND` on root fields.
        declared: the defaults that the schema declares for arguments that were given as null.
        user: who asks, for ``@user``; None is nobody.
        knows_user: whether ``@user`` is bound; :func:`graphql_app.query.plan_load` sees to that for aggregations.
    """

    arguments: Mapping[str, Any]
    source: Any = None
    root: Any = UNBOUND
    declared: Mapping[str, Any] = field(default_factory=dict)
    user: Mapping[str, Any] | None = None
    knows_user: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """A bound argument; ``stored`` says that the value comes from a document and not from the client."""

    value: Any
    stored: bool


def find_argument(name: str, scope: Scope) -> Argument | None:
    """Look a name up: as it stands, then as a path; ``rootDoc`` shadows an argument of that name.

    ``.`` descends into objects and ``[n]`` into lists: ``options.ranges[0].from``. None: not bound.
    """
    if _stands_for(name, ROOT):
        return _predefined(scope.root, name)
    if scope.knows_user and _stands_for(name, USER):
        return _predefined(scope.user, name)
    if name in scope.arguments:
        return Argument(scope.arguments[name], stored=False)
    value: Any = scope.arguments
    for step in _parse_path(name):
        value = _descend(value, step)
    return None if value is UNBOUND else Argument(value, stored=False)


def _stands_for(name: str, predefined: str) -> bool:
    return name.startswith(predefined) and (len(name) == len(predefined) or name[len(predefined)] in ".[")


def _predefined(value: Any, name: str) -> Argument | None:
    for step in _parse_path(name)[1:]:
        value = _descend(value, step)
    return None if value is UNBOUND else Argument(value, stored=True)


def _descend(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, UNBOUND) if isinstance(value, Mapping) else UNBOUND
    return value[step] if isinstance(value, list) and step < len(value) else UNBOUND


_SEGMENT = re.compile(r"([^.\[\]]+)((?:\[\d{1,9}\])*)")
_INDEX = re.compile(r"\d+")


@lru_cache(maxsize=4096)
def _parse_path(name: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    for part in name.split("."):
        segment = _SEGMENT.fullmatch(part)
        if segment is None:
            return (name,)
        steps.append(segment[1])
        steps.extend(int(index) for index in _INDEX.findall(segment[2]))
    return tuple(steps)


def declared_defaults(declared: Mapping[str, GraphQLArgument], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give the schema's defaults of the arguments that are null: where null counts as not given, they are bound.

    Args:
        declared: the arguments of a field, as its type declares them.
        arguments: their values.
    """
    if None not in arguments.values():
        return {}
    defaults = {name: coerce_default_value(declared[name]) for name, value in arguments.items() if value is None}
    return {name: value for name, value in defaults.items() if value is not Undefined}
