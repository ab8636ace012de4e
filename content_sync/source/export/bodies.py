"""Bodies of a page with what they hold: sections, shared sections, and projections of datasets.

Of a hidden section, preview documents say ``displayed: false``, and release documents nothing at all.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from content_sync.source.export.data import ElementValues, read_values
from content_sync.source.export.forms import FormWriter, Owner
from content_sync.source.export.names import names_of, pick_name
from content_sync.source.export.project import Project
from content_sync.source.export.scalars import parse_date, parse_number
from content_sync.source.export.sections import SectionIndex, section_kind
from schema_gen.export.elements import StoreElement, read_element
from schema_gen.export.findings import BrokenFileError
from schema_gen.export.layout import ExportDirectory
from schema_gen.model import Language, Template, TemplateKind

__all__ = ["PageBodies", "read_bodies", "write_bodies"]

_CHILDREN: Final = "FS_Children.txt"
_NO: Final = frozenset({"0", "false", "no"})

SectionKind = Literal["Section", "SectionReference", "Content2Section"]


@dataclass(frozen=True, slots=True)
class _Child:
    """What a body holds: the element, where its values are, and the template that they follow."""

    kind: SectionKind
    element: StoreElement
    source: StoreElement
    values: ElementValues
    template: Template


@dataclass(frozen=True, slots=True)
class _Body:
    name: str
    identifier: str
    children: tuple[_Child, ...]


PageBodies = tuple[_Body, ...]
"""The bodies of one page, read once for all languages."""


def read_bodies(project: Project, sections: SectionIndex, page: StoreElement, template: Template | None) -> PageBodies:
    """Read the bodies of a page: all of its template, in the template's order."""
    found = dict(_body_directories(project, page))
    names = template.bodies if template is not None else tuple(found)
    for name in found.keys() - set(names):
        message = f"the page template {template.uid if template else ''!r} has no body {name!r} any more"
        project.skips.add(found[name].path, message)
    return tuple(_read_body(project, sections, page, name, found.get(name)) for name in names)


def _body_directories(project: Project, page: StoreElement) -> Iterator[tuple[str, ExportDirectory]]:
    for directory in _children(project, page.directory):
        try:
            element = read_element(project.files, directory)
        except BrokenFileError as problem:
            project.skips.broken(problem)
            continue
        if element.tag == "BODY" or element.java_class == "BodyImpl":
            yield element.attribute("name") or directory.name, directory


def _children(project: Project, directory: ExportDirectory) -> Iterator[ExportDirectory]:
    """The directories in one, in the order that ``FS_Children.txt`` gives, else by name."""
    try:
        listed = (project.files.read_text(f"{directory.path}/{_CHILDREN}") or "").splitlines()
    except BrokenFileError as problem:
        project.skips.broken(problem)
        listed = []
    places = {name.strip(): number for number, name in enumerate(listed)}
    for name in sorted(directory.directories, key=lambda name: (places.get(name, len(places)), name)):
        found = next(project.files.walk(f"{directory.path}/{name}"), None)
        if found is not None:
            yield found


def _read_body(
    project: Project, sections: SectionIndex, page: StoreElement, name: str, directory: ExportDirectory | None
) -> _Body:
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{page.gid.lower()}/{name}"))
    if directory is None:
        return _Body(name, identifier, ())
    try:
        gid = read_element(project.files, directory).gid.lower()
    except BrokenFileError:  # reported when the directory was met
        gid = ""
    children = [_read_child(project, sections, child) for child in _children(project, directory)]
    return _Body(name, gid or identifier, tuple(child for child in children if child is not None))


def _read_child(project: Project, sections: SectionIndex, directory: ExportDirectory) -> _Child | None:
    try:
        element = read_element(project.files, directory)
        kind = section_kind(element)
        if kind is None:
            message = f"<{element.tag}> in a body is nothing that is known here"
            project.skips.once(("body", element.tag), element.definition, message)
            return None
        source = _shared(project, sections, element) if kind == "SectionReference" else element
        if source is None:
            return None
        wanted = TemplateKind.TABLE if kind == "Content2Section" else TemplateKind.SECTION
        template = project.templates.of_element(wanted, source)
        if template is None and wanted is TemplateKind.SECTION:
            template = project.templates.of_element(TemplateKind.TABLE, source)
        if template is None:
            what = "table" if kind == "Content2Section" else "section"
            message = f"its {what} template is not in the export, so the {what} was left out; export the template too"
            project.skips.add(element.definition, message)
            return None
        values = read_values(project.files, source.directory, project.abbreviations)
    except BrokenFileError as problem:
        project.skips.broken(problem)
        return None
    return _Child(kind, element, source, values, template)


