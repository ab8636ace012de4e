"""Variables in the pipelines of aggregations and change streams: read from the request, put in their places.

A definition says ``{"$var": "name"}``, ``{"$var": ["name", default]}`` or ``{"$ifvar": ["name", stage, otherwise]}``;
requests bind names in ``avars``. What is bound holds no operators, so it stays a value wherever it is put. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bson import Code, DBRef, Regex

from content_core.documents import Document
from content_core.errors import PipelineMalformedError, RequestError
from content_core.pipelines import MAX_DEPTH
from content_core.relaxed_json import parse_relaxed
from rest_compat.request import Page, Request

__all__ = ["PLACEHOLDERS", "check_variables", "fill_stages", "paging_variables", "read_avars"]

PLACEHOLDERS: Final = frozenset({"$var", "$ifvar"})
"""The operators that give way to values, for :func:`content_core.pipelines.inspect_pipeline`."""

_OF_SERVER: Final = "@"
_MAX_AVARS_DEPTH: Final = 50
_MAX_PLACES: Final = 1_000
"""Places that one pipeline may fill: each may take a value as large as the address."""

_WITH_DEFAULT: Final = 2
_OPTIONAL: Final = frozenset({2, 3})
_UNBOUND: Final = object()
_SHOWN: Final = 100


def read_avars(request: Request) -> Mapping[str, Any]:
    """Read the parameter ``avars``: names and what they are bound to, as BSON values; none without it.

    Raises:
        RequestError: it is no JSON object, comes twice, or holds an operator, a regular expression or a name of the
            server.
    """
    given = request.query.get("avars", ("{}",))
    if len(given) > 1:
        raise RequestError("illegal avars parameter: it is given more than once")
    try:
        variables = parse_relaxed(given[0], max_depth=_MAX_AVARS_DEPTH) if given[0].strip() else None
    except RequestError as error:
        raise RequestError(f"illegal avars parameter: {error.message}", details=error.details) from error
    if not isinstance(variables, dict):
        raise RequestError("illegal avars parameter, it is not a json object")
    for name in variables:
        if name.startswith(_OF_SERVER):
            raise RequestError(f"illegal avars parameter: '{name[:_SHOWN]}' begins with '@', such names are bound here")
    _refuse_operators(variables)
    return variables


def paging_variables(page: Page) -> Mapping[str, Any]:
    """Bind the variables that a request's page stands behind."""
    return {"@page": page.number, "@pagesize": page.size, "@limit": page.size, "@skip": page.skip}


def fill_stages(stages: Sequence[Document], variables: Mapping[str, Any]) -> list[Document]:
    """Put values in the places of variables, and decide on optional parts.

    Args:
        stages: a pipeline as it is defined, names unescaped. It is not changed; what it becomes shares parts with it.
        variables: names and values; see :func:`read_avars` and :func:`paging_variables`.

    Raises:
        RequestError: a variable without default is not bound.
        PipelineMalformedError: a place is not written as it has to be, or there are too many.
    """
    filled: list[Document] = _Filling(variables).array(stages, "pipeline", 1)
    return filled


def check_variables(stages: Sequence[Document]) -> None:
    """Check how places for variables are written, in branches that no request may ever take too.

    Raises:
        PipelineMalformedError: one is not written as it has to be, or there are too many.
    """
    places = 0
    pending: list[tuple[Any, str]] = [(stages, "pipeline")]
    for value, location in pending:  # grows while it is read
        if isinstance(value, list):
            pending += [(item, f"{location}[{index}]") for index, item in enumerate(value)]
        elif isinstance(value, dict):
            if operator := _placeholder(value, location):
                places += 1
                _check_places(places, location)
                read = _read_variable if operator == "$var" else _read_optional
                read(value[operator], location)
            pending += [(item, f"{location}.{name[:_SHOWN]}") for name, item in value.items()]


