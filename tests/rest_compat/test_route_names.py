"""Resources have the type names of the specification, and templates without names in logs."""

import pytest

from content_core import observe
from rest_compat.resources import Kind, read_resource
from rest_compat.route_names import TEMPLATES, note_resource, type_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", "ROOT"),
        ("_size", "ROOT_SIZE"),
        ("d", "DB"),
        ("d/_size", "DB_SIZE"),
        ("d/_meta", "DB_META"),
        ("d/c", "COLLECTION"),
        ("d/c/_size", "COLLECTION_SIZE"),
        ("d/c/_meta", "COLLECTION_META"),
        ("d/c/_indexes", "COLLECTION_INDEXES"),
        ("d/c/_indexes/i", "INDEX"),
        ("d/c/_aggrs/a", "AGGREGATION"),
        ("d/c/_streams/s", "CHANGE_STREAM"),
        ("d/c/*", "BULK_DOCUMENTS"),
        ("d/c/id", "DOCUMENT"),
        ("d/b.files", "FILES_BUCKET"),
        ("d/b.files/*", "BULK_FILES"),
        ("d/b.files/id", "FILE"),
        ("d/b.files/id/binary", "FILE_BINARY"),
        ("d/_schemas", "SCHEMA_STORE"),
        ("d/_schemas/_size", "SCHEMA_STORE_SIZE"),
        ("d/_schemas/_meta", "SCHEMA_STORE_META"),
        ("d/_schemas/s", "SCHEMA"),
        ("d/c/_aggrs", "INVALID"),
        ("d/c/_streams", "INVALID"),
        ("d/c/id/more", "INVALID"),
        ("_metrics", "METRICS"),
        ("d/_metrics", "METRICS"),
        ("_logic/securetoken", "LOGIC"),
        ("d/gql-apps", "COLLECTION"),
        ("d/gql-apps/d___a", "DOCUMENT"),
        ("d/gql-apps/*", "BULK_DOCUMENTS"),
        ("d/apikeys", "COLLECTION"),
        ("d/apikeys/k", "DOCUMENT"),
    ],
)
def test_types(path: str, name: str) -> None:
    assert name == type_name(read_resource(tuple(segment for segment in path.split("/") if segment)))


def test_every_kind_has_a_template() -> None:
    assert set(Kind) == set(TEMPLATES)


def test_what_is_noted_names_no_document() -> None:
    record = observe.Record("r")
    token = observe.begin(record)
    note_resource(read_resource(("acme", "notes", "private")))
    observe.end(token)

    assert {
        "route": "DOCUMENT",
        "template": "/{database}/{collection}/{id}",
        "database": "acme",
        "collection": "notes",
    } == record.facts
