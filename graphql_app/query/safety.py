"""What never reaches the database, wherever it comes from: operators that run code, write, or show the server."""

from typing import Any

from bson.regex import Regex

from content_core.errors import OperatorRefusedError
from graphql_app.query.errors import FetchError
from graphql_app.schema.operators import FORBIDDEN_OPERATORS

__all__ = ["refuse_unsafe"]

_INTERNAL = "$_internal"
_PATTERNS = frozenset({"$regex", "$regexfind", "$regexfindall", "$regexmatch"})
_DEPTH = 100
"""MongoDB's own limit is a little higher; a filter that deep is no filter."""


def refuse_unsafe(value: Any, *, regex_length: int) -> None:
    """Check a filter or a sort document, at any depth, after everything was filled in.

    Raises:
        FetchError: with code OC301 for an operator; without for a regular expression or a nesting over the limit.
    """
    level = [value]
    for _ in range(_DEPTH):
        level = [part for element in level for part in _inner(element, regex_length)]
        if not level:
            return
    raise FetchError(f"a filter cannot be nested deeper than {_DEPTH} levels")


def _inner(value: Any, regex_length: int) -> list[Any]:
    """Check one level; give back what is inside and may hold more."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key.startswith("$"):
                _check_operator(key, part, regex_length)
        return [part for part in value.values() if isinstance(part, dict | list | Regex)]
    if isinstance(value, list):
        return [part for part in value if isinstance(part, dict | list | Regex)]
    if isinstance(value, Regex):
        _check_length(value.pattern, regex_length)
    return []


def _check_operator(key: str, part: Any, regex_length: int) -> None:
    name = key.lower()
    if name in FORBIDDEN_OPERATORS or name.startswith(_INTERNAL):
        raise FetchError.of(OperatorRefusedError(f"the operator {key[:40]} is not allowed"))
    if name in _PATTERNS:
        pattern = part.get("regex") if isinstance(part, dict) else part
        if isinstance(pattern, str):
            _check_length(pattern, regex_length)


def _check_length(pattern: str | bytes, regex_length: int) -> None:
    if len(pattern) > regex_length:
        raise FetchError(f"a regular expression cannot be longer than {regex_length} characters")
