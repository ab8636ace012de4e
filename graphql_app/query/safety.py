"""What never reaches the database, wherever it comes from: operators that run code, write, or show the server."""

from collections.abc import Iterator
from typing import Any

from bson.regex import Regex

from content_core.errors import OperatorRefusedError
from graphql_app.query.errors import FetchError
from graphql_app.schema.operators import FORBIDDEN_OPERATORS

__all__ = ["refuse_unsafe"]

_INTERNAL = "$_internal"
_REGEX = "$regex"
_COMPUTED_REGEX = frozenset({"$regexfind", "$regexfindall", "$regexmatch"})
_SCHEMA = "$jsonschema"
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
        _check_length(len(value.pattern), regex_length)
    return []


def _check_operator(key: str, part: Any, regex_length: int) -> None:
    name = key.lower()
    if name in FORBIDDEN_OPERATORS or name.startswith(_INTERNAL):
        raise FetchError.of(OperatorRefusedError(f"the operator {key[:40]} is not allowed"))
    if name == _REGEX and isinstance(part, str):
        _check_length(len(part), regex_length)
    elif name in _COMPUTED_REGEX and isinstance(part, dict):
        _check_computed(part.get("regex"), regex_length)
    elif name == _SCHEMA:
        for pattern in _schema_patterns(part):
            _check_length(len(pattern), regex_length)


def _check_computed(pattern: Any, regex_length: int) -> None:
    """Count all texts that an expression may put a pattern together from."""
    texts = [element for element in _elements(pattern) if isinstance(element, str)]
    if any(text.startswith("$$") for text in texts):
        raise FetchError("a regular expression cannot be put together from variables")
    _check_length(sum(map(len, texts)), regex_length)


def _schema_patterns(schema: Any) -> Iterator[str]:
    for element in _elements(schema):
        if isinstance(element, dict):
            if isinstance(element.get("pattern"), str):
                yield element["pattern"]
            if isinstance(element.get("patternProperties"), dict):
                yield from element["patternProperties"]


def _elements(value: Any) -> Iterator[Any]:
    """Give a value and everything inside it, but for the keys of its documents."""
    pending = [value]
    for element in pending:  # grows while it is read
        yield element
        if isinstance(element, dict):
            pending.extend(element.values())
        elif isinstance(element, list):
            pending.extend(element)


def _check_length(length: int, regex_length: int) -> None:
    if length > regex_length:
        raise FetchError(f"a regular expression cannot be longer than {regex_length} characters")
