"""Single documents stored, changed and deleted, under a write mode, a condition and the rules of versions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from bson import ObjectId

from content_core.documents import Document
from content_core.errors import DuplicateKeyError, NotFoundError, QueryRefusedError, StoreError
from content_core.store import Store, WriteMode, WriteOutcome
from rest_compat.places import Place
from rest_compat.reply import Reply
from rest_compat.request import Request
from rest_compat.versions import DOCUMENT, Guard, write_guarded

__all__ = ["Check", "DocumentWriter", "duplicate_key", "identity"]

Check: TypeAlias = Callable[[Document], None]
"""Raises if a document may not be stored."""

_NEVER: Final[Document] = {"$nor": [{}]}
"""A condition that nothing meets: an upsert under it can only insert."""

_LITERAL: Final = frozenset({str, ObjectId})
"""Types of ``_id`` for which MongoDB has a short way, which ``$eq`` does not take; no condition looks like them."""

_NOT_IN_UPSERTS: Final = 224
"""MongoDB's code for a filter that an upsert cannot have, such as one with ``$expr``."""


class DocumentWriter:
    """Writes documents of one kind.

    Args:
        store: where documents are.
        subject: what messages call one.
    """

    def __init__(self, store: Store, *, subject: str = "document") -> None:
        self._store = store
        self._subject = subject

    async def replace(
        self, request: Request, place: Place, document: Document, *, mode: WriteMode, condition: Document | None = None
    ) -> WriteOutcome | Reply:
        """Store a whole document, with ``_id``; a reply says why not.

        Raises:
            DuplicateKeyError: the mode or the condition does not fit what is there, or a unique index refuses it.
            NotFoundError: there is none that could be replaced.
        """
        document_id = document["_id"]
        if mode == "insert":
            with _explained():
                await self._store.insert(place.database, place.collection, document)
            return WriteOutcome(created=True, matched=False, document_id=document_id)
        wanted = identity(document_id, condition)

        async def write(version: Document, creates: bool) -> WriteOutcome:
            return await self._store.replace_one(
                place.database, place.collection, filter={**wanted, **version}, document=document, upsert=creates
            )

        return await self._write(request, place, document_id, write, mode)

    async def change(
        self,
        request: Request,
        place: Place,
        document_id: Any,
        update: Document,
        *,
        mode: WriteMode,
        condition: Document | None = None,
        check: Check | None = None,
    ) -> WriteOutcome | Reply:
        """Change a document; a reply says why not.

        Args:
            request: shows the version that it means.
            place: where the document is.
            document_id: its ``_id``.
            update: the update operators.
            mode: whether it must be new, be there, or either.
            condition: what else it must fit.
            check: sees what it would become.

        Raises:
            DuplicateKeyError: the mode or the condition does not fit what is there, or a unique index refuses it.
            NotFoundError: there is none that could be changed.
        """
        wanted = identity(document_id, _NEVER if mode == "insert" else condition)

        async def write(version: Document, creates: bool) -> WriteOutcome:
            where, found = (place.database, place.collection), {**wanted, **version}
            if check is None:
                return await self._store.update_one(*where, filter=found, update=update, upsert=creates)
            return await self._store.update_checked(*where, filter=found, update=update, upsert=creates, check=check)

        return await self._write(request, place, document_id, write, mode)

    async def delete(
        self, request: Request, place: Place, document_id: Any, *, condition: Document | None = None
    ) -> Reply:
        """Delete a document, or answer why not."""
        wanted = identity(document_id, condition)

        async def write(version: Document, _creates: bool) -> WriteOutcome:
            deleted = await self._store.delete_one(place.database, place.collection, filter={**wanted, **version})
            return WriteOutcome(created=False, matched=deleted, document_id=document_id)

        outcome = await self._guarded(request, place, document_id, write, creates=False)
        if isinstance(outcome, Reply):
            return outcome
        return Reply(status=204 if outcome.matched else 404)

    async def _write(
        self, request: Request, place: Place, document_id: Any, write: Any, mode: WriteMode
    ) -> WriteOutcome | Reply:
        with _explained():
            outcome = await self._guarded(request, place, document_id, write, creates=mode != "update")
        if isinstance(outcome, Reply) or outcome.created or outcome.matched:
            return outcome
        if mode != "update" and await self._read_version(place, document_id) is not None:
            raise duplicate_key()
        shown = str(document_id) if isinstance(document_id, ObjectId) else f"'{document_id}'"
        raise NotFoundError(f"document {shown} does not exist")

    async def _guarded(
        self, request: Request, place: Place, document_id: Any, write: Any, *, creates: bool
    ) -> WriteOutcome | Reply:
        guard = Guard.of(request, self._subject, DOCUMENT, place.of_collection, place.of_database)
        return await write_guarded(guard, lambda: self._read_version(place, document_id), write, creates=creates)

    async def _read_version(self, place: Place, document_id: Any) -> Document | None:
        return await self._store.find_one(
            place.database, place.collection, filter=identity(document_id), projection={"_etag": 1}
        )


def identity(document_id: Any, condition: Document | None = None) -> Document:
    """Build the filter that finds one document, if it fits a condition."""
    wanted: Document = {"_id": document_id if type(document_id) in _LITERAL else {"$eq": document_id}}
    return wanted if condition is None else {**wanted, "$and": [condition]}


def duplicate_key(error: DuplicateKeyError | None = None) -> DuplicateKeyError:
    """Build the error of a write that collides with what is there; values are left out, they may be secrets."""
    details = error.details if error else {}
    keys = ", ".join(details.get("keys", ("_id",)))
    return DuplicateKeyError(f"Duplicate key error: another document has the same {keys}", details=details)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except DuplicateKeyError as error:
        raise duplicate_key(error) from error
    except StoreError as error:
        if error.details.get("code") != _NOT_IN_UPSERTS:
            raise
        raise QueryRefusedError(
            "the filter has an operator that cannot be used when the write may create a document",
            hint="with wm=update it can",
        ) from error
