"""Store elements: a directory with a definition (``StoreElement.xml``) and references (``FS_References.txt``)."""

from dataclasses import dataclass
from typing import Final

from schema_gen.export.layout import ExportDirectory, ExportFiles
from schema_gen.export.markup import XmlElement
from schema_gen.export.references import References, read_references

__all__ = ["DEFINITION_FILE", "FORM_FILE", "StoreElement", "read_element"]

DEFINITION_FILE: Final = "StoreElement.xml"
FORM_FILE: Final = "GomSource.xml"


@dataclass(frozen=True, slots=True)
class StoreElement:
    """One element of a store.

    Attributes:
        directory: where it was found.
        root: the root of the definition, or ``None`` where that file is missing.
        references: empty where that file is missing.
    """

    directory: ExportDirectory
    root: XmlElement | None
    references: References

    @property
    def definition(self) -> str:
        """The path of the definition."""
        return f"{self.directory.path}/{DEFINITION_FILE}"

    @property
    def form(self) -> str:
        """The path of the form."""
        return f"{self.directory.path}/{FORM_FILE}"

    @property
    def has_form(self) -> bool:
        """Whether the directory holds a form."""
        return FORM_FILE in self.directory.names

    @property
    def tag(self) -> str:
        """The definition's root tag; empty where it is missing."""
        return self.root.tag if self.root is not None else ""

    @property
    def java_class(self) -> str:
        """The last segment of the element's own class; empty where the export does not tell."""
        return self.references.own.kind if self.references.own else ""

    @property
    def gid(self) -> str:
        """The element's own GID; empty where the export does not tell."""
        return self.references.own.gid if self.references.own else ""

    def attribute(self, *names: str) -> str:
        """The first of the root's attributes that is there, else empty."""
        return self.root.get(*names) if self.root is not None else ""

    def uid(self, *attributes: str) -> str:
        """The uid by ``[self]``, else by the root's attributes, else the directory's name."""
        own = self.references.own.uid if self.references.own else ""
        return own or self.attribute(*attributes) or self.directory.name

    def uid_place(self) -> tuple[str, int]:
        """Path and line that give the uid, for messages."""
        if self.references.own is not None and self.references.own.uid:
            return self.references.path, self.references.own.line
        return self.definition, self.root.line if self.root is not None else 1


def read_element(files: ExportFiles, directory: ExportDirectory) -> StoreElement:
    """Read a directory's definition and references, as far as they are there.

    Raises:
        BrokenFileError: one of the files is there and cannot be read.
    """
    references = read_references(files, directory)
    root = files.read_xml(f"{directory.path}/{DEFINITION_FILE}") if DEFINITION_FILE in directory.names else None
    return StoreElement(directory, root, references)
