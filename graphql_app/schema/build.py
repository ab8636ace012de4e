"""Builds the executable schema of a definition: types from the schema text, resolvers from the mappings."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    NamedTypeNode,
    NameNode,
    ObjectTypeDefinitionNode,
    OperationType,
    OperationTypeDefinitionNode,
    SchemaDefinitionNode,
    extend_schema,
    get_named_type,
    is_specified_scalar_type,
    validate_schema,
)
from graphql.validation.validate import validate_sdl

from content_core.errors import DefinitionError
from graphql_app.schema.completion import Completer, build_completer
from graphql_app.schema.definition import Definition
from graphql_app.schema.enums import bind_enum
from graphql_app.schema.errors import UnresolvedTypeError
from graphql_app.schema.mappings import (
    AggregationMapping,
    DatabaseMapping,
    FieldMapping,
    PathMapping,
    QueryMapping,
)
from graphql_app.schema.matching import TypeMatcher
from graphql_app.schema.paths import compile_path
from graphql_app.schema.resolvers import Fetcher
from graphql_app.schema.scalars import CUSTOM_SCALARS, SCALAR_NAMES

__all__ = ["ExecutableApp", "build_app"]

_BASE: Final = GraphQLSchema(types=CUSTOM_SCALARS)
_OPERATIONS: Final = {operation.value.capitalize(): operation for operation in OperationType}

_Resolver = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ExecutableApp:
    """An application that can answer queries; immutable, so that it can be swapped as a whole.

    Attributes:
        definition: what it was built from.
        schema: its types, with resolvers for graphql-core.
        warnings: what is worth telling whoever wrote the definition.
        matchers: what finds the concrete type of a value, by the names of the interfaces and unions.
    """

    definition: Definition
    schema: GraphQLSchema
    warnings: tuple[str, ...]
    matchers: Mapping[str, TypeMatcher]


def build_app(definition: Definition) -> ExecutableApp:
    """Build the executable schema; CPU only.

    Raises:
        DefinitionError: the schema text has no meaning (unknown types, scalars without an implementation, …).
    """
    schema = _build_schema(definition)
    matchers = {name: TypeMatcher(predicates) for name, predicates in definition.resolvers.items()}
    for type_ in schema.type_map.values():
        if type_.name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType):
            _attach_resolvers(type_, definition)
        elif isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            type_.resolve_type = _type_resolver(type_.name, matchers[type_.name])
    return ExecutableApp(definition, schema, definition.warnings, matchers)


def _build_schema(definition: Definition) -> GraphQLSchema:
    document = _with_operation_types(definition.document)
    try:
        _refuse(error.message for error in validate_sdl(document, _BASE))
        schema = extend_schema(_BASE, document, assume_valid_sdl=True)
        # Before anything looks at a default value: defaults are converted with the stored values once and for all.
        for type_ in schema.type_map.values():
            if isinstance(type_, GraphQLEnumType) and type_.name in definition.enums:
                bind_enum(type_, definition.enums[type_.name])
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


def _attach_resolvers(type_: GraphQLObjectType, definition: Definition) -> None:
    mapped = definition.fields.get(type_.name, {})
    for name, field in type_.fields.items():
        field.resolve = _build_resolver(field, mapped.get(name) or PathMapping.of(name))


def _build_resolver(field: GraphQLField, mapping: FieldMapping) -> _Resolver:
    complete = build_completer(field.type)
    match mapping:
        case PathMapping(_, segments):
            return _path_resolver(segments, complete)
        case QueryMapping() | AggregationMapping():
            has_scalars = is_specified_scalar_type(get_named_type(field.type))
            return _fetch_resolver(mapping, complete, has_scalars=has_scalars)


def _path_resolver(segments: tuple[str, ...], complete: Completer | None) -> _Resolver:
    """Make the resolver of a field that reads its parent; the keyword arguments are the field's own."""
    read = compile_path(segments)
    if complete is None:
        return lambda source, _info, /, **_arguments: read(source)

    def resolve(source: Any, _info: GraphQLResolveInfo[Fetcher], /, **_arguments: Any) -> Any:
        value = read(source)
        return value if value is None else complete(value)

    return resolve


def _fetch_resolver(mapping: DatabaseMapping, complete: Completer | None, *, has_scalars: bool) -> _Resolver:
    def fetch(source: Any, info: GraphQLResolveInfo[Fetcher], /, **arguments: Any) -> Awaitable[Any]:
        return info.context.fetch(mapping, source, info, arguments)

    if complete is None or not has_scalars:
        return fetch

    async def fetch_and_complete(source: Any, info: GraphQLResolveInfo[Fetcher], /, **arguments: Any) -> Any:
        value = await info.context.fetch(mapping, source, info, arguments)
        return value if value is None else complete(value)

    return fetch_and_complete


def _type_resolver(name: str, match_type: TypeMatcher) -> _Resolver:
    def resolve_type(value: Any, info: GraphQLResolveInfo[Fetcher], _type: GraphQLAbstractType) -> str:
        found = match_type(value)
        if found is None:
            raise UnresolvedTypeError(name, f"{info.parent_type.name}.{info.field_name}")
        return found

    return resolve_type
