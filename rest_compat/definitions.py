"""Definitions of GraphQL applications: read, written, deleted; checked before they are stored, answering at once after.

A definition is stored as the JSON that was sent, names with ``$`` and dots included, and comes back the same.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from bson import ObjectId

from content_core.access import AccessControl
from content_core.access.provision import ensure_collection
from content_core.documents import Document, Json
from content_core.errors import (
    ConflictError,
    DefinitionError,
    DuplicateKeyError,
    ForbiddenError,
    IllegalNameError,
    NotFoundError,
    NotSupportedError,
    RequestError,
)
from content_core.extended_json import dumps
from content_core.hooks import DefinitionHook
from content_core.names import GQL_APPS, AppKey
from content_core.store import FindQuery, Store, WriteMode, WriteOutcome
from rest_compat.body import parse_object
from rest_compat.bulk import require_filter
from rest_compat.bulk_result import BulkCounts, bulk_reply
from rest_compat.call import (
    Call,
    absolute_link,
    check_version,
    link,
    require_collection,
    require_database,
    version_headers,
)
from rest_compat.definition_changes import change_definition
from rest_compat.listings import find_page
from rest_compat.metadata import read_properties
from rest_compat.places import find_place
from rest_compat.query import parse_query
from rest_compat.reply import HAL, Reply
from rest_compat.representation import Listing, list_reply
from rest_compat.settings import RestSettings
from rest_compat.versions import DOCUMENT, Guard
from rest_compat.write_modes import read_mode
from rest_compat.writer import duplicate_key

__all__ = ["Definitions", "ensure_definitions"]

_ADDRESSES: Final = "_app_keys"
"""A member of the stored document: the addresses it occupies. A unique index keeps definitions apart, whichever
servers they are written on."""

_OF_SERVER: Final = frozenset({"_id", "_etag", _ADDRESSES})
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_TRIES: Final = 5
_COLLISION: Final = "URI collision:"


async def ensure_definitions(store: Store, database: str) -> None:
    """Make the collection of a database's definitions and its unique index, where they are missing."""
    await ensure_collection(store, database, GQL_APPS, {})
    await store.create_index(database, GQL_APPS, name="app_keys", keys=[(_ADDRESSES, 1)], unique=True, sparse=True)


