"""The templates of an export as documents need them: found by number, GID or uid, with template objects and options."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from content_sync.source.export.names import pick_name
from content_sync.source.skips import SkipLog
from schema_gen.export.elements import FORM_FILE, StoreElement
from schema_gen.export.findings import BrokenFileError
from schema_gen.export.layout import ExportFiles
from schema_gen.export.markup import XmlElement
from schema_gen.export.references import Reference
from schema_gen.export.templates import ReadTemplate
from schema_gen.model import Language, Template, TemplateKind

__all__ = ["TEMPLATE_CLASSES", "TemplateIndex", "option_label"]

_TYPES: Final = {
    TemplateKind.PAGE: ("PageTemplate", "TEMPLATESTORE"),
    TemplateKind.SECTION: ("SectionTemplate", "TEMPLATESTORE"),
    TemplateKind.LINK: ("LinkTemplate", "TEMPLATESTORE_LINKTEMPLATE"),
    TemplateKind.TABLE: ("TableTemplate", "TEMPLATESTORE_SCHEMA"),
}
TEMPLATE_CLASSES: Final = {
    TemplateKind.PAGE: "PageTemplateImpl",
    TemplateKind.SECTION: "SectionTemplateImpl",
    TemplateKind.LINK: "LinkTemplateImpl",
    TemplateKind.TABLE: "TableTemplateImpl",
}
"""The last segment of the Java class by which references name a template."""

_NUMBERS: Final = {
    TemplateKind.PAGE: "pagetemplate",
    TemplateKind.SECTION: "sectiontemplate",
    TemplateKind.LINK: "linktemplate",
    TemplateKind.TABLE: "tabletemplate",
}
_ANY_LANGUAGE: Final = "*"

Labels = dict[str, dict[str, str]]
"""The labels of a field's options: value to language abbreviation (or ``*``) to label."""


class TemplateIndex:
    """All templates of an export; forms are looked into once, when the first document asks for options.

    Args:
        files: the export.
        templates: as they were read.
        skips: hears of forms that cannot be read.
    """

    def __init__(self, files: ExportFiles, templates: Iterable[ReadTemplate], *, skips: SkipLog) -> None:
        self._files = files
        self._skips = skips
        self._by_uid: dict[tuple[TemplateKind, str], Template] = {}
        self._by_gid: dict[tuple[TemplateKind, str], Template] = {}
        self._by_number: dict[tuple[TemplateKind, str], Template] = {}
        self._by_table: dict[tuple[str, str], Template] = {}
        self._labels: dict[str, dict[str, Labels]] = {}
        for read in templates:
            self._add(read.template, read.element)

    def _add(self, template: Template, element: StoreElement) -> None:
        kind = template.kind
        self._by_uid.setdefault((kind, template.uid), template)
        if template.identifier:
            self._by_gid.setdefault((kind, template.identifier.lower()), template)
        for number in (element.attribute("templateid"), element.attribute("id")):
            if number:
                self._by_number.setdefault((kind, number), template)
        if template.schema and template.entity_type:
            self._by_table.setdefault((template.schema, template.entity_type), template)

    def by_uid(self, kind: TemplateKind, uid: str) -> Template | None:
        """Find a template by its reference name."""
        return self._by_uid.get((kind, uid))

    def by_table(self, schema: str, entity_type: str) -> Template | None:
        """Find a table template by what its rows say."""
        return self._by_table.get((schema, entity_type))

    def of_element(self, kind: TemplateKind, element: StoreElement) -> Template | None:
        """Find the template that an element was made from: by number, else by the references."""
        number = element.attribute(_NUMBERS[kind])
        found = self._by_number.get((kind, number)) if number else None
        if found is not None:
            return found
        for reference in self.references_of(kind, element):
            found = self._by_gid.get((kind, reference.gid.lower())) or self._by_uid.get((kind, reference.uid))
            if found is not None:
                return found
        return None

    @staticmethod
    def references_of(kind: TemplateKind, element: StoreElement) -> list[Reference]:
        """An element's references to templates of a kind, the required ones first."""
        named = [each for each in element.references.outgoing if each.kind == TEMPLATE_CLASSES[kind]]
        return sorted(named, key=lambda each: not each.section.startswith("required"))

    @staticmethod
    def template_object(template: Template, language: Language, master: Language) -> dict[str, Any]:
        """What every filled template says of its template."""
        fs_type, uid_type = _TYPES[template.kind]
        shown = pick_name(dict(template.display_names), language, master, template.uid)
        return {
            "fsType": fs_type,
            "name": template.uid if template.kind is TemplateKind.LINK else shown,
            "displayName": shown,
            "identifier": template.identifier.lower() if template.identifier else None,
            "uid": template.uid,
            "uidType": uid_type,
        }

    def labels(self, template: Template, field: str) -> Labels:
        """The options of a field; empty where its form has none or takes them from elsewhere."""
        known = self._labels.get(template.source)
        if known is None:
            known = self._labels[template.source] = self._read_labels(template)
        return known.get(field, {})

    def _read_labels(self, template: Template) -> dict[str, Labels]:
        path = f"{template.source.rpartition('/')[0]}/{FORM_FILE}"
        try:
            root = self._files.read_xml(path, may_be_empty=True)
        except BrokenFileError as problem:
            self._skips.broken(problem)
            return {}
        return dict(_components(root)) if root is not None else {}


def option_label(labels: Mapping[str, str], language: Language, fallback: str) -> str:
    """The label in a language, else the one for all languages, else the first, else the fallback."""
    chosen = labels.get(language.abbreviation) or labels.get(_ANY_LANGUAGE)
    return chosen or next(iter(labels.values()), fallback)


def _components(root: XmlElement) -> Iterator[tuple[str, Labels]]:
    waiting = [root]
    while waiting:
        for element in waiting.pop().children:
            if element.tag == "CMS_GROUP":
                waiting.append(element)
            elif element.tag != "CMS_COMMENT" and element.get("name"):
                entries = list(element.below("ENTRIES", "ENTRY"))
                if entries:
                    yield element.get("name"), {entry.attributes.get("value", ""): _labels(entry) for entry in entries}


def _labels(entry: XmlElement) -> dict[str, str]:
    infos = [*entry.below("LANGINFOS", "LANGINFO"), *entry.named("LANGINFO")]
    return {info.get("lang"): info.get("label") for info in reversed(infos) if info.get("label")}
