"""An application definition: the stored document, read and checked, as a value that later stages build on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from graphql import DocumentNode, GraphQLError

from content_core.documents import Document
from content_core.errors import DefinitionError, IllegalNameError
from content_core.names import AppKey
from graphql_app.schema.bson_types import type_name
from graphql_app.schema.checks import Check, Findings
from graphql_app.schema.field_mappings import read_field_mappings
from graphql_app.schema.mappings import (
    AggregationMapping,
    FieldMapping,
    Limits,
    LoaderOptions,
    PathMapping,
    QueryMapping,
)
from graphql_app.schema.predicates import Predicate
from graphql_app.schema.sdl import Sdl, read_sdl
from graphql_app.schema.type_resolvers import read_enums, read_type_resolvers
from graphql_app.schema.type_system import build_types

__all__ = [
    "AggregationMapping",
    "Definition",
    "FieldMapping",
    "Limits",
    "LoaderOptions",
    "PathMapping",
    "QueryMapping",
    "parse_definition",
]

_APP_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_UNREACHABLE: Final = frozenset({"", ".", ".."})
_DESCRIPTOR_MEMBERS: Final[Mapping[str, type]] = {
    "uri": str,
    "name": str,
    "description": str,
    "enabled": bool,
    "introspection": bool,
    "maxCost": int,
}


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that passed all checks but the last one: whether its schema can be built.

    ``fields`` holds only what is mapped; a field without an entry reads the document field of its own name.
    """

    key: AppKey
    document_id: str
    enabled: bool
    description: str
    introspection: bool
    fields: Mapping[str, Mapping[str, FieldMapping]]
    enums: Mapping[str, Mapping[str, Any]]
    resolvers: Mapping[str, tuple[tuple[str, Predicate], ...]]
    warnings: tuple[str, ...]
    collections: frozenset[tuple[str, str]]
    """What the application reads, as pairs of database and collection; those that stages name included."""

    document: DocumentNode = field(repr=False, compare=False)
    """The parsed schema text, without declarations of scalars that are always there."""

    max_cost: int | None = None
    """What an operation may cost in this application; None leaves that to the server."""


def parse_definition(document: Document, *, tenant: str, limits: Limits) -> Definition:
    """Read and check a definition document; Extended JSON in its constants becomes BSON values.

    Args:
        document: the definition with its ``_id``.
        tenant: the database that holds it, the only one it may read.
        limits: constant limits are checked against.

    Raises:
        DefinitionError: with every reason.
    """
    findings = Findings()
    identifier = _read_id(document.get("_id"), tenant, findings)
    descriptor = _read_descriptor(document, findings)
    key = _read_key(identifier, descriptor, tenant, findings)
    sdl = _read_schema(document, findings)
    mappings = _read_mappings(document, findings)
    if sdl is None or mappings is None:
        _refuse(findings, sdl)
    fields = read_field_mappings(mappings, sdl=sdl, tenant=tenant, limits=limits, findings=findings)
    enums = read_enums(mappings, sdl=sdl, findings=findings)
    resolvers = read_type_resolvers(mappings, sdl=sdl, findings=findings)
    _check_query(mappings, sdl, findings)
    if findings.reasons:
        _refuse(findings, sdl)
    return Definition(
        key=key,
        document_id=identifier,
        enabled=descriptor.get("enabled", True),
        description=descriptor.get("description", ""),
        introspection=descriptor.get("introspection", True),
        max_cost=descriptor.get("maxCost"),
        fields=fields,
        enums=enums,
        resolvers=resolvers,
        warnings=findings.warnings,
        collections=_list_collections(fields),
        document=sdl.document,
    )


def _refuse(findings: Findings, sdl: Sdl | None) -> NoReturn:
    """Tell every reason, with those that the schema's types alone would give as the last ones."""
    if sdl is not None:
        try:
            build_types(sdl.document, {})
        except DefinitionError as error:
            for reason in error.reasons:
                findings.refuse(Check.SCHEMA_MEANING, reason)
    raise DefinitionError(*findings.reasons)


def _read_id(value: Any, tenant: str, findings: Findings) -> str:
    if not isinstance(value, str):
        findings.refuse(Check.ID, f"the '_id' must be a String but was {type_name(value)}")
        return ""
    prefix = f"{tenant}___"
    if not (value.startswith(prefix) and _APP_NAME.fullmatch(value.removeprefix(prefix))):
        reason = f"the '_id' must be '{prefix}' followed by letters, digits, '.', '_' or '-', but was '{value[:100]}'"
        findings.refuse(Check.ID, reason)
    return value


