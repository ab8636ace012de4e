"""Forms: the GOM language of ``GomSource.xml``, read into fields."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.layout import ExportFiles
from schema_gen.export.markup import XmlElement
from schema_gen.model import FormField, TemplateKind, TemplateRef

__all__ = ["DATASET_PLUGIN", "Form", "FormUse", "read_form"]

DATASET_PLUGIN: Final = "DatasetDataAccessPlugin"
"""The ``FS_INDEX`` source whose records are datasets of this project."""

_GROUP: Final = "CMS_GROUP"
_SILENT: Final = frozenset({"CMS_COMMENT", "CMS_LABEL", "LANGINFO", "LANGINFOS", "RULE", "RULES"})
_LINK_COMPONENTS: Final = frozenset({"CMS_INPUT_DOM", "CMS_INPUT_DOMTABLE", "CMS_INPUT_IMAGEMAP", "CMS_INPUT_LINK"})
_KNOWN: Final = _LINK_COMPONENTS | {
    "CMS_INPUT_CHECKBOX",
    "CMS_INPUT_COMBOBOX",
    "CMS_INPUT_DATE",
    "CMS_INPUT_LIST",
    "CMS_INPUT_NUMBER",
    "CMS_INPUT_PERMISSION",
    "CMS_INPUT_RADIOBUTTON",
    "CMS_INPUT_SECTIONLIST",
    "CMS_INPUT_TEXT",
    "CMS_INPUT_TEXTAREA",
    "CMS_INPUT_TOGGLE",
    "FS_BUTTON",
    "FS_CATALOG",
    "FS_DATASET",
    "FS_INDEX",
    "FS_REFERENCE",
}
_DEPRECATED: Final = {
    "CMS_INPUT_CONTENTAREALIST": "FS_CATALOG",
    "CMS_INPUT_CONTENTLIST": "FS_INDEX",
    "CMS_INPUT_FILE": "FS_REFERENCE",
    "CMS_INPUT_LINKLIST": "FS_CATALOG",
    "CMS_INPUT_OBJECTCHOOSER": "FS_DATASET",
    "CMS_INPUT_PAGEREF": "FS_REFERENCE",
    "CMS_INPUT_PICTURE": "FS_REFERENCE",
    "CMS_INPUT_TABLIST": "FS_INDEX",
    "FS_LIST": "FS_CATALOG",
}


@dataclass(frozen=True, slots=True)
class FormUse:
    """A template that a field names, with the line of the field."""

    target: TemplateRef
    field: str
    line: int


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form and the templates that it names."""

    fields: tuple[FormField, ...] = ()
    uses: tuple[FormUse, ...] = ()


def read_form(
    files: ExportFiles, path: str, *, uids: Mapping[TemplateKind, Iterable[str]], findings: FindingLog
) -> Form:
    """Read one ``GomSource.xml``; a missing or empty file is a form without fields.

    Args:
        files: the export.
        path: the form.
        uids: the templates of the export, for catalogs that admit every template of a kind.
        findings: hears of what is unknown or doubled.

    Raises:
        BrokenFileError: the file cannot be read, or its root is no form.
    """
    root = files.read_xml(path, may_be_empty=True)
    if root is None:
        return Form()
    if root.tag != "CMS_MODULE":
        message = (
            f"<{root.tag}> is not the root of a form, which is <CMS_MODULE>; repair it, or export the project again"
        )
        raise BrokenFileError(message, path=path, line=root.line)
    reader = _FormReader(path, uids=uids, findings=findings)
    for component in _components(root):
        reader.read(component)
    return Form(tuple(reader.fields.values()), tuple(reader.uses))


def _components(root: XmlElement) -> Iterator[XmlElement]:
    """The components in document order, out of groups nested to any depth; comments, labels and rules left out."""
    open_groups = [iter(root.children)]
    while open_groups:
        element = next(open_groups[-1], None)
        if element is None:
            open_groups.pop()
        elif element.tag == _GROUP:
            open_groups.append(iter(element.children))
        elif element.tag not in _SILENT:
            yield element


