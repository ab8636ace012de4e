"""Arguments of the platform's own scalars: from variables and from literals to BSON values."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, TypeAlias

from bson import Decimal128, Int64, ObjectId, Regex, Timestamp
from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
)

from content_core.errors import RequestError
from content_core.extended_json import from_epoch_milliseconds, from_json
from graphql_app.schema.bson_types import type_name

__all__ = ["INPUT", "LITERALS", "InputParser", "LiteralParser"]

InputParser: TypeAlias = Callable[[Any], Any]
LiteralParser: TypeAlias = Callable[[ValueNode, dict[str, Any] | None], Any]

_INT64: Final = range(-(2**63), 2**63)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")


def _long(value: Any) -> Int64:
    return Int64(_integer("Long", value))


def _integer(scalar: str, value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return value
    raise _unfit(scalar, "a 64-bit integer, as a number or as a string of digits", value)


def _decimal(value: Any) -> Decimal128:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise _unfit("Decimal128", "a number or a string", value)
    try:
        number = Decimal128(str(value))
    except (ValueError, ArithmeticError) as error:
        raise _unfit("Decimal128", "a decimal number of at most 34 digits", value) from error
    if not number.to_decimal().is_finite():
        raise _unfit("Decimal128", "a finite number", value)
    return number


def _object_id(value: Any) -> ObjectId:
    text = value["$oid"] if isinstance(value, Mapping) and set(value) == {"$oid"} else value
    if isinstance(text, ObjectId):
        return text
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-fA-F]{24}", text):
        raise _unfit("ObjectId", "24 hexadecimal digits", value)
    return ObjectId(text)


def _date_time(value: Any) -> Any:
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        return _iso_date(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return from_epoch_milliseconds(_integer("DateTime", value))


def _iso_date(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _unfit("DateTime", "an ISO 8601 date with an offset, or milliseconds since 1970", text)


def _timestamp(value: Any) -> Timestamp:
    if isinstance(value, Mapping):
        parts = value.get("$timestamp", value)
        if isinstance(parts, Mapping) and set(parts) == {"t", "i"} and all(map(_is_uint32, parts.values())):
            return Timestamp(parts["t"], parts["i"])
    elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return Timestamp(value >> 32, value & 0xFFFFFFFF)
    raise _unfit("Timestamp", '{"t": …, "i": …} or a 64-bit integer', value)


def _is_uint32(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**32


def _regex(value: Any) -> "Regex[str]":
    if not isinstance(value, str) or "\0" in value:
        raise _unfit("Regex", "a string", value)
    return Regex(value)


def _document(value: Any) -> Any:
    document = _json(value)
    if not isinstance(document, dict):
        raise _unfit("BsonDocument", "a JSON object", value)
    return document


def _json(value: Any) -> Any:
    try:
        return from_json(value)
    except RequestError as error:
        raise GraphQLError(error.message) from error


def _unfit(scalar: str, expected: str, value: Any) -> GraphQLError:
    shown = f" '{value[:60]}'" if isinstance(value, str) else ""
    return GraphQLError(f"{scalar} takes {expected}, but got {type_name(value)}{shown}.")


INPUT: Final[Mapping[str, InputParser]] = {
    "Long": _long,
    "Decimal128": _decimal,
    "ObjectId": _object_id,
    "DateTime": _date_time,
    "Timestamp": _timestamp,
    "Regex": _regex,
    "BsonDocument": _document,
    "JSON": _json,
}
"""How a value of a variable, or a literal read as one, becomes a BSON value; each raises GraphQLError."""


def _literal_parser(parse: InputParser) -> LiteralParser:
    """Make the function that reads literals, with variables anywhere inside them."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        if variables is None and _has_variables(node):
            return node  # static validation: what the variables hold is checked when they are known
        if parse is _decimal and isinstance(node, FloatValueNode):
            return parse(node.value)  # the digits as written, which a double may not hold
        return parse(_read_literal(node, variables or {}))

    return parse_literal


def _has_variables(node: ValueNode) -> bool:
    match node:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_has_variables, node.values))
        case ObjectValueNode():
            return any(_has_variables(entry.value) for entry in node.fields)
        case _:
            return False


def _read_literal(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    match node:
        case VariableNode():
            return variables.get(node.name.value, Undefined)
        case ListValueNode():
            items = (_read_literal(item, variables) for item in node.values)
            return [None if item is Undefined else item for item in items]
        case ObjectValueNode():
            members = ((entry.name.value, _read_literal(entry.value, variables)) for entry in node.fields)
            return {name: item for name, item in members if item is not Undefined}
        case _:
            return _read_scalar(node)


def _read_scalar(node: ValueNode) -> Any:
    match node:
        case IntValueNode():
            return _read_int(node.value)
        case FloatValueNode():
            return _read_float(node.value)
        case StringValueNode() | EnumValueNode() | BooleanValueNode():
            return node.value
        case _:
            return None


def _read_int(text: str) -> int:
    if len(text) > len("-18446744073709551615"):
        raise GraphQLError(f"the integer {text[:40]} does not fit into 64 bits")
    return int(text)


def _read_float(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise GraphQLError(f"the number {text[:40]} does not fit into a double")
    return number


LITERALS: Final[Mapping[str, LiteralParser]] = {name: _literal_parser(parse) for name, parse in INPUT.items()}
"""The same for literals; the second argument holds the variables' values, None while they are not known."""
