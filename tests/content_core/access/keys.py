"""API keys for tests."""

import uuid
from typing import Any

from content_core.documents import Document
from content_core.names import ADMIN_DATABASE, APIKEYS
from content_core.store import Store

ALL = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
READ = ["GET", "HEAD", "OPTIONS"]


def entry(url: str, *methods: str, mode: str | None = None) -> Document:
    """Build one permission; all methods unless some are named."""
    permission: dict[str, Any] = {"url": url, "methods": list(methods or ALL)}
    return permission if mode is None else {**permission, "permissionMode": mode}


def key_document(*permissions: Document, key: str | None = None) -> Document:
    """Build an API key, with a name that nobody else has."""
    name = key or str(uuid.uuid4())
    return {"_id": name, "key": name, "permissions": list(permissions)}


async def store_key(store: Store, database: str, *permissions: Document, key: str | None = None) -> str:
    """Store an API key past all checks; gives the key."""
    document = key_document(*permissions, key=key)
    await store.replace(database, APIKEYS, document)
    return str(document["_id"])


async def store_global_key(store: Store, *permissions: Document, key: str | None = None) -> str:
    """Store a global API key past all checks; gives the key."""
    return await store_key(store, ADMIN_DATABASE, *permissions, key=key)
