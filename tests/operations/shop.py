"""A small tenant for tests under load: a collection that is written and watched, a key, a GraphQL application."""

from typing import Any, Final

import httpx

from tests.live import eventually
from tests.opencaas.load import Load
from tests.patience import PATIENCE

__all__ = ["APP", "COLLECTION", "KEY", "QUERY", "TENANT", "definition", "make_shop", "shop_load"]

KEY: Final = "k-watcher"
TENANT: Final = "acme"
COLLECTION: Final = f"/{TENANT}/shop.preview.content"
APP: Final = f"/graphql/{TENANT}/shop"
QUERY: Final = "{ documents(limit: 3) { _id writer } }"
_STREAM: Final = {
    "uri": "crud",
    "stages": [{"$match": {"operationType": {"$in": ["insert", "replace", "update"]}}}],
}


def definition(app: str) -> dict[str, Any]:
    """Make the definition of an application on the collection."""
    return {
        "descriptor": {"uri": f"{TENANT}/{app}", "enabled": True},
        "schema": "type Query { documents(limit: Int): [Document] } type Document { _id: String writer: Int }",
        "mappings": {
            "Query": {"documents": {"db": TENANT, "collection": "shop.preview.content", "limit": {"$arg": "limit"}}}
        },
    }


def make_shop(url: str, admin: tuple[str, str]) -> None:
    """Put everything there, and wait until GraphQL answers."""
    with httpx.Client(base_url=url, auth=admin, timeout=PATIENCE) as client:
        key = {"_id": KEY, "key": KEY, "permissions": [{"url": "/", "methods": ["GET"]}]}
        for path, body in (
            (f"/{TENANT}", {}),
            (f"/{TENANT}/apikeys/{KEY}", key),
            (COLLECTION, {"streams": [_STREAM]}),
            (f"/{TENANT}/gql-apps/{TENANT}___shop", definition("shop")),
        ):
            client.put(path, json=body).raise_for_status()
        assert eventually(lambda: client.post(APP, json={"query": QUERY}).status_code == 200)


def shop_load(url: str, admin: tuple[str, str], **options: Any) -> Load:
    """Make the load on it."""
    return Load(url=url, collection=COLLECTION, graphql=(APP, QUERY), auth=admin, key=KEY, **options)
