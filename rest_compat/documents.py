"""Writes of single documents: PUT, POST, PATCH, DELETE."""

from typing import Any

from bson import ObjectId

from content_core.documents import Document
from content_core.errors import RequestError
from content_core.store import Store, WriteOutcome
from rest_compat.bson_body import read_bson, read_bson_object
from rest_compat.bulk import Bulk
from rest_compat.call import Call, absolute_link
from rest_compat.ids import document_link, id_type, parse_id
from rest_compat.places import read_place
from rest_compat.query import parse_filter
from rest_compat.reply import Reply
from rest_compat.settings import RestSettings
from rest_compat.updates import make_changes, make_document, same_value
from rest_compat.validation import Validation
from rest_compat.write_modes import ensure_id, read_mode
from rest_compat.writer import DocumentWriter

__all__ = ["Documents", "check_identity", "written"]


class Documents:
    """Handlers that write documents of collections.

    Args:
        store: where documents are.
        settings: limits and the public address.
        validation: checks documents against schemas.
    """

    def __init__(self, store: Store, settings: RestSettings, validation: Validation) -> None:
        self._store = store
        self._settings = settings
        self._validation = validation
        self._bulk = Bulk(store, settings, validation)
        self._writer = DocumentWriter(store)

    async def put(self, call: Call) -> Reply:
        """Create or replace the document that the address names."""
        document_id = parse_id(call.request, call.resource.document)
        condition = parse_filter(call.request, self._settings)
        place = await read_place(self._store, call.resource)
        version = ObjectId()
        document = make_document(await read_bson_object(call), version=version)
        check_identity(document, document_id)
        document = {"_id": document_id, **document}
        await self._validation.check(place, document)
        mode = read_mode(call.request)
        outcome = await self._writer.replace(call.request, place, document, mode=mode, condition=condition)
        return outcome if isinstance(outcome, Reply) else written(outcome, version)

    async def post(self, call: Call) -> Reply:
        """Create or replace the document that the body holds, or all of several."""
        kind, mode = id_type(call.request), read_mode(call.request)
        condition = parse_filter(call.request, self._settings)
        place = await read_place(self._store, call.resource)
        body = await read_bson(call)
        if isinstance(body.value, list):
            return await self._bulk.post(call, place, body, condition)
        if not isinstance(body.value, dict):
            raise RequestError("the body must be a JSON object, or an array of objects")
        version = ObjectId()
        document = make_document(body.value, version=version)
        if not ensure_id(document, kind=kind, mode=mode):
            mode, condition = "insert", None
        await self._validation.check(place, document)
        outcome = await self._writer.replace(call.request, place, document, mode=mode, condition=condition)
        if isinstance(outcome, Reply):
            return outcome
        path = document_link(place.database, place.collection, document["_id"])
        location = absolute_link(call, self._settings, path) if path else None
        return written(outcome, version, location=location)

    async def patch(self, call: Call) -> Reply:
        """Change the document that the address names."""
        document_id = parse_id(call.request, call.resource.document)
        condition = parse_filter(call.request, self._settings)
        place = await read_place(self._store, call.resource)
        body = await read_bson_object(call)
        check_identity(body, document_id)
        version = ObjectId()
        update = make_changes(body, version=version)
        outcome = await self._writer.change(
            call.request,
            place,
            document_id,
            update,
            mode=read_mode(call.request),
            condition=condition,
            check=await self._validation.checker(place),
        )
        return outcome if isinstance(outcome, Reply) else written(outcome, version)

    async def delete(self, call: Call) -> Reply:
        """Delete the document that the address names."""
        document_id = parse_id(call.request, call.resource.document)
        condition = parse_filter(call.request, self._settings)
        place = await read_place(self._store, call.resource)
        return await self._writer.delete(call.request, place, document_id, condition=condition)


def check_identity(body: Document, document_id: Any) -> None:
    """Check an ``_id`` in a body against that of the address.

    Raises:
        RequestError: they differ.
    """
    if "_id" in body and not same_value(body["_id"], document_id):
        raise RequestError("the '_id' in the body differs from the id in the address")


def written(outcome: WriteOutcome, version: ObjectId, *, location: str | None = None) -> Reply:
    """Answer that a document is stored; the location is for those that are new."""
    headers = {"ETag": str(version)}
    if not outcome.created:
        return Reply(status=200, headers=headers)
    return Reply(status=201, headers={**headers, "Location": location} if location else headers)