class Definitions:
    """Handlers for ``/<tenant>/gql-apps`` and what is below.

    Args:
        store: where definitions are.
        access: says what the writer of a definition may read.
        hook: checks them and lets them answer.
        settings: page sizes and the public address.
    """

    def __init__(self, store: Store, access: AccessControl, hook: DefinitionHook, settings: RestSettings) -> None:
        self._store = store
        self._access = access
        self._hook = hook
        self._settings = settings
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def list(self, call: Call) -> Reply:
        """List the tenant's definitions."""
        tenant = call.resource.database
        query = parse_query(call.request, self._settings)
        await require_collection(self._store, tenant, GQL_APPS)
        found, size = await find_page(self._store, tenant, GQL_APPS, query, self._settings, verbatim=True)
        properties = await read_properties(self._store, tenant, GQL_APPS)
        elements = [_shown(document) for document in found]
        listing = Listing(
            properties=properties,
            groups={"rh:doc": elements} if elements else {},
            size=size,
            page_size=query.page.size,
        )
        return list_reply(listing, query, version_headers(properties))

    async def read(self, call: Call) -> Reply:
        """Read one definition."""
        tenant, document_id = call.resource.database, call.resource.document
        await require_collection(self._store, tenant, GQL_APPS)
        document = await self._stored(tenant, document_id)
        if document is None:
            raise NotFoundError(f"document '{document_id}' does not exist")
        if unchanged := check_version(call.request, document):
            return unchanged
        return Reply(status=200, body=dumps(_shown(document)), media_type=HAL, headers=version_headers(document))

    async def put(self, call: Call) -> Reply:
        """Create or replace the definition that the address names."""
        body = await self._read_named(call)
        return await self._write(call, call.resource.document, lambda _stored: body)

    async def post(self, call: Call) -> Reply:
        """Create or replace the definition that the body names, or all of an array."""
        tenant = call.resource.database
        await require_database(self._store, tenant)
        sent = await call.body()
        if isinstance(sent, list):
            return await self._post_many(call, sent)
        body = parse_object(sent)
        document_id = body.get("_id")
        if not isinstance(document_id, str):
            raise RequestError("the body must name the GraphQL application in '_id', as a string")
        _check_id(tenant, document_id)
        reply = await self._write(call, document_id, lambda _stored: body)
        if reply.status != 201:
            return reply
        location = absolute_link(call, self._settings, link(tenant, GQL_APPS, document_id))
        return Reply(status=201, body=reply.body, headers={**reply.headers, "Location": location})

    async def patch(self, call: Call) -> Reply:
        """Change a definition; what it becomes is checked before it is stored.

        Dots in names at the top are paths, deeper down they belong to the name.
        """
        body = await self._read_named(call)
        return await self._write(
            call, call.resource.document, lambda stored: change_definition(stored, body), merges=True
        )

    async def patch_many(self, _call: Call) -> Reply:
        """Refuse: each definition is checked as a whole."""
        raise NotSupportedError("GraphQL App definition cannot be updated with bulk patch requests")

    async def delete_many(self, call: Call) -> Reply:
        """Delete the definitions that the filter finds; their applications stop answering."""
        tenant = call.resource.database
        wanted = require_filter(call, self._settings)
        await require_collection(self._store, tenant, GQL_APPS)
        limit = self._settings.query_time_limit_ms
        async with self._lock(tenant):
            found = await self._store.find(tenant, GQL_APPS, FindQuery(filter=wanted, max_time_ms=limit))
            deleted = [document for document in found if await self._delete(tenant, document)]
        return bulk_reply(call, self._settings, BulkCounts(deleted=len(deleted)))

    async def delete(self, call: Call) -> Reply:
        """Delete a definition; its application stops answering."""
        tenant, document_id = call.resource.database, call.resource.document
        await require_database(self._store, tenant)
        guard = await self._guard(call)
        async with self._lock(tenant):
            document = await self._stored(tenant, document_id)
            if refusal := guard.refuse(document):
                return refusal
            deleted = document is not None and await self._delete(tenant, document, pinned=guard.looks)
        return Reply(status=204 if deleted else 404)

    async def _read_named(self, call: Call) -> Document:
        """Read the body of a write whose address names the definition."""
        tenant, document_id = call.resource.database, call.resource.document
        _check_id(tenant, document_id)
        await require_database(self._store, tenant)
        body = parse_object(await call.body())
        if body.get("_id", document_id) != document_id:
            raise RequestError("the '_id' in the body differs from the id in the address")
        return body

    async def _write(
        self, call: Call, document_id: str, build: Callable[[Document], Document], *, merges: bool = False
    ) -> Reply:
        """Check and store a definition.

        Args:
            call: the request.
            document_id: which definition.
            build: makes the definition from what is stored, without the server's own members.
            merges: whether what is stored matters, so that it must not have changed when the result is stored.
        """
        tenant, mode = call.resource.database, read_mode(call.request)
        guard = await self._guard(call)
        # One at a time: the check for another application at the same address and the write are one step.
        async with self._lock(tenant):
            await ensure_definitions(self._store, tenant)
            for _ in range(_TRIES):
                current = await self._stored(tenant, document_id)
                if refusal := guard.refuse(current):
                    return refusal
                _check_mode(mode, current, document_id)
                definition = {"_id": document_id, **_content(build(_content(_shown(current or {}))))}
                prepared = await self._hook.prepare(tenant, definition)
                self._check_reach(call, prepared)
                stored = {**definition, _ADDRESSES: _occupied(definition), "_etag": ObjectId()}
                outcome = await self._store_document(tenant, stored, current, pinned=merges or guard.looks)
                if outcome is not None:
                    await self._hook.activate(prepared, str(stored["_etag"]))
                    return _written(outcome.created, stored["_etag"], prepared)
        raise ConflictError("others keep writing to the same definition")

    async def _post_many(self, call: Call, sent: Sequence[Json]) -> Reply:
        """Check all definitions of an array, then store them; the first that is refused stops it before any write."""
        tenant, mode = call.resource.database, read_mode(call.request)
        guard = await self._guard(call)
        version = ObjectId()
        links: list[str] = []
        async with self._lock(tenant):
            await ensure_definitions(self._store, tenant)
            checked: list[_Checked] = []
            for index, body in enumerate(sent):
                definition = _read_element(tenant, index, body)
                current = await self._stored(tenant, definition["_id"])
                if refusal := guard.refuse(current):
                    return refusal
                _check_mode(mode, current, definition["_id"])
                prepared = await self._prepare_element(tenant, index, definition, checked)
                self._check_reach(call, prepared)
                checked.append(_Checked(definition, current, prepared))
            for index, element in enumerate(checked):
                stored = {**element.definition, _ADDRESSES: _occupied(element.definition), "_etag": version}
                with _at(index):
                    outcome = await self._store_document(tenant, stored, element.current, pinned=guard.looks)
                if outcome is None:
                    raise ConflictError(f"others keep writing to the definition at index position {index}")
                await self._hook.activate(element.prepared, str(version))
                if outcome.created:
                    links.append(link(tenant, GQL_APPS, stored["_id"]))
        replaced = len(checked) - len(links)
        counts = BulkCounts(inserted=len(links), matched=replaced, modified=replaced)
        return bulk_reply(call, self._settings, counts, links=links, headers={"ETag": str(version)})

    async def _prepare_element(
        self, tenant: str, index: int, definition: Document, before: "Sequence[_Checked]"
    ) -> Any:
        with _at(index):
            prepared = await self._hook.prepare(tenant, definition)
            taken = {address for other in before for address in _occupied(other.definition)}
            for address in _occupied(definition):
                if address in taken:
                    raise _collision(address)
        return prepared

    def _check_reach(self, call: Call, prepared: Any) -> None:
        """Refuse to open by GraphQL what the writer may not read: a GRAPHQL permission reads all that is mapped."""
        closed = sorted(
            collection
            for database, collection in getattr(prepared, "collections", ())
            if not self._access.may_read_collection(call.principal, database, collection)
        )
        if closed:
            raise ForbiddenError(
                f"the definition reads {', '.join(closed)}, which this API key may not read",
                hint="writing a definition needs GET on every collection that it maps",
            )

    async def _stored(self, tenant: str, document_id: str) -> Document | None:
        wanted = FindQuery(filter={"_id": {"$eq": document_id}}, limit=1, verbatim=True)
        found = await self._store.find(tenant, GQL_APPS, wanted)
        return found[0] if found else None

    async def _store_document(
        self, tenant: str, stored: Document, current: Document | None, *, pinned: bool
    ) -> WriteOutcome | None:
        """Store a definition; None where another server changed it meanwhile, and that matters."""
        version = current.get("_etag") if current else None
        wanted: Document = {"_id": stored["_id"], **({"_etag": version} if pinned else {})}
        try:
            outcome = await self._store.replace_one(
                tenant, GQL_APPS, filter=wanted, document=stored, upsert=not pinned or current is None
            )
        except DuplicateKeyError as error:
            if _ADDRESSES in error.details.get("keys", ()):
                raise _collision(stored[_ADDRESSES][0]) from error
            return None
        return outcome if outcome.created or outcome.matched else None

    async def _delete(self, tenant: str, document: Document, *, pinned: bool = False) -> bool:
        wanted = {"_id": document["_id"], **({"_etag": document["_etag"]} if pinned and "_etag" in document else {})}
        if not await self._store.delete_one(tenant, GQL_APPS, filter=wanted):
            return False
        with contextlib.suppress(IllegalNameError):  # one that never had an address never answered
            await self._hook.retire(_address(document))
        return True

    async def _guard(self, call: Call) -> Guard:
        place = await find_place(self._store, call.resource)
        return Guard.of(call.request, "document", DOCUMENT, place.of_collection, place.of_database)

    def _lock(self, tenant: str) -> asyncio.Lock:
        return self._locks.setdefault(tenant, asyncio.Lock())


