"""What a job has to know of documents that did not change: enough to compare them, and to find the binaries of media.

Heads are kept in the memory of a source (``content_sync.source.memory``), all those of a file together.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from content_core.documents import Json
from content_sync.model import Document, Head

__all__ = ["HeadList", "KnownDocument", "languages_of", "read_heads"]

_MOST: Final = 1_000
"""A file of more documents is not remembered: what it holds is not to be in memory at once."""

_OF_MEDIA: Final = (
    "_id", "fsType", "identifier", "languageDependent", "locale", "uid", "fileName", "mediaType",
    "resolutionsMetaData", "fileMetaData", "url",
)  # fmt: skip
"""The attributes by which binaries are found."""


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document that a file holds.

    Attributes:
        head: what is compared.
        languages: how its language may be called.
        medium: a Media document as far as its binaries need it; ``None`` for all others.
    """

    head: Head
    languages: tuple[str, ...]
    medium: Document | None


class HeadList:
    """Collects what has to be known of a file's documents while they are read."""

    def __init__(self) -> None:
        self._rows: list[Any] | None = []

    def add(self, document: Document) -> None:
        """Note a document; the file is not to be remembered if there are too many, or one has an id of no use."""
        if self._rows is None:
            return
        document_id, kind = document["_id"], document["fsType"]
        if len(self._rows) == _MOST or not document_id or not document_id.isprintable():
            self._rows = None
            return
        medium = {name: document[name] for name in _OF_MEDIA if name in document} if kind == "Media" else None
        self._rows.append((document_id, kind, document["changeInfo"]["revision"], languages_of(document), medium))

    def facts(self) -> bytes | None:
        """What ``read_heads`` reads; nothing if the file is not to be remembered."""
        return None if self._rows is None else orjson.dumps(self._rows)


def languages_of(document: Document) -> tuple[str, ...]:
    """How the language of a document may be called: ``DE``, and ``de_DE``; nothing where it has none."""
    locale = document.get("locale")
    if not isinstance(locale, dict):
        return ()
    country = locale.get("country")
    code = f"{locale.get('language')}_{country}" if country else str(locale.get("language"))
    return (str(locale.get("identifier")), code)


def read_heads(facts: bytes) -> list[KnownDocument]:
    """Read what a ``HeadList`` wrote."""
    rows: list[tuple[str, str, Json, list[str], Any]] = orjson.loads(facts)
    return [
        KnownDocument(Head(document_id, kind, revision), tuple(languages), medium)
        for document_id, kind, revision, languages, medium in rows
    ]
