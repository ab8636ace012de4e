"""What an export says of a medium: its names, and which binaries lie beside it in which language and resolution."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from content_sync.source.export.names import names_of, pick_name
from content_sync.source.export.project import Project
from content_sync.source.export.stores import MediaTarget, Stores
from schema_gen.export.elements import StoreElement
from schema_gen.export.findings import BrokenFileError
from schema_gen.export.markup import XmlElement
from schema_gen.model import Language

__all__ = ["Binary", "MediaFacts", "MediumFacts", "is_language_dependent", "picture_data"]

_ORIGINAL: Final = "ORIGINAL"
_YES: Final = frozenset({"1", "true", "yes"})
_MIME_TYPES: Final = {
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
_ANY_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """One file of a medium.

    Attributes:
        place: where it lies.
        resolution: the resolution's name; ``None`` for files that are no pictures.
        extension: without the dot.
        mime_type: the media type.
        width: in pixels, where the export says so.
        height: likewise.
        encoding: the character encoding, where the export says so.
        size: the number of bytes.
    """

    place: Path
    resolution: str | None
    extension: str
    mime_type: str
    width: int | None
    height: int | None
    encoding: str | None
    size: int


@dataclass(frozen=True, slots=True)
class MediumFacts:
    """What others show of a medium: its display name, and the data of one picture."""

    display_name: str
    picture: dict[str, Any] | None


def is_language_dependent(element: StoreElement) -> bool:
    """Whether each language has a binary of its own."""
    return element.attribute("languagedependent", "languageDependent").lower() in _YES


class MediaFacts:
    """Reads media of an export."""

    def __init__(self, project: Project, stores: Stores) -> None:
        self._project = project
        self._stores = stores
        self._root = project.root.resolve()

    def facts(self, uid: str, language: Language, resolution: str) -> MediumFacts | None:
        """What an image map shows of its picture; ``None`` for a medium that is not in the export."""
        target = self._stores.media().get(uid)
        if target is None:
            return None
        try:
            element = self._stores.element(target.path)
        except BrokenFileError as problem:
            self._project.skips.broken(problem)
            return None
        name = pick_name(names_of(element), language, self._project.master, uid)
        binaries = {each.resolution: each for each in self.binaries(element, target, language)}
        picture = binaries.get(resolution) or binaries.get(_ORIGINAL)
        return MediumFacts(name, picture_data(picture) if picture else None)

    def binaries(self, element: StoreElement, target: MediaTarget, language: Language) -> Iterator[Binary]:
        """The binaries of a medium in a language; one that is named but not there is reported."""
        if element.root is None:
            return
        wanted = language.abbreviation if is_language_dependent(element) else None
        nodes = list(element.root.named("PICTURE" if target.media_type == "PICTURE" else "FILE"))
        own = [node for node in nodes if node.get("language") == (wanted or "")]
        if wanted is None and not own:
            own = nodes[:1]
        for node in own:
            if target.media_type == "FILE":
                yield from self._binary(element, node, None, wanted)
                continue
            for resolution in node.named("RESOLUTION"):
                name = resolution.get("resolutionid", "name", "uid") or _ORIGINAL
                yield from self._binary(element, resolution, name, wanted)

    def _binary(
        self, element: StoreElement, node: XmlElement, resolution: str | None, language: str | None
    ) -> Iterator[Binary]:
        extension = node.get("extension").lstrip(".").lower()
        name = self._file_name(element, resolution, language, extension)
        place = self._root / element.directory.path / (name or "-")
        size = self._size(place) if name else None
        if size is None:
            what = f"{resolution or 'file'} for {language}" if language else resolution or "file"
            self._project.skips.add(element.definition, f"the binary ({what}, .{extension}) is not in the export")
            return
        yield Binary(
            place=place,
            resolution=resolution,
            extension=extension,
            mime_type=node.get("mimetype", "mimeType") or _MIME_TYPES.get(extension, _ANY_TYPE),
            width=_number(node, "width"),
            height=_number(node, "height"),
            encoding=node.get("encoding") or None,
            size=size,
        )

    def _file_name(
        self, element: StoreElement, resolution: str | None, language: str | None, extension: str
    ) -> str | None:
        """The file's name: what the export's own rule gives, else the only one that can be meant."""
        head = "Picture" if resolution else "File"
        tail = "".join(f"_{part}" for part in (resolution, language) if part)
        end = f".{extension}" if extension else ""
        expected = f"{head}_{element.attribute('filename')}{tail}{end}"
        if expected in element.directory.names:
            return expected
        similar = [
            name
            for name in sorted(element.directory.names)
            if name.startswith(f"{head}_") and name.lower().endswith(f"{tail}{end}".lower())
        ]
        return similar[0] if len(similar) == 1 else None

    def _size(self, place: Path) -> int | None:
        """The size of a regular file inside the export; links out of it are not followed."""
        try:
            real = place.resolve(strict=True)
            status = os.stat(real)  # noqa: PTH116 - mode and size from one call
        except OSError:
            return None
        inside = real.is_relative_to(self._root)
        return status.st_size if inside and stat.S_ISREG(status.st_mode) else None


def picture_data(binary: Binary) -> dict[str, Any]:
    """What documents say of a picture's binary."""
    return {
        "fileSize": binary.size,
        "extension": binary.extension,
        "mimeType": binary.mime_type,
        "width": binary.width,
        "height": binary.height,
    }


def _number(node: XmlElement, name: str) -> int | None:
    text = node.get(name)
    return int(text) if text.isdecimal() else None
