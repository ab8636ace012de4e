"""What a path names: the kinds of resources, the methods that each kind knows, and the names that nobody may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from content_core.access.reserved import SCHEMAS, check_collection, check_database, check_document
from content_core.errors import ReservedNameError
from content_core.names import ADMIN_DATABASE, APIKEYS, GQL_APPS

__all__ = ["METHODS", "Kind", "Resource", "check_names", "read_resource"]


class Kind(Enum):
    """The kinds of resources."""

    ROOT = auto()
    ROOT_SIZE = auto()
    METRICS = auto()
    LOGIC = auto()
    DB = auto()
    DB_SIZE = auto()
    DB_META = auto()
    COLLECTION = auto()
    FILES_BUCKET = auto()
    SCHEMA_STORE = auto()
    COLLECTION_SIZE = auto()
    COLLECTION_META = auto()
    COLLECTION_INDEXES = auto()
    INDEX = auto()
    AGGREGATION = auto()
    CHANGE_STREAM = auto()
    BULK_DOCUMENTS = auto()
    BULK_FILES = auto()
    DOCUMENT = auto()
    FILE = auto()
    FILE_BINARY = auto()
    SCHEMA = auto()
    KEYS = auto()
    KEY = auto()
    DEFINITIONS = auto()
    DEFINITION = auto()
    BULK_DEFINITIONS = auto()
    INVALID = auto()
    """A path that cannot be asked for anything: no method."""
    UNKNOWN = auto()
    """A path that goes on after a complete address: not found, whatever the method."""


_READ: Final = ("GET",)
_COLLECTION: Final = ("GET", "PUT", "POST", "PATCH", "DELETE")
_DOCUMENT: Final = ("GET", "PUT", "PATCH", "DELETE")

METHODS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.ROOT: _READ,
    Kind.ROOT_SIZE: _READ,
    Kind.METRICS: _READ,
    Kind.LOGIC: _READ,
    Kind.DB: _DOCUMENT,
    Kind.DB_SIZE: _READ,
    Kind.DB_META: _READ,
    Kind.COLLECTION: _COLLECTION,
    Kind.FILES_BUCKET: _COLLECTION,
    Kind.SCHEMA_STORE: _COLLECTION,
    Kind.COLLECTION_SIZE: _READ,
    Kind.COLLECTION_META: _READ,
    Kind.COLLECTION_INDEXES: _READ,
    Kind.INDEX: ("PUT", "DELETE"),
    Kind.AGGREGATION: _READ,
    Kind.CHANGE_STREAM: _READ,
    Kind.BULK_DOCUMENTS: ("PATCH", "DELETE"),
    Kind.BULK_FILES: ("DELETE",),
    Kind.DOCUMENT: _DOCUMENT,
    Kind.FILE: _DOCUMENT,
    Kind.FILE_BINARY: _READ,
    Kind.SCHEMA: ("GET", "PUT", "DELETE"),
    Kind.KEYS: ("GET", "POST"),
    Kind.KEY: ("GET", "PUT", "DELETE"),
    Kind.DEFINITIONS: ("GET", "POST"),
    Kind.DEFINITION: _DOCUMENT,
    Kind.BULK_DEFINITIONS: ("PATCH", "DELETE"),
    Kind.INVALID: (),
    Kind.UNKNOWN: _COLLECTION,
}
"""The methods of each kind; HEAD goes with GET, OPTIONS with everything."""

_OF_ROOT: Final = {"_size": Kind.ROOT_SIZE, "_metrics": Kind.METRICS}
_OF_DATABASE: Final = {"_size": Kind.DB_SIZE, "_meta": Kind.DB_META, "_metrics": Kind.METRICS}
_OF_COLLECTION: Final = {
    "_size": Kind.COLLECTION_SIZE,
    "_meta": Kind.COLLECTION_META,
    "_indexes": Kind.COLLECTION_INDEXES,
    "_metrics": Kind.METRICS,
    "_aggrs": Kind.INVALID,
    "_streams": Kind.INVALID,
}
_WITH_NAME: Final = {"_indexes": Kind.INDEX, "_aggrs": Kind.AGGREGATION, "_streams": Kind.CHANGE_STREAM}
_MADE_BY_SERVER: Final = {APIKEYS: Kind.KEYS, GQL_APPS: Kind.DEFINITIONS}
_DOCUMENTS: Final = {
    Kind.COLLECTION: Kind.DOCUMENT,
    Kind.FILES_BUCKET: Kind.FILE,
    Kind.SCHEMA_STORE: Kind.SCHEMA,
    Kind.KEYS: Kind.KEY,
    Kind.DEFINITIONS: Kind.DEFINITION,
}
_BULK: Final = {
    Kind.COLLECTION: Kind.BULK_DOCUMENTS,
    Kind.DEFINITIONS: Kind.BULK_DEFINITIONS,
    Kind.FILES_BUCKET: Kind.BULK_FILES,
}
_NO_DATABASE: Final = frozenset({Kind.ROOT, Kind.ROOT_SIZE, Kind.LOGIC})


@dataclass(frozen=True, slots=True)
class Resource:
    """A path, understood.

    Args:
        kind: what it names.
        database: the database, empty where there is none.
        collection: the collection or bucket, empty where there is none.
        document: the id as it stands in the path, or the name of an index, aggregation or stream; empty without.
    """

    kind: Kind
    database: str = ""
    collection: str = ""
    document: str = ""


def read_resource(segments: tuple[str, ...]) -> Resource:
    """Tell what a path names; whether it may be named is :func:`check_names`."""
    if len(segments) < 2 or segments[0] == "_logic":
        return _read_top(segments)
    database, second = segments[:2]
    above = _collection_kind(second)
    match segments[2:]:
        case []:
            kind = _OF_DATABASE.get(second.lower())
            return Resource(kind, database) if kind else Resource(above, database, second)
        case [third]:
            kind = _below_collection(above, third)
            return Resource(kind, database, second, third if kind in _DOCUMENTS.values() else "")
        case [third, fourth]:
            kind, name = _below_document(above, third, fourth)
            return Resource(kind, database, second, name)
    return Resource(Kind.UNKNOWN, database, second)


def check_names(resource: Resource, method: str) -> None:
    """Check the names in a path, before anything is looked up.

    Raises:
        ReservedNameError: a name belongs to MongoDB or to the server.
        IllegalNameError: a name cannot exist.
    """
    if resource.kind in _NO_DATABASE or not resource.database:
        return
    check_database(resource.database)
    if resource.collection:
        check_collection(resource.database, resource.collection)
    if resource.document:
        check_document(resource.document)
    reading = method in {"GET", "HEAD"}
    own_collection = resource.kind in _MADE_BY_SERVER.values() and method != "POST"
    own_database = resource.kind is Kind.DB and resource.database == ADMIN_DATABASE
    if not reading and (own_collection or own_database):
        raise ReservedNameError("reserved resource")


def _read_top(segments: tuple[str, ...]) -> Resource:
    match segments:
        case []:
            return Resource(Kind.ROOT)
        case [first]:
            kind = _OF_ROOT.get(first.lower(), Kind.DB)
            return Resource(kind, first if kind is Kind.DB else "")
    return Resource(Kind.LOGIC)


def _collection_kind(name: str) -> Kind:
    if name in _MADE_BY_SERVER:
        return _MADE_BY_SERVER[name]
    if name == SCHEMAS:
        return Kind.SCHEMA_STORE
    return Kind.FILES_BUCKET if name.endswith(".files") else Kind.COLLECTION


def _below_collection(above: Kind, name: str) -> Kind:
    if name == "*":
        return _BULK.get(above, Kind.INVALID)
    return _OF_COLLECTION.get(name.lower()) or _DOCUMENTS[above]


def _below_document(above: Kind, third: str, fourth: str) -> tuple[Kind, str]:
    if named := _WITH_NAME.get(third.lower()):
        return named, fourth
    if above is Kind.FILES_BUCKET and fourth.lower() == "binary":
        return Kind.FILE_BINARY, third
    return Kind.UNKNOWN, third
