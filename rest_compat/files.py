"""Writes of files: uploaded, replaced, described anew, deleted."""

from typing import Any

from bson import ObjectId

from content_core.documents import Document
from content_core.errors import NotFoundError, RequestError
from content_core.store import FileCheck, Store, WriteOutcome
from rest_compat.bson_body import read_bson_object
from rest_compat.bulk import require_filter
from rest_compat.bulk_result import BulkCounts, bulk_reply
from rest_compat.call import Call, absolute_link
from rest_compat.documents import check_identity, written
from rest_compat.documents_read import file_version
from rest_compat.ids import document_link, id_type, parse_id
from rest_compat.multipart import is_multipart
from rest_compat.places import Place, read_place
from rest_compat.query import parse_filter
from rest_compat.reply import Reply
from rest_compat.settings import RestSettings
from rest_compat.updates import make_document
from rest_compat.uploads import check_descriptions, receive_file
from rest_compat.versions import DOCUMENT, Guard, write_guarded
from rest_compat.write_modes import ensure_id, read_mode
from rest_compat.writer import identity

__all__ = ["Files"]


class _RefusedError(Exception):
    """Ends a write in the middle of the store's work; carries the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class Files:
    """Handlers that write ``/<database>/<bucket>.files`` and what is below.

    Args:
        store: where files are.
        settings: limits and the public address.
    """

    def __init__(self, store: Store, settings: RestSettings) -> None:
        self._store = store
        self._settings = settings

    async def post(self, call: Call) -> Reply:
        """Store a file under the ``_id`` in its metadata, or a new one."""
        id_type(call.request)  # a wrong one is told before the bytes come
        return await self._upload(call, await self._place(call), None)

    async def put(self, call: Call) -> Reply:
        """Store a file under the id in the address; with a JSON body, replace its metadata."""
        document_id = parse_id(call.request, call.resource.document)
        if is_multipart(call.request):
            place = await self._place(call)
            if refusal := await self._refuse_early(call, place, document_id):
                return refusal
            return await self._upload(call, place, [document_id])
        return await self._describe(call, document_id)

    async def patch(self, call: Call) -> Reply:
        """Change metadata of a file."""
        document_id = parse_id(call.request, call.resource.document)
        if is_multipart(call.request):
            raise RequestError("the bytes of a file can be replaced by PUT only; PATCH takes metadata as JSON")
        return await self._describe(call, document_id)

    async def delete(self, call: Call) -> Reply:
        """Delete a file."""
        document_id = parse_id(call.request, call.resource.document)
        condition = parse_filter(call.request, self._settings)
        place = await self._place(call)
        bucket = self._store.bucket(place.database, place.collection)
        try:
            deleted = await bucket.delete(document_id, condition=condition, check=_check(_guard(call, place)))
        except _RefusedError as refused:
            return refused.reply
        return Reply(status=204 if deleted else 404)

    async def delete_many(self, call: Call) -> Reply:
        """Delete all files that the filter finds."""
        wanted = require_filter(call, self._settings)
        place = await self._place(call)
        deleted = await self._store.bucket(place.database, place.collection).delete_many(
            filter=wanted, max_time_ms=self._settings.query_time_limit_ms
        )
        return bulk_reply(call, self._settings, BulkCounts(deleted=deleted))

    async def _place(self, call: Call) -> Place:
        return await read_place(self._store, call.resource)

    async def _refuse_early(self, call: Call, place: Place, document_id: Any) -> Reply | None:
        """Compare versions before the bytes come; the store does so again when they have."""
        guard = _guard(call, place)
        return guard.refuse(await self._read_version(place, document_id)) if guard.looks else None

    async def _upload(self, call: Call, place: Place, known_id: list[Any] | None) -> Reply:
        """Store the bytes of a request; the list holds the id if the address names it."""
        mode, condition = read_mode(call.request), parse_filter(call.request, self._settings)
        version = ObjectId()
        async with self._store.bucket(place.database, place.collection).upload() as upload:
            received = await receive_file(call, upload, self._settings)
            document_id, new = _identify(call, received.metadata, known_id, upload.new_id)
            described = {**received.metadata, "contentType": received.content_type}
            metadata = make_document(described, version=version)
            if upload.length > self._settings.max_file_metadata_bytes:
                await self._place(call)  # it may have been dropped in the time that this took
            try:
                outcome = await upload.commit(
                    document_id,
                    filename=received.filename,
                    metadata=metadata,
                    mode="insert" if new else mode,
                    condition=condition,
                    check=_check(_guard(call, place)),
                )
            except _RefusedError as refused:
                return refused.reply
        if known_id is not None:
            return written(outcome, version)
        path = document_link(place.database, place.collection, document_id)
        return written(outcome, version, location=absolute_link(call, self._settings, path) if path else None)

    async def _describe(self, call: Call, document_id: Any) -> Reply:
        """Replace or change the metadata of a file."""
        condition = parse_filter(call.request, self._settings)
        place = await self._place(call)
        body = await read_bson_object(call)
        check_identity(body, document_id)
        version = ObjectId()
        update = _replacement(body, version) if call.request.method == "PUT" else _changes(body, version)
        wanted = identity(document_id, condition)

        async def write(expected: Document, _creates: bool) -> WriteOutcome:
            found = {**wanted, **{f"metadata.{name}": value for name, value in expected.items()}}
            return await self._store.update_one(
                place.database, place.collection, filter=found, update=update, upsert=False
            )

        outcome = await write_guarded(
            _guard(call, place), lambda: self._read_version(place, document_id), write, creates=False
        )
        if isinstance(outcome, Reply):
            return outcome
        if not outcome.matched:
            raise NotFoundError(f"file '{call.resource.document}' does not exist")
        return written(outcome, version)

    async def _read_version(self, place: Place, document_id: Any) -> Document | None:
        file = await self._store.find_one(
            place.database, place.collection, filter=identity(document_id), projection={"metadata._etag": 1}
        )
        return None if file is None else file_version(file)


def _guard(call: Call, place: Place) -> Guard:
    return Guard.of(call.request, "file", DOCUMENT, place.of_collection, place.of_database)


def _check(guard: Guard) -> FileCheck:
    def check(current: Document) -> None:
        if refusal := guard.refuse(file_version(current)):
            raise _RefusedError(refusal)

    return check


def _identify(call: Call, metadata: Document, known_id: list[Any] | None, new_id: ObjectId) -> tuple[Any, bool]:
    """Take the ``_id`` out of the metadata; True if the file gets a new one."""
    if known_id is not None:
        check_identity(metadata, known_id[0])
        metadata.pop("_id", None)
        return known_id[0], False
    named = {"_id": metadata.pop("_id")} if "_id" in metadata else {}
    if ensure_id(named, kind=id_type(call.request), mode=read_mode(call.request)):
        return named["_id"], False
    return new_id, True


def _replacement(body: Document, version: ObjectId) -> list[Document]:
    """Build the update that puts a body in the place of the metadata; the bytes keep their type if it names none."""
    metadata = make_document({name: value for name, value in body.items() if name != "_id"}, version=version)
    check_descriptions(metadata)
    kept = {"contentType": "$metadata.contentType"}
    change: Document = {"metadata": {"$mergeObjects": [kept, {"$literal": metadata}]}}
    if "filename" in metadata:
        change["filename"] = {"$literal": metadata["filename"]}
    return [{"$set": change}]


def _changes(body: Document, version: ObjectId) -> Document:
    """Build the update that a PATCH asks for."""
    changes = {name: value for name, value in body.items() if name not in {"_id", "_etag"}}
    if not changes:
        raise RequestError("no data provided")
    for name in changes:
        if name.startswith("$"):
            raise RequestError(f"the update operator '{name}' is not allowed for metadata of files")
    check_descriptions(changes)
    update = {f"metadata.{name}": value for name, value in changes.items()}
    if isinstance(changes.get("filename"), str):
        update["filename"] = changes["filename"]
    return {"$set": {**update, "metadata._etag": version}}
