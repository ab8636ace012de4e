"""Enums whose values are stored as something else."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from graphql import GraphQLEnumType

from content_core.extended_json import dumps
from graphql_app.schema.canonical import canonical
from graphql_app.schema.errors import SerializationError

__all__ = ["bind_enum"]


def bind_enum(enum: GraphQLEnumType, stored: Mapping[str, Any]) -> None:
    """Let an enum read and write stored values; has to happen before any default value is converted.

    Args:
        enum: the type as built from the schema text, its values still being their own names.
        stored: the stored value of every value.
    """
    for name, value in enum.values.items():
        value.value = stored.get(name, name)
    enum.coerce_output_value = _serializer(enum.name, stored)  # type: ignore[method-assign,assignment]


def _serializer(enum_name: str, stored: Mapping[str, Any]) -> Callable[[Any], str]:
    names: dict[Hashable, str] = {}
    for name, value in stored.items():
        names.setdefault(canonical(value), name)

    def serialize(value: Any) -> str:
        name = names.get(canonical(value))
        if name is None:
            raise SerializationError(f"Invalid input for enum '{enum_name}'. Unknown value '{_show(value)}'")
        return name

    return serialize


def _show(value: Any) -> str:
    return value if type(value) is str else dumps(value)[:100].decode(errors="replace")
