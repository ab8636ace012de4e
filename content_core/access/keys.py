"""API keys as documents: what may be stored, and the collections that hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bson import ObjectId

from content_core.access.key_schema import SCHEMA_ID, check_schema, schema_document
from content_core.access.pattern import PatternError, compile_pattern
from content_core.access.permissions import METHODS, read_permissions
from content_core.access.provision import ensure_collection, ensure_document
from content_core.access.reserved import SCHEMAS, is_tenant
from content_core.documents import Document, Json
from content_core.errors import RequestError, ServiceError
from content_core.extended_json import to_json
from content_core.names import ADMIN_DATABASE, APIKEYS
from content_core.store import FindQuery, Store

__all__ = ["KeyStore", "StoredKey"]

_BINDING: Final[Document] = {"jsonSchema": {"schemaId": SCHEMA_ID}}
_MASTER_METHODS: Final = sorted(METHODS)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What a write left behind.

    Args:
        document: the key as it is stored now.
        created: False where a key was replaced.
        etag: its new version.
    """

    document: Document
    created: bool
    etag: ObjectId


class KeyStore:
    """Creates, replaces, reads and deletes API keys; ``caas_admin`` holds the global ones.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def start(self, *, master_key: str | None = None) -> None:
        """Make what keys need in every database there is.

        Args:
            master_key: a global key for everything; stored unless a key of this name is there.
        """
        await self.ensure_key_collections(ADMIN_DATABASE)
        for database in await self._store.database_names():
            if is_tenant(database):
                await self.ensure_key_collections(database)
        if master_key is not None:
            await self._ensure_master(master_key)

    async def ensure_key_collections(self, database: str) -> None:
        """Make the collection of a database's keys and store their schema, where they are missing."""
        await ensure_collection(self._store, database, APIKEYS, _BINDING)
        await ensure_collection(self._store, database, SCHEMAS, {})
        await ensure_document(self._store, database, SCHEMAS, schema_document(database))

    async def read(self, database: str, key_id: str) -> Document | None:
        """Read one key."""
        return await self._store.get(database, APIKEYS, key_id)

    async def create(self, database: str, *bodies: Json) -> Sequence[StoredKey]:
        """Store keys that name themselves with ``_id`` and ``key``; all are checked before the first is written.

        Raises:
            RequestError: one of them is not acceptable.
            ServiceError: the database holds no schema to check against.
        """
        schema = await self._read_schema(database)
        documents = [await self._check(database, schema, body, None) for body in bodies]
        if len({document["_id"] for document in documents}) < len(documents):
            raise RequestError("two of the API keys are the same")
        return [await self._write(database, document) for document in documents]

    async def replace(self, database: str, key_id: str, body: Json, *, etag: ObjectId | None = None) -> StoredKey:
        """Store a key under the id of its address.

        Raises:
            RequestError: it is not acceptable.
            ServiceError: the database holds no schema to check against.
        """
        schema = await self._read_schema(database)
        return await self._write(database, await self._check(database, schema, body, key_id), etag)

    async def delete(self, database: str, key_id: str) -> bool:
        """Delete a key; False where there is none."""
        return await self._store.delete(database, APIKEYS, key_id)

    async def _read_schema(self, database: str) -> Document:
        schema = await self._store.get(database, SCHEMAS, SCHEMA_ID)
        if schema is None:
            raise ServiceError(
                f"the schema '{SCHEMA_ID}' is not stored in database '{database}'",
                hint=f"PUT /{database} stores it again",
            )
        return schema

    async def _check(self, database: str, schema: Document, body: Json, key_id: str | None) -> Document:
        """Run the checks in their order; give the document as it is to be stored, without its version."""
        if not isinstance(body, Mapping):
            raise RequestError("an API key must be a JSON object")
        document = {name: value for name, value in body.items() if name != "_etag"}
        if key_id is not None:
            document = {"_id": key_id, **document}
        elif "_id" in document:
            document = {"_id": document["_id"], **document}
        check_schema(schema, to_json(document))
        _check_identity(document, key_id)
        await self._check_unique(database, document)
        _check_urls(document)
        return document

    async def _check_unique(self, database: str, document: Document) -> None:
        other = FindQuery(
            filter={"key": document["key"], "_id": {"$ne": document["_id"]}}, projection={"_id": 1}, limit=1
        )
        if await self._store.find(database, APIKEYS, other):
            raise RequestError("another API key document has this 'key' already")

    async def _write(self, database: str, document: Document, etag: ObjectId | None = None) -> StoredKey:
        version = ObjectId()
        stored = {**document, "_etag": version}
        created = await self._store.replace(database, APIKEYS, stored, etag=etag)
        return StoredKey(stored, created, version)

    async def _ensure_master(self, key: str) -> None:
        master: Document = {
            "_id": key,
            "key": key,
            "name": "master key",
            "permissions": [{"url": "/", "permissionMode": "PREFIX", "methods": _MASTER_METHODS}],
        }
        if await self.read(ADMIN_DATABASE, key) is None:
            await self.create(ADMIN_DATABASE, master)


def _check_identity(document: Document, key_id: str | None) -> None:
    identity, key = document.get("_id"), document.get("key")
    if key_id is not None and identity != key_id:
        raise RequestError("the '_id' in the body differs from the id in the address")
    if not isinstance(key, str) or key != identity:
        reason = "'key' and '_id' must be the same" if key_id is None else "'key' must be the id in the address"
        raise RequestError(reason)


def _check_urls(document: Document) -> None:
    permissions = read_permissions(document)
    seen = set()
    for permission in permissions:
        if permission.url in seen:
            raise RequestError(f"the url '{permission.url}' stands in 'permissions' twice")
        seen.add(permission.url)
    for permission in permissions:
        if permission.mode != "REGEX":
            continue
        try:
            compile_pattern(permission.url)
        except PatternError as error:
            raise RequestError(f"the url '{permission.url}' is not a pattern that is read here: {error}") from error
