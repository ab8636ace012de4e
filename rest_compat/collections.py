"""Collections, buckets and schema stores: made, described, dropped."""

from bson import ObjectId

from content_core.access.reserved import SCHEMAS
from content_core.errors import IllegalNameError, NotFoundError
from content_core.store import Store, chunks_of
from rest_compat.bson_body import read_bson_object
from rest_compat.call import Call
from rest_compat.metadata import unescape_names
from rest_compat.pipeline_definitions import check_definitions
from rest_compat.places import find_place, read_place
from rest_compat.properties import PropertiesWriter
from rest_compat.reply import Reply
from rest_compat.resources import Kind

__all__ = ["Collections"]


class Collections:
    """Handlers that write collections as a whole.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._properties = PropertiesWriter(store)

    async def put(self, call: Call) -> Reply:
        """Make a collection, or replace its metadata; an empty body wipes it."""
        _check_name(call.resource.collection)
        place = await find_place(self._store, call.resource)
        if not place.names:
            raise NotFoundError(f"Db '{place.database}' does not exist")
        body = await read_bson_object(call)
        check_definitions(unescape_names(body), database=place.database)
        made = not place.exists and await self._store.create_collection(place.database, place.collection)
        version = ObjectId()
        outcome = await self._properties.replace(call.request, place, body, version=version)
        if isinstance(outcome, Reply):
            return outcome
        # Of those who make it at the same time, one stores the first metadata. Where old metadata was left behind by
        # a drop elsewhere, who made the collection counts.
        new = not place.exists and (outcome.created or (made and bool(place.of_collection)))
        return Reply(status=201 if new else 200, headers={"ETag": str(version)})

    async def patch(self, call: Call) -> Reply:
        """Change the metadata of a collection."""
        _check_name(call.resource.collection)
        place = await read_place(self._store, call.resource)
        body = await read_bson_object(call)
        version = ObjectId()
        outcome = await self._properties.merge(call.request, place, body, version=version)
        return outcome if isinstance(outcome, Reply) else Reply(status=200, headers={"ETag": str(version)})

    async def delete(self, call: Call) -> Reply:
        """Drop a collection with its documents, indexes and metadata; a bucket with its bytes."""
        place = await find_place(self._store, call.resource)
        if not place.names:
            raise NotFoundError(f"Db '{place.database}' does not exist")
        if not place.exists:
            return Reply(status=404)
        outcome = await self._properties.remove(call.request, place)
        if isinstance(outcome, Reply):
            return outcome
        if call.resource.kind is Kind.FILES_BUCKET:  # the bytes first: without the bucket nobody would find them again
            await self._store.drop_collection(place.database, chunks_of(place.collection))
        await self._store.drop_collection(place.database, place.collection)
        return Reply(status=204)


def _check_name(name: str) -> None:
    if name.startswith("_") and name != SCHEMAS:
        raise IllegalNameError("illegal collection name: it begins with '_'")
