"""Databases: making one, with the collections that the server keeps in each."""

from bson import ObjectId

from content_core.access import KeyStore
from content_core.access.reserved import PROPERTIES
from content_core.store import Store
from rest_compat.body import parse_object
from rest_compat.call import Call, check_version
from rest_compat.definitions import ensure_definitions
from rest_compat.metadata import escape_names
from rest_compat.reply import Reply

__all__ = ["Databases"]


class Databases:
    """Handlers for ``/<database>``.

    Args:
        store: where databases are.
        keys: makes the collection of a database's API keys.
    """

    def __init__(self, store: Store, keys: KeyStore) -> None:
        self._store = store
        self._keys = keys

    async def put(self, call: Call) -> Reply:
        """Make a database, or replace its properties; the server's own collections are made where they are missing."""
        database = call.resource.database
        existed = bool(await self._store.collection_names(database))
        body = parse_object(await call.body())
        current = await self._store.get(database, PROPERTIES, PROPERTIES)
        if refusal := check_version(call.request, current):
            return refusal
        properties = {name: value for name, value in body.items() if name not in {"_id", "_etag"}}
        version = ObjectId()
        document = {"_id": PROPERTIES, **escape_names(properties), "_etag": version}
        created = await self._store.replace(database, PROPERTIES, document)
        await self._keys.ensure_key_collections(database)
        await ensure_definitions(self._store, database)
        return Reply(status=201 if created and not existed else 200, headers={"ETag": str(version)})
