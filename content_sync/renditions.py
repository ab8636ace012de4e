"""Pictures that were made, kept on disk: each is made once, however often a job runs.

An entry is a picture and a note about it, written in this order, so that a job that was killed leaves nothing that
counts. What an entry is made from is its name: the original's bytes, the geometry, the recipe.
"""

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from content_sync.errors import SyncError
from content_sync.model import MediaFile
from content_sync.pictures import RECIPE, Made
from content_sync.resolutions import PictureResolution

__all__ = ["Rendition", "RenditionError", "RenditionStore"]

_PICTURE: Final = ".bin"
_NOTE: Final = ".json"
_ABANDONED_SECONDS: Final = 86_400
"""After this time a file that was not written to its end belongs to a job that was killed."""


class RenditionError(SyncError):
    """Pictures that were made cannot be kept."""

    code = "OC821"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """What is known of a picture that was made.

    Attributes:
        size: the number of its bytes.
        digest: their SHA-256.
        width: in pixels.
        height: in pixels.
    """

    size: int
    digest: str
    width: int
    height: int


class RenditionStore:
    """A directory of pictures that were made.

    Args:
        directory: where they are; made when something is kept.
        max_bytes: what ``trim`` leaves.
    """

    def __init__(self, directory: Path, *, max_bytes: int = 2 * 1024**3) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    def find(self, original: MediaFile, resolution: PictureResolution) -> tuple[Rendition, Path] | None:
        """Find a picture that was made from this original."""
        path = self._path(original, resolution)
        try:
            known = Rendition(**json.loads(path.with_suffix(_NOTE).read_bytes()))
            if path.stat().st_size != known.size:
                return None
            os.utime(path)  # the time of its last use decides how long it is kept
        except (OSError, ValueError, TypeError):
            return None
        return known, path

    def keep(self, original: MediaFile, resolution: PictureResolution, made: Made) -> tuple[Rendition, Path]:
        """Keep a picture.

        Raises:
            RenditionError: the directory cannot be written.
        """
        path = self._path(original, resolution)
        known = Rendition(
            size=len(made.data),
            digest=hashlib.sha256(made.data).hexdigest(),
            width=made.width,
            height=made.height,
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, made.data)
            _write(path.with_suffix(_NOTE), json.dumps(asdict(known)).encode())
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            raise RenditionError(
                f"pictures cannot be kept in {self._directory}: {reason}", hint="name another directory, or make room"
            ) from problem
        return known, path

    def trim(self) -> int:
        """Remove those that were not used for the longest time until the rest is small enough; gives their number."""
        entries: list[tuple[float, int, Path]] = []
        for path in self._directory.glob("*/*"):
            with suppress(OSError):  # another job may trim, too
                status = path.stat()
                if path.suffix == _PICTURE:
                    entries.append((status.st_mtime, status.st_size, path))
                elif path.suffix != _NOTE and status.st_mtime < time.time() - _ABANDONED_SECONDS:
                    path.unlink()
        total = removed = 0
        for _, size, path in sorted(entries, reverse=True):
            total += size
            if total > self._max_bytes:
                with suppress(OSError):
                    path.with_suffix(_NOTE).unlink(missing_ok=True)
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _path(self, original: MediaFile, resolution: PictureResolution) -> Path:
        source = (RECIPE, original.digest, resolution.width, resolution.height, resolution.keep_aspect_ratio,
                  resolution.smart_cropping)  # fmt: skip
        name = hashlib.sha256(repr(source).encode()).hexdigest()
        return self._directory / name[:2] / f"{name}{_PICTURE}"


def _write(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole or not at all."""
    descriptor, partial = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
