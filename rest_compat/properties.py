"""Writes of the metadata of databases and collections, kept in ``_properties`` with its names escaped."""

from typing import Any, Final

from bson import ObjectId

from content_core.access.reserved import PROPERTIES
from content_core.documents import Document
from content_core.errors import RequestError
from content_core.store import Store, WriteOutcome
from rest_compat.metadata import escape_names, unescape_names
from rest_compat.pipeline_definitions import AGGREGATIONS, STREAMS, check_definitions
from rest_compat.places import Place, properties_id
from rest_compat.reply import Reply
from rest_compat.request import Request
from rest_compat.updates import make_changes
from rest_compat.versions import METADATA, Guard, write_guarded
from rest_compat.writer import identity

__all__ = ["PropertiesWriter", "make_property_changes"]

_OF_SERVER: Final = frozenset({"_id", "_etag"})
_WITH_VALUES: Final = frozenset({"$set", "$setOnInsert", "$push", "$addToSet", "$pullAll"})
"""Operators whose operands are stored, and so have names to escape."""

_EACH: Final = "$each"
_DEFINITIONS: Final = frozenset({AGGREGATIONS, STREAMS})


class PropertiesWriter:
    """Writes metadata documents under the rules of versions.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def replace(
        self, request: Request, place: Place, body: Document, *, version: ObjectId
    ) -> WriteOutcome | Reply:
        """Put a body in the place of all metadata; a reply says why not."""
        properties = {name: value for name, value in body.items() if name not in _OF_SERVER}
        document = {"_id": properties_id(place.collection), **escape_names(properties), "_etag": version}

        async def write(condition: Document, creates: bool) -> WriteOutcome:
            wanted = identity(document["_id"]) | condition
            return await self._store.replace_one(
                place.database, PROPERTIES, filter=wanted, document=document, upsert=creates
            )

        if not place.exists:  # what is left of a dropped one has no version that anybody could show
            return await write({}, True)
        return await self._guarded(request, place, write, creates=True)

    async def merge(self, request: Request, place: Place, body: Document, *, version: ObjectId) -> WriteOutcome | Reply:
        """Change metadata; a reply says why not.

        Raises:
            RequestError: there is nothing to do, or an aggregation or a change stream would not be made as it has to.
        """
        update = make_property_changes(body, version=version)
        checked = bool(place.collection) and _reaches_definitions(update)

        def check(document: Document) -> None:
            check_definitions(unescape_names(document), database=place.database)

        async def write(condition: Document, creates: bool) -> WriteOutcome:
            wanted = identity(properties_id(place.collection)) | condition
            where = (place.database, PROPERTIES)
            if not checked:
                return await self._store.update_one(*where, filter=wanted, update=update, upsert=creates)
            return await self._store.update_checked(*where, filter=wanted, update=update, upsert=creates, check=check)

        return await self._guarded(request, place, write, creates=True)

    async def remove(self, request: Request, place: Place) -> WriteOutcome | Reply:
        """Delete metadata, so that what it belongs to may be dropped; a reply says why not."""

        async def write(condition: Document, _creates: bool) -> WriteOutcome:
            wanted = identity(properties_id(place.collection)) | condition
            deleted = await self._store.delete_one(place.database, PROPERTIES, filter=wanted)
            return WriteOutcome(created=False, matched=deleted, document_id=None)

        return await self._guarded(request, place, write, creates=False)

    async def _guarded(self, request: Request, place: Place, write: Any, *, creates: bool) -> WriteOutcome | Reply:
        async def read() -> Document | None:
            return await self._store.find_one(
                place.database, PROPERTIES, filter=identity(properties_id(place.collection)), projection={"_etag": 1}
            )

        subject = "collection" if place.collection else "database"
        guard = Guard.of(request, subject, METADATA, place.of_collection, place.of_database)
        return await write_guarded(guard, read, write, creates=creates)


def make_property_changes(body: Document, *, version: ObjectId) -> Document:
    """Build the update that a PATCH of metadata asks for; dots at the top are paths, deeper down they belong to names.

    Raises:
        RequestError: there is nothing to do, or a member is set twice.
    """
    if not body:
        raise RequestError("no data provided")
    escaped = {
        name if name.startswith("$") else _escape_path(name): _escape_operator(name, value)
        if name.startswith("$")
        else escape_names(value)
        for name, value in body.items()
    }
    return make_changes(escaped, version=version)


def _reaches_definitions(update: Document) -> bool:
    """Say whether an update may change what the definitions of aggregations or change streams are."""
    return any(
        isinstance(name, str) and name.partition(".")[0] in _DEFINITIONS
        for operands in update.values()
        if isinstance(operands, dict)
        for operand in operands.items()
        for name in operand  # $rename has a name as its value
    )


def _escape_operator(operator: str, operands: Any) -> Any:
    if not isinstance(operands, dict):
        return operands
    return {
        _escape_path(name): _escape_operand(value) if operator in _WITH_VALUES else value
        for name, value in operands.items()
    }


def _escape_operand(value: Any) -> Any:
    if isinstance(value, dict) and _EACH in value:
        return {name: escape_names(item) if name == _EACH else item for name, item in value.items()}
    return escape_names(value)


def _escape_path(path: str) -> str:
    """Escape the names on a path, but not ``$`` and ``$[…]``, which stand for positions in arrays."""
    return ".".join(
        f"_{part}" if part.startswith("$") and part != "$" and not part.startswith("$[") else part
        for part in path.split(".")
    )
