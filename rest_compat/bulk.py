"""Writes of many documents: POST of an array, PATCH and DELETE of whatever a filter finds."""

from bson import ObjectId

from content_core.documents import Document, Json
from content_core.errors import RequestError
from content_core.extended_json import dumps
from content_core.store import BulkInsert, BulkOperation, BulkReplace, BulkReport, Store
from rest_compat.bson_body import BsonBody, read_bson_object
from rest_compat.bulk_result import BulkCounts, bulk_reply, flat_result
from rest_compat.call import Call
from rest_compat.ids import document_link, id_type
from rest_compat.places import Place, read_place
from rest_compat.query import parse_filter
from rest_compat.reply import JSON, Reply
from rest_compat.settings import RestSettings
from rest_compat.updates import make_changes, make_documents
from rest_compat.validation import Validation
from rest_compat.write_modes import ensure_id, read_mode
from rest_compat.writer import identity

__all__ = ["Bulk", "require_filter"]

_DUPLICATE_KEY = frozenset({11000, 11001, 12582})


class Bulk:
    """Handlers for ``/<database>/<collection>/*``, and the part of POST that takes arrays.

    Args:
        store: where documents are.
        settings: time limits.
        validation: checks documents against schemas.
    """

    def __init__(self, store: Store, settings: RestSettings, validation: Validation) -> None:
        self._store = store
        self._settings = settings
        self._validation = validation

    async def post(self, call: Call, place: Place, body: BsonBody, condition: Document | None) -> Reply:
        """Store every document of an array; those that cannot be stored leave the others alone."""
        version = ObjectId()
        documents = make_documents(body.value, version=version, dotted=body.dotted)
        operations = _operations(call, documents, condition)
        await self._validation.check(place, *documents)
        report = await self._store.bulk_write(place.database, place.collection, operations)
        headers = {"ETag": str(version)}
        paths = (document_link(place.database, place.collection, created) for created in report.created.values())
        links = [path for path in paths if path is not None]
        counts = BulkCounts(inserted=report.inserted, modified=report.modified, matched=report.matched)
        if report.errors:
            failed = {**flat_result(counts, links), "errors": _failures(report)}
            return Reply(status=207, body=dumps(failed), media_type=JSON, headers=headers)
        return bulk_reply(call, self._settings, counts, links=links, headers=headers)

    async def patch(self, call: Call) -> Reply:
        """Change all documents that the filter finds; none is made."""
        wanted = require_filter(call, self._settings)
        place = await read_place(self._store, call.resource)
        body = await read_bson_object(call)
        if "_id" in body:
            raise RequestError("many documents cannot have one '_id'")
        version = ObjectId()
        update = make_changes(body, version=version)
        self._validation.refuse_unchecked(place)
        outcome = await self._store.update_many(
            place.database,
            place.collection,
            filter=wanted,
            update=update,
            max_time_ms=self._settings.query_time_limit_ms,
        )
        return bulk_reply(call, self._settings, BulkCounts(modified=outcome.modified, matched=outcome.matched))

    async def delete(self, call: Call) -> Reply:
        """Delete all documents that the filter finds."""
        wanted = require_filter(call, self._settings)
        place = await read_place(self._store, call.resource)
        deleted = await self._store.delete_many(
            place.database, place.collection, filter=wanted, max_time_ms=self._settings.query_time_limit_ms
        )
        return bulk_reply(call, self._settings, BulkCounts(deleted=deleted))


def require_filter(call: Call, settings: RestSettings) -> Document:
    """Read the filter that says which documents are meant.

    Raises:
        RequestError: there is none; all documents must be asked for in so many words.
    """
    wanted = parse_filter(call.request, settings)
    if wanted is None:
        raise RequestError("filter parameter is mandatory for bulk write requests")
    return wanted


def _operations(call: Call, documents: list[Document], condition: Document | None) -> list[BulkOperation]:
    kind, mode = id_type(call.request), read_mode(call.request)
    operations: list[BulkOperation] = []
    for document in documents:
        if not ensure_id(document, kind=kind, mode=mode) or mode == "insert":
            operations.append(BulkInsert(document))
        else:
            operations.append(BulkReplace(identity(document["_id"], condition), document, upsert=mode == "upsert"))
    return operations


def _failures(report: BulkReport) -> list[Json]:
    return [
        {"index": error.index, "httpStatus": 409}
        if error.code in _DUPLICATE_KEY
        else {
            "index": error.index,
            "mongodbErrorCode": error.code,
            "httpStatus": error.status,
            "message": error.message,
        }
        for error in report.errors
    ]
