"""Reading what holds collections: the list of databases, a database, their sizes and metadata."""

from collections.abc import Sequence
from typing import Final

from content_core.access import AccessControl, Principal
from content_core.access.reserved import PROPERTIES, SCHEMAS, is_tenant
from content_core.documents import Document
from content_core.errors import ForbiddenError, NotFoundError
from content_core.names import ADMIN_DATABASE
from content_core.store import Store
from rest_compat.call import Call, require_database, version_headers
from rest_compat.metadata import Properties
from rest_compat.query import parse_query
from rest_compat.reply import Reply
from rest_compat.representation import Listing, json_reply, list_reply
from rest_compat.settings import RestSettings

__all__ = ["Roots", "meta_reply"]

_RELS: Final = ("rh:schema-store", "rh:coll", "rh:bucket")


class Roots:
    """Handlers that read ``/`` and ``/<database>``, ``_size`` and ``_meta`` of them.

    Args:
        store: where databases are.
        access: says who sees which of them.
        properties: what exists, and its metadata.
        settings: page sizes.
    """

    def __init__(self, store: Store, access: AccessControl, properties: Properties, settings: RestSettings) -> None:
        self._store = store
        self._access = access
        self._properties = properties
        self._settings = settings

    async def read_root(self, call: Call) -> Reply:
        """List the databases that the principal may read."""
        query = parse_query(call.request, self._settings)
        names = await self._visible(call.principal)
        shown = [await self._of_database(name) for name in query.page.cut(names)]
        groups = {"rh:db": [element for element in shown if element]}
        listing = Listing(
            properties={},
            groups={rel: elements for rel, elements in groups.items() if elements},
            size=len(names),
            page_size=query.page.size,
            names_only=True,
        )
        return list_reply(listing, query, {})

    async def read_root_size(self, call: Call) -> Reply:
        """Count the databases that the principal may read."""
        query = parse_query(call.request, self._settings)
        return json_reply({"_size": len(await self._visible(call.principal))}, query, {})

    async def read_database(self, call: Call) -> Reply:
        """List the collections of a database."""
        database = call.resource.database
        query = parse_query(call.request, self._settings)
        properties = await self._properties.of_database(database)
        names = await self._collections(database)
        elements = await self._properties.of_collections(database, query.page.cut(names))
        groups = {rel: [element for element in elements if _rel(element["_id"]) == rel] for rel in _RELS}
        listing = Listing(
            properties=properties,
            groups={rel: group for rel, group in groups.items() if group},
            size=len(names),
            page_size=query.page.size,
            names_only=True,
        )
        return list_reply(listing, query, version_headers(properties))

    async def read_database_size(self, call: Call) -> Reply:
        """Count the collections of a database."""
        query = parse_query(call.request, self._settings)
        return json_reply({"_size": len(await self._collections(call.resource.database))}, query, {})

    async def read_database_meta(self, call: Call) -> Reply:
        """Show the metadata of a database."""
        query = parse_query(call.request, self._settings)
        properties = await self._properties.of_database(call.resource.database)
        return json_reply(meta_reply(properties), query, version_headers(properties))

    async def _visible(self, principal: Principal) -> Sequence[str]:
        names = await self._store.database_names()
        return [name for name in names if self._may_see(principal, name)]

    def _may_see(self, principal: Principal, database: str) -> bool:
        if principal.kind == "admin":
            return is_tenant(database) or database == ADMIN_DATABASE
        try:
            self._access.authorize_path(principal, method="GET", segments=(database,))
        except ForbiddenError:
            return False
        return is_tenant(database)

    async def _of_database(self, database: str) -> Document | None:
        try:
            return await self._properties.of_database(database)
        except NotFoundError:  # dropped since it was listed
            return None

    async def _collections(self, database: str) -> Sequence[str]:
        names = await require_database(self._store, database)
        return [name for name in names if name != PROPERTIES and not name.endswith(".chunks")]


def meta_reply(properties: Document) -> Document:
    """Shape the metadata of a database or collection as a resource of its own.

    Raises:
        NotFoundError: there is none.
    """
    if len(properties) == 1:
        raise NotFoundError("resource _meta is not defined")
    return {**properties, "_id": "_meta"}


def _rel(collection: str) -> str:
    if collection == SCHEMAS:
        return "rh:schema-store"
    return "rh:bucket" if collection.endswith(".files") else "rh:coll"
