"""The export as a tree of files: finds its root, walks its directories, and reads files without ever leaving it.

Paths are relative to the export root, with ``/``. Symbolic links to files are followed inside the root, links to
directories never.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schema_gen.errors import NotAnExportError
from schema_gen.export.findings import BrokenFileError, FindingLog, shown
from schema_gen.export.markup import XmlElement, parse_xml

__all__ = ["TEMPLATE_STORE", "ExportDirectory", "ExportFiles", "ReadLimits", "find_root"]

TEMPLATE_STORE: Final = "TemplateStore"
"""The one store that an export cannot do without."""

_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_AGAIN: Final = "repair it, or export the project again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """What one file may cost; a definition or form of a real project stays far below.

    Attributes:
        file_bytes: the largest file that is read.
        xml_elements: the most elements that one XML file may hold.
    """

    file_bytes: int = 16 * 1024 * 1024
    xml_elements: int = 250_000


@dataclass(frozen=True, slots=True)
class ExportDirectory:
    """One directory of the walk.

    Attributes:
        path: relative to the export root.
        names: everything in it.
        directories: those of the names that the walk descends into, sorted.
    """

    path: str
    names: frozenset[str]
    directories: tuple[str, ...]

    @property
    def name(self) -> str:
        """The directory's own name, printable."""
        return shown(self.path.rpartition("/")[2])


def find_root(path: Path) -> Path:
    """Find the export root: the directory with ``TemplateStore``, or the one sub-directory that has it.

    Raises:
        NotAnExportError: there is none, or more than one.
    """
    place = shown(str(path))
    try:
        if not path.exists():
            raise NotAnExportError(f"{place}: no such directory", hint="give the directory of a FirstSpirit export")
        if not path.is_dir():
            raise NotAnExportError(
                f"{place}: a file, not a directory",
                hint="unpack the export and give the directory that holds TemplateStore",
            )
        root = path.resolve()
        if _has_template_store(root):
            return root
        with os.scandir(root) as entries:
            candidates = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        found = [name for name in candidates if _has_template_store(root / name)]
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise NotAnExportError(
            f"{place}: cannot be read: {reason}", hint="check the path and its permissions"
        ) from problem
    if len(found) == 1:
        return root / found[0]
    if found:
        names = ", ".join(shown(name) for name in found)
        raise NotAnExportError(f"{place}: holds several exports: {names}", hint="give the directory of one of them")
    raise NotAnExportError(
        f"{place}: not a FirstSpirit export: no directory TemplateStore in it",
        hint="give the directory that holds TemplateStore; export with External Sync if there is none",
    )


def _has_template_store(directory: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(directory / TEMPLATE_STORE).st_mode)
    except FileNotFoundError:
        return False


class ExportFiles:
    """Reads below one export root.

    Args:
        root: as :func:`find_root` gives it.
        findings: hears of links and directories that are left alone.
        limits: what one file may cost.
    """

    def __init__(self, root: Path, *, findings: FindingLog, limits: ReadLimits) -> None:
        self._root = str(root)
        self._findings = findings
        self._limits = limits
        self._inside: dict[str, bool] = {}

    def walk(self, top: str, *, skip: frozenset[str] = frozenset()) -> Iterator[ExportDirectory]:
        """Yield a directory and all below it, parents first, by name; nothing where ``top`` does not exist.

        Directories that begin with a dot are bookkeeping and not walked; ``skip`` names further ones below ``top``.
        """
        if not self._is_inside(top):
            self._findings.error(
                "a symbolic link that leads out of the export; put the directory itself here", path=top
            )
            return
        waiting = [top]
        while waiting:
            directory = self._list(waiting.pop())
            if directory is None:
                continue
            yield directory
            below = [name for name in directory.directories if directory.path != top or name not in skip]
            waiting.extend(f"{directory.path}/{name}" for name in reversed(below))

    def exists(self, path: str) -> bool:
        """Whether something is there, be it readable or not."""
        return os.path.lexists(f"{self._root}/{path}")

    def read_bytes(self, path: str) -> bytes | None:
        """Read a file; ``None`` where there is none.

        Raises:
            BrokenFileError: it is no regular file, leads out of the export, is too large or cannot be read.
        """
        place = f"{self._root}/{path}"
        try:
            status = os.lstat(place)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise _unreadable(problem, path) from problem
        try:
            if stat.S_ISLNK(status.st_mode):
                place = os.path.realpath(place)
                status = os.stat(place)  # noqa: PTH116 - a Path per file costs more than reading it
            if not self._is_inside(os.path.dirname(place)):  # noqa: PTH120 - as above
                message = "a symbolic link that leads out of the export; put the file itself here"
                raise BrokenFileError(message, path=path)
            if not stat.S_ISREG(status.st_mode):
                kind = "a directory" if stat.S_ISDIR(status.st_mode) else "a special file"
                raise BrokenFileError(f"{kind} where a file is expected; {_AGAIN}", path=path)
            with open(place, "rb") as file:  # noqa: PTH123 - as above
                data = file.read(self._limits.file_bytes + 1)
        except OSError as problem:
            raise _unreadable(problem, path) from problem
        if len(data) > self._limits.file_bytes:
            message = f"larger than the limit of {self._limits.file_bytes} bytes; no template needs that, {_AGAIN}"
            raise BrokenFileError(message, path=path)
        return data

    def read_text(self, path: str) -> str | None:
        """Read a bookkeeping file, UTF-8 with or without BOM or UTF-16 with one; ``None`` where there is none.

        Raises:
            BrokenFileError: it cannot be read, or is no text.
        """
        data = self.read_bytes(path)
        if data is None:
            return None
        encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as problem:
            line = data.count(b"\n", 0, problem.start) + 1
            raise BrokenFileError(f"not UTF-8 text; {_AGAIN}", path=path, line=line) from problem

    def read_xml(self, path: str, *, may_be_empty: bool = False) -> XmlElement | None:
        """Read and parse an XML file; ``None`` where there is none, or an empty one where that is allowed.

        Raises:
            BrokenFileError: it cannot be read or is not acceptable XML.
        """
        data = self.read_bytes(path)
        if data is None or (may_be_empty and not data.strip(_BLANK)):
            return None
        return parse_xml(data, path=path, max_elements=self._limits.xml_elements)

    def _list(self, path: str) -> ExportDirectory | None:
        names: list[str] = []
        directories: list[str] = []
        try:
            with os.scandir(f"{self._root}/{path}") as entries:
                for entry in entries:
                    names.append(entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith("."):
                            directories.append(entry.name)
                    elif entry.is_symlink() and not os.path.isfile(entry):  # noqa: PTH113 - as above
                        message = (
                            "a symbolic link to a directory or to nothing, not followed; put the files themselves here"
                        )
                        self._findings.warning(message, path=f"{path}/{entry.name}")
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            self._findings.error(f"a file where a directory is expected; {_AGAIN}", path=path)
            return None
        except OSError as problem:
            self._findings.broken(_unreadable(problem, path))
            return None
        return ExportDirectory(path, frozenset(names), tuple(sorted(directories)))

    def _is_inside(self, directory: str) -> bool:
        known = self._inside.get(directory)
        if known is None:
            place = os.path.realpath(os.path.join(self._root, directory))  # noqa: PTH118 - may be absolute already
            known = self._inside[directory] = os.path.commonpath((self._root, place)) == self._root
        return known


def _unreadable(problem: OSError, path: str) -> BrokenFileError:
    reason = problem.strerror or type(problem).__name__
    return BrokenFileError(f"cannot be read: {reason}; check the path and its permissions", path=path)