@dataclass(frozen=True, slots=True)
class _Checked:
    """One definition of an array, ready to be stored."""

    definition: Document
    current: Document | None
    prepared: Any


def _read_element(tenant: str, index: int, body: Json) -> Document:
    if not isinstance(body, dict) or not isinstance(body.get("_id"), str):
        raise RequestError(f"the document at index position {index} must be an object with a string as '_id'")
    _check_id(tenant, body["_id"])
    return {"_id": body["_id"], **_content(body)}


@contextlib.contextmanager
def _at(index: int) -> Iterator[None]:
    """Tell of errors which document of an array they concern."""
    try:
        yield
    except DefinitionError as error:
        raise DefinitionError(*error.reasons, index=index) from error
    except ConflictError as error:
        place = f"URI collision in document at index position {index}:"
        raise ConflictError(error.message.replace(_COLLISION, place, 1)) from error


def _collision(address: str) -> ConflictError:
    return ConflictError(f"{_COLLISION} another GraphQL app is already accessible at /{address}")


def _check_id(tenant: str, document_id: str) -> None:
    prefix = f"{tenant}___"
    if not document_id.startswith(prefix) or not _NAME.fullmatch(document_id.removeprefix(prefix)):
        raise IllegalNameError(
            f"the id of a GraphQL application begins with '{prefix}' and goes on with letters, digits, '.', '_' or '-'"
        )


def _check_mode(mode: WriteMode, current: Document | None, document_id: str) -> None:
    if mode == "insert" and current is not None:
        raise duplicate_key()
    if mode == "update" and current is None:
        raise NotFoundError(f"document '{document_id}' does not exist")


def _content(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in _OF_SERVER}


def _occupied(definition: Document) -> list[str]:
    """List what no other definition may take: the application's address, and the one that its id spells."""
    return list(dict.fromkeys([_address(definition).uri, AppKey.parse(str(definition["_id"])).uri]))


def _address(definition: Document) -> AppKey:
    """Give an application's address: its uri if it has one, else its id."""
    descriptor = definition.get("descriptor")
    uri = descriptor.get("uri") if isinstance(descriptor, Mapping) else None
    return AppKey.parse(uri if isinstance(uri, str) else str(definition["_id"]))


def _shown(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != _ADDRESSES}


def _written(created: bool, version: ObjectId, prepared: Any) -> Reply:
    # What the hook prepared is its own affair, but where it warns of something, the writer should hear of it.
    warnings: list[Json] = [str(warning) for warning in getattr(prepared, "warnings", ())]
    body = dumps({"_warnings": warnings}) if warnings else None
    return Reply(status=201 if created else 200, body=body, headers={"ETag": str(version)})
