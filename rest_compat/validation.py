"""The check of documents against the JSON schema that the metadata of their collection names."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bson import ObjectId

from content_core.access.reserved import SCHEMAS, is_tenant
from content_core.documents import Document, Json
from content_core.errors import NotSupportedError, ServiceError
from content_core.extended_json import to_json
from content_core.store import ChangeFeed, Store
from rest_compat.followed import Followed
from rest_compat.places import Place
from rest_compat.schema_names import schema_address, unescape_schema
from rest_compat.schema_rules import SchemaCheck, references
from rest_compat.writer import Check

__all__ = ["Validation"]

_HOST: Final = "schema-store"
_MAX_SCHEMAS: Final = 100
_MAX_KNOWN: Final = 1_000
_PLAIN_IDS: Final = (str, int, float, ObjectId)


class Validation:
    """Finds the schema of a collection and checks documents against it.

    Args:
        store: where schemas are.
        feed: tells of changed schemas; without one, and while it is not live, they are read anew for each write.
    """

    def __init__(self, store: Store, feed: ChangeFeed | None = None) -> None:
        self._store = store
        self._known: Followed[SchemaCheck] = Followed(
            feed, collections=lambda _database, collection: collection == SCHEMAS, maximum=_MAX_KNOWN
        )

    def forget(self) -> None:
        """Drop what is remembered of schemas, before a write to one is acknowledged on this server."""
        self._known.forget()

    async def check(self, place: Place, *documents: Document) -> None:
        """Check whole documents before they are stored.

        Raises:
            RequestError: one of them does not fit.
            ServiceError: the schema is not stored.
        """
        schema = await self._schema(place)
        if schema is not None:
            # Off the event loop: a thousand documents take their time.
            await asyncio.to_thread(_check_all, schema, documents)

    async def checker(self, place: Place) -> Check | None:
        """Give what checks the result of a change; None where the collection has no schema.

        Raises:
            ServiceError: the schema is not stored.
        """
        schema = await self._schema(place)
        if schema is None:
            return None
        return lambda document: schema.check(to_json(document))

    def refuse_unchecked(self, place: Place, *, write: str = "bulk PATCH") -> None:
        """Refuse a write whose results nobody can check before they are stored.

        Args:
            place: where it would go.
            write: what messages call it.

        Raises:
            NotSupportedError: the collection has a schema, and does not allow it.
        """
        binding = _binding(place)
        if binding is not None and binding.get("skipNotSupported") is not True:
            raise NotSupportedError(
                f"{write} is not supported: the collection has a JSON schema",
                hint="'skipNotSupported' in 'jsonSchema' of the collection allows it, unchecked",
            )

    async def _schema(self, place: Place) -> SchemaCheck | None:
        binding = _binding(place)
        if binding is None:
            return None
        schema_id, database = binding.get("schemaId"), binding.get("schemaStoreDb", place.database)
        if schema_id is None or not isinstance(database, str):
            raise ServiceError("the 'jsonSchema' of the collection names no 'schemaId'")
        if not isinstance(schema_id, _PLAIN_IDS):
            return await self._build(database, schema_id)
        # With the type, since 1 and true are equal here and different ids there.
        key = (database, type(schema_id), schema_id)
        return await self._known.get(key, lambda: self._build(database, schema_id))

    async def _build(self, database: str, schema_id: Any) -> SchemaCheck:
        schema = await self._read(database, schema_id)
        if schema is None:
            raise ServiceError(f"the schema '{schema_id}' is not stored in database '{database}'")
        address = schema_address(database, schema_id)
        return SchemaCheck(str(schema_id), address, await self._with_references(address, schema))

    async def _with_references(self, address: str, schema: Json) -> Mapping[str, Json]:
        """Read what a schema refers to, and what that refers to."""
        known: dict[str, Json] = {address: schema}
        wanted = references(schema, address)
        while missing := wanted - known.keys():
            if len(known) + len(missing) > _MAX_SCHEMAS:
                raise ServiceError(f"the schema refers to more than {_MAX_SCHEMAS} others")
            wanted = set()
            for place in missing:
                found = await self._read_address(place)
                known[place] = found
                wanted |= references(found, place) if found is not None else set()
        return {place: found for place, found in known.items() if found is not None}

    async def _read_address(self, address: str) -> Json | None:
        parts = urlsplit(address)
        segments = parts.path.split("/")
        if parts.netloc != _HOST or len(segments) != 3:
            return None
        return await self._read(unquote(segments[1]), unquote(segments[2]))

    async def _read(self, database: str, schema_id: Any) -> Json | None:
        if not is_tenant(database):
            return None
        stored = await self._store.get(database, SCHEMAS, schema_id)
        if stored is None:
            return None
        return unescape_schema({name: to_json(value) for name, value in stored.items() if name not in {"_id", "_etag"}})


def _binding(place: Place) -> Mapping[str, Any] | None:
    binding = place.of_collection.get("jsonSchema")
    if binding is None:
        return None
    if not isinstance(binding, Mapping):
        raise ServiceError("the 'jsonSchema' of the collection is no object")
    return binding


def _check_all(schema: SchemaCheck, documents: Sequence[Document]) -> None:
    for document in documents:
        schema.check(to_json({name: value for name, value in document.items() if name != "_etag"}))
