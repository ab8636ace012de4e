"""Discovery: which directories below ``TemplateStore`` are templates, of which kind and under which uid."""

from dataclasses import dataclass
from typing import Final

from schema_gen.export.elements import StoreElement, read_element
from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.layout import TEMPLATE_STORE, ExportDirectory, ExportFiles
from schema_gen.export.schemes import SCHEMES, TABLE_UID_ATTRIBUTES, check_schema_xml, is_table_template
from schema_gen.model import TemplateKind

__all__ = ["CLASS_KINDS", "Discovery", "TemplateElement", "discover_templates"]

CLASS_KINDS: Final = {
    "PageTemplateImpl": TemplateKind.PAGE,
    "SectionTemplateImpl": TemplateKind.SECTION,
    "LinkTemplateImpl": TemplateKind.LINK,
    "TableTemplateImpl": TemplateKind.TABLE,
}
"""The last segment of the Java class, for each kind that documents are made from."""

_OTHER_CLASSES: Final = (
    "FolderImpl",
    "FormatTemplateImpl",
    "QueryImpl",
    "RootImpl",
    "SchemaImpl",
    "SchemesImpl",
    "StyleTemplateImpl",
    "TemplatesImpl",
)
_ROOT_KINDS: Final = {
    ("TEMPLATE", "page"): TemplateKind.PAGE,
    ("TEMPLATE", "section"): TemplateKind.SECTION,
    ("TEMPLATE", "table"): TemplateKind.TABLE,
    ("LINKTEMPLATE", ""): TemplateKind.LINK,
    ("TABLETEMPLATE", ""): TemplateKind.TABLE,
}
_TEMPLATE_ROOTS: Final = frozenset(tag for tag, _ in _ROOT_KINDS)
_OTHER_ROOTS: Final = frozenset(
    {
        "FORMATTEMPLATE",
        "FORMATTEMPLATEFOLDER",
        "FORMATTEMPLATES",
        "LINKTEMPLATES",
        "PAGETEMPLATES",
        "SCHEMES",
        "SECTIONTEMPLATES",
        "STYLETEMPLATE",
        "TABLEFORMATTEMPLATE",
        "TEMPLATEFOLDER",
        "TEMPLATESTORE",
    }
)
_TREE_KINDS: Final = {
    "PageTemplates": TemplateKind.PAGE,
    "SectionTemplates": TemplateKind.SECTION,
    "LinkTemplates": TemplateKind.LINK,
}
_OTHER_TREES: Final = frozenset({"Modules", "Schedule", "Scripts", "Workflows"})  # scripts have a GomSource.xml too
_UID_ATTRIBUTES: Final = {
    TemplateKind.PAGE: ("filename", "name"),
    TemplateKind.SECTION: ("filename", "name"),
    TemplateKind.LINK: ("name", "filename"),
    TemplateKind.TABLE: TABLE_UID_ATTRIBUTES,
}
_TEMPLATE_FILES: Final = ("GomSource.xml", "GomDefaults.xml", "Ruleset.xml", "ChannelSource_", "Snippet")


