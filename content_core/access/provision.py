"""Makes the collections that belong to the server itself, and notes their properties where REST looks for them."""

from bson import ObjectId

from content_core.access.reserved import PROPERTIES
from content_core.documents import Document
from content_core.errors import DuplicateKeyError
from content_core.store import Store

__all__ = ["ensure_collection", "ensure_document"]


async def ensure_collection(store: Store, database: str, name: str, properties: Document) -> None:
    """Make a collection with its properties, unless it is there; safe against others who do the same."""
    await store.create_collection(database, name)
    await ensure_document(store, database, PROPERTIES, {"_id": f"{PROPERTIES}.{name}", **properties})


async def ensure_document(store: Store, database: str, collection: str, document: Document) -> None:
    """Store a document with a fresh ``_etag``, unless one with its ``_id`` is there already."""
    if await store.get(database, collection, document["_id"]) is not None:
        return
    try:
        await store.insert(database, collection, {**document, "_etag": ObjectId()})
    except DuplicateKeyError:  # another server was faster, with the same document
        return
