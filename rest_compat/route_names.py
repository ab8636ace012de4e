"""How a resource is called in logs and figures: by its type (rest-api 1.2) and by its path without names."""

from collections.abc import Mapping
from typing import Final

from content_core import observe
from rest_compat.resources import Kind, Resource

__all__ = ["TEMPLATES", "note_resource", "type_name"]

_COLLECTION: Final = "/{database}/{collection}"
_BUCKET: Final = "/{database}/{bucket}.files"

TEMPLATES: Final[Mapping[Kind, str]] = {
    Kind.ROOT: "/",
    Kind.ROOT_SIZE: "/_size",
    Kind.METRICS: "/_metrics",
    Kind.LOGIC: "/_logic/{name}",
    Kind.DB: "/{database}",
    Kind.DB_SIZE: "/{database}/_size",
    Kind.DB_META: "/{database}/_meta",
    Kind.COLLECTION: _COLLECTION,
    Kind.FILES_BUCKET: _BUCKET,
    Kind.SCHEMA_STORE: "/{database}/_schemas",
    Kind.COLLECTION_SIZE: f"{_COLLECTION}/_size",
    Kind.COLLECTION_META: f"{_COLLECTION}/_meta",
    Kind.COLLECTION_INDEXES: f"{_COLLECTION}/_indexes",
    Kind.INDEX: f"{_COLLECTION}/_indexes/{{name}}",
    Kind.AGGREGATION: f"{_COLLECTION}/_aggrs/{{name}}",
    Kind.CHANGE_STREAM: f"{_COLLECTION}/_streams/{{name}}",
    Kind.BULK_DOCUMENTS: f"{_COLLECTION}/*",
    Kind.BULK_FILES: f"{_BUCKET}/*",
    Kind.DOCUMENT: f"{_COLLECTION}/{{id}}",
    Kind.FILE: f"{_BUCKET}/{{id}}",
    Kind.FILE_BINARY: f"{_BUCKET}/{{id}}/binary",
    Kind.SCHEMA: "/{database}/_schemas/{id}",
    Kind.KEYS: "/{database}/apikeys",
    Kind.KEY: "/{database}/apikeys/{key}",
    Kind.DEFINITIONS: "/{database}/gql-apps",
    Kind.DEFINITION: "/{database}/gql-apps/{app}",
    Kind.BULK_DEFINITIONS: "/{database}/gql-apps/*",
    Kind.INVALID: "invalid",
    Kind.UNKNOWN: "unknown",
}
"""The path of each kind with placeholders for names."""

_TYPES: Final[Mapping[Kind, str]] = {
    # API keys and definitions are collections that the server keeps an eye on; their types have no names of their own.
    Kind.KEYS: "COLLECTION",
    Kind.KEY: "DOCUMENT",
    Kind.DEFINITIONS: "COLLECTION",
    Kind.DEFINITION: "DOCUMENT",
    Kind.BULK_DEFINITIONS: "BULK_DOCUMENTS",
    Kind.UNKNOWN: "INVALID",
}
_OF_SCHEMA_STORE: Final[Mapping[Kind, str]] = {
    Kind.COLLECTION_SIZE: "SCHEMA_STORE_SIZE",
    Kind.COLLECTION_META: "SCHEMA_STORE_META",
}


def type_name(resource: Resource) -> str:
    """Give the type under which requests to a resource are counted."""
    if resource.collection == "_schemas" and (name := _OF_SCHEMA_STORE.get(resource.kind)):
        return name
    return _TYPES.get(resource.kind, resource.kind.name)


def note_resource(resource: Resource) -> None:
    """Tell what the current request is about."""
    observe.note(
        route=type_name(resource),
        template=TEMPLATES[resource.kind],
        database=resource.database,
        collection=resource.collection,
    )
