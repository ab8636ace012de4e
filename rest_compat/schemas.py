"""Writes to a database's store of JSON schemas."""

from typing import Any

from bson import ObjectId

from content_core.access.key_schema import SCHEMA_ID
from content_core.documents import Document
from content_core.errors import RequestError, ReservedNameError
from content_core.extended_json import to_json
from content_core.store import Store
from rest_compat.bson_body import read_bson_object
from rest_compat.call import Call, absolute_link
from rest_compat.documents import check_identity, written
from rest_compat.ids import document_link, parse_id
from rest_compat.places import read_place
from rest_compat.reply import Reply
from rest_compat.schema_names import escape_schema, schema_address, unescape_schema
from rest_compat.schema_rules import DRAFT, check_schema
from rest_compat.settings import RestSettings
from rest_compat.write_modes import ensure_id, read_mode
from rest_compat.writer import DocumentWriter

__all__ = ["Schemas"]


class Schemas:
    """Handlers that write ``/<database>/_schemas`` and what is below.

    Args:
        store: where schemas are.
        settings: the public address.
    """

    def __init__(self, store: Store, settings: RestSettings) -> None:
        self._store = store
        self._settings = settings
        self._writer = DocumentWriter(store)

    async def put(self, call: Call) -> Reply:
        """Create or replace the schema that the address names."""
        schema_id = parse_id(call.request, call.resource.document)
        await read_place(self._store, call.resource)
        body = await read_bson_object(call)
        check_identity(body, schema_id)
        return await self._write(call, schema_id, body)

    async def post(self, call: Call) -> Reply:
        """Create or replace the schema that the body names."""
        await read_place(self._store, call.resource)
        body = await read_bson_object(call)
        if "_id" not in body:
            raise RequestError("a schema must have an '_id'")
        ensure_id(body, kind="STRING", mode="upsert")
        reply = await self._write(call, body["_id"], body)
        path = document_link(call.resource.database, call.resource.collection, body["_id"])
        if reply.status != 201 or path is None:
            return reply
        return Reply(status=201, headers={**reply.headers, "Location": absolute_link(call, self._settings, path)})

    async def delete(self, call: Call) -> Reply:
        """Delete a schema."""
        schema_id = parse_id(call.request, call.resource.document)
        return await self._writer.delete(call.request, await read_place(self._store, call.resource), schema_id)

    async def _write(self, call: Call, schema_id: Any, body: Document) -> Reply:
        if schema_id == SCHEMA_ID:
            raise ReservedNameError("reserved resource")
        document = _stored_form(call.resource.database, schema_id, body)
        place = await read_place(self._store, call.resource)
        version = document["_etag"]
        outcome = await self._writer.replace(call.request, place, document, mode=read_mode(call.request))
        return outcome if isinstance(outcome, Reply) else written(outcome, version)


def _stored_form(database: str, schema_id: Any, body: Document) -> Document:
    plain = unescape_schema(body)
    schema = {name: value for name, value in plain.items() if name not in {"_id", "_etag", "$schema", "id"}}
    check_schema(to_json(schema))
    return {
        "_id": schema_id,
        "_$schema": DRAFT,
        "id": f"{schema_address(database, schema_id)}#",
        **escape_schema(schema),
        "_etag": ObjectId(),
    }
