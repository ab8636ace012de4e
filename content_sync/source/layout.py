"""The tree of a documents source: which files are documents, which state they belong to, which files are binaries.

See the package's own text for the layout; this module only looks at names.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from content_sync.model import State
from content_sync.source.skips import SkipLog

__all__ = ["FACTS_FILE", "INDEX_FILE", "DocumentFile", "find_binaries", "find_documents"]

FACTS_FILE: Final = "project.json"
"""A file in the root that may say the project's GID."""

INDEX_FILE: Final = "index.json"
"""A file in a folder of binaries that may say more of them than their names."""

_MEDIA: Final = "media"
_SUFFIXES: Final = (".json", ".ndjson", ".jsonl")
_STATE: Final = re.compile(r"(?:(?P<project>[^/]+)\.)?(?P<state>preview|release)(?P<kind>\.content|\.files)?")
_Said = tuple[State | None, str | None]
"""Which state and which project a name says."""

_NO_DOCUMENTS: Final = frozenset({FACTS_FILE, f"{_MEDIA}/{INDEX_FILE}"})
_AMONG_MEDIA: Final = f"{_MEDIA}/"
_SKIPPED_STORES: Final = frozenset({"TemplateStore", "node_modules"})


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A file with documents.

    Attributes:
        place: where it is.
        name: its path below the root, for messages.
        state: what its name or folder says, else ``None``.
        project: the same for the project's GID.
        strict: whether it must hold documents; JSON among binaries may be a binary.
    """

    place: str
    name: str
    state: State | None
    project: str | None
    strict: bool

    @property
    def is_lines(self) -> bool:
        """Whether every line is a document."""
        return not self.name.lower().endswith(".json")


def find_documents(root: Path, *, skips: SkipLog) -> Iterator[DocumentFile]:
    """Find all files with documents below a root, or the one that the root is, sorted by path."""
    if root.is_file():
        if not root.name.lower().endswith(_SUFFIXES):
            return
        state, project = _said_by(root.name)
        yield DocumentFile(str(root), root.name, state, project, strict=True)
        return
    for relative, place, said in _walk(str(root), "", (None, None), skips):
        name = relative.rpartition("/")[2]
        lowered = name.lower()
        if not lowered.endswith(_SUFFIXES) or relative in _NO_DOCUMENTS:
            continue
        own = _said_by(name) if relative == name or not lowered.endswith(".json") else said
        state, project = own if own[0] else said
        yield DocumentFile(place, relative, state, project, strict=not relative.startswith(_AMONG_MEDIA))


def find_binaries(root: Path, state: State) -> list[Path]:
    """The folders of binaries: those of the state first, then what both states share."""
    if root.is_file():
        return []
    own = [
        entry
        for entry in sorted(root.iterdir())
        if (match := _STATE.fullmatch(entry.name)) and match["state"] == state and match["kind"] == ".files"
    ]
    return [folder for folder in (*own, root / _MEDIA) if folder.is_dir() and not folder.is_symlink()]


def _walk(folder: str, prefix: str, said: _Said, skips: SkipLog) -> Iterator[tuple[str, str, _Said]]:
    """Yield the path of every file below a folder, from the root and from here, with what its folders say."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as problem:
        skips.add(prefix or folder, f"cannot be read: {problem.strerror or problem}", broken=True)
        return
    for entry in entries:
        name = entry.name
        relative = f"{prefix}{name}"
        if name.startswith("."):
            continue
        if entry.is_symlink():
            skips.add(relative, "a symbolic link; put the file itself here")
        elif entry.is_dir():
            match = _STATE.fullmatch(name)
            if name not in _SKIPPED_STORES and not (match and match["kind"] == ".files"):
                own = _said_by(name)
                yield from _walk(entry.path, f"{relative}/", own if own[0] else said, skips)
        elif entry.is_file():
            yield relative, entry.path, said


def _said_by(name: str) -> _Said:
    stem = name
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    match = _STATE.fullmatch(stem)
    if match is None or match["kind"] == ".files":
        return None, None
    state: State = "preview" if match["state"] == "preview" else "release"
    return state, match["project"] if match["kind"] else None
