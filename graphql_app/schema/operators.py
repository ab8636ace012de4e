"""Query operators that are refused everywhere: they run code, write, or show the server."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["FORBIDDEN_OPERATORS", "find_forbidden_operator"]

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


def find_forbidden_operator(value: Any) -> str | None:
    """Give the first forbidden operator that is a key anywhere inside a value, as it is written there."""
    pending = [value]
    for current in pending:  # grows while it is read
        if isinstance(current, Mapping):
            for key, item in current.items():
                if key.startswith("$") and key.lower() in FORBIDDEN_OPERATORS:
                    return str(key)
                if isinstance(item, Mapping | list | tuple):
                    pending.append(item)
        elif isinstance(current, list | tuple):
            pending.extend(item for item in current if isinstance(item, Mapping | list | tuple))
    return None
