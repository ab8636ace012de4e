"""Media of an export: their documents, and their binaries with bucket ids and paths."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from content_core.names import document_id
from content_sync.model import MediaFile
from content_sync.source.digests import measure
from content_sync.source.export.media_facts import Binary, MediaFacts, is_language_dependent, picture_data
from content_sync.source.export.names import names_of, path_segment, pick_name
from content_sync.source.export.project import Project, locale_of
from content_sync.source.export.stores import MediaTarget, Stores
from content_sync.source.memory import FileMemory
from schema_gen.export.elements import StoreElement
from schema_gen.export.findings import BrokenFileError
from schema_gen.model import Language

__all__ = ["MediaReader"]

_ORIGINAL: Final = "ORIGINAL"


class MediaReader:
    """Reads the media of an export."""

    def __init__(self, project: Project, stores: Stores, *, memory: FileMemory | None = None) -> None:
        self._memory = memory
        self._project = project
        self._stores = stores
        self._facts = MediaFacts(project, stores)
        self._listed = frozenset(resolution.name for resolution in project.resolutions)

    def document(self, element: StoreElement, target: MediaTarget, language: Language) -> dict[str, Any]:
        """The attributes of a medium's document between its head and its metadata; addresses are still empty."""
        binaries = list(self._facts.binaries(element, target, language))
        described = pick_name(names_of(element, "description"), language, self._project.master, "")
        return {
            "fileName": element.attribute("filename") or target.stem,
            "languageDependent": is_language_dependent(element),
            "mediaType": target.media_type,
            "description": described or None,
            **(
                self._pictures(element, target, language, binaries)
                if target.media_type == "PICTURE"
                else _file(binaries)
            ),
        }

    def _pictures(
        self, element: StoreElement, target: MediaTarget, language: Language, binaries: list[Binary]
    ) -> dict[str, Any]:
        entries = {
            str(binary.resolution): {
                **picture_data(binary),
                "url": "",
                "seoRoute": f"/{self._path(element, target, binary, language)}",
            }
            for binary in binaries
            if binary.resolution in self._listed
        }
        return {"resolutionsMetaData": entries}

    def files(self) -> Iterator[MediaFile]:
        """All binaries, medium by medium; a shared one once, for the first language."""
        for uid, target in self._stores.media().items():
            try:
                element = self._stores.element(target.path)
                dependent = is_language_dependent(element)
                for language in self._project.languages if dependent else self._shared_language():
                    for binary in self._facts.binaries(element, target, language):
                        yield self._file(element, target, binary, language)
            except BrokenFileError as problem:
                self._project.skips.broken(problem)
            except OSError as problem:
                self._project.skips.add(
                    f"{target.path} ({uid})", f"cannot be read: {problem.strerror or problem}", broken=True
                )

    def _shared_language(self) -> tuple[Language, ...]:
        return self._project.languages[:1]

    def _file(self, element: StoreElement, target: MediaTarget, binary: Binary, language: Language) -> MediaFile:
        dependent = is_language_dependent(element)
        parts = [target.gid, locale_of(language) if dependent else None, binary.resolution]
        return MediaFile(
            file_id=".".join(part for part in parts if part),
            document_id=document_id(target.gid, language.language, language.country),
            resolution=binary.resolution,
            language=locale_of(language) if dependent else None,
            path=self._path(element, target, binary, language),
            content_type=binary.mime_type,
            open=partial(_open, binary.place),
            size=binary.size,
            digest=measure(str(binary.place), self._memory)[1],
        )

    def _path(self, element: StoreElement, target: MediaTarget, binary: Binary, language: Language) -> str:
        """Folders and file name as in an Advanced URL; the language is a folder where each one has a binary."""
        folder = self._stores.media_folder(target.path)
        spoken = language.abbreviation if is_language_dependent(element) else ""
        suffix = f"_{binary.resolution}" if binary.resolution not in {None, _ORIGINAL} else ""
        end = f".{binary.extension}" if binary.extension else ""
        name = f"{path_segment(target.stem)}{suffix}{end}"
        return "/".join(part for part in (folder, spoken, name) if part)


def _file(binaries: list[Binary]) -> dict[str, Any]:
    if not binaries:
        return {"url": "", "fileMetaData": None}
    binary = binaries[0]
    meta = {
        "fileSize": binary.size,
        "extension": binary.extension,
        "mimeType": binary.mime_type,
        "encoding": binary.encoding,
    }
    return {"url": "", "fileMetaData": meta}


def _open(place: Path) -> BinaryIO:
    return place.open("rb")
