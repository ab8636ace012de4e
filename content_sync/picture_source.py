"""A source whose pictures have exactly the resolutions that the project transfers: chosen by tag, made where missing.

It stands around another source, so that a job needs to know nothing of resolutions.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from content_sync.media_paths import distinct_paths, medium_of
from content_sync.model import Document, MediaFile, Portion, Skipped, Source, State
from content_sync.pictures import PictureError, PictureLimits, is_vector, make, read_size
from content_sync.renditions import Rendition, RenditionStore
from content_sync.resolutions import ORIGINAL, PictureResolution, Resolutions
from schema_gen.model import Resolution

__all__ = ["PictureFile", "PictureSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFile(MediaFile):
    """A binary of a picture whose size in pixels is known.

    Attributes:
        width: in pixels, as a browser shows it.
        height: likewise.
    """

    width: int
    height: int


class PictureSource:
    """A source around another one.

    Args:
        source: where documents and binaries come from.
        store: keeps the pictures that are made.
        resolutions: those of the project; without them what the source says, which knows nothing of cropping.
        limits: what one picture may cost.
    """

    def __init__(
        self,
        source: Source,
        *,
        store: RenditionStore,
        resolutions: Resolutions | None = None,
        limits: PictureLimits | None = None,
    ) -> None:
        self._source = source
        self._store = store
        self._resolutions = resolutions
        self._limits = limits or PictureLimits()
        self._skipped: dict[Skipped, None] = {}

    @property
    def project(self) -> str | None:
        """The project's GID, where the source says it."""
        return self._source.project

    def states(self) -> tuple[State, ...]:
        """Which states the source holds."""
        return self._source.states()

    def resolutions(self) -> tuple[Resolution, ...]:
        """None: what its media lack is made already."""
        return ()

    def skipped(self) -> tuple[Skipped, ...]:
        """What the source skipped, then the pictures that could not be made."""
        return (*self._source.skipped(), *self._skipped)

    def documents(self, state: State) -> Iterator[Document]:
        """The documents; those of pictures list chosen resolutions only."""
        yield from self._listing_chosen(self._source.documents(state))

    def portions(self, state: State) -> Iterator[Portion]:
        """The same in the source's portions."""
        for portion in self._source.portions(state):
            yield Portion(partial(self._chosen_of, portion), portion.heads)

    def media(self, state: State) -> Iterator[MediaFile]:
        """The binaries in the chosen resolutions, under paths of their own; pictures are made while this is read.

        Reading blocks for as long as a picture takes, so an event loop reads it in a thread.
        """
        return distinct_paths(self._completed(self._source.media(state)))

    def _chosen_of(self, portion: Portion) -> Iterator[Document]:
        yield from self._listing_chosen(portion.documents())

    def _listing_chosen(self, documents: Iterable[Document]) -> Iterator[Document]:
        chosen = {resolution.name for resolution in self._chosen()}
        for document in documents:
            listed = document.get("resolutionsMetaData")
            if (
                not chosen
                or document.get("fsType") != "Media"
                or not isinstance(listed, dict)
                or listed.keys() <= chosen
            ):
                yield document
            else:
                kept = {name: value for name, value in listed.items() if name in chosen}
                yield {**document, "resolutionsMetaData": kept}

    def _chosen(self) -> Sequence[PictureResolution]:
        if self._resolutions is not None:
            return self._resolutions.chosen
        return [
            PictureResolution(name=resolution.name, width=resolution.width, height=resolution.height)
            for resolution in self._source.resolutions()
        ]

    def _completed(self, files: Iterable[MediaFile]) -> Iterator[MediaFile]:
        chosen = self._chosen()
        if not chosen:
            yield from files
            return
        for (_, _, is_picture), group in groupby(files, _variants):
            if is_picture:
                yield from self._complete({file.resolution or ORIGINAL: file for file in group}, chosen)
            else:
                yield from group

    def _complete(self, present: dict[str, MediaFile], chosen: Sequence[PictureResolution]) -> Iterator[MediaFile]:
        """Yield a picture in the chosen resolutions, in their order."""
        original = present.get(ORIGINAL)
        missing = [resolution for resolution in chosen if resolution.name not in present]
        made: dict[str, MediaFile] = {}
        if missing and original is None:
            first = next(iter(present.values()))
            names = ", ".join(resolution.name for resolution in missing)
            self._skip(first, f"its original is missing, so these resolutions cannot be made: {names}")
        elif missing and original is not None:
            try:
                made = self._made(original, missing)
            except PictureError as problem:
                names = ", ".join(resolution.name for resolution in missing)
                self._skip(original, f"{problem}; not made: {names}")
                # Documents keep at least one address, also where the original itself is not asked for.
                made = {} if any(resolution.name in present for resolution in chosen) else {ORIGINAL: original}
        found = present | made
        for name in (resolution.name for resolution in chosen):
            if name in found:
                yield found[name]
        if ORIGINAL in made and all(resolution.name != ORIGINAL for resolution in chosen):
            yield made[ORIGINAL]

    def _made(self, original: MediaFile, missing: Sequence[PictureResolution]) -> dict[str, MediaFile]:
        """Take from the store what is there, and make the rest."""
        if is_vector(original):
            return {resolution.name: _same(original, resolution) for resolution in missing}
        files: dict[str, MediaFile] = {}
        unknown: list[PictureResolution] = []
        for resolution in missing:
            if found := self._store.find(original, resolution):
                files[resolution.name] = _rendition(original, resolution, *found)
            else:
                unknown.append(resolution)
        if not unknown:
            return files
        shown = read_size(original)
        changed = [resolution for resolution in unknown if resolution.geometry(*shown).changes]
        for resolution in unknown:
            if resolution not in changed:
                files[resolution.name] = _same(original, resolution, shown)
        if changed:
            for resolution, picture in make(original, changed, limits=self._limits):
                kept = self._store.keep(original, resolution, picture)
                files[resolution.name] = _rendition(original, resolution, *kept)
        return files

    def _skip(self, file: MediaFile, why: str) -> None:
        self._skipped[Skipped(f"{medium_of(file)} ({file.path})", why)] = None


