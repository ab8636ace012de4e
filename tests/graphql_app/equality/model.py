"""A random application as values that documents and queries are drawn from, and its definition document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from content_core.documents import Document

__all__ = ["DATABASE", "SCALARS", "AppModel", "Argument", "FieldModel", "TypeModel", "named_type"]

DATABASE: Final = "DB"
"""Stands for the database's name until the test knows it."""

SCALARS: Final = (
    "String",
    "Int",
    "ID",
    "Float",
    "Boolean",
    "Long",
    "DateTime",
    "JSON",
    "BsonDocument",
    "Decimal128",
    "ObjectId",
    "Timestamp",
    "Regex",
)

_INPUTS: Final = """
input Options { limit: Int = 2 keys: [Int] inner: Inner }
input Inner { word: String = "x" }
"""


def named_type(text: str) -> str:
    """Give the name inside a type such as ``[[T0!]]``."""
    return text.strip("[]!")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a field; ``pool`` names the values that it is given."""

    name: str
    type: str
    pool: str
    default: str | None = None

    @property
    def sdl(self) -> str:
        return f"{self.name}: {self.type}" + (f" = {self.default}" if self.default else "")


@dataclass(frozen=True, slots=True)
class FieldModel:
    """A field: its type as text, and its mapping, None for none."""

    name: str
    type: str
    mapping: str | Document | None = None
    arguments: tuple[Argument, ...] = ()

    @property
    def sdl(self) -> str:
        arguments = " ".join(argument.sdl for argument in self.arguments)
        return f"  {self.name}{f'({arguments})' if arguments else ''}: {self.type}"

    @property
    def path(self) -> str | None:
        """The path that the field reads; None for one that asks the database."""
        return self.mapping or self.name if isinstance(self.mapping, str | None) else None


@dataclass(frozen=True, slots=True)
class TypeModel:
    """An object type, an interface (``members`` implement it) or a union."""

    kind: str
    name: str
    fields: Mapping[str, FieldModel] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    implements: tuple[str, ...] = ()
    resolver: Mapping[str, str] = field(default_factory=dict)

    @property
    def sdl(self) -> str:
        if self.kind == "union":
            return f"union {self.name} = {' | '.join(self.members)}"
        heritage = f" implements {' & '.join(self.implements)}" if self.implements else ""
        body = "\n".join(one.sdl for one in self.fields.values())
        return f"{'type' if self.kind == 'object' else self.kind} {self.name}{heritage} {{\n{body}\n}}"


@dataclass(frozen=True, slots=True)
class AppModel:
    """Everything of an application; ``collections`` says which object types live where."""

    types: Mapping[str, TypeModel]
    enums: Mapping[str, Mapping[str, Any]]
    collections: Mapping[str, tuple[str, ...]]

    def objects_of(self, name: str) -> tuple[str, ...]:
        """Give the object types that a composite type stands for."""
        of_type = self.types[name]
        return (name,) if of_type.kind == "object" else of_type.members

    def definition(self) -> Document:
        """Write the definition; its database is :data:`DATABASE`."""
        enums = [f"enum {name} {{ {' '.join(values)} }}" for name, values in self.enums.items()]
        sdl = "\n".join([*enums, _INPUTS.strip(), *(one.sdl for one in self.types.values())])
        mappings: Document = {
            name: {value: stored for value, stored in values.items() if stored is not None}
            for name, values in self.enums.items()
        }
        for name, one in self.types.items():
            if one.kind == "object":
                mapped = {field.name: field.mapping for field in one.fields.values() if field.mapping is not None}
                if mapped or name == "Query":
                    mappings[name] = mapped
            else:
                mappings[name] = {"$typeResolver": dict(one.resolver)}
        return {"_id": f"{DATABASE}___any", "schema": sdl, "mappings": mappings}