@dataclass(frozen=True, slots=True)
class TemplateElement:
    """A store element that is a template of a kind that documents are made from."""

    kind: TemplateKind
    uid: str
    element: StoreElement


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found.

    Attributes:
        templates: in the order of the paths; kind and uid are unique.
        broken: the names of directories that were left out because a file in them is broken.
    """

    templates: tuple[TemplateElement, ...]
    broken: frozenset[str]


def discover_templates(files: ExportFiles, *, findings: FindingLog) -> Discovery:
    """Find every template; what is broken or doubled is reported and left out."""
    found: dict[tuple[TemplateKind, str], TemplateElement] = {}
    broken: set[str] = set()
    for directory in files.walk(TEMPLATE_STORE, skip=_OTHER_TREES):
        try:
            template = _template(files, directory, findings=findings)
        except BrokenFileError as problem:
            findings.broken(problem)
            broken.add(directory.name)
            continue
        if template is None:
            continue
        first = found.setdefault((template.kind, template.uid), template)
        if first is not template:
            path, line = template.element.uid_place()
            first_path, first_line = first.element.uid_place()
            findings.error(
                f"a second {template.kind.value} template with the uid {template.uid!r}, which "
                f"{first_path}:{first_line} has already; rename or remove one of the two",
                path=path,
                line=line,
            )
    return Discovery(tuple(found.values()), frozenset(broken))


def _template(files: ExportFiles, directory: ExportDirectory, *, findings: FindingLog) -> TemplateElement | None:
    if _is_schema_tree(directory):
        check_schema_xml(files, directory, findings=findings)
    element = read_element(files, directory)
    kind = _kind(element, findings=findings)
    if kind is None:
        return None
    _check_definition(element, kind, findings=findings)
    _check_form(files, element)
    return TemplateElement(kind, element.uid(*_UID_ATTRIBUTES[kind]), element)


def _is_schema_tree(directory: ExportDirectory) -> bool:
    return directory.path == SCHEMES or directory.path.startswith(f"{SCHEMES}/")


def _kind(element: StoreElement, *, findings: FindingLog) -> TemplateKind | None:
    """Tell the kind by the class, else by root tag and type, else by the tree that the element lies in."""
    if _is_schema_tree(element.directory):
        return TemplateKind.TABLE if is_table_template(element) else None
    if element.java_class in CLASS_KINDS:
        _check_root(element, findings=findings)
        return CLASS_KINDS[element.java_class]
    if element.java_class.endswith(_OTHER_CLASSES) or element.tag in _OTHER_ROOTS:
        return None
    by_type = _ROOT_KINDS.get((element.tag, element.attribute("type").lower()))
    kind = by_type or _ROOT_KINDS.get((element.tag, ""))
    return kind or _kind_by_tree(element, findings=findings)


def _check_root(element: StoreElement, *, findings: FindingLog) -> None:
    """What the references call a template may have a definition that tells nothing: names, bodies, hidden."""
    if element.root is not None and element.tag not in _TEMPLATE_ROOTS:
        message = f"<{element.tag}> is no definition of a template; only the form was read, export the project again"
        findings.warning(message, path=element.definition, line=element.root.line)


def _kind_by_tree(element: StoreElement, *, findings: FindingLog) -> TemplateKind | None:
    tree = element.directory.path.split("/")[1:2]
    kind = _TREE_KINDS.get("".join(tree))
    if element.root is None:
        has_template_file = any(name.startswith(_TEMPLATE_FILES) for name in element.directory.names)
        return kind if has_template_file else None
    if not element.has_form and element.tag != "TEMPLATE":
        kind = None
    outcome = f"read as a {kind.value} template" if kind else "left alone"
    findings.warning_once(
        ("root", element.tag, outcome),
        f"<{element.tag}> is no known element of the template store; {outcome}",
        path=element.definition,
        line=element.root.line,
    )
    return kind


def _check_definition(element: StoreElement, kind: TemplateKind, *, findings: FindingLog) -> None:
    if element.root is not None:
        return
    message = f"missing, although a {kind.value} template lies in this directory"
    if kind is not TemplateKind.TABLE:  # the definition of a table template tells nothing that the form does not
        raise BrokenFileError(f"{message}; export the project again", path=element.definition)
    findings.warning(f"{message}; read by its directory's names", path=element.definition)


def _check_form(files: ExportFiles, element: StoreElement) -> None:
    """A template without a form is fine, unless the export's own list of files has one."""
    if element.has_form:
        return
    for path in (f"{element.directory.path}/FS_Files.txt", f"{element.directory.path}/.FirstSpirit/Files.txt"):
        for number, line in enumerate((files.read_text(path) or "").split("\n"), start=1):
            if element.form.rpartition("/")[2] in line.split():
                message = "names GomSource.xml, but that file is missing; export the project again"
                raise BrokenFileError(message, path=path, line=number)
