"""Finds what the server has and the source has not, and removes it: by ids (smart), or by older stamps (total)."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from content_core.documents import Document
from content_sync.client import SyncClient
from content_sync.errors import MissingError
from content_sync.ledger import Ledger, Stored
from content_sync.model import State
from content_sync.plan import KINDS
from content_sync.progress import Progress

__all__ = ["Deleted", "Scope", "Stock"]

_AT_ONCE: Final = 100
"""Ids of one request that deletes: they stand in its address."""

_BOUNDS: Final[Sequence[str | None]] = ("", *"123456789abcdef", None)
"""Ids begin with a GID, mostly: these ranges are listed side by side, and together they hold every string."""

_OURS: Final[Document] = {"fsType": {"$in": list(KINDS)}}
_REVISION: Final = "changeInfo.revision"
_STAMP: Final = "changeInfo.lastSynced"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which stale documents may go.

    Attributes:
        kinds: those of these kinds: an export may lack a whole store, and then its documents only look stale.
        locales: those of these languages; of all without any.
    """

    kinds: frozenset[str]
    locales: frozenset[str] | None = None

    def covers(self, document_id: str, kind: str) -> bool:
        """Whether a stale document may go."""
        return kind in self.kinds and (self.locales is None or document_id.rpartition(".")[2] in self.locales)


@dataclass(frozen=True, slots=True)
class Deleted:
    """What became of stale documents.

    Attributes:
        count: how many were deleted.
        kept: the kinds of those that stayed, because the source has none of their kind.
    """

    count: int
    kept: frozenset[str]


class Stock:
    """A state's documents on the server.

    Args:
        client: the project on its server.
        state: the state.
        ledger: keeps what is listed.
        progress: hears of everything that is done.
        parallel: the most requests in flight.
    """

    def __init__(self, client: SyncClient, state: State, *, ledger: Ledger, progress: Progress, parallel: int) -> None:
        self._client = client
        self._collection = client.collection(state)
        self._ledger = ledger
        self._progress = progress
        self._room = asyncio.Semaphore(parallel)

    async def read(self) -> None:
        """List ids and revisions into the ledger; a collection that is not there is empty.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        results = await asyncio.gather(
            *(self._read_range(first or "", before) for first, before in pairwise(_BOUNDS)), return_exceptions=True
        )
        for problem in results:
            if isinstance(problem, BaseException) and not isinstance(problem, MissingError):
                raise problem

    async def delete_unread(self, scope: Scope, *, stamped: bool = False) -> Deleted:
        """Delete the listed documents that the source does not have.

        Args:
            scope: which ones may go.
            stamped: only those that a job wrote.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        deleted = 0
        kept: set[str] = set()
        for found in self._ledger.stale(_AT_ONCE, stamped=stamped):
            ids = [document_id for document_id, kind in found if scope.covers(document_id, kind)]
            kept |= {kind for _, kind in found} - scope.kinds
            deleted += await self._delete(ids, _OURS) if ids else 0
        if not stamped and scope.locales is None:
            deleted += await self._delete_others(scope)
        return Deleted(deleted, frozenset(kept))

    async def delete_older(self, than: int, scope: Scope) -> Deleted:
        """Delete the documents whose stamp is older; those without one stay.

        Args:
            than: milliseconds since 1970.
            scope: which ones may go.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        older: Document = {_STAMP: {"$lt": than}}
        condition = older | {"fsType": {"$in": sorted(scope.kinds)}}
        if scope.locales is not None:
            names = "|".join(re.escape(locale) for locale in sorted(scope.locales))
            condition["$and"] = [{"_id": {"$regex": f"[.]({names})$"}}]
        deleted = 0
        while ids := await self._some(condition):
            count = await self._delete(ids, condition)
            deleted += count
            if not count:
                break
        others = [kind for kind in KINDS if kind not in scope.kinds]
        kept = [kind for kind in others if await self._some(older | {"fsType": kind})]
        return Deleted(deleted, frozenset(kept))

    async def _read_range(self, first: str, before: str | None) -> None:
        async with self._room:
            page: list[Stored] = []
            listing = self._client.list_ids(
                self._collection, ("fsType", _REVISION, _STAMP), condition=_OURS, first=first, before=before
            )
            async for document in listing:
                page.append(_stored(document))
                if len(page) == _AT_ONCE:
                    self._note(page)
                    page = []
            self._note(page)

    def _note(self, page: Sequence[Stored]) -> None:
        self._ledger.store(page)
        self._progress.advance(len(page))

    async def _delete_others(self, scope: Scope) -> int:
        """Delete documents whose ids are no strings: no source has such."""
        condition: Document = {"fsType": {"$in": sorted(scope.kinds)}, "_id": {"$not": {"$type": "string"}}}
        if not await self._some(condition, hint='{"_id":1}'):
            return 0
        return await self._client.bulk_delete(self._collection, condition)

    async def _delete(self, ids: list[Any], condition: Document) -> int:
        count = await self._client.bulk_delete(self._collection, condition | {"_id": {"$in": ids}})
        self._progress.advance(count)
        return count

    async def _some(self, condition: Document, **params: str) -> list[Any]:
        """The ids of a few documents that meet a condition."""
        params |= {"filter": json.dumps(condition), "keys": '{"_id":1}', "rep": "s", "np": ""}
        try:
            page = await self._client.get(self._client.path(self._collection), {"pagesize": _AT_ONCE} | params)
        except MissingError:
            return []
        return [document["_id"] for document in self._client.listed(page, "_id")]


def _stored(document: Document) -> Stored:
    found = document.get("changeInfo")
    information = found if isinstance(found, dict) else {}
    return Stored(
        document["_id"],
        information.get("revision"),
        stamped=isinstance(information.get("lastSynced"), int | float),
        kind=document["fsType"],
    )
