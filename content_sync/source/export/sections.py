"""Sections that others point to, and the pages that show datasets: found in one pass over all bodies, when needed."""

from typing import Final, Literal

from content_sync.source.export.project import Project
from content_sync.source.export.stores import Stores
from schema_gen.export.elements import DEFINITION_FILE, StoreElement, read_element
from schema_gen.export.findings import BrokenFileError
from schema_gen.model import TemplateKind

__all__ = ["SectionIndex", "section_kind"]

SectionKind = Literal["Section", "SectionReference", "Content2Section"]

_TAGS: Final[dict[str, SectionKind]] = {
    "SECTION": "Section",
    "SECTIONREFERENCE": "SectionReference",
    "CONTENT2SECTION": "Content2Section",
}
_CLASSES: Final[dict[str, SectionKind]] = {
    "SectionImpl": "Section",
    "SectionReferenceImpl": "SectionReference",
    "Content2SectionImpl": "Content2Section",
}
_MOST: Final = 2
_SECTION_DEPTH: Final = 2
"""How far below its page a section lies: page, body, section."""


def section_kind(element: StoreElement) -> SectionKind | None:
    """Tell what a child of a body is: by tag, else by class, else by the template that it was made from."""
    known = _TAGS.get(element.tag) or _CLASSES.get(element.java_class)
    if known is not None:
        return known
    made_from = {
        reference.kind for reference in element.references.outgoing if reference.section.startswith("required")
    }
    if element.attribute("sectiontemplate") or "SectionTemplateImpl" in made_from:
        return "Section"
    return "Content2Section" if element.attribute("tabletemplate") else None


class SectionIndex:
    """Finds sections by number, and the pages that project the rows of a table template."""

    def __init__(self, project: Project, stores: Stores) -> None:
        self._project = project
        self._stores = stores
        self._sections: dict[str, str] = {}
        self._pages: dict[tuple[str, str], dict[str, int]] = {}
        self._routes: dict[tuple[str, str], tuple[str, ...]] = {}
        self._is_read = False

    def find(self, number: str) -> str | None:
        """The directory of the section with this id."""
        self._read()
        return self._sections.get(number)

    def shown_on(self, schema: str, entity_type: str) -> tuple[str, ...]:
        """The directories of the page references that show rows of a table, those that show all of them first."""
        self._read()
        return self._routes.get((schema, entity_type), ())

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        for key, path in self._stores.pages().items():
            if key.startswith("id:"):
                self._read_page(path)
        shown: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for target in self._stores.page_refs().values() if self._pages else ():
            self._read_page_ref(target.path, shown)
        for table, paths in shown.items():
            self._routes[table] = tuple(path for _, path in sorted(paths, key=lambda each: each[0]))

    def _read_page(self, page: str) -> None:
        depth = page.count("/") + _SECTION_DEPTH
        for directory in self._project.files.walk(page):
            if directory.path.count("/") != depth or DEFINITION_FILE not in directory.names:
                continue
            try:
                element = read_element(self._project.files, directory)
            except BrokenFileError as problem:
                self._project.skips.broken(problem)
                continue
            kind = section_kind(element)
            if kind == "Section" and element.attribute("id"):
                self._sections.setdefault(element.attribute("id"), directory.path)
            elif kind == "Content2Section":
                template = self._project.templates.of_element(TemplateKind.TABLE, element)
                if template is not None:
                    table = (template.schema or "", template.entity_type or "")
                    shown = self._pages.setdefault(table, {})
                    shown[page] = min(shown.get(page, _MOST), _restriction(element))

    def _read_page_ref(self, path: str, shown: dict[tuple[str, str], list[tuple[int, str]]]) -> None:
        try:
            page = self._stores.page_of(self._stores.element(path))
        except BrokenFileError:  # reported where the page reference becomes a document
            return
        for table, pages in self._pages.items():
            if page in pages:
                shown.setdefault(table, []).append((pages[page], path))


def _restriction(element: StoreElement) -> int:
    """How surely a projection shows only some of the rows: not, perhaps (a query), surely (parameters, few pages)."""
    filtered = element.root is not None and next(element.root.named("FILTERPARAM"), None) is not None
    if filtered or element.attribute("maxpages") not in {"", "0"}:
        return _MOST
    return 1 if element.attribute("query") else 0
