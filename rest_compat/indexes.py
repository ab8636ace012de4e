"""Indexes of collections: list, make, drop."""

from typing import Final

from content_core.documents import Document
from content_core.errors import (
    IllegalNameError,
    QueryRefusedError,
    RequestError,
    ReservedNameError,
    StoreError,
    StoreUnavailableError,
)
from content_core.names import APIKEYS, GQL_APPS
from content_core.store import Store
from rest_compat.bson_body import read_bson_object
from rest_compat.call import Call
from rest_compat.metadata import Properties
from rest_compat.query import parse_query
from rest_compat.query_safety import refuse_unsafe
from rest_compat.reply import Reply
from rest_compat.representation import Listing, list_reply
from rest_compat.settings import RestSettings

__all__ = ["Indexes"]

_MADE_BY_SERVER: Final = frozenset({APIKEYS, GQL_APPS})


class Indexes:
    """Handlers for ``/<database>/<collection>/_indexes`` and what is below.

    Args:
        store: where indexes are.
        properties: what exists.
        settings: limits.
    """

    def __init__(self, store: Store, properties: Properties, settings: RestSettings) -> None:
        self._store = store
        self._properties = properties
        self._settings = settings

    async def list(self, call: Call) -> Reply:
        """List the indexes, each as MongoDB describes it, with its name as ``_id``."""
        database, collection = call.resource.database, call.resource.collection
        query = parse_query(call.request, self._settings)
        await self._properties.of_collection(database, collection)
        limit = self._settings.query_time_limit_ms
        described = await self._store.list_indexes(database, collection, max_time_ms=limit)
        indexes = [_shown(index) for index in described]
        listing = Listing(properties={}, groups={"rh:index": indexes} if indexes else {}, size=len(indexes))
        return list_reply(listing, query, {})

    async def put(self, call: Call) -> Reply:
        """Make an index; this takes as long as it takes, and the very same one may be there already."""
        resource = call.resource
        _check_name(resource.document)
        _check_collection(resource.collection)
        await self._properties.of_collection(resource.database, resource.collection)
        body = await read_bson_object(call)
        keys, options = body.get("keys"), body.get("ops", {})
        if not isinstance(keys, dict) or not keys:
            raise RequestError("the body must hold an object 'keys' that names the fields of the index")
        if not isinstance(options, dict):
            raise RequestError("the member 'ops' of the body must be an object")
        refuse_unsafe(options, parameter="ops", max_regex_length=self._settings.max_regex_length)
        options = {name: value for name, value in options.items() if name != "name"}
        try:
            await self._store.build_index(
                resource.database, resource.collection, name=resource.document, keys=keys, options=options
            )
        except StoreError as error:
            if isinstance(error, StoreUnavailableError) or "code" not in error.details:
                raise
            reason = error.message if isinstance(error, QueryRefusedError) else error.details.get("codeName", "refused")
            raise RequestError(f"error creating the index: {reason}", details=error.details) from error
        return Reply(status=201)

    async def delete(self, call: Call) -> Reply:
        """Drop an index."""
        resource = call.resource
        _check_name(resource.document)
        _check_collection(resource.collection)
        await self._properties.of_collection(resource.database, resource.collection)
        dropped = await self._store.drop_index(resource.database, resource.collection, resource.document)
        return Reply(status=204 if dropped else 404)


def _check_name(name: str) -> None:
    if name.startswith("_"):
        raise IllegalNameError(
            "an index whose name begins with '_' is a default index; it can be neither made nor dropped"
        )
    if "\0" in name or name == "*":
        raise IllegalNameError("illegal index name")


def _check_collection(collection: str) -> None:
    if collection in _MADE_BY_SERVER:
        raise ReservedNameError("reserved resource")


def _shown(index: Document) -> Document:
    return {"_id" if name == "name" else name: value for name, value in index.items()}