def _shared(project: Project, sections: SectionIndex, element: StoreElement) -> StoreElement | None:
    """The section that a section reference shows."""
    path = sections.find(element.attribute("section"))
    directory = next(project.files.walk(path), None) if path else None
    if directory is None:
        message = "the section that this reference shows is not in the export; export its page too"
        project.skips.add(element.definition, message)
        return None
    return read_element(project.files, directory)


def write_bodies(
    project: Project, forms: FormWriter, bodies: PageBodies, language: Language, *, prefix: str = ""
) -> list[dict[str, Any]]:
    """Write the bodies of a page in a language.

    Args:
        project: the export.
        forms: writes forms in that language.
        bodies: as they were read.
        language: the language.
        prefix: what precedes ``Body`` and ``Section``: ``GCA`` in the global content area.
    """
    writer = _BodyWriter(project, forms, language, prefix)
    return [
        {
            "fsType": f"{prefix}Body",
            "name": body.name,
            "identifier": body.identifier,
            "children": [writer.child(child) for child in body.children if writer.is_shown(child)],
        }
        for body in bodies
    ]


@dataclass(frozen=True, slots=True)
class _BodyWriter:
    project: Project
    forms: FormWriter
    language: Language
    prefix: str

    def is_shown(self, child: _Child) -> bool:
        """Whether the state's documents contain it."""
        return self.project.state == "preview" or child.kind == "Content2Section" or not _is_hidden(child.element)

    def child(self, child: _Child) -> dict[str, Any]:
        """Write one child of a body."""
        return self._projection(child) if child.kind == "Content2Section" else self._section(child)

    def _section(self, child: _Child) -> dict[str, Any]:
        element, template = child.element, child.template
        name = element.attribute("name") or element.directory.name
        displayed = {"displayed": not _is_hidden(element)} if self.project.state == "preview" else {}
        lifespan = _lifespan(element)
        abbreviation = self.language.abbreviation
        owner = Owner(child.source.directory.path, child.source.references)
        return {
            "fsType": f"{self.prefix}Section" if child.kind == "Section" else child.kind,
            "name": name,
            "displayName": self._shown(child, name),
            "identifier": _identifier(element),
            **displayed,
            "template": self._template(template),
            "formData": self.forms.form(template, lambda field: child.values.find(field, abbreviation), owner),
            **({"lifespan": lifespan} if lifespan else {}),
        }

    def _projection(self, child: _Child) -> dict[str, Any]:
        element, template = child.element, child.template
        name = element.attribute("name") or element.directory.name
        root = element.root
        orders = root.named("ORDER") if root is not None else ()
        filters = root.named("FILTERPARAM") if root is not None else ()
        return {
            "fsType": "Content2Section",
            "name": name,
            "displayName": self._shown(child, name),
            "schema": template.schema,
            "entityType": template.entity_type,
            "template": self._template(template),
            "query": element.attribute("query") or None,
            "recordCountPerPage": parse_number(element.attribute("recordcount")) or 0,
            "maxPageCount": parse_number(element.attribute("maxpages")) or 0,
            "filterParams": {each.get("name"): each.attributes.get("value", "") for each in filters},
            "ordering": [
                {"attribute": each.get("attribute"), "ascending": each.get("ascending").lower() not in _NO}
                for each in orders
            ],
        }

    def _shown(self, child: _Child, name: str) -> str:
        """The display name: the element's own, else its template's."""
        own: Mapping[str, str] = names_of(child.element) or dict(child.template.display_names)
        return pick_name(own, self.language, self.project.master, name)

    def _template(self, template: Template) -> dict[str, Any]:
        return self.project.templates.template_object(template, self.language, self.project.master)


def _is_hidden(element: StoreElement) -> bool:
    return element.attribute("displayed").lower() in _NO


def _identifier(element: StoreElement) -> str:
    """The GID, else an id of our own that stays the same as long as the section stays where it is."""
    return element.gid.lower() or str(uuid.uuid5(uuid.NAMESPACE_URL, element.directory.path))


def _lifespan(element: StoreElement) -> dict[str, str]:
    given = {name: element.attribute(name) for name in ("start", "end")}
    return {name: parse_date(text) or text for name, text in given.items() if text} if given["start"] else {}
