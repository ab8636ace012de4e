"""Definitions of GraphQL applications: read, written, deleted; checked before they are stored, answering at once after.

A definition is stored as the JSON that was sent, names with ``$`` and dots included, and comes back the same.
"""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

from bson import DBRef, ObjectId

from content_core.access.provision import ensure_collection
from content_core.documents import Document, Json
from content_core.errors import ConflictError, DuplicateKeyError, IllegalNameError, NotFoundError, RequestError
from content_core.extended_json import dumps
from content_core.hooks import DefinitionHook
from content_core.names import GQL_APPS, AppKey
from content_core.store import FindQuery, Store
from rest_compat.body import parse_object
from rest_compat.call import (
    Call,
    absolute_link,
    check_version,
    link,
    require_collection,
    require_database,
    version_headers,
    wanted_version,
)
from rest_compat.hal import shape_list
from rest_compat.metadata import read_properties
from rest_compat.reply import HAL, Reply
from rest_compat.request import parse_page
from rest_compat.settings import RestSettings

__all__ = ["Definitions", "ensure_definitions"]

_ADDRESSES: Final = "_app_keys"
"""A member of the stored document: the addresses it occupies. A unique index keeps definitions apart, whichever
servers they are written on."""

_OF_SERVER: Final = frozenset({"_id", "_etag", _ADDRESSES})
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


async def ensure_definitions(store: Store, database: str) -> None:
    """Make the collection of a database's definitions and its unique index, where they are missing."""
    await ensure_collection(store, database, GQL_APPS, {})
    await store.create_index(database, GQL_APPS, name="app_keys", keys=[(_ADDRESSES, 1)], unique=True, sparse=True)


class Definitions:
    """Handlers for ``/<tenant>/gql-apps`` and what is below.

    Args:
        store: where definitions are.
        hook: checks them and lets them answer.
        settings: page sizes and the public address.
    """

    def __init__(self, store: Store, hook: DefinitionHook, settings: RestSettings) -> None:
        self._store = store
        self._hook = hook
        self._settings = settings
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def list(self, call: Call) -> Reply:
        """List the tenant's definitions."""
        tenant = call.resource.database
        page = parse_page(call.request, self._settings)
        await require_collection(self._store, tenant, GQL_APPS)
        query = FindQuery(filter={}, sort=(("_id", -1),), skip=page.skip, limit=page.size)
        found = await self._store.find(tenant, GQL_APPS, query) if page.size else []
        size = await self._store.count(tenant, GQL_APPS, {}) if "count" in call.request.query else None
        properties = await read_properties(self._store, tenant, GQL_APPS)
        elements = [_shown(document) for document in found]
        body = shape_list(properties, elements, rel="rh:doc", size=size, page_size=page.size)
        return Reply(status=200, body=dumps(body), media_type=HAL, headers=version_headers(properties))

    async def read(self, call: Call) -> Reply:
        """Read one definition."""
        tenant, document_id = call.resource.database, call.resource.document
        await require_collection(self._store, tenant, GQL_APPS)
        document = await self._store.get(tenant, GQL_APPS, document_id)
        if document is None:
            raise NotFoundError(f"document '{document_id}' does not exist")
        if unchanged := check_version(call.request, document):
            return unchanged
        return Reply(status=200, body=dumps(_shown(document)), media_type=HAL, headers=version_headers(document))

    async def put(self, call: Call) -> Reply:
        """Create or replace the definition that the address names."""
        tenant, document_id = call.resource.database, call.resource.document
        _check_id(tenant, document_id)
        await require_database(self._store, tenant)
        body = parse_object(await call.body())
        if body.get("_id", document_id) != document_id:
            raise RequestError("the '_id' in the body differs from the id in the address")
        return await self._write(call, document_id, body)

    async def post(self, call: Call) -> Reply:
        """Create or replace the definition that the body names."""
        tenant = call.resource.database
        await require_database(self._store, tenant)
        body = parse_object(await call.body())
        document_id = body.get("_id")
        if not isinstance(document_id, str):
            raise RequestError("the body must name the GraphQL application in '_id', as a string")
        _check_id(tenant, document_id)
        reply = await self._write(call, document_id, body)
        if reply.status != 201:
            return reply
        location = absolute_link(call, self._settings, link(tenant, GQL_APPS, document_id))
        return Reply(status=201, body=reply.body, headers={**reply.headers, "Location": location})

    async def delete(self, call: Call) -> Reply:
        """Delete a definition; its application stops answering."""
        tenant, document_id = call.resource.database, call.resource.document
        await require_database(self._store, tenant)
        async with self._lock(tenant):
            document = await self._store.get(tenant, GQL_APPS, document_id)
            if refusal := check_version(call.request, document):
                return refusal
            if document is None or not await self._store.delete(tenant, GQL_APPS, document_id):
                return Reply(status=404)
            with contextlib.suppress(IllegalNameError):  # one that never had an address never answered
                await self._hook.retire(_address(document))
        return Reply(status=204)

    async def _write(self, call: Call, document_id: str, body: Document) -> Reply:
        tenant = call.resource.database
        definition = {"_id": document_id, **{name: value for name, value in body.items() if name not in _OF_SERVER}}
        # One at a time: the check for another application at the same address and the write are one step.
        async with self._lock(tenant):
            await ensure_definitions(self._store, tenant)
            current = await self._store.get(tenant, GQL_APPS, document_id)
            if refusal := check_version(call.request, current):
                return refusal
            prepared = await self._hook.prepare(tenant, definition)
            version = ObjectId()
            stored = {**definition, _ADDRESSES: _occupied(definition), "_etag": version}
            created = await self._store_document(tenant, stored, wanted_version(call.request, current))
            await self._hook.activate(prepared, str(version))
        return _written(created, version, prepared)

    async def _store_document(self, tenant: str, stored: Document, wanted: ObjectId | None) -> bool:
        try:
            return await self._store.replace(tenant, GQL_APPS, stored, etag=wanted)
        except DuplicateKeyError as error:
            if _ADDRESSES not in error.details.get("keys", ()):
                raise
            reason = f"URI collision: another GraphQL app is already accessible at /{stored[_ADDRESSES][0]}"
            raise ConflictError(reason) from error

    def _lock(self, tenant: str) -> asyncio.Lock:
        return self._locks.setdefault(tenant, asyncio.Lock())


