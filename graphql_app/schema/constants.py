"""The constant parts of a query mapping: where ``$arg`` and ``$fk`` stand, and whether they are well formed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from content_core.extended_json import dumps

__all__ = ["ROOT_DOCUMENT", "ArgumentUse", "ForeignKeyUse", "Malformed", "read_uses"]

ROOT_DOCUMENT: Final = "rootDoc"
"""The pseudo argument that stands for the document of the root field."""

_HEAD: Final = re.compile(r"[^.\[]*")


@dataclass(frozen=True, slots=True)
class ArgumentUse:
    """One ``$arg``: the argument's name or a path that begins with it."""

    name: str
    has_default: bool

    @property
    def head(self) -> str:
        """The argument that the path begins with."""
        match = _HEAD.match(self.name)
        return match.group() if match else self.name


@dataclass(frozen=True, slots=True)
class ForeignKeyUse:
    """One ``$fk``: a path of the parent value."""

    path: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """An object that has ``$arg`` or ``$fk`` and cannot be read."""

    operator: str
    text: str


def read_uses(value: Any) -> Iterator[ArgumentUse | ForeignKeyUse | Malformed]:
    """Find every ``$arg`` and ``$fk`` inside a value, outermost first; defaults of ``$arg`` are not looked into."""
    if isinstance(value, dict):
        if "$arg" in value:
            yield _read_argument(value)
        elif "$fk" in value:
            path = value["$fk"]
            yield ForeignKeyUse(path) if isinstance(path, str) and path else _malformed("$fk", value)
        else:
            for item in value.values():
                yield from read_uses(item)
    elif isinstance(value, list):
        for item in value:
            yield from read_uses(item)


def _read_argument(value: dict[str, Any]) -> ArgumentUse | Malformed:
    match value["$arg"]:
        case str() as name if name and len(value) == 1:
            return ArgumentUse(name, has_default=False)
        case [str() as name, _] if name and len(value) == 1:
            return ArgumentUse(name, has_default=True)
        case _:
            return _malformed("$arg", value)


def _malformed(operator: str, value: Any) -> Malformed:
    return Malformed(operator, dumps(value).decode()[:200])
