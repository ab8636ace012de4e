"""Dot paths into documents: the one algorithm of field mappings and of ``$fk``."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from bson import DBRef

__all__ = ["compile_path", "read_path"]

_INDEX_DIGITS = 9
"""No list is longer than this many digits can count; longer numbers are out of range without being read."""

_MOST_KEPT: Final = 20_000
"""The same paths stand in many mappings of an application: each is compiled once."""


def read_path(value: Any, segments: tuple[str, ...]) -> Any:
    """Walk a path; whatever is missing is None.

    A number picks an element of a list, counted from 0; any other segment applies the rest of the path to every
    element and gives a list, in which inner lists stay nested. Keys that contain dots cannot be reached.
    """
    for position, segment in enumerate(segments):
        if isinstance(value, DBRef):  # what the driver makes of a document with $ref and $id
            value = value.as_doc()
        if isinstance(value, dict):
            value = value.get(segment)
        elif isinstance(value, list):
            if not _is_index(segment):
                rest = segments[position:]
                return [read_path(element, rest) for element in value]
            value = value[int(segment)] if len(segment) <= _INDEX_DIGITS and int(segment) < len(value) else None
        else:
            return None
    return value


@lru_cache(maxsize=_MOST_KEPT)
def compile_path(segments: tuple[str, ...]) -> Callable[[Any], Any]:
    """Make a function of one argument that does what :func:`read_path` does, quicker on plain documents."""
    if len(segments) == 1:
        return _compile_key(segments[0])

    def read(value: Any) -> Any:
        current = value
        for segment in segments:
            if type(current) is not dict:
                return read_path(value, segments)
            current = current.get(segment)
            if current is None:
                return None
        return current

    return read


def _compile_key(key: str) -> Callable[[Any], Any]:
    segments = (key,)

    def read(value: Any) -> Any:
        return value.get(key) if type(value) is dict else read_path(value, segments)

    return read


def _is_index(segment: str) -> bool:
    return segment.isascii() and segment.isdigit()
