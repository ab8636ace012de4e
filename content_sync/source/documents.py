"""CaaS JSON documents as a source, exactly as they are: a directory of files, or one file."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import orjson

from content_sync.model import STATES, Document, Head, MediaFile, Portion, Skipped, State
from content_sync.source.binaries import BinaryFinder
from content_sync.source.errors import SourceError
from content_sync.source.heads import languages_of
from content_sync.source.jsonfiles import DocumentReader
from content_sync.source.layout import FACTS_FILE, DocumentFile, find_binaries, find_documents
from content_sync.source.limits import SourceLimits
from content_sync.source.memory import FileMemory
from content_sync.source.skips import SkipLog
from schema_gen.model import Resolution

__all__ = ["DocumentsSource"]

_MEDIA: Final = b'"Media"'
_DUPLICATES_KNOWN: Final = 500_000
"""Among so many documents a second one with the same id is noticed; more ids would cost too much memory."""


class _Met:
    """Which files the ids of documents were met in, for the first one counts."""

    def __init__(self) -> None:
        self._owners: dict[int, int] = {}
        """Hash of an id → the file's number twice, and one more once the document was read from it."""

    def known(self, document_id: str, file: int) -> bool:
        """Meet an id among those that a file is known to hold; False if another file has it."""
        key = hash(document_id)
        if len(self._owners) < _DUPLICATES_KNOWN:
            return self._owners.setdefault(key, 2 * file) == 2 * file
        return self._owners.get(key, 2 * file) == 2 * file

    def read(self, document_id: str, file: int) -> bool:
        """Meet a document that was read from a file; False if it was met before."""
        key = hash(document_id)
        owner = self._owners.get(key)
        if owner is not None and owner != 2 * file:
            return False
        if owner is not None or len(self._owners) < _DUPLICATES_KNOWN:
            self._owners[key] = 2 * file + 1
        return True


class DocumentsSource:
    """A directory of documents, or one file with them.

    Args:
        path: the directory or file.
        state: the state of documents whose names and folders say none.
        languages: only documents of these languages (``EN``, or ``en_GB``); empty for all.
        base: what replaces ``{base}`` in the documents.
        project: the project's GID, where the names do not say it.
        limits: what reading may cost.
        memory: what is known of files from before; without one all are read.

    Raises:
        SourceError: there is no document, or it is not known to which state one belongs.
    """

    def __init__(
        self,
        path: Path,
        *,
        state: State | None,
        languages: Sequence[str],
        base: str,
        project: str | None,
        limits: SourceLimits,
        memory: FileMemory | None = None,
    ) -> None:
        self._root = path
        self._memory = memory
        self.skips = SkipLog(limits.skipped)
        self._state = state
        self._languages = frozenset(languages)
        self._reader = DocumentReader(base=base, limits=limits, skips=self.skips, memory=memory)
        found, unstated, said = self._look(path)
        if not found and unstated is None:
            raise SourceError(f"{path}: no documents", hint="expected are .json and .ndjson files, or an export")
        if unstated is not None and state is None:
            raise SourceError(
                f"{path}: nothing says which state {unstated} belongs to",
                hint="put it below preview/ or release/, or say the state",
            )
        self._states = tuple(each for each in STATES if each in found or (unstated is not None and each == state))
        self._project = project or said or _project_of(path)

    def _look(self, path: Path) -> tuple[set[State], str | None, str | None]:
        """Which states the names say, a file that says none, and which project the names say."""
        found: set[State] = set()
        unstated: str | None = None
        projects: set[str] = set()
        for file in find_documents(path, skips=self.skips):
            if file.state is not None:
                found.add(file.state)
            elif file.strict or self._state is not None:
                unstated = unstated or file.name
            if file.project is not None:
                projects.add(file.project)
        if len(projects) > 1:
            raise SourceError(
                f"{path}: documents of several projects ({', '.join(sorted(projects)[:5])})",
                hint="sync each project from its own directory",
            )
        return found, unstated, next(iter(projects), None)

    @property
    def root(self) -> Path:
        """The directory or file."""
        return self._root

    @property
    def project(self) -> str | None:
        """The project's GID, where a name, ``project.json`` or the caller says it."""
        return self._project

    def states(self) -> tuple[State, ...]:
        """The states that names and folders say, and the given one for documents that say none."""
        return self._states

    def documents(self, state: State) -> Iterator[Document]:
        """The documents of a state, in the order of their files."""
        for portion in self.portions(state):
            yield from portion.documents()

    def portions(self, state: State) -> Iterator[Portion]:
        """The same, file by file, with what is known of those that did not change since they were read."""
        met = _Met()
        for number, file in enumerate(self._files(state)):
            yield Portion(partial(self._read, file, number, met), self._heads(file, number, met))

    def _heads(self, file: DocumentFile, number: int, met: _Met) -> list[Head] | None:
        known = self._reader.known(file)
        if known is None:
            return None
        heads = [each.head for each in known if self._is_wanted(each.languages)]
        distinct = {head.document_id for head in heads if met.known(head.document_id, number)}
        return heads if len(distinct) == len(heads) else None

    def _read(self, file: DocumentFile, number: int, met: _Met) -> Iterator[Document]:
        for document in self._reader.read(file):
            if not self._is_wanted(languages_of(document)):
                continue
            if met.read(document["_id"], number):
                yield document
            else:
                self.skips.add(file.name, f"a second document with the _id {document['_id']}; the first counts")

    def media(self, state: State) -> Iterator[MediaFile]:
        """The binaries of the state's media; one that all languages share once, for the first document."""
        folders = find_binaries(self._root, state)
        if not folders:
            return
        finder = BinaryFinder(folders, skips=self.skips, memory=self._memory)
        shared: set[str] = set()
        for file in self._files(state):
            for document in self._media_documents(file):
                if not document.get("languageDependent"):
                    identifier = str(document.get("identifier"))
                    if identifier in shared:
                        continue
                    shared.add(identifier)
                yield from finder.find(document)

    def resolutions(self) -> tuple[Resolution, ...]:
        """None: the documents list what they shall list."""
        return ()

    def skipped(self) -> tuple[Skipped, ...]:
        """What was left out so far."""
        return self.skips.all()

    def _media_documents(self, file: DocumentFile) -> Iterator[Document]:
        """The Media documents of a file; of a file that did not change only what is known of them."""
        known = self._reader.known(file, containing=_MEDIA)
        if known is not None:
            yield from (each.medium for each in known if each.medium and self._is_wanted(each.languages))
            return
        # Where what is read can be recalled, all of a file is looked at, and once is enough.
        looking = b"" if self._memory and self._memory.recalls else _MEDIA
        for document in self._reader.read(file, containing=looking):
            if document["fsType"] == "Media" and self._is_wanted(languages_of(document)):
                yield document

    def _files(self, state: State) -> Iterator[DocumentFile]:
        root = Path(os.path.abspath(self._root))  # noqa: PTH100 - links in it stay: a name may say the state
        for file in find_documents(root, skips=self.skips):
            if (file.state or self._state) == state:
                yield file

    def _is_wanted(self, languages: Sequence[str]) -> bool:
        return not self._languages or not self._languages.isdisjoint(languages)


def _project_of(path: Path) -> str | None:
    """The GID in ``project.json``, where there is one."""
    try:
        facts = orjson.loads((path / FACTS_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    project = facts.get("project") if isinstance(facts, dict) else None
    return project if isinstance(project, str) and project else None
