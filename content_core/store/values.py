"""What goes into the store and what comes out, besides documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from content_core.documents import Document

__all__ = ["BulkOutcome", "FindQuery", "StoreHealth"]


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
    """

    filter: Document
    projection: Mapping[str, Any] | None = None
    sort: tuple[tuple[str, Any], ...] = ()
    skip: int = 0
    limit: int = 0
    batch_size: int = 0
    max_time_ms: int = 0
    hint: str | tuple[tuple[str, Any], ...] | None = None


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
