"""Decides about documents one by one: which are sent, how they are stamped, and what travels together. No network."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from content_core.errors import ServiceError
from content_sync.errors import SyncError
from content_sync.ledger import Ledger
from content_sync.model import Document, Head, Portion
from content_sync.report import Failure, Mode
from content_sync.source.revision import revision_of

__all__ = ["KINDS", "Batch", "Parcel", "Planner", "now_in_milliseconds"]

KINDS: Final = ("PageRef", "Media", "GCAPage", "ProjectProperties", "Dataset")
"""The kinds of document that a job writes and deletes; everything else in a collection belongs to somebody else."""

_LOOKED_AT: Final = 1_000
"""After so many documents a batch is passed on, however little of it is to be sent: a job stays interruptible."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A document as it travels.

    Attributes:
        document_id: its id.
        body: its JSON.
    """

    document_id: str
    body: bytes


@dataclass(slots=True)
class Batch:
    """Documents that travel together, and what became of those that were read along with them.

    Attributes:
        parcels: what is to be sent.
        size: the bytes of their JSON.
        read: how many documents were read.
        unchanged: how many of them the server has already.
        failures: those that cannot be sent.
    """

    parcels: list[Parcel] = field(default_factory=list)
    size: int = 0
    read: int = 0
    unchanged: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """What decides about a document.

    Attributes:
        mode: smart sends what is missing or differs, total sends all.
        ledger: what the server has; hears of every document that is read.
        started: when the job started, in milliseconds; no stamp is older.
        resolve: puts the addresses of media into a document, just before it is sent.
        documents: most documents of a batch.
        size: most bytes of a batch; a larger document travels alone.
    """

    mode: Mode
    ledger: Ledger
    started: int
    resolve: Callable[[Document], Document]
    documents: int
    size: int

    def plan(self, source: Iterable[Portion]) -> Generator[Batch, None, None]:
        """Read documents and yield batches, lazily; what is known to be on the server already is not even read.

        Raises:
            SyncError: the source cannot be read to its end.
        """
        batch = Batch()
        try:
            for found in self._sifted(source):
                if isinstance(found, int):
                    batch.read += found
                    batch.unchanged += found
                    parcel = None
                else:
                    batch.read += 1
                    parcel = self._parcel(found, batch)
                if parcel is not None:
                    if batch.parcels and batch.size + len(parcel.body) > self.size:
                        yield batch
                        batch = Batch()
                    batch.parcels.append(parcel)
                    batch.size += len(parcel.body) + 1
                if len(batch.parcels) >= self.documents or batch.size >= self.size or batch.read >= _LOOKED_AT:
                    yield batch
                    batch = Batch()
        except OSError as error:
            raise SyncError(f"the source cannot be read: {error}") from error
        if batch.read:
            yield batch

    def _sifted(self, source: Iterable[Portion]) -> Iterator[Document | int]:
        """Yield the documents of a source, or how many there were of which nothing but their number matters."""
        if self.mode == "total":
            for portion in source:
                yield from portion.documents()
            return
        known: list[tuple[Portion, Sequence[Head]]] = []
        size = 0
        for portion in source:
            if portion.heads is not None:
                known.append((portion, portion.heads))
                size += len(portion.heads)
            if portion.heads is None or size >= _LOOKED_AT:
                yield from self._changed(known)
                known, size = [], 0
            if portion.heads is None:
                yield from portion.documents()
        yield from self._changed(known)

    def _changed(self, known: Sequence[tuple[Portion, Sequence[Head]]]) -> Iterator[Document | int]:
        """Read the portions in which at least one document changed, and count those in which none did."""
        there = self.ledger.unchanged([head for _, heads in known for head in heads])
        portions: list[Portion] = []
        kept: list[Head] = []
        for portion, heads in known:
            if all(head.document_id in there for head in heads):
                kept += heads
                there.difference_update(head.document_id for head in heads)  # a second one is a duplicate
            else:
                portions.append(portion)
        self.ledger.read_all(kept)
        if kept:
            yield len(kept)
        for portion in portions:
            yield from portion.documents()

    def _parcel(self, document: Document, batch: Batch) -> Parcel | None:
        """Prepare a document; nothing if it is not to be sent."""
        document_id = document.get("_id")
        reason = _unfit(document)
        if reason or not isinstance(document_id, str):
            batch.failures.append(Failure(str(document_id), reason or "it has no id"))
            return None
        if not self.ledger.read(document_id, document["fsType"]):
            batch.failures.append(Failure(document_id, "the source has another document with this id"))
            return None
        information = document.get("changeInfo") or {}
        revision = information.get("revision")
        if revision is None:
            revision = revision_of(document)
        if self.mode == "smart" and not self.ledger.outdated(document_id, revision):
            batch.unchanged += 1
            return None
        stamp = {**information, "revision": revision, "lastSynced": max(self.started, now_in_milliseconds())}
        try:
            return Parcel(document_id, orjson.dumps({**self.resolve(document), "changeInfo": stamp}))
        except TypeError as error:
            batch.failures.append(Failure(document_id, f"it cannot be written as JSON: {error}"))
        except ServiceError as error:
            batch.failures.append(Failure(document_id, error.message))
        return None


def now_in_milliseconds() -> int:
    """The time of day, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _unfit(document: Document) -> str | None:
    """Why a document cannot be sent at all."""
    document_id: Any = document.get("_id")
    information: Any = document.get("changeInfo")
    if not isinstance(document_id, str) or not document_id:
        return "it has no id"
    if not document_id.isprintable():
        return "its id holds characters that cannot be written"
    if document.get("fsType") not in KINDS:
        return f"{document.get('fsType')!r} is no kind of document that a sync job writes"
    if information is not None and not isinstance(information, dict):
        return "its changeInfo is no object"
    return None
