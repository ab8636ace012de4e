"""The scalars that every application has without declaring them, and the two that generated types use."""

from typing import Any, Final, NewType

import strawberry
from strawberry.schema.config import StrawberryConfig

__all__ = [
    "BUILT_IN_SCALARS",
    "JSON",
    "SCALAR_DECLARATIONS",
    "STANDARD_SCALARS",
    "BsonDocument",
    "printing_config",
    "without_scalars",
]

BUILT_IN_SCALARS: Final = (
    "BsonDocument",
    "DateTime",
    "Decimal128",
    "JSON",
    "Long",
    "ObjectId",
    "Regex",
    "Timestamp",
)
"""The server puts these in front of every SDL; a definition that declares one itself may be refused."""

STANDARD_SCALARS: Final = ("Boolean", "Float", "ID", "Int", "String")

SCALAR_DECLARATIONS: Final = "".join(f"scalar {name}\n" for name in BUILT_IN_SCALARS)
"""What must stand in front of a definition's SDL before graphql-core can read it."""

BsonDocument = NewType("BsonDocument", dict[str, Any])
JSON = NewType("JSON", object)


_DECLARATION_BLOCKS = frozenset(SCALAR_DECLARATIONS.splitlines())


def printing_config() -> StrawberryConfig:
    """Make the configuration under which generated types are printed: names as they are."""
    return StrawberryConfig(
        auto_camel_case=False,
        scalar_map={BsonDocument: strawberry.scalar(name="BsonDocument"), JSON: strawberry.scalar(name="JSON")},
    )


def without_scalars(sdl: str) -> str:
    """Take the declarations of the built-in scalars out of an SDL that Strawberry printed.

    Strawberry parts definitions by blank lines, and no generated description has one.
    """
    return "\n\n".join(block for block in sdl.split("\n\n") if block not in _DECLARATION_BLOCKS)
