"""The types of a schema text, as graphql-core has them; what has no meaning is refused."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    NamedTypeNode,
    NameNode,
    ObjectTypeDefinitionNode,
    OperationType,
    OperationTypeDefinitionNode,
    SchemaDefinitionNode,
    extend_schema,
    validate_schema,
)
from graphql.validation.validate import validate_sdl

from content_core.errors import DefinitionError
from graphql_app.schema.enums import bind_enum
from graphql_app.schema.scalars import CUSTOM_SCALARS, SCALAR_NAMES

__all__ = ["build_types"]

_BASE: Final = GraphQLSchema(types=CUSTOM_SCALARS)
_OPERATIONS: Final = {operation.value.capitalize(): operation for operation in OperationType}


def build_types(document: DocumentNode, enums: Mapping[str, Mapping[str, Any]]) -> GraphQLSchema:
    """Build the schema of a parsed text, without resolvers; CPU only.

    Args:
        document: the text, parsed; without declarations of the scalars that are always there.
        enums: the stored values of the enums.

    Raises:
        DefinitionError: unknown types, scalars without an implementation, and whatever else has no meaning.
    """
    document = _with_operation_types(document)
    try:
        _refuse(error.message for error in validate_sdl(document, _BASE))
        schema = extend_schema(_BASE, document, assume_valid_sdl=True)
        # Before anything looks at a default value: defaults are converted with the stored values once and for all.
        for type_ in schema.type_map.values():
            if isinstance(type_, GraphQLEnumType) and type_.name in enums:
                bind_enum(type_, enums[type_.name])
        _refuse(error.message for error in validate_schema(schema))
    except (GraphQLError, TypeError, ValueError, RecursionError) as error:
        raise DefinitionError(f"Invalid GraphQL schema: {error}") from error
    _refuse(_unknown_scalars(schema))
    _refuse(_misnamed_query_type(schema))
    return schema


def _refuse(details: Iterable[str]) -> None:
    reasons = [f"Invalid GraphQL schema: {detail}" for detail in details]
    if reasons:
        raise DefinitionError(*reasons)


def _with_operation_types(document: DocumentNode) -> DocumentNode:
    """Say which types are the roots, where the schema text leaves that to their names."""
    if any(isinstance(node, SchemaDefinitionNode) for node in document.definitions):
        return document
    names = {node.name.value for node in document.definitions if isinstance(node, ObjectTypeDefinitionNode)}
    operations = tuple(
        OperationTypeDefinitionNode(operation=operation, type=NamedTypeNode(name=NameNode(value=name)))
        for name, operation in _OPERATIONS.items()
        if name in names
    )
    return DocumentNode(definitions=(SchemaDefinitionNode(operation_types=operations), *document.definitions))


def _unknown_scalars(schema: GraphQLSchema) -> list[str]:
    return [
        f"there is no implementation for the scalar '{type_.name}'"
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLScalarType) and type_.name not in SCALAR_NAMES
    ]


def _misnamed_query_type(schema: GraphQLSchema) -> list[str]:
    query = schema.query_type
    return [] if query is None or query.name == "Query" else [f"the query type is '{query.name}', not 'Query'"]
