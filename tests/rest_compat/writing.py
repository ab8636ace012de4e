"""What tests of writes share."""

from typing import Any

import httpx

from content_core.documents import Document
from content_core.store import Store

WRONG = {"If-Match": "0123456789abcdef01234567"}


def if_match(response: httpx.Response, otherwise: dict[str, str] | None = None) -> dict[str, str]:
    """Show the version that a response names, or something else if it names none."""
    return {"If-Match": response.headers["etag"]} if "etag" in response.headers else otherwise or {}


async def make_collection(admin: httpx.AsyncClient, tenant: str, name: str = "notes", **properties: Any) -> str:
    """Make a collection through the interface; give its path."""
    response = await admin.put(f"/{tenant}/{name}", json=properties)
    assert response.status_code == 201, response.text
    return f"/{tenant}/{name}"


async def stored(store: Store, path: str, document_id: Any) -> Document:
    """Read a document as the database has it, without its version."""
    _, database, collection = path.split("/")
    found = await store.get(database, collection, document_id)
    assert found is not None
    found.pop("_etag")
    return found


def bulk_result(response: httpx.Response) -> dict[str, Any]:
    """Give the one result of a bulk write."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/hal+json"
    (result,) = response.json()["_embedded"]["rh:result"]
    assert isinstance(result, dict)
    return result
