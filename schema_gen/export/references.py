"""``FS_References.txt``: an element's own uid, GID and class, and what it refers to.

The same format serves the two files in ``Global``. The older export format keeps it as ``.FirstSpirit/References.txt``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schema_gen.export.layout import ExportDirectory, ExportFiles

__all__ = ["Reference", "References", "parse_references", "read_references"]

_SELF: Final = "self"


@dataclass(frozen=True, slots=True)
class Reference:
    """One block of ``key=value`` lines.

    Attributes:
        section: the ``[section]`` that it stands in.
        uid: the reference name, may be empty.
        gid: the UUID, may be empty.
        kind: the last segment of the Java class (``PageTemplateImpl``), may be empty.
        name: project-wide things (languages, the project) have a name in place of a uid.
        line: where the block begins.
    """

    section: str
    uid: str
    gid: str
    kind: str
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class References:
    """A whole file; the empty value where there is none.

    Attributes:
        path: the file, relative to the export root.
        own: the block of ``[self]``.
        outgoing: all other blocks.
    """

    path: str = ""
    own: Reference | None = None
    outgoing: tuple[Reference, ...] = ()

    def section(self, name: str) -> tuple[Reference, ...]:
        """The blocks of one section."""
        return tuple(reference for reference in self.outgoing if reference.section == name)


def read_references(files: ExportFiles, directory: ExportDirectory) -> References:
    """Read an element's references in the new or the old place.

    Raises:
        BrokenFileError: the file is there and unreadable.
    """
    if "FS_References.txt" in directory.names:
        path = f"{directory.path}/FS_References.txt"
    elif ".FirstSpirit" in directory.names:
        path = f"{directory.path}/.FirstSpirit/References.txt"
    else:
        return References()
    text = files.read_text(path)
    return References() if text is None else parse_references(text, path=path)


def parse_references(text: str, *, path: str) -> References:
    """Read the sections; lines of no known form are passed over."""
    own: Reference | None = None
    outgoing: list[Reference] = []
    for reference in _blocks(text):
        if reference.section != _SELF:
            outgoing.append(reference)
        elif own is None:
            own = reference
    return References(path, own, tuple(outgoing))


def _blocks(text: str) -> Iterator[Reference]:
    section = ""
    block: dict[str, str] = {}
    begin = 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            if block:
                yield _reference(section, block, begin)
            section, block = line[1:-1].strip(), {}
        elif not line:
            if block:
                yield _reference(section, block, begin)
            block = {}
        elif "=" in line:
            if not block:
                begin = number
            key, _, value = line.partition("=")
            block.setdefault(key.strip(), value.strip())
    if block:
        yield _reference(section, block, begin)


def _reference(section: str, block: dict[str, str], line: int) -> Reference:
    return Reference(
        section=section,
        uid=block.get("uid", ""),
        gid=block.get("gid", ""),
        kind=block.get("class", "").rpartition(".")[2],
        name=block.get("name", ""),
        line=line,
    )
