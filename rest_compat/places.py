"""Where a write goes: that it is there, and what the metadata of database and collection say about writing to it."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from content_core.access.reserved import PROPERTIES
from content_core.documents import Document
from content_core.errors import NotFoundError
from content_core.store import FindQuery, Store
from rest_compat.resources import Kind, Resource

__all__ = ["Place", "find_place", "properties_id", "read_place"]

_MISSING: Final = {
    Kind.FILES_BUCKET: "File Bucket '{}' does not exist",
    Kind.FILE: "File Bucket '{}' does not exist",
    Kind.SCHEMA_STORE: "Schema Store does not exist",
    Kind.SCHEMA: "Schema Store does not exist",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A database, and a collection in it where the resource has one.

    Args:
        database: the name of the database.
        collection: the name of the collection, or empty.
        names: the names of all collections; none if there is no database.
        of_database: the metadata document of the database, as it is stored; empty without one.
        of_collection: that of the collection.
    """

    database: str
    collection: str
    names: frozenset[str] = field(repr=False)
    of_database: Document = field(repr=False)
    of_collection: Document = field(repr=False)

    @property
    def exists(self) -> bool:
        """Whether the collection, or the database of a resource without one, is there."""
        return self.collection in self.names if self.collection else bool(self.names)


def properties_id(collection: str) -> str:
    """Give the id of a metadata document; that of the database for the empty name."""
    return f"{PROPERTIES}.{collection}" if collection else PROPERTIES


async def find_place(store: Store, resource: Resource) -> Place:
    """Look where a resource is, or would be."""
    database, collection = resource.database, resource.collection
    wanted = FindQuery(filter={"_id": {"$in": [PROPERTIES, properties_id(collection)]}})
    names, found = await asyncio.gather(store.collection_names(database), store.find(database, PROPERTIES, wanted))
    metadata = {document["_id"]: document for document in found}
    return Place(
        database=database,
        collection=collection,
        names=frozenset(names),
        of_database=metadata.get(PROPERTIES, {}),
        of_collection=metadata.get(properties_id(collection), {}) if collection else {},
    )


async def read_place(store: Store, resource: Resource) -> Place:
    """Look where a resource is.

    Raises:
        NotFoundError: there is no such database or collection.
    """
    place = await find_place(store, resource)
    if not place.names:
        raise NotFoundError(f"Db '{place.database}' does not exist")
    if not place.exists:
        message = _MISSING.get(resource.kind, "Collection '{}' does not exist")
        raise NotFoundError(message.format(place.collection))
    return place
