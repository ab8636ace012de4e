"""Reads and checks the entries of unions, interfaces and enums."""

from collections.abc import Iterator, Mapping
from typing import Any

from content_core.errors import RequestError
from content_core.extended_json import dumps, from_json
from graphql_app.schema.bson_types import type_name
from graphql_app.schema.checks import Check, Findings
from graphql_app.schema.predicate_parser import PredicateSyntaxError, parse_predicate
from graphql_app.schema.predicates import Predicate
from graphql_app.schema.sdl import Sdl

__all__ = ["read_enums", "read_type_resolvers"]

_INCOMPLETE = {"union": "all union members", "interface": "all objects implementing it"}


def read_enums(mappings: Mapping[str, Any], *, sdl: Sdl, findings: Findings) -> dict[str, dict[str, Any]]:
    """Give the stored value of every value of every enum; one that is not mapped is stored as its own name."""
    stored: dict[str, dict[str, Any]] = {}
    for name, values in sdl.enums.items():
        entry = mappings.get(name, {})
        if not isinstance(entry, Mapping):
            reason = f"Error with mappings of enum: '{name}'. Enum mappings must be of type 'DOCUMENT' but was "
            findings.refuse(Check.ENUM_ENTRY, reason + type_name(entry))
            continue
        try:
            stored[name] = {value: from_json(entry[value]) if value in entry else value for value in values}
        except RequestError as error:
            reason = f"Error with mappings of enum: '{name}'. A stored value cannot be read: {error.message}"
            findings.refuse(Check.EXTENDED_JSON, reason)
    return stored


def read_type_resolvers(
    mappings: Mapping[str, Any], *, sdl: Sdl, findings: Findings
) -> dict[str, tuple[tuple[str, Predicate], ...]]:
    """Give the predicates of every union and interface, in the order written."""
    resolvers: dict[str, tuple[tuple[str, Predicate], ...]] = {}
    for kind, name, members in _abstract_types(sdl):
        entry = mappings.get(name)
        if not isinstance(entry, Mapping):
            findings.refuse(Check.ABSTRACT_ENTRY, f"Missing mappings for {kind} {name}")
        elif "$typeResolver" not in entry:
            findings.refuse(Check.RESOLVER_MISSING, f"Missing $typeResolver for {kind} {name}")
        elif not isinstance(entry["$typeResolver"], Mapping):
            reason = f"Wrong mappings for {kind} {name}: the $typeResolver is not an Object"
            findings.refuse(Check.RESOLVER_TYPE, reason)
        else:
            written = entry["$typeResolver"]
            _check_members(kind, name, members, written, findings)
            resolvers[name] = tuple(_read_predicates(written, findings))
    return resolvers


def _abstract_types(sdl: Sdl) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    yield from (("union", name, members) for name, members in sdl.unions.items())
    yield from (("interface", name, members) for name, members in sdl.interfaces.items())


def _check_members(
    kind: str, name: str, members: tuple[str, ...], written: Mapping[str, Any], findings: Findings
) -> None:
    if not set(members) <= set(written):
        findings.refuse(Check.MEMBER_UNMAPPED, f"$typeResolver for {kind} {name} does not map {_INCOMPLETE[kind]}")
    for stranger in written:
        if stranger not in members:
            reason = f"$typeResolver for {kind} {name} names {stranger}, which is none of its types"
            findings.refuse(Check.NOT_A_MEMBER, reason)


def _read_predicates(written: Mapping[str, Any], findings: Findings) -> Iterator[tuple[str, Predicate]]:
    for member, text in written.items():
        if text is None:
            findings.refuse(Check.PREDICATE, "null $typeResolver predicate")
        elif not isinstance(text, str):
            reason = f"$typeResolver predicate is not a String: {dumps(text).decode()[:200]}"
            findings.refuse(Check.PREDICATE, reason)
        else:
            try:
                yield member, parse_predicate(text)
            except PredicateSyntaxError as error:
                reason = f"error parsing $typeResolver predicate: {text[:200]} ({error})"
                findings.refuse(Check.PREDICATE, reason)
