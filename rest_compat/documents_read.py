"""Reading single documents, files' metadata and schemas."""

from typing import Any, Final

from content_core.access import AccessControl
from content_core.documents import Document
from content_core.errors import NotFoundError
from content_core.store import Store, shown_file
from rest_compat.call import Call, check_version, version_headers
from rest_compat.ids import document_link, parse_id
from rest_compat.metadata import Properties
from rest_compat.query import Query, parse_query
from rest_compat.references import References
from rest_compat.reply import Reply
from rest_compat.representation import document_reply
from rest_compat.resources import Kind, Resource
from rest_compat.schema_names import unescape_schema
from rest_compat.settings import RestSettings

__all__ = ["DocumentReads", "file_version", "shown_document", "version_projection"]

_BUCKETS: Final = frozenset({Kind.FILES_BUCKET, Kind.FILE})
_SCHEMAS: Final = frozenset({Kind.SCHEMA_STORE, Kind.SCHEMA})


class DocumentReads:
    """Handlers that read ``/<database>/<collection>/<id>``.

    Args:
        store: where documents are.
        access: says which references may be resolved.
        properties: what exists.
        settings: limits.
    """

    def __init__(self, store: Store, access: AccessControl, properties: Properties, settings: RestSettings) -> None:
        self._store = store
        self._properties = properties
        self._references = References(store, access, settings)
        self._settings = settings

    async def read(self, call: Call) -> Reply:
        """Read one document."""
        resource = call.resource
        document_id = parse_id(call.request, resource.document)
        query = parse_query(call.request, self._settings)
        document, version = await self._find(resource, document_id, query)
        if document is None:
            await self._properties.of_collection(resource.database, resource.collection)
            raise NotFoundError(f"{_NAMES.get(resource.kind, 'document')} '{resource.document}' does not exist")
        if unchanged := check_version(call.request, version):
            return unchanged
        shown = shown_document(resource, document)
        if query.resolve_refs is not None:
            resolved = await self._references.resolve(call, query.resolve_refs, [document])
            shown = {**shown, "_resolvedRefs": resolved}
        return document_reply(shown, query, version_headers(version))

    async def _find(self, resource: Resource, document_id: Any, query: Query) -> tuple[Document | None, Document]:
        """Find a document, and its version even where the projection leaves that out."""
        place = (resource.database, resource.collection)
        limit = self._settings.query_time_limit_ms
        wanted: Document = {"_id": {"$eq": document_id}}
        if query.filter is not None:
            wanted = {"$and": [wanted, query.filter]}
        if query.keys is None:
            document = await self._store.find_one(*place, filter=wanted, max_time_ms=limit)
            return document, _version(resource, document or {})
        # The version first: an answer may show a newer document than its ETag says, but never an older one.
        bare = await self._store.find_one(
            *place, filter=wanted, projection=version_projection(resource.kind), max_time_ms=limit
        )
        document = await self._store.find_one(*place, filter=wanted, projection=query.keys, max_time_ms=limit)
        return document, _version(resource, bare or {})


def version_projection(kind: Kind) -> Document:
    """Give the projection that reads just the version."""
    return {"metadata._etag" if kind in _BUCKETS else "_etag": 1}


def shown_document(resource: Resource, document: Document) -> Document:
    """Show a stored document as its kind of collection does."""
    if resource.kind in _BUCKETS:
        document = shown_file(document)
    if resource.kind in _BUCKETS and "filename" in document and "chunkSize" in document:
        path = document_link(resource.database, resource.collection, document["_id"])
        if path is not None:
            address, _, query = path.partition("?")
            data = f"{address}/binary" + (f"?{query}" if query else "")
            return {**document, "_links": {"rh:data": {"href": data}}}
    if resource.kind in _SCHEMAS:
        schema: Document = unescape_schema(document)
        return schema
    return document


def file_version(file: Document) -> Document:
    """Give the part of a file document that holds its version."""
    metadata = file.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


_NAMES: Final = {Kind.FILE: "file", Kind.SCHEMA: "schema"}


def _version(resource: Resource, document: Document) -> Document:
    return file_version(document) if resource.kind in _BUCKETS else document
