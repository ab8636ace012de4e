"""Documents out of JSON files: one, an array or a listing in one file, or one in each line; one at a time.

What is broken is reported with its file and line, and reading goes on behind it. Of a file without anything broken it
is noted what it holds.
"""

import os
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import orjson

from content_core.names import document_id
from content_sync.model import Document
from content_sync.source.heads import HeadList, KnownDocument, read_heads
from content_sync.source.layout import DocumentFile
from content_sync.source.limits import SourceLimits
from content_sync.source.memory import FileMemory
from content_sync.source.revision import revision_of
from content_sync.source.skips import SkipLog

__all__ = ["KINDS", "DocumentReader"]

KINDS: Final = ("PageRef", "Dataset", "Media", "GCAPage", "ProjectProperties")
"""What a document can be; no set, for whatever stands in a file is looked for in it, lists and objects included."""

_PLACEHOLDER: Final = b'"{base}/'
"""Where an address begins; the same signs inside of a text are only text."""

_PLATFORM: Final = ("_etag", "_links")
"""What a server adds when it answers, and makes anew when it is written to."""


class DocumentReader:
    """Reads documents from files.

    Args:
        base: what replaces the placeholder ``{base}`` in the documents; empty to leave it.
        limits: what reading may cost.
        skips: hears of what is no document.
        memory: what is known of files from before; without one all are read.
    """

    def __init__(self, *, base: str, limits: SourceLimits, skips: SkipLog, memory: FileMemory | None = None) -> None:
        self._base = orjson.dumps(f"{base}/")[:-1] if base else _PLACEHOLDER
        self._limits = limits
        self._skips = skips
        self._memory = memory

    def known(self, file: DocumentFile, *, containing: bytes = b"") -> list[KnownDocument] | None:
        """Tell what a file holds without reading it; nothing if it changed, or was never read to its end.

        Args:
            file: the file.
            containing: the caller passes over what is known unless these bytes occur in it.
        """
        facts = self._memory.recall(file.place, "documents") if self._memory else None
        if facts is None:
            return None
        return read_heads(facts) if containing in facts else []

    def read(self, file: DocumentFile, *, containing: bytes = b"") -> Iterator[Document]:
        """Read the documents of a file.

        Args:
            file: the file.
            containing: only documents in whose JSON these bytes occur; passing over the others is cheap.
        """
        heads, left_out = HeadList(), self._skips.heard
        try:
            with open(file.place, "rb") as body:  # noqa: PTH123 - of a string; a Path each would be much of the work
                status = os.fstat(body.fileno())
                for document in (self._lines if file.is_lines else self._whole)(body, file, containing):
                    heads.add(document)
                    yield document
        except OSError as problem:
            self._skips.add(file.name, f"cannot be read: {problem.strerror or problem}", broken=True)
            return
        if self._memory and not containing and self._skips.heard == left_out and (facts := heads.facts()) is not None:
            self._memory.remember(file.place, "documents", status, facts)

    def _lines(self, lines: BinaryIO, file: DocumentFile, containing: bytes) -> Iterator[Document]:
        limit = self._limits.document_bytes
        number = 0
        while line := lines.readline(limit + 1):
            number += 1
            if len(line) > limit and not line.endswith(b"\n"):
                self._skips.add(file.name, f"longer than the limit of {limit} bytes", line=number, broken=True)
                while (rest := lines.readline(limit)) and not rest.endswith(b"\n"):
                    pass
                continue
            trimmed = line.strip().removeprefix(b"\xef\xbb\xbf")
            if trimmed and containing in trimmed:
                for value in self._parse(trimmed, file, number):
                    yield from self._document(value, file, number)

    def _whole(self, body: BinaryIO, file: DocumentFile, containing: bytes) -> Iterator[Document]:
        limit = self._limits.document_bytes
        data = body.read(limit + 1)
        if len(data) > limit:
            hint = "write its documents as lines of a .ndjson file"
            self._skips.add(file.name, f"larger than the limit of {limit} bytes; {hint}", broken=True)
        elif containing in data:
            for parsed in self._parse(data.removeprefix(b"\xef\xbb\xbf"), file, None):
                for value in _listed(parsed):
                    yield from self._document(value, file, None)

    def _parse(self, data: bytes, file: DocumentFile, line: int | None) -> Iterator[Any]:
        try:
            yield orjson.loads(data.replace(_PLACEHOLDER, self._base))
        except orjson.JSONDecodeError as problem:
            if file.strict:
                where = line or problem.lineno
                why = f"no JSON: {problem.msg} (column {problem.colno})"
                self._skips.add(file.name, why, line=where, broken=True)

    def _document(self, value: Any, file: DocumentFile, line: int | None) -> Iterator[Document]:
        """Complete a document: its id, its revision, nothing that belongs to a server."""
        if not isinstance(value, dict) or value.get("fsType") not in KINDS:
            if file.strict:
                found = value.get("_id", value.get("fsType")) if isinstance(value, dict) else type(value).__name__
                self._skips.add(file.name, f"no document of a kind that is synchronised: {found!r:.80}", line=line)
            return
        identifier = value.get("_id") or _own_id(value)
        if not isinstance(identifier, str):
            self._skips.add(file.name, "a document without an _id that is text", line=line, broken=True)
            return
        for name in _PLATFORM:
            value.pop(name, None)
        change = value.get("changeInfo")
        info = dict(change) if isinstance(change, dict) else {}
        info.pop("lastSynced", None)
        document = {"_id": identifier, **{name: item for name, item in value.items() if name != "_id"}}
        if not isinstance(info.get("revision"), int):
            try:
                info["revision"] = revision_of(document)
            except TypeError as problem:  # deeper than can be written
                self._skips.add(file.name, f"{identifier}: {problem}", line=line, broken=True)
                return
        document["changeInfo"] = info
        yield document


def _listed(parsed: Any) -> list[Any]:
    """The values in an array, or in a listing as the REST interface answers it, else the value itself."""
    if isinstance(parsed, list):
        return parsed
    embedded = parsed.get("_embedded") if isinstance(parsed, dict) else None
    if isinstance(embedded, dict):
        return [item for items in embedded.values() if isinstance(items, list) for item in items]
    return embedded if isinstance(embedded, list) else [parsed]


def _own_id(document: dict[str, Any]) -> str | None:
    """The id that a document without one has by the platform's rule."""
    locale = document.get("locale")
    name = "projectsettings" if document["fsType"] == "ProjectProperties" else document.get("identifier")
    if not isinstance(locale, dict) or not isinstance(name, str) or not isinstance(locale.get("language"), str):
        return None
    return document_id(name, locale["language"], str(locale.get("country") or ""))
