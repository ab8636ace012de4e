"""Templates: a discovered element and its form become one value of the content model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from schema_gen.export.discovery import Discovery, TemplateElement
from schema_gen.export.elements import StoreElement
from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.forms import Form, FormUse, read_form
from schema_gen.export.layout import ExportFiles
from schema_gen.export.references import Reference
from schema_gen.export.schemes import SchemaNames, entity_type
from schema_gen.model import Template, TemplateKind

__all__ = ["PageTemplates", "ReadTemplate", "read_templates"]

_YES: Final = frozenset({"1", "true", "yes"})


@dataclass(frozen=True, slots=True)
class ReadTemplate:
    """A template of the model with what is needed to check it against the others."""

    template: Template
    element: StoreElement
    uses: tuple[FormUse, ...]


def read_templates(files: ExportFiles, discovery: Discovery, *, findings: FindingLog) -> tuple[ReadTemplate, ...]:
    """Read the form of each template; what is broken is reported and left out. Sorted by kind and uid."""
    uids: dict[TemplateKind, list[str]] = {}
    for template in discovery.templates:
        uids.setdefault(template.kind, []).append(template.uid)
    schemas = SchemaNames(files)
    read: list[ReadTemplate] = []
    for template in sorted(discovery.templates, key=lambda template: (template.kind.value, template.uid)):
        try:
            read.append(_read_template(files, template, uids=uids, schemas=schemas, findings=findings))
        except BrokenFileError as problem:
            findings.broken(problem)
    return tuple(read)


def _read_template(
    files: ExportFiles,
    found: TemplateElement,
    *,
    uids: Mapping[TemplateKind, Iterable[str]],
    schemas: SchemaNames,
    findings: FindingLog,
) -> ReadTemplate:
    element = found.element
    form = read_form(files, element.form, uids=uids, findings=findings) if element.has_form else Form()
    if not element.gid:
        message = (
            f"no GID for the {found.kind.value} template {found.uid!r}: FS_References.txt is missing or has no [self]"
        )
        findings.warning(
            f"{message}; the schema does not need it, references to the template do", path=element.definition
        )
    is_table = found.kind is TemplateKind.TABLE
    template = Template(
        kind=found.kind,
        uid=found.uid,
        identifier=element.gid or None,
        display_names=_display_names(element),
        fields=form.fields,
        bodies=_bodies(element, findings=findings) if found.kind is TemplateKind.PAGE else (),
        hidden=element.attribute("hidden").lower() in _YES,
        schema=schemas.schema_of(element.directory, uid=found.uid) if is_table else None,
        entity_type=entity_type(element, uid=found.uid) if is_table else None,
        source=element.definition,
    )
    return ReadTemplate(template, element, form.uses)


def _display_names(element: StoreElement) -> tuple[tuple[str, str], ...]:
    if element.root is None:
        return ()
    names: dict[str, str] = {}
    for language in element.root.named("LANG"):
        if language.get("language") and language.get("displayname"):
            names.setdefault(language.get("language"), language.get("displayname"))
    return tuple(sorted(names.items()))


def _bodies(element: StoreElement, *, findings: FindingLog) -> tuple[str, ...]:
    bodies: dict[str, None] = {}
    for body in element.root.named("TEMPLATEBODY") if element.root is not None else ():
        name = body.get("name")
        if not name or name in bodies:
            problem = f"a second body {name!r}" if name else "a body without a name"
            findings.warning(
                f"{problem} in one page template; it was left out", path=element.definition, line=body.line
            )
        else:
            bodies[name] = None
    return tuple(bodies)


class PageTemplates:
    """Finds page templates by the ways in which the rest of the export refers to them."""

    def __init__(self, templates: Iterable[ReadTemplate]) -> None:
        self.uids: list[str] = []
        self._by_gid: dict[str, str] = {}
        self._by_template_id: dict[str, str] = {}
        self._by_id: dict[str, str] = {}
        for read in templates:
            if read.template.kind is TemplateKind.PAGE:
                self._add(read.template.uid, read.element)

    def _add(self, uid: str, element: StoreElement) -> None:
        self.uids.append(uid)
        for index, key in (
            (self._by_gid, element.gid.lower()),
            (self._by_template_id, element.attribute("templateid")),
            (self._by_id, element.attribute("id")),
        ):
            if key:
                index.setdefault(key, uid)

    def by_gid(self, reference: Reference) -> str | None:
        """The uid of the template with the reference's GID."""
        return self._by_gid.get(reference.gid.lower()) if reference.gid else None

    def by_reference(self, reference: Reference) -> str | None:
        """The uid by the reference's GID, else by its uid."""
        return self.by_gid(reference) or (reference.uid if reference.uid in self.uids else None)

    def by_number(self, number: str) -> str | None:
        """The uid by the numeric template id, else by the numeric id."""
        return self._by_template_id.get(number) or self._by_id.get(number)