def _read_descriptor(document: Document, findings: Findings) -> Mapping[str, Any]:
    descriptor = document.get("descriptor", {})
    if not isinstance(descriptor, Mapping):
        reason = f"'Descriptor' field must be an Object but was {type_name(descriptor)}"
        findings.refuse(Check.DESCRIPTOR, reason)
        return {}
    wrong = {
        member for member, kind in _DESCRIPTOR_MEMBERS.items() if not isinstance(descriptor.get(member, kind()), kind)
    }
    cost = descriptor.get("maxCost", 1)
    if cost is True or cost is False or (isinstance(cost, int) and cost < 1):
        wrong.add("maxCost")
    if wrong:
        findings.refuse(Check.DESCRIPTOR_MEMBER, "Error with GraphQL App Descriptor")
    return {member: value for member, value in descriptor.items() if member not in wrong}


def _read_key(identifier: str, descriptor: Mapping[str, Any], tenant: str, findings: Findings) -> AppKey:
    """The uri names the application; without one the id does."""
    fallback = AppKey(tenant, identifier.removeprefix(f"{tenant}___"))
    if "uri" not in descriptor:
        return fallback
    try:
        key = AppKey.parse(descriptor["uri"])
    except IllegalNameError as error:
        findings.refuse(Check.URI, f"Error with GraphQL App Descriptor: {error.message}")
        return fallback
    if key.tenant != tenant:
        reason = f"Error with GraphQL App Descriptor: the uri '{descriptor['uri']}' belongs to another tenant"
        findings.refuse(Check.URI, reason)
    if not _UNREACHABLE.isdisjoint(key.app.split("/")):
        reason = f"the uri '{descriptor['uri']}' holds an empty segment, '.' or '..', which no request can name"
        findings.refuse(Check.URI, f"Error with GraphQL App Descriptor: {reason}")
    return key


def _read_schema(document: Document, findings: Findings) -> Sdl | None:
    schema = document.get("schema", "")
    if not isinstance(schema, str):
        findings.refuse(Check.SCHEMA_TYPE, f"'Schema' field must be a String but was {type_name(schema)}")
        return None
    if not schema.strip():
        findings.refuse(Check.SCHEMA_SYNTAX, "Invalid GraphQL schema: the schema is missing")
        return None
    try:
        return read_sdl(schema)
    except GraphQLError as error:
        place = "".join(f" (line {at.line}, column {at.column})" for at in error.locations or ())
        findings.refuse(Check.SCHEMA_SYNTAX, f"Invalid GraphQL schema: {error.message}{place}")
        return None


def _read_mappings(document: Document, findings: Findings) -> Mapping[str, Any] | None:
    if "mappings" not in document:
        reason = "Missing mappings: please provide a mapping for at least one Query."
        findings.refuse(Check.MAPPINGS_MISSING, reason)
        return None
    mappings = document["mappings"]
    if not isinstance(mappings, Mapping):
        findings.refuse(Check.MAPPINGS_TYPE, f"'mappings' field must be an Object but was {type_name(mappings)}")
        return None
    return mappings


def _check_query(mappings: Mapping[str, Any], sdl: Sdl, findings: Findings) -> None:
    written = mappings.get("Query")
    declared = sdl.objects.get("Query", {})
    if not isinstance(written, Mapping) or not set(written) & set(declared):
        reason = "Missing or empty mappings for type Query: please provide a mapping for at least one Query field."
        findings.refuse(Check.QUERY_UNMAPPED, reason)
        return
    unmapped = [name for name in declared if name not in written]
    if unmapped:
        findings.warn(f"Query fields without a mapping are always null: {', '.join(unmapped)}")


def _list_collections(fields: Mapping[str, Mapping[str, FieldMapping]]) -> frozenset[tuple[str, str]]:
    return frozenset(place for of_type in fields.values() for mapping in of_type.values() for place in _places(mapping))


def _places(mapping: FieldMapping) -> frozenset[tuple[str, str]]:
    match mapping:
        case AggregationMapping():
            return mapping.reads
        case QueryMapping():
            return frozenset({(mapping.db, mapping.collection)})
        case PathMapping():
            return frozenset()
