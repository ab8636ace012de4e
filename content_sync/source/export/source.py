"""The export as a whole: which documents it gives, in which order; one element is in memory at a time."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from content_sync.model import Document, MediaFile, Portion, Skipped, State
from content_sync.source.export.datasets import DatasetReader
from content_sync.source.export.forms import FormWriter
from content_sync.source.export.media import MediaReader
from content_sync.source.export.pages import SETTINGS, PageReader
from content_sync.source.export.project import Address, locale_of, read_project_facts
from content_sync.source.export.sections import SectionIndex
from content_sync.source.export.stores import MediaTarget, Stores
from content_sync.source.limits import SourceLimits
from content_sync.source.memory import FileMemory
from content_sync.source.revision import revision_of
from content_sync.source.skips import SkipLog
from schema_gen.export.findings import BrokenFileError
from schema_gen.export.layout import ReadLimits
from schema_gen.model import Resolution

__all__ = ["ExportSource"]


class ExportSource:
    """An External Sync export; it holds one state of the project.

    Args:
        path: the export, or the directory that holds it.
        state: which state it is.
        languages: which languages to make documents in; empty for all that the project generates.
        address: where the documents will answer, for the addresses in references.
        limits: what reading may cost.
        memory: what is known of binaries from before; without one all are read.

    Raises:
        NotAnExportError: there is no export at this path.
        SourceError: the export does not say what has to be known.
    """

    def __init__(
        self,
        path: Path,
        *,
        state: State,
        languages: Sequence[str],
        address: Address,
        limits: SourceLimits,
        memory: FileMemory | None = None,
    ) -> None:
        self.skips = SkipLog(limits.skipped)
        self._state = state
        self._project = read_project_facts(
            path, state=state, languages=languages, address=address, skips=self.skips, limits=ReadLimits()
        )
        self._met = frozenset(self._project.findings.sorted())
        self._stores = Stores(self._project)
        forms = {each: FormWriter(self._project, self._stores, each) for each in self._project.languages}
        sections = SectionIndex(self._project, self._stores)
        self._pages = PageReader(self._project, self._stores, sections, forms)
        self._datasets = DatasetReader(self._project, self._stores, sections, self._pages, forms)
        self._media = MediaReader(self._project, self._stores, memory=memory)

    @property
    def root(self) -> Path:
        """The directory with the stores."""
        return self._project.root

    @property
    def project(self) -> str | None:
        """The project's GID, where it was given; real exports do not tell."""
        return self._project.address.project or None

    def states(self) -> tuple[State, ...]:
        """The one state of the export; none where that is release and the project does not use release."""
        if self._state == "release" and not self._project.uses_release:
            self.skips.add("release", "the project works without release; sync the export as preview")
            return ()
        return (self._state,)

    def documents(self, state: State) -> Iterator[Document]:
        """The documents of the state, by kind of document and then in the order of their directories."""
        if state not in self.states():
            return
        for where, documents in self._elements():
            try:
                for document in documents():
                    yield self._with_tail(document)
            except BrokenFileError as problem:
                self.skips.broken(problem)
            except (TypeError, RecursionError) as problem:  # how orjson says that a value cannot be JSON
                self.skips.add(where, f"cannot be a document: {problem}", broken=True)

    def portions(self, state: State) -> Iterator[Portion]:
        """All documents as one portion: each comes from several files, so that none is known by one of them."""
        yield Portion(partial(self.documents, state))

    def media(self, state: State) -> Iterator[MediaFile]:
        """The binaries of all media."""
        if state in self.states():
            yield from self._media.files()

    def resolutions(self) -> tuple[Resolution, ...]:
        """The resolutions that pictures list: those with the tag, or all."""
        return self._project.resolutions

    def skipped(self) -> tuple[Skipped, ...]:
        """What was left out so far."""
        for finding in self._project.findings.sorted():
            if finding not in self._met:  # what was met at first tells of templates; its errors are listed already
                self.skips.add(finding.path, finding.message, line=finding.line)
        return self.skips.all()

    def _elements(self) -> Iterator[tuple[str, Callable[[], Iterator[dict[str, Any]]]]]:
        """Each element with what makes its documents."""
        yield SETTINGS, self._pages.settings
        for uid, target in self._stores.gca_pages().items():
            yield target.path, partial(self._pages.gca_pages, uid, target)
        for uid, medium in self._stores.media().items():
            yield medium.path, partial(self._medium, uid, medium)
        for row in self._datasets.rows():
            yield row.path, partial(self._datasets.documents, row)
        for uid, target in self._stores.page_refs().items():
            yield target.path, partial(self._pages.page_refs, uid, target)

    def _medium(self, uid: str, target: MediaTarget) -> Iterator[dict[str, Any]]:
        element = self._stores.element(target.path)
        metadata = self._pages.metadata_of(element)
        for language in self._project.languages:
            yield {
                **self._pages.head("Media", element, uid, language, uid_type="MEDIASTORE_LEAF"),
                **self._media.document(element, target, language),
                "metaFormData": self._pages.metadata(element, metadata, language),
            }

    def _with_tail(self, document: dict[str, Any]) -> Document:
        """Add the locale and, since the export has no revisions, one of our own."""
        suffix = str(document["_id"]).rpartition(".")[2]
        language = next(each for each in self._project.languages if suffix == locale_of(each))
        pictures = document.get("mediaType") == "PICTURE"
        salt = repr(self._project.resolutions) if pictures else ""  # the missing ones are made and listed
        locale = {"identifier": language.abbreviation, "country": language.country, "language": language.language}
        revision = revision_of({**document, "locale": locale}, salt=salt)
        return {**document, "changeInfo": {"date": None, "revision": revision}, "locale": locale}
