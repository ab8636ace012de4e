"""The schema text of a definition, read far enough to check mappings against it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    ExecutableDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    parse,
)

from graphql_app.schema.scalars import SCALAR_NAMES

__all__ = ["ROOT_TYPES", "FieldShape", "Sdl", "read_sdl"]

ROOT_TYPES: Final = frozenset({"Query", "Mutation", "Subscription"})
"""Types whose fields have no parent value."""

_ObjectNode: TypeAlias = ObjectTypeDefinitionNode | ObjectTypeExtensionNode


@dataclass(frozen=True, slots=True)
class FieldShape:
    """What a mapping has to know of a field's declaration."""

    arguments: frozenset[str]
    plural: bool


@dataclass(frozen=True, slots=True)
class Sdl:
    """A parsed schema text, extensions merged into what they extend; everything in the order written."""

    document: DocumentNode = field(repr=False)
    objects: Mapping[str, Mapping[str, FieldShape]]
    enums: Mapping[str, tuple[str, ...]]
    unions: Mapping[str, tuple[str, ...]]
    interfaces: Mapping[str, tuple[str, ...]]
    """The object types that implement each interface."""


def read_sdl(text: str) -> Sdl:
    """Parse a schema text; declarations of scalars that are always there are dropped.

    Raises:
        GraphQLError: the text does not parse, or holds operations or fragments.
    """
    try:
        document = parse(text, no_location=True)
    except RecursionError as error:
        raise GraphQLError("the schema is nested too deeply") from error
    if any(isinstance(node, ExecutableDefinitionNode) for node in document.definitions):
        raise GraphQLError("a schema holds no operations and no fragments")
    definitions = tuple(node for node in document.definitions if not _redeclares_scalar(node))
    objects = [node for node in definitions if isinstance(node, _ObjectNode)]
    unions = (node for node in definitions if isinstance(node, UnionTypeDefinitionNode | UnionTypeExtensionNode))
    enums = (node for node in definitions if isinstance(node, EnumTypeDefinitionNode | EnumTypeExtensionNode))
    interfaces = (node.name.value for node in definitions if isinstance(node, InterfaceTypeDefinitionNode))
    return Sdl(
        document=DocumentNode(definitions=definitions),
        objects=_read_fields(objects),
        enums=_merge((node.name.value, [value.name.value for value in node.values or ()]) for node in enums),
        unions=_merge((node.name.value, [member.name.value for member in node.types or ()]) for node in unions),
        interfaces=_read_implementors(interfaces, objects),
    )


def _redeclares_scalar(node: Any) -> bool:
    return isinstance(node, ScalarTypeDefinitionNode) and node.name.value in SCALAR_NAMES


def _read_fields(objects: Iterable[_ObjectNode]) -> Mapping[str, Mapping[str, FieldShape]]:
    types: defaultdict[str, dict[str, FieldShape]] = defaultdict(dict)
    for node in objects:
        types[node.name.value].update((entry.name.value, _read_shape(entry)) for entry in node.fields or ())
    return dict(types)


def _read_shape(node: FieldDefinitionNode) -> FieldShape:
    arguments = frozenset(argument.name.value for argument in node.arguments or ())
    return FieldShape(arguments, plural=_is_list(node.type))


def _is_list(node: TypeNode) -> bool:
    return isinstance(node.type if isinstance(node, NonNullTypeNode) else node, ListTypeNode)


def _read_implementors(interfaces: Iterable[str], objects: Iterable[_ObjectNode]) -> Mapping[str, tuple[str, ...]]:
    implementors: dict[str, list[str]] = {name: [] for name in interfaces}
    for node in objects:
        for interface in node.interfaces or ():
            if interface.name.value in implementors:
                implementors[interface.name.value].append(node.name.value)
    return {name: tuple(dict.fromkeys(members)) for name, members in implementors.items()}


def _merge(parts: Iterable[tuple[str, list[str]]]) -> Mapping[str, tuple[str, ...]]:
    merged: defaultdict[str, list[str]] = defaultdict(list)
    for name, members in parts:
        merged[name].extend(members)
    return {name: tuple(dict.fromkeys(members)) for name, members in merged.items()}
