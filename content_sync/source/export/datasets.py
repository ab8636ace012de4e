"""Datasets of an export: rows below ``Entities``, with the routes of the pages that show them.

The real form of rows is not known; read are directories ``Entities/<schema>/<table>/<GID>/`` with values like those of
any element, which this project's own exports have.
"""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from content_core.names import document_id
from content_sync.source.export.data import ElementValues, has_values, read_values
from content_sync.source.export.forms import FormWriter, Owner
from content_sync.source.export.names import path_segment
from content_sync.source.export.pages import PageReader
from content_sync.source.export.project import Project
from content_sync.source.export.sections import SectionIndex
from content_sync.source.export.stores import Stores
from schema_gen.export.elements import StoreElement, read_element
from schema_gen.export.findings import BrokenFileError
from schema_gen.export.layout import ExportDirectory
from schema_gen.model import Language, Template, TemplateKind

__all__ = ["DatasetReader"]

_ENTITIES: Final = "Entities"
_TITLES: Final = ("CMS_INPUT_TEXT", "CMS_INPUT_TEXTAREA")
_ROW_DEPTH: Final = 3
_BOOKKEEPING: Final = ("FS_", ".")


class DatasetReader:
    """Reads the rows of an export."""

    def __init__(
        self,
        project: Project,
        stores: Stores,
        sections: SectionIndex,
        pages: PageReader,
        forms: dict[Language, FormWriter],
    ) -> None:
        self._project = project
        self._stores = stores
        self._sections = sections
        self._pages = pages
        self._forms = forms
        self._page_routes: dict[tuple[str, str], list[dict[str, str]]] = {}

    def rows(self) -> Iterator[ExportDirectory]:
        """The directories of all rows; other files below ``Entities`` are reported."""
        for directory in self._project.files.walk(_ENTITIES):
            if directory.path.count("/") == _ROW_DEPTH and (
                has_values(directory) or "FS_References.txt" in directory.names
            ):
                yield directory
            elif directory.path.count("/") <= _ROW_DEPTH:
                self._report_files(directory)

    def _report_files(self, directory: ExportDirectory) -> None:
        others = sorted(directory.names - set(directory.directories))
        for name in others:
            if not name.startswith(_BOOKKEEPING) and name != "StoreElement.xml":
                message = "rows in a form that is not known here; send datasets as JSON documents instead"
                self._project.skips.once(("rows", directory.path), f"{directory.path}/{name}", message)

    def documents(self, directory: ExportDirectory) -> Iterator[dict[str, Any]]:
        """The documents of one row, by language.

        Raises:
            BrokenFileError: it cannot be read.
        """
        element = read_element(self._project.files, directory)
        _, schema, table, name = directory.path.split("/")
        template = self._project.templates.by_table(schema, table)
        template = template or self._project.templates.of_element(TemplateKind.TABLE, element)
        gid = _gid(element, name)
        if template is None or gid is None:
            why = "its table template is not in the export" if gid else "it has no GID, neither in it nor as its name"
            self._project.skips.add(directory.path, f"{why}, so the row was left out")
            return
        values = read_values(self._project.files, directory, self._project.abbreviations)
        for language in self._project.languages:
            shown = _title(template, values, language) or element.uid()
            routes = [
                {"pageRef": each["pageRef"], "route": f"{each['route']}/{path_segment(shown)}.html"}
                for each in self._routes(template, language)
            ]
            owner = Owner(directory.path, element.references)
            abbreviation = language.abbreviation
            form = self._forms[language].form(template, lambda field: values.find(field, abbreviation), owner)  # noqa: B023
            yield {
                "_id": document_id(gid, language.language, language.country),
                "fsType": "Dataset",
                "schema": template.schema,
                "entityType": template.entity_type,
                "displayName": shown,
                "identifier": gid,
                "template": self._project.templates.template_object(template, language, self._project.master),
                "formData": form,
                "route": routes[0]["route"] if routes else "",
                "routes": routes,
            }

    def _routes(self, template: Template, language: Language) -> list[dict[str, str]]:
        """The pages that show rows of a template, with their routes without the ending."""
        key = (template.uid, language.abbreviation)
        known = self._page_routes.get(key)
        if known is None:
            known = self._page_routes[key] = []
            for path in self._sections.shown_on(template.schema or "", template.entity_type or ""):
                try:
                    element = self._stores.element(path)
                except BrokenFileError:  # reported where the page reference becomes a document
                    continue
                route = self._pages.route(element, element.uid("uniquedescription"), language)
                known.append({"pageRef": element.gid.lower(), "route": route.removesuffix(".html")})
        return known


def _gid(element: StoreElement, name: str) -> str | None:
    try:
        return str(UUID(element.gid or name))
    except ValueError:
        return None


def _title(template: Template, values: ElementValues, language: Language) -> str:
    """The row's title, which an export does not tell: the first text of the form that is not empty."""
    for field in template.fields:
        if field.component in _TITLES:
            node = values.find(field, language.abbreviation)
            text = (node.findtext("TEXT") or "").strip() if node is not None else ""
            if text:
                return text.splitlines()[0]
    return ""