def _variants(file: MediaFile) -> tuple[str, str | None, bool]:
    """What the resolutions of one picture have in common."""
    return medium_of(file), file.language, file.resolution is not None


def _id_of(original: MediaFile, name: str) -> str:
    return f"{original.file_id.removesuffix(ORIGINAL).removesuffix('.')}.{name}"


def _path_of(original: MediaFile, name: str) -> str:
    folders, slash, file_name = original.path.rpartition("/")
    stem, dot, extension = file_name.rpartition(".")
    return f"{folders}{slash}{stem}_{name}{dot}{extension}" if dot else f"{original.path}_{name}"


def _same(original: MediaFile, resolution: PictureResolution, shown: tuple[int, int] | None = None) -> MediaFile:
    """A resolution that has the bytes of the original."""
    name = resolution.name
    file = replace(original, file_id=_id_of(original, name), path=_path_of(original, name), resolution=name)
    return file if shown is None else _sized(file, shown)


def _sized(file: MediaFile, shown: tuple[int, int]) -> PictureFile:
    width, height = shown
    return PictureFile(
        file_id=file.file_id, document_id=file.document_id, resolution=file.resolution, language=file.language,
        path=file.path, content_type=file.content_type, open=file.open, size=file.size, digest=file.digest,
        width=width, height=height,
    )  # fmt: skip


def _rendition(original: MediaFile, resolution: PictureResolution, known: Rendition, path: Path) -> PictureFile:
    return PictureFile(
        file_id=_id_of(original, resolution.name),
        document_id=original.document_id,
        resolution=resolution.name,
        language=original.language,
        path=_path_of(original, resolution.name),
        content_type=original.content_type,
        open=partial(_open, path),
        size=known.size,
        digest=known.digest,
        width=known.width,
        height=known.height,
    )


def _open(path: Path) -> BinaryIO:
    return path.open("rb")
