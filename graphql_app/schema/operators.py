"""Query operators that are refused everywhere: they run code, write, or show the server."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

__all__ = ["FORBIDDEN_OPERATORS", "find_forbidden_operator", "locate_operator"]

FORBIDDEN_OPERATORS: Final = frozenset(
    {
        "$accumulator",
        "$changestream",
        "$collstats",
        "$currentop",
        "$function",
        "$indexstats",
        "$listcatalog",
        "$listlocalsessions",
        "$listsessions",
        "$mapreduce",
        "$merge",
        "$out",
        "$plancachestats",
        "$querystats",
        "$where",
    }
)
"""In lower case, as they are compared without regard to case."""

_Place: TypeAlias = "tuple[_Place, str] | None"


def find_forbidden_operator(value: Any) -> str | None:
    """Give the first forbidden operator that is a key anywhere inside a value, as it is written there."""
    found = locate_operator(value, FORBIDDEN_OPERATORS)
    return None if found is None else found[0]


def locate_operator(value: Any, operators: frozenset[str]) -> tuple[str, str] | None:
    """Find the first of some operators that is a key anywhere inside a value.

    Args:
        value: a part of a mapping, or what stands in its place.
        operators: their names in lower case.

    Returns:
        The operator as it is written there, and the path to the object that holds it: ``[1].$match.a[0]``.
    """
    pending: list[tuple[Any, _Place]] = [(value, None)]
    for current, place in pending:  # grows while it is read
        if isinstance(current, Mapping):
            for key, item in current.items():
                if key.startswith("$") and key.lower() in operators:
                    return str(key), _write_place(place)
                if isinstance(item, Mapping | list | tuple):
                    pending.append((item, (place, f".{key}")))
        elif isinstance(current, list | tuple):
            pending.extend(
                (item, (place, f"[{index}]"))
                for index, item in enumerate(current)
                if isinstance(item, Mapping | list | tuple)
            )
    return None


def _write_place(place: _Place) -> str:
    parts = []
    while place is not None:
        place, part = place
        parts.append(part)
    return "".join(reversed(parts))
