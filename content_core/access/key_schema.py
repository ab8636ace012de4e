"""The JSON schema of API keys: its text, and the check of a key against the schema that a database holds.

The reasons never quote a value, because the value may be a key.
"""

from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from content_core.access.credentials import MAX_KEY
from content_core.documents import Document, Json
from content_core.errors import RequestError, ServiceError

__all__ = ["SCHEMA_ID", "check_schema", "schema_document"]

SCHEMA_ID: Final = "apikeys"

_REASONS: Final[Mapping[str, str]] = {
    "type": "is not of type {limit}",
    "enum": "is not one of {limit}",
    "minLength": "is shorter than {limit}",
    "maxLength": "is longer than {limit}",
    "minItems": "holds fewer items than {limit}",
    "uniqueItems": "holds an item twice",
}

_METHODS: Final = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
_ESCAPED: Final = "_$"

_PERMISSION: Final[Json] = {
    "type": "object",
    "required": ["url"],
    "additionalProperties": False,
    "properties": {
        "url": {
            "description": "a path prefix, a pattern, or <tenant>___<app>, as permissionMode says",
            "type": "string",
            "minLength": 1,
            "maxLength": 2048,
        },
        "permissionMode": {"description": "PREFIX unless given", "enum": ["PREFIX", "REGEX", "GRAPHQL"]},
        "methods": {
            "description": "needed, except with permissionMode GRAPHQL",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"enum": _METHODS},
        },
    },
    "anyOf": [
        {"required": ["methods"]},
        {"required": ["permissionMode"], "properties": {"permissionMode": {"enum": ["GRAPHQL"]}}},
    ],
}

_SCHEMA: Final[Json] = {
    "title": "CaaS API key",
    "type": "object",
    "required": ["_id", "key", "permissions"],
    "additionalProperties": False,
    "properties": {
        "_id": {"description": "the same as key", "type": "string", "minLength": 1, "maxLength": MAX_KEY},
        "key": {
            "description": "the secret itself; best a random UUID in lower case",
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_KEY,
        },
        "name": {"description": "for people", "type": "string", "maxLength": 256},
        "description": {"description": "for people", "type": "string", "maxLength": 4096},
        "_etag": {
            "description": "set by the server",
            "type": "object",
            "properties": {"_$oid": {"type": "string", "pattern": "^[0-9a-f]{24}$"}},
        },
        "permissions": {
            "description": "what the key opens; an empty list opens nothing",
            "type": "array",
            "items": _PERMISSION,
        },
    },
}


def schema_document(database: str) -> Document:
    """Build the document under which a database stores the schema, names that begin with ``$`` escaped."""
    return {
        "_id": SCHEMA_ID,
        "_$schema": "http://json-schema.org/draft-04/schema#",
        "id": f"http://schema-store/{database}/{SCHEMA_ID}#",
        **_SCHEMA,
    }


def check_schema(stored: Document, key: Json) -> None:
    """Check an API key, as JSON, against the stored schema document.

    Raises:
        RequestError: the key does not fit.
        ServiceError: the stored schema is no schema.
    """
    schema = _unescape({name: value for name, value in stored.items() if name not in {"_id", "_etag"}})
    try:
        Draft4Validator.check_schema(schema)
        errors = sorted(
            # An empty registry: nothing is ever fetched.
            Draft4Validator(schema, registry=Registry()).iter_errors(key),
            key=lambda error: [str(step) for step in error.absolute_path],
        )
    except (SchemaError, Unresolvable) as error:
        raise ServiceError(f"the stored schema '{SCHEMA_ID}' is not usable") from error
    if errors:
        reasons = "; ".join(_describe(error) for error in errors)
        raise RequestError(f"Request content violates schema '{SCHEMA_ID}': {reasons}")


def _unescape(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name.removeprefix("_") if name.startswith(_ESCAPED) else name: _unescape(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_unescape(item) for item in value]
    return value


def _describe(error: ValidationError) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path).lstrip(".")
    return f"{place or 'the key'} {_reason(error)}"


def _reason(error: ValidationError) -> str:
    rule, limit = str(error.validator), error.validator_value
    if rule == "required":
        # The library's message quotes the name that is missing, and nothing of the value.
        return f"lacks a required property: {error.message.split(' is a required', 1)[0]}"
    if rule == "additionalProperties" and isinstance(error.schema, Mapping):
        return f"has properties other than {', '.join(error.schema.get('properties', {}))}"
    if rule == "anyOf" and limit == _PERMISSION["anyOf"]:
        return "lacks 'methods'"
    return _REASONS.get(rule, "does not meet the rule '{rule}'").format(rule=rule, limit=limit)
