"""The GraphQL application on real parts, asked without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from bson import ObjectId

from content_core.access import AccessControl
from content_core.documents import Document
from content_core.names import ADMIN_DATABASE, APIKEYS
from content_core.store import ChangeFeed, Store
from graphql_app.app import create_app
from graphql_app.registry import Registry
from graphql_app.settings import GraphQLSettings

__all__ = ["ADMIN", "Server", "put_definition", "serve", "store_key"]

ADMIN: Final = ("admin", "secret7")


@dataclass(slots=True)
class Server:
    """A running application and a client for it; without other credentials the client is the admin."""

    client: httpx.AsyncClient
    registry: Registry
    access: AccessControl


@asynccontextmanager
async def serve(store: Store, feed: ChangeFeed, settings: GraphQLSettings | None = None) -> AsyncIterator[Server]:
    """Start an application."""
    settings = settings or GraphQLSettings()
    access = AccessControl(store, feed, admin_user=ADMIN[0], admin_password=ADMIN[1])
    registry = Registry(store, feed, settings)
    await registry.start()
    app = create_app(store=store, access=access, registry=registry, settings=settings)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://caas.example") as client:
        yield Server(client, registry, access)
    await registry.stop()
    access.close()


async def put_definition(server: Server, store: Store, definition: Document) -> str:
    """Store a definition as the REST interface does: prepare, store, activate. Gives its etag."""
    tenant = definition["_id"].partition("___")[0]
    prepared = await server.registry.prepare(tenant, definition)
    etag = ObjectId()
    await store.replace(tenant, "gql-apps", definition | {"_etag": etag})
    await server.registry.activate(prepared, str(etag))
    return str(etag)


async def store_key(store: Store, database: str | None, key: str, *permissions: Any) -> dict[str, str]:
    """Store an API key, global without a database; give the header that shows it."""
    document = {"_id": key, "key": key, "permissions": list(permissions)}
    await store.replace(database or ADMIN_DATABASE, APIKEYS, document)
    return {"Authorization": f"Bearer {key}"}
