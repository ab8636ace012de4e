"""The scalars that every application schema has without declaring them."""

from collections.abc import Mapping
from typing import Final

from graphql import GraphQLScalarType

from graphql_app.schema.scalar_input import INPUT, LITERALS
from graphql_app.schema.scalar_output import OUTPUT

__all__ = ["CUSTOM_SCALARS", "SCALAR_NAMES"]

_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "BsonDocument": "A stored document as Extended JSON; as an argument, a filter or a sort order.",
    "ObjectId": 'A MongoDB object id, `{"$oid": …}`; as an argument, 24 hexadecimal digits.',
    "Decimal128": 'A decimal number of up to 34 digits, `{"$numberDecimal": …}`.',
    "Timestamp": 'A MongoDB timestamp, `{"$timestamp": {"t": …, "i": …}}`.',
    "DateTime": 'A date, `{"$date": milliseconds}`; as an argument, an ISO 8601 date with an offset or milliseconds.',
    "Regex": 'A regular expression, `{"$regularExpression": …}`; as an argument, its pattern.',
    "Long": "A 64-bit integer.",
    "JSON": "Any value, as Extended JSON.",
}


def _build(name: str) -> GraphQLScalarType:
    return GraphQLScalarType(
        name,
        coerce_output_value=OUTPUT[name],
        parse_value=INPUT[name],
        parse_literal=LITERALS[name],
        description=_DESCRIPTIONS[name],
    )


CUSTOM_SCALARS: Final[tuple[GraphQLScalarType, ...]] = tuple(map(_build, _DESCRIPTIONS))
"""The scalars beyond GraphQL's own five."""

SCALAR_NAMES: Final = frozenset(OUTPUT)
"""All scalars that are always there."""