def _check_id(tenant: str, document_id: str) -> None:
    prefix = f"{tenant}___"
    if not document_id.startswith(prefix) or not _NAME.fullmatch(document_id.removeprefix(prefix)):
        raise IllegalNameError(
            f"the id of a GraphQL application begins with '{prefix}' and goes on with letters, digits, '.', '_' or '-'"
        )


def _occupied(definition: Document) -> list[str]:
    """List what no other definition may take: the application's address, and the one that its id spells."""
    return list(dict.fromkeys([_address(definition).uri, AppKey.parse(str(definition["_id"])).uri]))


def _address(definition: Document) -> AppKey:
    """Give an application's address: its uri if it has one, else its id."""
    descriptor = definition.get("descriptor")
    uri = descriptor.get("uri") if isinstance(descriptor, Mapping) else None
    return AppKey.parse(uri if isinstance(uri, str) else str(definition["_id"]))


def _shown(document: Document) -> Document:
    shown: Document = {name: _plain(value) for name, value in document.items() if name != _ADDRESSES}
    return shown


def _plain(value: Any) -> Any:
    """Undo the driver's reading of ``{"$ref": …, "$id": …}`` as a reference: here it is text like any other."""
    match value:
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case DBRef():
            return {name: _plain(item) for name, item in value.as_doc().items()}
    return value


def _written(created: bool, version: ObjectId, prepared: Any) -> Reply:
    # What the hook prepared is its own affair, but where it warns of something, the writer should hear of it.
    warnings: list[Json] = [str(warning) for warning in getattr(prepared, "warnings", ())]
    body = dumps({"_warnings": warnings}) if warnings else None
    return Reply(status=201 if created else 200, body=body, headers={"ETag": str(version)})
