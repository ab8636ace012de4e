"""CaaS JSON documents as a source, exactly as they are: a directory of files, or one file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import orjson

from content_sync.model import STATES, Document, MediaFile, Skipped, State
from content_sync.source.binaries import BinaryFinder
from content_sync.source.errors import SourceError
from content_sync.source.jsonfiles import DocumentReader
from content_sync.source.layout import FACTS_FILE, DocumentFile, find_binaries, find_documents
from content_sync.source.limits import SourceLimits
from content_sync.source.skips import SkipLog
from schema_gen.model import Resolution

__all__ = ["DocumentsSource"]

_DUPLICATES_KNOWN: Final = 500_000
"""Among so many documents a second one with the same id is noticed; more ids would cost too much memory."""


class DocumentsSource:
    """A directory of documents, or one file with them.

    Args:
        path: the directory or file.
        state: the state of documents whose names and folders say none.
        languages: only documents of these languages (``EN``, or ``en_GB``); empty for all.
        base: what replaces ``{base}`` in the documents.
        project: the project's GID, where the names do not say it.
        limits: what reading may cost.

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
    ) -> None:
        self._root = path
        self.skips = SkipLog(limits.skipped)
        self._state = state
        self._languages = frozenset(languages)
        self._reader = DocumentReader(base=base, limits=limits, skips=self.skips)
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
        seen: set[int] = set()
        for file in self._files(state):
            for document in self._reader.read(file):
                if not self._is_wanted(document):
                    continue
                key = hash(document["_id"])
                if key in seen:
                    self.skips.add(file.name, f"a second document with the _id {document['_id']}; the first counts")
                    continue
                if len(seen) < _DUPLICATES_KNOWN:
                    seen.add(key)
                yield document

    def media(self, state: State) -> Iterator[MediaFile]:
        """The binaries of the state's media; one that all languages share once, for the first document."""
        folders = find_binaries(self._root, state)
        if not folders:
            return
        finder = BinaryFinder(folders, skips=self.skips)
        shared: set[str] = set()
        for file in self._files(state):
            for document in self._reader.read(file, containing=b"Media"):
                if document["fsType"] != "Media" or not self._is_wanted(document):
                    continue
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

    def _files(self, state: State) -> Iterator[DocumentFile]:
        for file in find_documents(self._root, skips=self.skips):
            if (file.state or self._state) == state:
                yield file

    def _is_wanted(self, document: Document) -> bool:
        if not self._languages:
            return True
        locale = document.get("locale")
        if not isinstance(locale, dict):
            return False
        country = locale.get("country")
        code = f"{locale.get('language')}_{country}" if country else str(locale.get("language"))
        return not self._languages.isdisjoint({str(locale.get("identifier")), code})


def _project_of(path: Path) -> str | None:
    """The GID in ``project.json``, where there is one."""
    try:
        facts = orjson.loads((path / FACTS_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    project = facts.get("project") if isinstance(facts, dict) else None
    return project if isinstance(project, str) and project else None
