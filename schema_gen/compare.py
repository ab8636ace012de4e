"""The difference between a deployed definition and a newly built one, as a client of the API sees it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
)

from content_core.documents import Document
from schema_gen.errors import EmissionError
from schema_gen.scalars import BUILT_IN_SCALARS, SCALAR_DECLARATIONS

__all__ = ["Comparison", "build_sdl", "compare_definitions"]

_TYPE_RESOLVER = "$typeResolver"
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What changes for clients when a definition takes the place of another.

    Attributes:
        unchanged: the definitions are equal apart from what the server adds; nothing needs to be written.
        added: types (``LandingPage``) and fields (``LandingPage.formData``) that are new; of new types only the type.
        removed: types and fields that are gone, likewise.
        breaking: changes that make some query fail.
        dangerous: changes that may surprise a client although all queries stay valid.
        mapping_changes: fields that read from elsewhere and types that are recognised otherwise.
        gca_added: page templates that came into use for GCA pages, by their type.
        created: there was no definition before.
    """

    unchanged: bool
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    breaking: tuple[str, ...] = ()
    dangerous: tuple[str, ...] = ()
    mapping_changes: tuple[str, ...] = ()
    gca_added: tuple[str, ...] = ()
    created: bool = False


def build_sdl(sdl: Any) -> GraphQLSchema:
    """Read the SDL of a definition, which declares none of the built-in scalars or, tolerated, some of them.

    Raises:
        GraphQLError: the SDL is not valid.
        TypeError: it is no text, or names types that it lacks.
    """
    if not isinstance(sdl, str):
        raise TypeError("an SDL is a text")
    declared = [line for line in SCALAR_DECLARATIONS.splitlines() if not _declares(sdl, line)]
    return build_schema("\n".join([*declared, sdl]))


def compare_definitions(deployed: Document | None, built: Document) -> Comparison:
    """Compare what is deployed with what was built.

    Args:
        deployed: the stored definition, with or without the members that the server adds; ``None`` without one.
        built: the new definition.

    Raises:
        EmissionError: the schema of the new definition is not valid.
    """
    try:
        new = build_sdl(built["schema"])
    except (GraphQLError, TypeError) as error:
        raise EmissionError(f"The new schema is not valid: {error}") from error
    if deployed is None:
        return Comparison(unchanged=False, added=tuple(sorted(_types(new))), gca_added=_gca_pages(new), created=True)
    if _own(deployed) == _own(built):
        return Comparison(unchanged=True)
    mapping_changes = tuple(_mapping_changes(deployed.get("mappings"), built["mappings"]))
    try:
        old = build_sdl(deployed["schema"])
    except (GraphQLError, TypeError, KeyError) as error:
        unreadable = f"The deployed schema cannot be read ({_short(error)}), so what changes for clients is unknown."
        return Comparison(unchanged=False, dangerous=(unreadable,), mapping_changes=mapping_changes)
    added, removed = _difference(old, new), _difference(new, old)
    return Comparison(
        unchanged=False,
        added=added,
        removed=removed,
        breaking=tuple(sorted(change.description for change in find_breaking_changes(old, new))),
        dangerous=tuple(sorted(change.description for change in find_dangerous_changes(old, new))),
        mapping_changes=mapping_changes,
        gca_added=tuple(name for name in _gca_pages(new) if name in added),
    )


def _declares(sdl: str, declaration: str) -> bool:
    return any(line.strip() == declaration for line in sdl.splitlines())


def _own(definition: Document) -> Document:
    """Leave out what the server adds: ``_etag``, ``_links`` and the like."""
    return {key: value for key, value in definition.items() if key == "_id" or not key.startswith("_")}


def _types(schema: GraphQLSchema) -> dict[str, Any]:
    return {
        name: type_
        for name, type_ in schema.type_map.items()
        if not name.startswith("__") and name not in BUILT_IN_SCALARS and type_.ast_node is not None
    }


def _difference(base: GraphQLSchema, other: GraphQLSchema) -> tuple[str, ...]:
    """List the types of ``other`` that ``base`` lacks, and the fields of types that both have."""
    names: list[str] = []
    old_types = _types(base)
    for name, type_ in _types(other).items():
        if name not in old_types:
            names.append(name)
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            old_fields = getattr(old_types[name], "fields", {})
            names.extend(f"{name}.{field}" for field in type_.fields if field not in old_fields)
    return tuple(sorted(names))


def _gca_pages(schema: GraphQLSchema) -> tuple[str, ...]:
    interface = schema.get_type("GCAPage")
    if not isinstance(interface, GraphQLInterfaceType):
        return ()
    return tuple(sorted(type_.name for type_ in schema.get_possible_types(interface) if type_.name != "UnknownGCAPage"))


def _mapping_changes(old: Any, new: Mapping[str, Any]) -> Iterator[str]:
    """Name the mappings that differ, in types and fields that both definitions map."""
    old = old if isinstance(old, Mapping) else {}
    for type_name in sorted(old.keys() & new.keys()):
        before, after = old[type_name], new[type_name]
        if not isinstance(before, Mapping):
            yield f"{type_name}: {_short(before)} -> {_short(after)}"
            continue
        for field in sorted(before.keys() & after.keys()):
            if before[field] != after[field]:
                yield from _field_changes(type_name, field, before[field], after[field])


def _field_changes(type_name: str, field: str, before: Any, after: Any) -> Iterator[str]:
    place = f"{type_name}.{field}"
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        yield f"{place}: {_short(before)} -> {_short(after)}"
        return
    changed = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    if field != _TYPE_RESOLVER:
        yield from (f"{place} {key}: {_short(before.get(key))} -> {_short(after.get(key))}" for key in changed)
        return
    kept = before.keys() & after.keys()
    # What is left over changes with every type that comes or goes, which is reported as such.
    left_over = "Unknown" if before.keys() != after.keys() else ()
    for key in changed:
        if key in kept and not key.startswith(left_over):
            yield f"{type_name}: {key} is recognised otherwise: {_short(before[key])} -> {_short(after[key])}"


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, str | Exception) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
