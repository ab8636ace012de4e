"""Fills ``$arg`` and ``$fk`` into the parts of a mapping: one pass, so that what is put in is never read again.

Values of arguments are opaque. Values that come from documents never become operators, and inside ``$expr`` no text
becomes a field path, whoever sent it.
"""

from typing import Any, TypeGuard

from bson import DBRef

from content_core.documents import Document
from graphql_app.query.arguments import Argument, Scope, find_argument
from graphql_app.query.errors import EmptyRelationError, FetchError
from graphql_app.schema.paths import read_path

__all__ = ["interpolate_expression", "interpolate_filter", "interpolate_page", "interpolate_value"]

_JUNCTIONS = frozenset({"$and", "$or", "$nor"})
_INVALID = "invalid app definition"


def interpolate_page(template: Any, scope: Scope) -> Any:
    """Fill a skip or a limit; an argument that was given as null counts as not given.

    Raises:
        FetchError: an argument is not bound, or the template is malformed.
    """
    value = interpolate_value(template, scope)
    if value is not None or not _is_argument(template):
        return value
    match template["$arg"]:
        case [str(name), default]:
            return scope.declared.get(name, default)
        case name:
            return scope.declared.get(name)


def interpolate_value(template: Any, scope: Scope) -> Any:
    """Fill a sort document, or any other part that is no filter.

    Raises:
        FetchError: an argument is not bound, or the template is malformed.
    """
    return _fill(template, scope, expression=False)


def interpolate_expression(template: Any, scope: Scope) -> Any:
    """Fill an aggregation expression, in which texts with ``$`` and documents from outside stay what they are.

    Raises:
        FetchError: an argument is not bound, or the template is malformed.
    """
    return _fill(template, scope, expression=True)


def interpolate_filter(template: Document, scope: Scope) -> Document:
    """Fill a ``find``.

    An explicit null in place of the whole filter, or of a whole part of ``$and``, is no condition.

    Raises:
        FetchError: an argument is not bound, or what stands in place of the filter is no document.
        EmptyRelationError: a ``$fk`` that stands alone as the value of an equality or of ``$in`` is null.
    """
    if _is_argument(template):
        template_value = _argument(template, scope).value
        if template_value is None:
            return {}
        if not isinstance(template_value, dict):
            raise FetchError("a filter must be a document")
        return template_value
    return {key: _condition(key, part, scope) for key, part in template.items()}


def _condition(key: str, part: Any, scope: Scope) -> Any:
    """Fill what stands under one key of a filter: a field's name, or an operator of the first level."""
    if key in _JUNCTIONS and isinstance(part, list):
        return _junction(key, part, scope)
    if key.startswith("$"):
        return _fill(part, scope, expression=key == "$expr")
    return _criterion(part, scope)


def _junction(key: str, parts: list[Any], scope: Scope) -> list[Any]:
    filled = []
    for part in parts:
        if _is_argument(part):
            value = _argument(part, scope).value
            if value is None and key == "$and":
                continue
            filled.append(value)
        elif isinstance(part, dict):
            filled.append(interpolate_filter(part, scope))
        else:
            filled.append(part)
    return filled or [{}]


def _criterion(part: Any, scope: Scope) -> Any:
    """Fill what a field is compared with: a value, or a document of operators."""
    if _is_reference(part):
        value = _reference(part, scope)
        if value is None:
            raise EmptyRelationError
        return _equality(value)
    if _is_argument(part):
        argument = _argument(part, scope)
        return _equality(argument.value) if argument.stored else argument.value
    if isinstance(part, dict) and any(key.startswith("$") for key in part):
        return {key: _operand(key, value, scope) for key, value in part.items()}
    return _fill(part, scope, expression=False)


def _operand(key: str, part: Any, scope: Scope) -> Any:
    if key in {"$eq", "$in"} and _is_reference(part):
        value = _reference(part, scope)
        if value is None:
            raise EmptyRelationError
        return _without_nulls(value) if key == "$in" else value
    if key == "$in" and isinstance(part, list):
        return [value for value, kept in ((_fill(p, scope, expression=False), p) for p in part) if _stays(value, kept)]
    if key in {"$not", "$elemMatch"} and isinstance(part, dict) and not _is_argument(part):
        operators = any(name.startswith("$") for name in part)
        return _criterion(part, scope) if operators else interpolate_filter(part, scope)
    return _fill(part, scope, expression=False)


def _stays(value: Any, template: Any) -> bool:
    return value is not None or not _is_reference(template)


def _without_nulls(value: Any) -> Any:
    return [element for element in value if element is not None] if isinstance(value, list) else value


def _fill(template: Any, scope: Scope, *, expression: bool) -> Any:
    if isinstance(template, dict):
        if _is_reference(template):
            value = _reference(template, scope)
            return _literal(value) if expression else value
        if _is_argument(template):
            argument = _argument(template, scope)
            literal = expression and (argument.stored or isinstance(argument.value, str))
            return _literal(argument.value) if literal else argument.value
        return {key: _fill(part, scope, expression=expression) for key, part in template.items()}
    if isinstance(template, list):
        return [_fill(part, scope, expression=expression) for part in template]
    return template


def _equality(value: Any) -> Any:
    """Keep a stored document from being read as operators."""
    return {"$eq": value} if isinstance(value, dict) and any(key.startswith("$") for key in value) else value


def _literal(value: Any) -> Any:
    """Keep a value from being read as an expression: a text with ``$`` would name a field."""
    speaks = isinstance(value, dict | list | DBRef) or (isinstance(value, str) and value[:1] == "$")
    return {"$literal": value} if speaks else value


def _is_argument(template: Any) -> TypeGuard[Document]:
    return isinstance(template, dict) and len(template) == 1 and "$arg" in template


def _is_reference(template: Any) -> TypeGuard[Document]:
    return isinstance(template, dict) and "$fk" in template


def _argument(template: Document, scope: Scope) -> Argument:
    match template["$arg"]:
        case str(name):
            argument = find_argument(name, scope)
            if argument is None:
                raise FetchError(f"variable {name} not bound")
            return argument
        case [str(name), default]:
            return find_argument(name, scope) or Argument(default, stored=False)
    raise FetchError(_INVALID)


def _reference(template: Document, scope: Scope) -> Any:
    path = template["$fk"]
    if not isinstance(path, str):
        raise FetchError(_INVALID)
    return read_path(scope.source, tuple(path.split(".")))
