"""Names: from uids and form names to GraphQL names, with every collision and every skipped name on record."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

__all__ = ["FORM_DATA", "Collision", "NameBook", "SkippedName", "field_name", "type_name"]

FORM_DATA: Final = "FormData"
"""Suffix of the type that holds a template's form."""

_LEGAL = re.compile(r"[_A-Za-z][_0-9A-Za-z]*\Z")
_FOREIGN = re.compile(r"[^_0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Collision:
    """Two origins that ask for one name.

    Attributes:
        origin: what asked, such as ``page template 'a-b'``.
        wanted: the name it asked for.
        given: the name it got.
        holder: what has the wanted name.
    """

    origin: str
    wanted: str
    given: str
    holder: str

    def __str__(self) -> str:
        return f"{self.origin} is named {self.given}: {self.wanted} belongs to {self.holder}"


@dataclass(frozen=True, slots=True)
class SkippedName:
    """A name of the project that no mapping can reach, so that it has no field.

    Attributes:
        origin: where it stands, such as ``section template 'teaser'``.
        name: the name as written.
        reason: why it was left out.
    """

    origin: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.name!r} has no field: {self.reason}"


def _normalise(text: str) -> str:
    name = _FOREIGN.sub("_", text)
    return name if _LEGAL.match(name) else f"_{name}"


def _unreserved(name: str) -> str:
    """Keep clear of the names that introspection owns."""
    return f"X{name}" if name.startswith("__") else name


def type_name(text: str, suffix: str = "") -> str:
    """Make the name of a type: ``product_special`` with ``Page`` is ``Product_specialPage``."""
    name = _normalise(text)
    return _unreserved(name[:1].upper() + name[1:] + suffix)


def field_name(text: str) -> str:
    """Make the name of a field: legal names stay as they are, ``16x9-S`` becomes ``_16x9_S``."""
    return _unreserved(text if _LEGAL.match(text) else _normalise(text))


class NameBook:
    """The names of one name space, each with its holder; the second that asks for a name gets ``_2``.

    Args:
        reserved: names that are taken from the start.
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._holders = dict.fromkeys(reserved, "the shared schema")
        self._collisions: list[Collision] = []

    @property
    def collisions(self) -> Sequence[Collision]:
        """All collisions so far, in the order in which names were claimed."""
        return tuple(self._collisions)

    def claim(self, wanted: str, origin: str, *, derived: Sequence[str] = ()) -> str:
        """Take a name, or the first free ``_2``, ``_3``, … after it.

        Args:
            wanted: the name.
            origin: what asks, for the report.
            derived: suffixes of further names that belong to it and must be free as well.
        """
        names = self._with_derived(wanted, derived)
        if (holder := self._holder_of(names)) is not None:
            candidates = (_unreserved(f"{wanted}_{number}") for number in count(2))
            name_sets = (self._with_derived(candidate, derived) for candidate in candidates)
            names = next(names for names in name_sets if self._holder_of(names) is None)
            self._collisions.append(Collision(origin=origin, wanted=wanted, given=names[0], holder=holder))
        self._holders.update(dict.fromkeys(names, origin))
        return names[0]

    @staticmethod
    def _with_derived(name: str, derived: Sequence[str]) -> tuple[str, ...]:
        return (name, *(name + suffix for suffix in derived))

    def _holder_of(self, names: Iterable[str]) -> str | None:
        return next((self._holders[name] for name in names if name in self._holders), None)
