"""Binaries beside documents: a Media document says which there are, and the names of files say which is which."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

import orjson

from content_sync.model import Document, MediaFile
from content_sync.source.digests import measure
from content_sync.source.layout import INDEX_FILE
from content_sync.source.memory import FileMemory
from content_sync.source.skips import SkipLog

__all__ = ["BinaryFinder"]

_URL: Final = re.compile(r"/[^/]+\.files/(?P<id>[^/?#]+)/binary$")
_ORIGINAL: Final = "ORIGINAL"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A binary as its document describes it."""

    resolution: str | None
    meta: dict[str, Any]
    url: str


class BinaryFinder:
    """Finds the files that Media documents speak of.

    Args:
        folders: where binaries are, the first one with a file wins.
        skips: hears of binaries that are missing.
        memory: what is known of files from before; without one all are read.
    """

    def __init__(self, folders: list[Path], *, skips: SkipLog, memory: FileMemory | None = None) -> None:
        self._skips = skips
        self._memory = memory
        self._folders = {os.path.realpath(folder): self._read_index(folder) for folder in folders}

    def find(self, document: Document) -> Iterator[MediaFile]:
        """Find the binaries of one Media document."""
        for entry in _entries(document):
            try:
                found = self._place(document, entry)
                if found is None:
                    if self._folders:
                        what = f"{document['_id']} ({entry.resolution or 'file'})"
                        self._skips.add(what, "the binary is not in the source, so what the document says of it stays")
                    continue
                yield self._media_file(document, entry, *found)
            except OSError as problem:
                self._skips.add(
                    str(document["_id"]), f"its binary cannot be read: {problem.strerror or problem}", broken=True
                )

    def _place(self, document: Document, entry: _Entry) -> tuple[str, dict[str, Any]] | None:
        for folder, index in self._folders.items():
            listed = index.get(_file_id(document, entry), {})
            for name in (str(listed.get("file") or ""), *_names(document, entry)):
                place = _inside(folder, name)
                if place is not None:
                    return place, listed
        return None

    def _media_file(self, document: Document, entry: _Entry, place: str, listed: dict[str, Any]) -> MediaFile:
        dependent = bool(document.get("languageDependent"))
        extension = str(entry.meta.get("extension") or "") or PurePosixPath(place).suffix.lstrip(".")
        route = str(listed.get("path") or entry.meta.get("seoRoute") or "")
        mime_type = listed.get("contentType") or entry.meta.get("mimeType") or "application/octet-stream"
        size, digest = measure(place, self._memory)
        return MediaFile(
            file_id=_file_id(document, entry),
            document_id=str(document["_id"]),
            resolution=entry.resolution,
            language=_locale(document) if dependent else None,
            path=_clean(route) or _default_path(document, entry, extension),
            content_type=str(mime_type),
            open=partial(_open, place),
            size=size,
            digest=digest,
        )

    def _read_index(self, folder: Path) -> dict[str, dict[str, Any]]:
        place = folder / INDEX_FILE
        try:
            entries = orjson.loads(place.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, orjson.JSONDecodeError) as problem:
            self._skips.add(f"{folder.name}/{INDEX_FILE}", f"cannot be read: {problem}", broken=True)
            return {}
        if not isinstance(entries, dict):
            self._skips.add(f"{folder.name}/{INDEX_FILE}", "no object of file ids")
            return {}
        listed = {name: {"file": value} if isinstance(value, str) else value for name, value in entries.items()}
        return {name: value for name, value in listed.items() if isinstance(value, dict)}


def _entries(document: Document) -> Iterator[_Entry]:
    pictures = document.get("resolutionsMetaData")
    if isinstance(pictures, dict):
        for name, meta in pictures.items():
            if isinstance(meta, dict):
                yield _Entry(name, meta, str(meta.get("url") or ""))
    elif document.get("mediaType") == "FILE":
        meta = document.get("fileMetaData")
        yield _Entry(None, meta if isinstance(meta, dict) else {}, str(document.get("url") or ""))


def _locale(document: Document) -> str:
    return str(document["_id"]).rpartition(".")[2]


def _file_id(document: Document, entry: _Entry) -> str:
    """The id that the document's address has, else the one by the rule."""
    match = _URL.search(entry.url)
    if match is not None:
        return match["id"]
    language = _locale(document) if document.get("languageDependent") else None
    return ".".join(part for part in (str(document.get("identifier")), language, entry.resolution) if part)


def _names(document: Document, entry: _Entry) -> Iterator[str]:
    """The names under which a binary may lie, the surest first."""
    file_id = _file_id(document, entry)
    extension = str(entry.meta.get("extension") or "")
    end = f".{extension}" if extension else ""
    yield file_id
    yield f"{file_id}{end}"
    yield str(entry.meta.get("seoRoute") or "").lstrip("/")
    locale = document.get("locale")
    spoken = str(locale.get("identifier") or "") if isinstance(locale, dict) else ""
    tail = f"_{spoken}" if document.get("languageDependent") and spoken else ""
    stems = [stem for stem in (document.get("uid"), document.get("fileName")) if isinstance(stem, str) and stem]
    for stem in dict.fromkeys(stems):
        if entry.resolution not in {None, _ORIGINAL}:
            yield f"{stem}{tail}_{entry.resolution}{end}"
        else:
            yield f"{stem}{tail}{end}"


def _inside(folder: str, name: str) -> str | None:
    """The regular file of that name in the folder, a real path; nothing outside of it, whatever the name says."""
    if not name or "\0" in name or name in {".", ".."}:
        return None
    place = f"{folder}/{name}"
    if "/" not in name:  # most are so, and then one look is enough
        try:
            mode = os.lstat(place).st_mode
        except FileNotFoundError:
            return None
        if stat.S_ISREG(mode):
            return place
    found = Path(os.path.realpath(place))
    return str(found) if found.is_relative_to(folder) and found.is_file() else None


def _default_path(document: Document, entry: _Entry, extension: str) -> str:
    """A path for a medium whose folders nobody knows: its GID stands for them, so that paths do not collide."""
    stem = str(document.get("fileName") or document.get("uid") or document.get("identifier"))
    suffix = f"_{entry.resolution}" if entry.resolution not in {None, _ORIGINAL} else ""
    language = _locale(document) if document.get("languageDependent") else ""
    name = f"{stem}{suffix}.{extension}" if extension else f"{stem}{suffix}"
    return _clean("/".join(part for part in (str(document.get("identifier")), language, name) if part))


def _clean(route: str) -> str:
    return "/".join(part for part in PurePosixPath(route).parts if part not in {"/", ".", ".."})


def _open(place: str) -> BinaryIO:
    return Path(place).open("rb")
