"""Decides whether "did you mean" is worth its time: names are compared letter by letter, for every error anew."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)

__all__ = ["worth_suggesting"]

_MOST_ERRORS: Final = 5
"""More errors than these are no typing mistakes."""

_MOST_LETTERS: Final = 600_000
"""Pairs of letters to compare, of about a quarter of a microsecond each."""

_LONGEST: Final = 20_000
"""Characters of a text that is validated twice, the second time with suggestions."""

_QUOTED: Final = re.compile(r"'(\w+)(?:\.(\w+))?'")


def worth_suggesting(schema: GraphQLSchema, text: str, errors: Sequence[GraphQLError]) -> bool:
    """Tell whether to look for the names that were meant.

    Args:
        schema: where the names are.
        text: what was validated.
        errors: of a validation without suggestions.
    """
    if len(errors) > _MOST_ERRORS or len(text) > _LONGEST:
        return False
    return 0 < sum(_count_letters(schema, error.message) for error in errors) <= _MOST_LETTERS


def _count_letters(schema: GraphQLSchema, message: str) -> int:
    """Estimate by what a message names: an unknown type, or the types whose members were looked through."""
    if message.startswith("Unknown type"):
        return _pairs(schema.type_map)
    return sum(_pairs(_members(schema, name, field)) for name, field in set(_QUOTED.findall(message)))


def _members(schema: GraphQLSchema, name: str, field: str) -> Iterable[str]:
    found = schema.type_map.get(name)
    if field and isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
        return list(found.fields[field].args) if field in found.fields else []
    if isinstance(found, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return list(found.fields)
    return list(found.values) if isinstance(found, GraphQLEnumType) else []


def _pairs(names: Iterable[str]) -> int:
    return sum(len(name) ** 2 for name in names)
