"""The constant parts of a mapping: where ``$arg``, ``$fk`` and ``$ifarg`` stand, and whether they are well formed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from content_core.extended_json import dumps

__all__ = [
    "ROOT_DOCUMENT",
    "USER",
    "ArgumentUse",
    "Condition",
    "ForeignKeyUse",
    "Malformed",
    "OptionalStage",
    "read_optional_stage",
    "read_stage_uses",
    "read_uses",
]

ROOT_DOCUMENT: Final = "rootDoc"
"""The pseudo argument that stands for the document of the root field."""

USER: Final = "@user"
"""The pseudo argument of aggregations that stands for whoever asks."""

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
class Condition(ArgumentUse):
    """A name that an ``$ifarg`` looks for: nothing is put in its place."""


@dataclass(frozen=True, slots=True)
class OptionalStage:
    """One ``$ifarg``: ``then`` stands in the pipeline if all names are bound, else ``otherwise``, or nothing."""

    names: tuple[str, ...]
    then: dict[str, Any]
    otherwise: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ForeignKeyUse:
    """One ``$fk``: a path of the parent value."""

    path: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """An object that has ``$arg``, ``$fk`` or ``$ifarg`` and cannot be read."""

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


def read_stage_uses(stage: Any) -> Iterator[ArgumentUse | ForeignKeyUse | Malformed]:
    """Do the same for a stage at the top of a pipeline, which may be an optional one."""
    if not isinstance(stage, dict) or "$ifarg" not in stage:
        yield from read_uses(stage)
        return
    optional = read_optional_stage(stage)
    if optional is None:
        yield _malformed("$ifarg", stage)
        return
    yield from (Condition(name, has_default=True) for name in optional.names)
    yield from read_uses(optional.then)
    yield from read_uses(optional.otherwise)


def read_optional_stage(stage: dict[str, Any]) -> OptionalStage | None:
    """Read ``{"$ifarg": [one name or a list of names, stage, other stage]}``; None if it is malformed."""
    match stage["$ifarg"]:
        case [names, dict() as then, *rest] if len(stage) == 1 and len(rest) < 2:
            wanted = [names] if isinstance(names, str) else names
            otherwise = rest[0] if rest else None
            if _are_names(wanted) and (not rest or isinstance(otherwise, dict)):
                return OptionalStage(tuple(wanted), then, otherwise)
    return None


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) and name for name in value)


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
