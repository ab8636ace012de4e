"""API keys over HTTP. Addresses and bodies are secrets here: no error quotes them, no cache keeps them."""

from collections.abc import Mapping
from typing import Final

from content_core.access import AccessControl, KeyStore
from content_core.documents import Document
from content_core.errors import NotFoundError, RequestError
from content_core.extended_json import dumps
from content_core.names import APIKEYS
from content_core.store import Store
from rest_compat.bulk_result import BulkCounts, hal_result
from rest_compat.call import (
    Call,
    absolute_link,
    check_version,
    link,
    require_collection,
    version_headers,
    wanted_version,
)
from rest_compat.listings import find_page
from rest_compat.metadata import read_properties
from rest_compat.query import parse_query
from rest_compat.reply import HAL, Reply
from rest_compat.representation import Listing, document_reply, list_reply
from rest_compat.settings import RestSettings

__all__ = ["ApiKeys"]

_SECRET: Final[Mapping[str, str]] = {"Cache-Control": "no-store"}


class ApiKeys:
    """Handlers for ``/<database>/apikeys`` and what is below; ``caas_admin`` holds the global keys.

    Args:
        store: where the properties of the collection are.
        access: forgets a key as soon as it was written.
        keys: the keys.
        settings: page sizes and the public address.
    """

    def __init__(self, store: Store, access: AccessControl, keys: KeyStore, settings: RestSettings) -> None:
        self._store = store
        self._access = access
        self._keys = keys
        self._settings = settings

    async def list(self, call: Call) -> Reply:
        """List the keys of a database."""
        database = call.resource.database
        query = parse_query(call.request, self._settings)
        await require_collection(self._store, database, APIKEYS)
        properties = await read_properties(self._store, database, APIKEYS)
        found, size = await find_page(self._store, database, APIKEYS, query, self._settings)
        listing = Listing(
            properties=properties,
            groups={"rh:doc": found} if found else {},
            size=size,
            page_size=query.page.size,
        )
        return list_reply(listing, query, {**_SECRET, **version_headers(properties)})

    async def read(self, call: Call) -> Reply:
        """Read one key; its id is a string, whatever it looks like."""
        database = call.resource.database
        query = parse_query(call.request, self._settings)
        await require_collection(self._store, database, APIKEYS)
        wanted: Document = {"_id": {"$eq": call.resource.document}}
        if query.filter is not None:
            wanted = {"$and": [wanted, query.filter]}
        limit = self._settings.query_time_limit_ms
        key = await self._store.find_one(database, APIKEYS, filter=wanted, max_time_ms=limit)
        if key is None:
            raise NotFoundError("the API key does not exist")
        if unchanged := check_version(call.request, key):
            return unchanged
        version = version_headers(key)
        if query.keys is not None:
            shown = await self._store.find_one(
                database, APIKEYS, filter=wanted, projection=query.keys, max_time_ms=limit
            )
            key = shown or {}
        return document_reply(key, query, {**_SECRET, **version})

    async def put(self, call: Call) -> Reply:
        """Create or replace the key that the address names."""
        database, key_id = call.resource.database, call.resource.document
        await require_collection(self._store, database, APIKEYS)
        body = await call.body()
        current = await self._keys.read(database, key_id)
        if refusal := check_version(call.request, current):
            return refusal
        stored = await self._keys.replace(database, key_id, body, etag=wanted_version(call.request, current))
        self._access.forget(key_id)
        return Reply(status=201 if stored.created else 200, headers=version_headers(stored.document))

    async def post(self, call: Call) -> Reply:
        """Create or replace the key that the body holds, or all of several."""
        database = call.resource.database
        await require_collection(self._store, database, APIKEYS)
        body = await call.body()
        if isinstance(body, list) and not body:
            raise RequestError("the array of API keys is empty")
        written = await self._keys.create(database, *(body if isinstance(body, list) else [body]))
        for stored in written:
            self._access.forget(stored.document["_id"])
        new = [link(database, APIKEYS, stored.document["_id"]) for stored in written if stored.created]
        version = version_headers(written[0].document)
        if isinstance(body, list):
            replaced = len(written) - len(new)
            result = hal_result(BulkCounts(inserted=len(new), modified=replaced, matched=replaced), new)
            return Reply(status=200, body=dumps(result), media_type=HAL, headers={**_SECRET, **version})
        if not new:
            return Reply(status=200, headers=version)
        return Reply(status=201, headers={**version, "Location": absolute_link(call, self._settings, new[0])})

    async def delete(self, call: Call) -> Reply:
        """Delete a key; it is dead on this server at once, on the others as soon as they hear of it."""
        database, key_id = call.resource.database, call.resource.document
        await require_collection(self._store, database, APIKEYS)
        if refusal := check_version(call.request, await self._keys.read(database, key_id)):
            return refusal
        deleted = await self._keys.delete(database, key_id)
        self._access.forget(key_id)
        return Reply(status=204 if deleted else 404)
