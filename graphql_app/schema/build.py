"""Builds the executable schema of a definition: types from the schema text, resolvers from the mappings."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_specified_scalar_type,
)

from graphql_app.schema.completion import Completer, build_completer
from graphql_app.schema.definition import Definition
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
from graphql_app.schema.trim import trim_schema
from graphql_app.schema.type_system import build_types

__all__ = ["ExecutableApp", "build_app"]

_Resolver = Callable[..., Any]
_NOTHING: Final = DocumentNode(definitions=())


@dataclass(frozen=True, slots=True)
class ExecutableApp:
    """An application that can answer queries; immutable, so that it can be swapped as a whole.

    Attributes:
        definition: what it was built from, without the syntax tree.
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
    schema = build_types(definition.document, definition.enums)
    matchers = {name: TypeMatcher(predicates) for name, predicates in definition.resolvers.items()}
    for type_ in schema.type_map.values():
        if type_.name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType):
            _attach_resolvers(type_, definition)
        elif isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            type_.resolve_type = _type_resolver(type_.name, matchers[type_.name])
    trim_schema(schema)
    return ExecutableApp(replace(definition, document=_NOTHING), schema, definition.warnings, matchers)


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
