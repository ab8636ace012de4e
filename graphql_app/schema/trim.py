"""Lets go of the syntax trees that a schema was built from: they are a third of what an application takes."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
)

__all__ = ["trim_schema"]


def trim_schema(schema: GraphQLSchema) -> None:
    """Drop the nodes of all declarations, once a schema was validated; default values keep theirs.

    Answers and introspection are made without them; only errors of the schema itself would have told their places.
    """
    arguments = (directive.args.values() for directive in schema.directives)
    for part in chain([schema], schema.directives, *arguments, *map(_parts, schema.type_map.values())):
        if part.ast_node is not None:
            part.ast_node = None
        if getattr(part, "extension_ast_nodes", ()):
            part.extension_ast_nodes = ()


def _parts(type_: GraphQLNamedType) -> Iterator[Any]:
    """Give a type with all that is declared inside; what it would make these of goes, for it holds the nodes, too."""
    yield type_
    declared: Any = type_
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        declared._fields, declared._interfaces = type_.fields, type_.interfaces  # noqa: SLF001
        for field in type_.fields.values():
            yield field
            yield from field.args.values()
    elif isinstance(type_, GraphQLInputObjectType):
        declared._fields = type_.fields
        yield from type_.fields.values()
    elif isinstance(type_, GraphQLUnionType):
        declared._types = type_.types  # noqa: SLF001
    elif isinstance(type_, GraphQLEnumType):
        declared._values = type_.values  # noqa: SLF001
        yield from type_.values.values()