class _Filling:
    """One walk over a pipeline."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._places = 0

    def array(self, items: Sequence[Any], location: str, depth: int) -> list[Any]:
        filled = [self.value(item, f"{location}[{index}]", depth) for index, item in enumerate(items)]
        return [item for item in filled if item is not _UNBOUND]

    def value(self, value: Any, location: str, depth: int) -> Any:
        """Fill a value; one that is optional and not wanted is ``_UNBOUND``."""
        if depth > MAX_DEPTH:
            reason = f"the pipeline is nested more than {MAX_DEPTH} levels deep"
            raise PipelineMalformedError(reason, location=location)
        if isinstance(value, list):
            return self.array(value, location, depth + 1)
        if not isinstance(value, dict):
            return value
        operator = _placeholder(value, location)
        if operator is None:
            return {name: self._member(name, item, location, depth + 1) for name, item in value.items()}
        self._places += 1
        _check_places(self._places, location)
        fill = self._variable if operator == "$var" else self._optional
        return fill(value[operator], f"{location}.{operator}", depth + 1)

    def _member(self, name: str, item: Any, location: str, depth: int) -> Any:
        here = f"{location}.{name[:_SHOWN]}"
        filled = self.value(item, here, depth)
        if filled is _UNBOUND:
            raise PipelineMalformedError(f"$ifvar at {here} needs a third element, it is in no array", location=here)
        return filled

    def _variable(self, operand: Any, location: str, depth: int) -> Any:
        name, default = _read_variable(operand, location)
        bound = self._find(name)
        if bound is not _UNBOUND:
            return bound
        if default is _UNBOUND:
            raise RequestError(f"variable {name[:_SHOWN]} not bound", details={"variable": name[:_SHOWN]})
        return self.value(default, location, depth)

    def _optional(self, operand: Any, location: str, depth: int) -> Any:
        names, branches = _read_optional(operand, location)
        wanted = branches[:1] if all(self._find(name) is not _UNBOUND for name in names) else branches[1:]
        return self.value(wanted[0], location, depth) if wanted else _UNBOUND

    def _find(self, name: str) -> Any:
        """Find what a name or a path is bound to."""
        if name in self._variables:
            return self._variables[name]
        found: Any = self._variables
        for part in name.split("."):
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif isinstance(found, list) and _is_index(part, found):
                found = found[int(part)]
            else:
                return _UNBOUND
        return found


def _is_index(part: str, items: Sequence[Any]) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 10 and int(part) < len(items)


def _placeholder(value: Document, location: str) -> str | None:
    operator = next((name for name in value if name in PLACEHOLDERS), None)
    if operator is not None and len(value) > 1:
        raise PipelineMalformedError(f"{operator} at {location} stands alone in its object", location=location)
    return operator


def _read_variable(operand: Any, location: str) -> tuple[str, Any]:
    """Read what ``$var`` says: a name, and a default."""
    name, default = operand, _UNBOUND
    if isinstance(operand, list) and len(operand) == _WITH_DEFAULT:
        name, default = operand
    if not isinstance(name, str) or not name:
        raise PipelineMalformedError(f'$var at {location} takes "name" or ["name", default]', location=location)
    return name, default


def _read_optional(operand: Any, location: str) -> tuple[list[str], list[Any]]:
    """Read what ``$ifvar`` says: names that must be bound, what holds then, and what holds otherwise."""
    if isinstance(operand, list) and len(operand) in _OPTIONAL:
        names = operand[0] if isinstance(operand[0], list) else [operand[0]]
        if names and all(isinstance(name, str) and name for name in names):
            return names, operand[1:]
    raise PipelineMalformedError(
        f'$ifvar at {location} takes ["name" or ["name", …], stage] and perhaps a stage otherwise', location=location
    )


def _check_places(count: int, location: str) -> None:
    if count > _MAX_PLACES:
        raise PipelineMalformedError(f"there are more than {_MAX_PLACES} places for variables", location=location)


def _refuse_operators(variables: Mapping[str, Any]) -> None:
    pending: list[Any] = [variables]
    for value in pending:  # grows while it is read
        if isinstance(value, dict):
            for name in value:
                if name.startswith("$"):
                    raise RequestError(f"illegal avars parameter: the operator '{name[:_SHOWN]}' is not allowed in it")
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, Regex | Code | DBRef):
            raise RequestError(
                "illegal avars parameter: a regular expression, code or a reference is not allowed in it",
                hint="the definition may have $regex, and the variable the pattern as a string",
            )
