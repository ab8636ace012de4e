"""Type predicates as values, and their text.

A predicate says whether a document (or any other value) is of a concrete type: ``field-exists(frame.size)``,
``field-eq(field=kind, value='"trailer"') and not field-exists(frame.size)``.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from content_core.extended_json import dumps

__all__ = ["AllOf", "AnyOf", "Constant", "FieldEquals", "FieldsExist", "Not", "Predicate", "ValueEquals", "render"]


@dataclass(frozen=True, slots=True)
class Constant:
    """``true`` or ``false``."""

    value: bool


@dataclass(frozen=True, slots=True)
class FieldsExist:
    """``field-exists(a.b, c)``: every path exists; a stored null exists."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldEquals:
    """``field-eq(field=a.b, value=V)``: the path exists and its value equals V."""

    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class ValueEquals:
    """``value-eq(V)``: the whole value equals V."""

    value: Any


@dataclass(frozen=True, slots=True)
class Not:
    """``not P``."""

    term: "Predicate"


@dataclass(frozen=True, slots=True)
class AllOf:
    """``P and Q and …``."""

    terms: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """``P or Q or …``."""

    terms: tuple["Predicate", ...]


Predicate: TypeAlias = Constant | FieldsExist | FieldEquals | ValueEquals | Not | AllOf | AnyOf


def render(predicate: Predicate) -> str:
    """Write a predicate as text that parses to the same predicate."""
    match predicate:
        case Constant(value):
            return "true" if value else "false"
        case FieldsExist(fields):
            return f"field-exists({', '.join(map(_quote, fields))})"
        case FieldEquals(field, value):
            return f"field-eq(field={_quote(field)}, value={_quote(dumps(value).decode())})"
        case ValueEquals(value):
            return f"value-eq({_quote(dumps(value).decode())})"
        case Not(term):
            return f"not {_render_inner(term)}"
        case AllOf(terms) | AnyOf(terms):
            connective = " and " if isinstance(predicate, AllOf) else " or "
            return connective.join(map(_render_inner, terms))


def _render_inner(predicate: Predicate) -> str:
    text = render(predicate)
    return f"({text})" if isinstance(predicate, AllOf | AnyOf) else text


def _quote(text: str) -> str:
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"
