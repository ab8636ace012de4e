"""A PATCH of a definition, applied to what is stored. Pure.

Unlike with other documents the result must be known before it is written, so MongoDB cannot be left to do it.
"""

import copy
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from content_core.documents import Document, Json
from content_core.errors import RequestError

__all__ = ["change_definition"]

_OPERATORS: Final = frozenset({"$set", "$unset"})
_MAX_PARTS: Final = 200


def change_definition(stored: Document, body: Document) -> Document:
    """Give a definition as it is after a PATCH; what was stored stays as it is.

    Members at the top are set; dots in their names are paths. Of the update operators ``$set`` and ``$unset`` are read.

    Raises:
        RequestError: there is nothing to do, or it cannot be done.
    """
    if not body:
        raise RequestError("no data provided")
    given, removed = _read_operators(body)
    _check_collisions([*given, *removed])
    changed = copy.deepcopy(stored)
    for path, value in given.items():
        holder, name = _find(changed, path, creates=True)
        _put(holder, name, value, path)
    for path in removed:
        holder, name = _find(changed, path, creates=False)
        if isinstance(holder, dict):
            holder.pop(name, None)
        elif isinstance(holder, list) and _is_index(name) and int(name) < len(holder):
            holder[int(name)] = None  # as MongoDB does: the others keep their places
    return changed


def _read_operators(body: Document) -> tuple[dict[str, Json], list[str]]:
    given: dict[str, Json] = {name: value for name, value in body.items() if not name.startswith("$")}
    for operator in (name for name in body if name.startswith("$")):
        if operator not in _OPERATORS:
            raise RequestError(f"the update operator '{operator}' is not read here; $set and $unset are")
        if not isinstance(body[operator], Mapping):
            raise RequestError(f"{operator} takes an object")
    for path, value in body.get("$set", {}).items():
        if path in given:
            raise RequestError(f"'{path}' is set twice")
        given[path] = value
    return given, list(body.get("$unset", {}))


def _check_collisions(paths: list[str]) -> None:
    parts = sorted(path.split(".") for path in paths)
    for path in parts:
        if "" in path or len(path) > _MAX_PARTS:
            raise RequestError(f"'{'.'.join(path)[:100]}' is no path: a part is empty, or there are too many")
    for path, following in pairwise(parts):
        if following[: len(path)] == path:
            raise RequestError(f"the paths '{'.'.join(path)}' and '{'.'.join(following)}' collide")


def _find(document: Document, path: str, *, creates: bool) -> tuple[Any, str]:
    """Walk to what holds the last part of a path."""
    *above, last = path.split(".")
    at: Any = document
    for part in above:
        if isinstance(at, dict):
            at = at.setdefault(part, {}) if creates else at.get(part)
        elif isinstance(at, list) and _is_index(part) and int(part) < len(at):
            at = at[int(part)]
        elif creates:
            raise RequestError(f"nothing can be set at '{path[:100]}': '{part[:100]}' is below something else")
        else:
            return None, last
    return at, last


def _put(holder: Any, name: str, value: Json, path: str) -> None:
    if isinstance(holder, dict):
        holder[name] = value
    elif isinstance(holder, list) and _is_index(name) and int(name) < len(holder):
        holder[int(name)] = value
    elif isinstance(holder, list) and name == str(len(holder)):
        holder.append(value)
    else:
        raise RequestError(f"nothing can be set at '{path[:100]}': it is below something that holds no members")


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 10
