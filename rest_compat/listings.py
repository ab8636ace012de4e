"""Reading collections, buckets and schema stores: a page of documents, the size, the metadata."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from content_core.access import AccessControl
from content_core.documents import Document
from content_core.store import FindQuery, Store
from rest_compat.call import Call, link, version_headers
from rest_compat.documents_read import shown_document
from rest_compat.metadata import Properties
from rest_compat.query import Query, parse_query
from rest_compat.references import References
from rest_compat.reply import Reply
from rest_compat.representation import Listing, json_reply, list_reply
from rest_compat.resources import Kind
from rest_compat.roots import meta_reply
from rest_compat.settings import RestSettings

__all__ = ["Listings", "count_documents", "find_page"]

_RELS: Final = {Kind.FILES_BUCKET: "rh:file", Kind.SCHEMA_STORE: "rh:schema"}
_PLAIN: Final = frozenset({Kind.COLLECTION})
"""Kinds whose documents are shown as they are stored."""


class Listings:
    """Handlers that read ``/<database>/<collection>``, ``_size`` and ``_meta`` below it.

    Args:
        store: where documents are.
        access: says which references may be resolved.
        properties: what exists, and its metadata.
        settings: page sizes and limits.
    """

    def __init__(self, store: Store, access: AccessControl, properties: Properties, settings: RestSettings) -> None:
        self._store = store
        self._properties = properties
        self._references = References(store, access, settings)
        self._settings = settings

    async def read(self, call: Call) -> Reply:
        """Give a page of documents."""
        database, collection, kind = call.resource.database, call.resource.collection, call.resource.kind
        query = parse_query(call.request, self._settings)
        properties = await self._properties.of_collection(database, collection)
        documents, size = await find_page(self._store, database, collection, query, self._settings)
        if kind not in _PLAIN:
            documents = [shown_document(call.resource, document) for document in documents]
        listing = Listing(
            properties=properties,
            groups={_RELS.get(kind, "rh:doc"): documents} if documents else {},
            size=size,
            page_size=query.page.size,
            links=_links(database, collection, properties),
            appended=await self._resolve(call, query, documents),
        )
        return list_reply(listing, query, {**version_headers(properties), **_strategy(query)})

    async def read_size(self, call: Call) -> Reply:
        """Count the documents that the filter finds."""
        database, collection = call.resource.database, call.resource.collection
        query = parse_query(call.request, self._settings)
        await self._properties.of_collection(database, collection)
        size = await count_documents(self._store, database, collection, query, self._settings)
        return json_reply({"_size": size}, query, _strategy(query))

    async def read_meta(self, call: Call) -> Reply:
        """Show the metadata."""
        query = parse_query(call.request, self._settings)
        properties = await self._properties.of_collection(call.resource.database, call.resource.collection)
        return json_reply(meta_reply(properties), query, version_headers(properties))

    async def _resolve(self, call: Call, query: Query, documents: Sequence[Document]) -> Document | None:
        if query.resolve_refs is None or not query.page.size:
            return None
        resolved = await self._references.resolve(call, query.resolve_refs, documents)
        return {"_id": "_resolvedRefs", "_resolvedRefs": resolved}


async def find_page(
    store: Store, database: str, collection: str, query: Query, settings: RestSettings, *, verbatim: bool = False
) -> tuple[list[Document], int | None]:
    """Read one page of a list, and how many elements it has in all if that was asked for.

    ``verbatim`` is as in :class:`content_core.store.FindQuery`.
    """
    if not query.page.size:
        counted = None if query.count == "no" else await count_documents(store, database, collection, query, settings)
        return [], counted
    find = store.find(
        database,
        collection,
        FindQuery(
            filter=query.filter or {},
            projection=query.keys,
            sort=query.sort,
            skip=query.page.skip,
            limit=query.page.size,
            max_time_ms=settings.query_time_limit_ms,
            hint=query.hint,
            verbatim=verbatim,
        ),
    )
    if query.count == "no":
        return await find, None
    return await asyncio.gather(find, count_documents(store, database, collection, query, settings))


async def count_documents(store: Store, database: str, collection: str, query: Query, settings: RestSettings) -> int:
    """Count what a query finds: by the collection's own counter if that will do and was asked for."""
    limit = settings.query_time_limit_ms
    if query.count == "estimated" and query.filter is None:
        return await store.estimated_count(database, collection, max_time_ms=limit)
    return await store.count(database, collection, query.filter or {}, max_time_ms=limit, hint=query.hint)


def _strategy(query: Query) -> Mapping[str, str]:
    if query.count == "no":
        return {}
    estimated = query.count == "estimated" and query.filter is None
    return {"X-Count-Strategy": "estimated" if estimated else "exact"}


def _links(database: str, collection: str, properties: Document) -> Mapping[str, str]:
    """Link the aggregations and streams that the properties define."""
    links = {}
    for member, segment in (("aggrs", "_aggrs"), ("streams", "_streams")):
        defined = properties.get(member)
        for entry in defined if isinstance(defined, list) else []:
            uri = entry.get("uri") if isinstance(entry, dict) else None
            if isinstance(uri, str) and uri:
                links[uri] = link(database, collection, segment, uri)
    return links