class _FormReader:
    def __init__(self, path: str, *, uids: Mapping[TemplateKind, Iterable[str]], findings: FindingLog) -> None:
        self._path = path
        self._uids = uids
        self._findings = findings
        self.fields: dict[str, FormField] = {}
        self.uses: list[FormUse] = []

    def read(self, component: XmlElement) -> None:
        name = component.attributes.get("name", "")
        if not name.strip():
            self._warn(component, f"<{component.tag}> has no name, so it is no field")
            return
        if name in self.fields:
            message = f"a second field {name!r} in one form; the first counts: rename or remove this one"
            self._findings.error(message, path=self._path, line=component.line)
            return
        self._check_name(component, name)
        self._check_tag(component)
        templates, named = self._templates(component)
        label, description = _label(component)
        self.fields[name] = FormField(
            name=name,
            component=component.tag,
            language_dependent=component.get("useLanguages").lower() != "no",
            label=label,
            description=description,
            plugin=self._plugin(component),
            templates=templates,
        )
        self.uses.extend(FormUse(target, name, component.line) for target in named)

    def _check_name(self, component: XmlElement, name: str) -> None:
        if "." in name or name.startswith("$"):
            reason = "'.' in it" if "." in name else "a leading '$'"
            self._warn(component, f"the field name {name!r} has {reason}, so no filter can reach the field; rename it")

    def _check_tag(self, component: XmlElement) -> None:
        tag = component.tag
        if tag in _KNOWN:
            return
        if tag in _DEPRECATED:
            successor = _DEPRECATED[tag]
            message = f"<{tag}> is deprecated and served as plain JSON; use <{successor}> for a typed value"
        else:
            message = f"<{tag}> is no component that is known here; it is served as plain JSON"
        self._findings.warning_once(("component", tag), message, path=self._path, line=component.line)

    def _plugin(self, component: XmlElement) -> str | None:
        if component.tag != "FS_INDEX":
            return None
        plugin = next((source.get("name") for source in component.named("SOURCE")), "")
        if not plugin:
            self._warn(component, "this FS_INDEX names no SOURCE; its records are served as they are")
        return plugin or None

    def _templates(self, component: XmlElement) -> tuple[tuple[TemplateRef, ...], tuple[TemplateRef, ...]]:
        """What the field admits, and what of it the form names."""
        if component.tag == "FS_CATALOG":
            return self._cards(component)
        if component.tag in _LINK_COMPONENTS:
            named = _refs(
                "link", (*component.below("LINKEDITORS", "LINKEDITOR"), *component.below("TEMPLATES", "TEMPLATE"))
            )
        elif component.tag == "FS_INDEX":
            sources = [source for source in component.named("SOURCE") if source.get("name") == DATASET_PLUGIN]
            named = _refs("table", (template for source in sources for template in source.named("TEMPLATE")))
        else:
            named = ()
        return named, named

    def _cards(self, component: XmlElement) -> tuple[tuple[TemplateRef, ...], tuple[TemplateRef, ...]]:
        named: list[TemplateRef] = []
        admitted: list[TemplateRef] = []
        narrowed = False
        for templates in component.named("TEMPLATES"):
            kind = self._card_kind(templates)
            refs = _refs(kind, templates.named("TEMPLATE"))
            named += refs
            admitted += refs or (TemplateRef(kind, uid) for uid in sorted(self._uids.get(TemplateKind(kind), ())))
            narrowed = narrowed or bool(refs) or kind == "link"
        return (tuple(dict.fromkeys(admitted)) if narrowed else ()), tuple(dict.fromkeys(named))

    def _card_kind(self, templates: XmlElement) -> Literal["section", "link"]:
        kind = templates.get("type").lower()
        if kind == "link":
            return "link"
        if kind != "section":
            self._warn(templates, f"TEMPLATES of type {kind!r} in a catalog; read as 'section' (known: section, link)")
        return "section"

    def _warn(self, element: XmlElement, message: str) -> None:
        self._findings.warning(message, path=self._path, line=element.line)


def _refs(kind: Literal["section", "link", "table"], elements: Iterable[XmlElement]) -> tuple[TemplateRef, ...]:
    named = (element.get("uid", "name") for element in elements)
    return tuple(dict.fromkeys(TemplateRef(kind, uid) for uid in named if uid))


def _label(component: XmlElement) -> tuple[str, str]:
    """Label and description: those for all languages, else the first that are given."""
    infos = [*component.below("LANGINFOS", "LANGINFO"), *component.named("LANGINFO")]
    infos.sort(key=lambda info: info.get("lang") != "*")
    best = next((info for info in infos if info.get("label")), None) or next(iter(infos), None)
    return (best.get("label"), best.get("description")) if best is not None else ("", "")
