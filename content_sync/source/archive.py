"""Archives as sources: unpacked, file by file and with limits, into a temporary directory that goes with the source.

Only regular files come out, and only below that directory; whatever would leave it is reported and left.
"""

import errno
import lzma
import re
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, TypeVar

from content_core.errors import ServiceError
from content_sync.model import Skipped
from content_sync.source.errors import SourceError
from content_sync.source.limits import SourceLimits
from content_sync.source.skips import SkipLog
from schema_gen.export.findings import shown

__all__ = ["is_archive", "named_after", "unpack", "unpacked"]

_Problem = TypeVar("_Problem", bound=ServiceError)

_TARS: Final = (".tar", ".tar.gz", ".tgz")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_CHUNK: Final = 1024 * 1024
_BROKEN: Final = (
    OSError,
    EOFError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
"""How the libraries say that an archive is broken."""

_NO_SUCH_NAME: Final = frozenset(
    {errno.EEXIST, errno.EILSEQ, errno.EINVAL, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTDIR}
)
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES})
_ROOM: Final = "make room in the directory of temporary files, or name another one with TMPDIR"
_REPAIR: Final = "pack it again"


def is_archive(path: Path) -> bool:
    """Whether the name says an archive."""
    return path.name.lower().endswith((".zip", *_TARS))


@contextmanager
def unpacked(path: Path, *, limits: SourceLimits | None = None) -> Iterator[tuple[Path, tuple[Skipped, ...]]]:
    """Give the directory that an archive unpacks to, for as long as this is open; what is no archive is given as it is.

    Args:
        path: an archive, or anything else.
        limits: what reading may cost.

    Yields:
        The directory, and what was left out.

    Raises:
        SourceError: the archive cannot be read, or is over a limit.
    """
    if not (path.is_file() and is_archive(path)):
        yield path, ()
        return
    known = limits or SourceLimits()
    skips = SkipLog(known.skipped)
    target = unpack(path, limits=known, skips=skips)
    try:
        yield target, skips.all()
    finally:
        shutil.rmtree(target, ignore_errors=True)


def named_after(archive: Path, place: Path, problem: _Problem) -> _Problem:
    """Give an error over what was unpacked the name of the archive that somebody gave, for the place that is ours."""
    return type(problem)(problem.message.replace(str(place), str(archive)), hint=problem.hint)


def unpack(path: Path, *, limits: SourceLimits, skips: SkipLog) -> Path:
    """Unpack an archive; the caller removes the directory.

    Raises:
        SourceError: it cannot be read, or is over a limit; nothing is left behind.
    """
    try:
        target = Path(tempfile.mkdtemp(prefix="opencaas-source-"))
    except OSError as problem:
        raise SourceError(f"{shown(str(path))}: cannot be unpacked: {problem}", hint=_ROOM) from problem
    try:
        _Unpacking(path, target, limits=limits, skips=skips).run()
    except BaseException as problem:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(problem, _BROKEN):
            hint = _ROOM if isinstance(problem, OSError) and problem.errno in _NO_ROOM else _REPAIR
            raise SourceError(f"{shown(str(path))}: cannot be unpacked: {problem}", hint=hint) from problem
        if isinstance(problem, (NotImplementedError, RuntimeError)):  # how zipfile says unknown and encrypted
            raise SourceError(
                f"{shown(str(path))}: {problem}", hint="pack it without a password, deflated"
            ) from problem
        raise
    return target


class _Unpacking:
    def __init__(self, path: Path, target: Path, *, limits: SourceLimits, skips: SkipLog) -> None:
        self._path = path
        self._target = target
        self._limits = limits
        self._skips = skips
        self._entries = 0
        allowed = max(path.stat().st_size * limits.archive_ratio, limits.archive_free_bytes)
        self._most = min(allowed, limits.archive_bytes)
        self._left = self._most

    def run(self) -> None:
        files = self._zip() if self._path.name.lower().endswith(".zip") else self._tar()
        for name, body in files:
            place = self._place(name)
            if place is not None:
                self._write(place, name, body)

    def _zip(self) -> Iterator[tuple[str, IO[bytes]]]:
        with zipfile.ZipFile(self._path) as archive:
            for entry in archive.infolist():
                self._count()
                mode = entry.external_attr >> 16
                if entry.is_dir():
                    continue
                if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                    self._skips.add(entry.filename, "no regular file, so it was not unpacked")
                    continue
                with archive.open(entry) as body:
                    yield entry.filename, body

    def _tar(self) -> Iterator[tuple[str, IO[bytes]]]:
        with tarfile.open(self._path, "r|*") as archive:  # a stream: entries are read as they come, and forgotten
            for entry in archive:
                self._count()
                archive.members = []  # type: ignore[attr-defined]  # else every header stays in memory
                if entry.isdir():
                    continue
                body = archive.extractfile(entry) if entry.isreg() else None
                if body is None:
                    self._skips.add(entry.name, "no regular file, so it was not unpacked")
                    continue
                with body:
                    yield entry.name, body

    def _count(self) -> None:
        self._entries += 1
        if self._entries > self._limits.archive_entries:
            raise SourceError(
                f"{shown(str(self._path))}: more than the limit of {self._limits.archive_entries} files",
                hint="unpack the archive yourself and sync the directory, if it is no bomb",
            )

    def _place(self, name: str) -> Path | None:
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or "\0" in name or _DRIVE.match(name):
            self._skips.add(name, "its path leads out of the archive, so it was not unpacked")
            return None
        return self._target.joinpath(*(part for part in parts if part not in {"", "."}))

    def _write(self, place: Path, name: str, body: IO[bytes]) -> None:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            file = place.open("wb")
        except OSError as problem:
            if problem.errno not in _NO_SUCH_NAME:
                raise
            why = f"cannot have this name here ({problem.strerror}), so it was not unpacked"
            self._skips.add(name, why, broken=True)
            return
        with file:
            while chunk := body.read(_CHUNK):
                self._left -= len(chunk)
                if self._left < 0:
                    raise SourceError(
                        f"{shown(str(self._path))}: unpacks to more than the limit of {self._most} bytes",
                        hint="unpack the archive yourself and sync the directory, if it is no bomb",
                    )
                file.write(chunk)
