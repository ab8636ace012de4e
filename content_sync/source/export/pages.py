"""Documents of pages: page references with their pages inside, GCA pages, the project settings."""

from collections.abc import Iterator
from typing import Any, Final

from content_core.names import document_id
from content_sync.source.export.bodies import read_bodies, write_bodies
from content_sync.source.export.data import ElementValues, has_values, read_values
from content_sync.source.export.forms import FormWriter, Owner
from content_sync.source.export.names import names_of, path_segment, pick_name
from content_sync.source.export.project import Project, locale_of
from content_sync.source.export.sections import SectionIndex
from content_sync.source.export.stores import Stores, Target
from schema_gen.export.elements import StoreElement
from schema_gen.model import Language, Template, TemplateKind

__all__ = ["SETTINGS", "PageReader"]

SETTINGS: Final = "GlobalStore/ProjectProperties"
_SETTINGS_ID: Final = "projectsettings"

Document = dict[str, Any]


class PageReader:
    """Reads pages of an export; each method gives the documents of one element, by language.

    Args:
        project: the export.
        stores: finds pages and folders.
        sections: finds shared sections.
        forms: the form writer of each language.
    """

    def __init__(
        self, project: Project, stores: Stores, sections: SectionIndex, forms: dict[Language, FormWriter]
    ) -> None:
        self._project = project
        self._stores = stores
        self._sections = sections
        self._forms = forms

    def page_refs(self, uid: str, target: Target) -> Iterator[Document]:
        """The documents of a page reference.

        Raises:
            BrokenFileError: the page reference or its page cannot be read.
        """
        element = self._stores.element(target.path)
        place = self._stores.page_of(element)
        if place is None:
            message = "the page that it shows is not in the export; export that page too"
            self._project.skips.add(element.definition, message)
            return
        page = self._stores.element(place)
        template = self._template(page)
        values = read_values(self._project.files, page.directory, self._project.abbreviations)
        bodies = read_bodies(self._project, self._sections, page, template)
        metadata = self.metadata_of(element)
        for language in self._project.languages:
            page_uid = page.uid("name", "filename")
            yield {
                **self.head("PageRef", element, uid, language, uid_type="SITESTORE_LEAF"),
                "metaFormData": self.metadata(element, metadata, language),
                "page": {
                    "fsType": "Page",
                    "name": page_uid,
                    "displayName": self._shown(page, page_uid, language),
                    "identifier": page.gid.lower() or None,
                    "uid": page_uid,
                    "uidType": "PAGESTORE",
                    **self._content(page, template, values, language),
                    "metaFormData": {},
                    "children": write_bodies(self._project, self._forms[language], bodies, language),
                },
                "route": self.route(element, uid, language),
            }

    def gca_pages(self, uid: str, target: Target) -> Iterator[Document]:
        """The documents of a page of the global content area.

        Raises:
            BrokenFileError: the page cannot be read.
        """
        element = self._stores.element(target.path)
        template = self._template(element)
        values = read_values(self._project.files, element.directory, self._project.abbreviations)
        bodies = read_bodies(self._project, self._sections, element, template)
        for language in self._project.languages:
            yield {
                **self.head("GCAPage", element, uid, language, uid_type="GLOBALSTORE"),
                **self._content(element, template, values, language),
                "metaFormData": {},
                "children": write_bodies(self._project, self._forms[language], bodies, language, prefix="GCA"),
            }

    def settings(self) -> Iterator[Document]:
        """The documents of the project settings; none in a project without a settings template.

        Raises:
            BrokenFileError: they cannot be read.
        """
        template = self._project.settings_template
        if template is None or not self._project.files.exists(SETTINGS):
            return
        element = self._stores.element(SETTINGS)
        if not element.gid:
            self._project.skips.add(element.definition, "without a GID (FS_References.txt); export them again")
            return
        values = read_values(self._project.files, element.directory, self._project.abbreviations)
        for language in self._project.languages:
            yield {
                "_id": document_id(_SETTINGS_ID, language.language, language.country),
                "fsType": "ProjectProperties",
                "name": "ProjectProperties",
                "displayName": self._shown(element, "ProjectProperties", language),
                "identifier": element.gid.lower(),
                **self._content(element, template, values, language),
                "metaFormData": {},
                "projectConfiguration": {"masterLocale": locale_of(self._project.master)},
            }

    def metadata_of(self, element: StoreElement) -> ElementValues | None:
        """The values of an element whose data are its metadata; ``None`` without any.

        Raises:
            BrokenFileError: they cannot be read.
        """
        if self._project.metadata_template is None or not has_values(element.directory):
            return None
        return read_values(self._project.files, element.directory, self._project.abbreviations)

    def metadata(self, element: StoreElement, values: ElementValues | None, language: Language) -> dict[str, Any]:
        """The metadata form of an element."""
        template = self._project.metadata_template
        if template is None or values is None:
            return {}
        owner = Owner(element.directory.path, element.references)
        return self._forms[language].form(template, lambda field: values.find(field, language.abbreviation), owner)

    def route(self, page_ref: StoreElement, uid: str, language: Language) -> str:
        """The path that a URL factory would make: display names of the folders and of the page reference."""
        folders = self._stores.folder_names(page_ref.directory.path)
        names = [pick_name(each, language, self._project.master, "") for each in folders]
        segments = [*names, self._shown(page_ref, uid, language)]
        return f"/{'/'.join(map(path_segment, segments))}.html"

    def head(self, fs_type: str, element: StoreElement, uid: str, language: Language, *, uid_type: str) -> Document:
        """The attributes with which the documents of stores' elements begin."""
        identifier = element.gid.lower()
        return {
            "_id": document_id(identifier, language.language, language.country),
            "fsType": fs_type,
            "name": uid,
            "displayName": self._shown(element, uid, language),
            "identifier": identifier,
            "uid": uid,
            "uidType": uid_type,
        }

    def _content(
        self, element: StoreElement, template: Template | None, values: ElementValues, language: Language
    ) -> dict[str, Any]:
        """The template object and the form of a page."""
        used = template or self._unknown_template(element)
        owner = Owner(element.directory.path, element.references)
        return {
            "template": self._project.templates.template_object(used, language, self._project.master),
            "formData": self._forms[language].form(
                used, lambda field: values.find(field, language.abbreviation), owner
            ),
        }

    def _template(self, page: StoreElement) -> Template | None:
        template = self._project.templates.of_element(TemplateKind.PAGE, page)
        if template is None:
            message = "its page template is not in the export, so the page has no form data; export the template too"
            self._project.skips.add(page.definition, message)
        return template

    def _unknown_template(self, page: StoreElement) -> Template:
        """What the references tell of a template that was not exported."""
        named = self._project.templates.references_of(TemplateKind.PAGE, page)
        uid, gid = (named[0].uid, named[0].gid) if named else ("", "")
        return Template(TemplateKind.PAGE, uid, gid or None)

    def _shown(self, element: StoreElement, fallback: str, language: Language) -> str:
        return pick_name(names_of(element), language, self._project.master, fallback)
