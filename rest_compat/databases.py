"""Databases: made with the collections that the server keeps in each, described, dropped."""

from bson import ObjectId

from content_core.access import KeyStore
from content_core.store import Store
from rest_compat.bson_body import read_bson_object
from rest_compat.call import Call
from rest_compat.definitions import ensure_definitions
from rest_compat.places import find_place, read_place
from rest_compat.properties import PropertiesWriter
from rest_compat.reply import Reply

__all__ = ["Databases"]


class Databases:
    """Handlers that write ``/<database>``.

    Args:
        store: where databases are.
        keys: makes the collection of a database's API keys.
    """

    def __init__(self, store: Store, keys: KeyStore) -> None:
        self._store = store
        self._keys = keys
        self._properties = PropertiesWriter(store)

    async def put(self, call: Call) -> Reply:
        """Make a database, or replace its metadata; the server's own collections are made where they are missing."""
        place = await find_place(self._store, call.resource)
        body = await read_bson_object(call)
        version = ObjectId()
        outcome = await self._properties.replace(call.request, place, body, version=version)
        if isinstance(outcome, Reply):
            return outcome
        await self._ensure_collections(place.database)
        new = outcome.created and not place.exists
        return Reply(status=201 if new else 200, headers={"ETag": str(version)})

    async def patch(self, call: Call) -> Reply:
        """Change the metadata of a database."""
        place = await read_place(self._store, call.resource)
        body = await read_bson_object(call)
        version = ObjectId()
        outcome = await self._properties.merge(call.request, place, body, version=version)
        if isinstance(outcome, Reply):
            return outcome
        await self._ensure_collections(place.database)
        return Reply(status=200, headers={"ETag": str(version)})

    async def delete(self, call: Call) -> Reply:
        """Drop a database with all that is in it; its applications and API keys stop with it."""
        place = await find_place(self._store, call.resource)
        if not place.exists:
            return Reply(status=404)
        outcome = await self._properties.remove(call.request, place)
        if isinstance(outcome, Reply):
            return outcome
        await self._store.drop_database(place.database)
        return Reply(status=204)

    async def _ensure_collections(self, database: str) -> None:
        await self._keys.ensure_key_collections(database)
        await ensure_definitions(self._store, database)
