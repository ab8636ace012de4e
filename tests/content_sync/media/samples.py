"""Media for tests: files in memory, pictures drawn by Pillow, a source of both."""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

from PIL import Image, ImageDraw

from content_sync.model import STATES, Document, MediaFile, Portion, Skipped, State
from schema_gen.model import Resolution

GID = "d3c1a8b0-9f0e-4c5b-a6a3-1c0e7f5b2d44"
OTHER = "1f7a7d0e-43c5-4c0e-8a6e-b2f4d0a91c55"
PROJECT = "5d2f6c1e-8a47-4b0d-9e63-0c1b7a9f4e21"


def media_file(
    data: bytes = b"bytes",
    *,
    gid: str = GID,
    resolution: str | None = "ORIGINAL",
    language: str | None = None,
    path: str = "Photos/ridge.jpg",
    content_type: str = "image/jpeg",
    opens: Callable[[], BinaryIO] | None = None,
) -> MediaFile:
    parts = [gid, *([language] if language else []), *([resolution] if resolution else [])]
    return MediaFile(
        file_id=".".join(parts),
        document_id=f"{gid}.{language or 'en_GB'}",
        resolution=resolution,
        language=language,
        path=path,
        content_type=content_type,
        open=opens or (lambda: io.BytesIO(data)),
        size=len(data),
        digest=hashlib.sha256(data).hexdigest(),
    )


def picture(
    width: int = 320, height: int = 200, *, kind: str = "JPEG", mode: str = "RGB", orientation: int = 1, **options: Any
) -> bytes:
    """Draw a picture whose left half is red and whose right half is blue, with a white bar at the top."""
    image = Image.new("RGB", (width, height), "red")
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2, 0, width, height), fill="blue")
    draw.rectangle((0, 0, width, height // 10), fill="white")
    if orientation != 1:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    target = io.BytesIO()
    image.convert(mode).save(target, kind, **options)
    return target.getvalue()


def opened(file: MediaFile) -> Image.Image:
    with file.open() as stream:
        image = Image.open(io.BytesIO(stream.read()))
    image.load()
    return image


def media_document(gid: str = GID, *, kind: str = "PICTURE", language: str = "en_GB", **members: Any) -> Document:
    code, _, country = language.partition("_")
    return {
        "_id": f"{gid}.{language}", "fsType": "Media", "name": "ridge", "displayName": "Ridge", "identifier": gid,
        "uid": "ridge", "uidType": "MEDIASTORE_LEAF", "fileName": "ridge", "languageDependent": False,
        "mediaType": kind, "description": None, **members, "metaFormData": {},
        "changeInfo": {"date": "2024-12-11T09:40Z", "revision": 3120},
        "locale": {"identifier": code.upper(), "country": country, "language": code},
    }  # fmt: skip


class Sample:
    """A source of what it is given."""

    project: str | None = PROJECT

    def __init__(
        self,
        files: Sequence[MediaFile] = (),
        documents: Sequence[Document] = (),
        resolutions: tuple[Resolution, ...] = (),
    ) -> None:
        self._files, self._documents, self._resolutions = files, documents, resolutions

    def states(self) -> tuple[State, ...]:
        return STATES

    def documents(self, state: State) -> Iterator[Document]:
        return iter(self._documents)

    def portions(self, state: State) -> Iterator[Portion]:
        yield Portion(partial(self.documents, state))

    def media(self, state: State) -> Iterator[MediaFile]:
        return iter(self._files)

    def resolutions(self) -> tuple[Resolution, ...]:
        return self._resolutions

    def skipped(self) -> tuple[Skipped, ...]:
        return (Skipped("a page", "broken"),)
