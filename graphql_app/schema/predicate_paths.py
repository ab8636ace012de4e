"""Paths inside type predicates: ``.`` descends, ``[n]`` picks an element, other steps look into lists."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from bson import DBRef

__all__ = ["MISSING", "PredicatePath", "compile_predicate_path", "find_value", "parse_predicate_path"]

PredicatePath: TypeAlias = tuple[str | int, ...]

MISSING: Final = object()
"""What a path gives that leads nowhere; a stored null is None."""

_MOST_KEPT: Final = 20_000
"""Predicates of one application look at the same few paths again and again."""

_STEP: Final = re.compile(r"(?:^|\.)(?P<key>[^.\[\]]+)|(?P<first>^)?\[(?P<index>[0-9]{1,9})\]")


@lru_cache(maxsize=_MOST_KEPT)
def parse_predicate_path(text: str) -> PredicatePath:
    """Read a path such as ``a.b[0].c``.

    Raises:
        ValueError: an empty step or a bracket without a number.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"'{text[:60]}' is no path")
        steps.append(match["key"] if match["key"] is not None else int(match["index"]))
        position = match.end()
    if not steps:
        raise ValueError("a path is empty")
    return tuple(steps)


def find_value(value: Any, path: Sequence[str | int], start: int = 0) -> Any:
    """Follow a path; a list that is crossed without an index gives its first element that has the rest."""
    for position in range(start, len(path)):
        step = path[position]
        if isinstance(value, DBRef):  # what the driver makes of a document with $ref and $id
            value = value.as_doc()
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return MISSING
            value = value[step]
        elif isinstance(value, dict):
            if step not in value:
                return MISSING
            value = value[step]
        elif isinstance(value, list):
            found = (find_value(element, path, position) for element in value)
            return next((item for item in found if item is not MISSING), MISSING)
        else:
            return MISSING
    return value


@lru_cache(maxsize=_MOST_KEPT)
def compile_predicate_path(path: PredicatePath) -> Callable[[Any], Any]:
    """Make a function of one argument that does what :func:`find_value` does, quicker on plain documents."""

    def find(value: Any) -> Any:
        current = value
        for step in path:
            if type(current) is not dict:
                return find_value(value, path)
            current = current.get(step, MISSING)
        return current

    return find
