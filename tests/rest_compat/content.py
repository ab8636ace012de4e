"""Content for tests of reads: pages of two languages, past the interface."""

from datetime import UTC, datetime
from typing import Any, Final

from bson import ObjectId

from content_core.access.reserved import PROPERTIES
from content_core.documents import Document
from content_core.store import Store

PAGES: Final = "shop.release.content"
ETAG: Final = ObjectId("64a51c0de3b1f20f4d7a1012")
CREATED: Final = datetime(2022, 7, 1, 8, tzinfo=UTC)


def page(document_id: str, **members: Any) -> Document:
    """Build one document as a sync job stores it."""
    return {"_id": document_id, "fsType": "Page", **members, "_etag": ObjectId()}


DOCUMENTS: Final[tuple[Document, ...]] = (
    page("a.de_DE", locale={"language": "de", "country": "DE"}, name="Anfang", price=3),
    page("a.en_GB", locale={"language": "en", "country": "GB"}, name="Start", price=5, created=CREATED),
    page("b.de_DE", locale={"language": "de", "country": "DE"}, name="Bild", price=1),
    page("b.en_GB", locale={"language": "en", "country": "GB"}, name="Picture", price=None),
    page("c.en_GB", locale={"language": "en", "country": "GB"}, name="Contact", price=2.0),
)


async def fill(store: Store, database: str, collection: str = PAGES, **properties: Any) -> None:
    """Store the pages in a collection with metadata."""
    for document in DOCUMENTS:
        await store.insert(database, collection, dict(document))
    metadata = {"_id": f"{PROPERTIES}.{collection}", **properties, "_etag": ETAG}
    await store.insert(database, PROPERTIES, metadata)
