"""What goes into the store and what comes out, besides documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from content_core.documents import Document

__all__ = [
    "ALL_AT_ONCE",
    "BulkError",
    "BulkInsert",
    "BulkOperation",
    "BulkOutcome",
    "BulkReplace",
    "BulkReport",
    "BulkUpdate",
    "FindQuery",
    "Hint",
    "StoreHealth",
    "Update",
    "WriteMode",
    "WriteOutcome",
]

WriteMode: TypeAlias = Literal["insert", "update", "upsert"]
"""Whether a document must be new, must be there, or may be either."""

ALL_AT_ONCE: Final = 2**31 - 1
"""The batch size of those who want everything in one answer."""

Update: TypeAlias = Document | list[Document]
"""A document of update operators, or a pipeline."""

Hint: TypeAlias = str | tuple[tuple[str, Any], ...]
"""The name of an index, or its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindQuery:
    """A find, with MongoDB's own meaning of each part.

    Args:
        filter: the filter document.
        projection: the fields to read, None for all.
        sort: pairs of field and direction, in order.
        skip: how many to leave out.
        limit: how many at most, 0 for all.
        batch_size: how many per round trip; 0 lets all come in one, as far as 16 MB reach.
        max_time_ms: how long MongoDB may work on it, 0 without end.
        hint: the name of an index, or its keys.
        verbatim: objects that look like references stay objects, with their members in order.
    """

    filter: Document
    projection: Mapping[str, Any] | None = None
    sort: tuple[tuple[str, Any], ...] = ()
    skip: int = 0
    limit: int = 0
    batch_size: int = 0
    max_time_ms: int = 0
    hint: Hint | None = None
    verbatim: bool = False

    @property
    def first_batch(self) -> int:
        """How many documents the first answer may hold.

        A batch as large as the limit would leave a cursor open on older servers, and cost a second call.
        """
        return self.batch_size or (self.limit + 1 if self.limit else ALL_AT_ONCE)


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What a write of one document did.

    Args:
        created: whether the document is new.
        matched: whether there was one that the filter found.
        document_id: its ``_id``; None where nothing was created or matched, or where the filter names none.
    """

    created: bool
    matched: bool
    document_id: Any


@dataclass(frozen=True, slots=True)
class BulkInsert:
    """Store a new document; one without ``_id`` gets one, which is put into the document."""

    document: Document


@dataclass(frozen=True, slots=True)
class BulkReplace:
    """Put a whole document in the place of the one that the filter finds; if there is none, store it if ``upsert``."""

    filter: Document
    document: Document
    upsert: bool


@dataclass(frozen=True, slots=True)
class BulkUpdate:
    """Change the document that the filter finds; if there is none, make it if ``upsert``."""

    filter: Document
    update: Update
    upsert: bool


BulkOperation: TypeAlias = BulkInsert | BulkReplace | BulkUpdate


@dataclass(frozen=True, slots=True)
class BulkError:
    """Why one operation of a bulk write was not carried out.

    Args:
        index: the operation's place.
        code: MongoDB's code.
        message: why; without hosts, users and stored values.
        status: the HTTP status of the error that it would be for a single write.
    """

    index: int
    code: int
    message: str
    status: int


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What each operation of a bulk write came to.

    Args:
        inserted: how many documents are new, by inserts and by upserts.
        matched: how many were found.
        modified: how many were changed.
        created: the ``_id`` of the new documents by the operations' places.
        errors: the operations that were not carried out, in order; the others were.
    """

    inserted: int
    matched: int
    modified: int
    created: Mapping[int, Any] = field(default_factory=dict)
    errors: tuple[BulkError, ...] = ()


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What a bulk write did: inserts and upserts, documents changed, documents found."""

    inserted: int
    modified: int
    matched: int


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """Whether MongoDB answers, and whether it has a node that takes writes."""

    reachable: bool
    primary: bool
