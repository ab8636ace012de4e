"""Which page templates the global store uses: for the project properties, and for GCA pages."""

from collections.abc import Iterator
from typing import Final

from schema_gen.export.elements import DEFINITION_FILE, StoreElement, read_element
from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.layout import ExportDirectory, ExportFiles
from schema_gen.export.references import Reference, parse_references
from schema_gen.export.templates import PageTemplates

__all__ = ["find_gca_templates", "find_settings_template"]

_PROPERTIES: Final = "GlobalStore/ProjectProperties"
_CONTENT_AREA: Final = "GlobalStore/GlobalContentArea"
_PROJECT_REFERENCES: Final = "Global/FS_ProjectReferences.txt"
_PAGE_TEMPLATE: Final = "PageTemplateImpl"
_NO_TEMPLATE: Final = frozenset({"", "-1", "0"})


def find_settings_template(files: ExportFiles, pages: PageTemplates, *, findings: FindingLog) -> str | None:
    """The uid of the page template that is the form of the project properties.

    Tried in this order: the GID under ``[requiredProjectId]``, ``pagetemplate``, ``[ProjectPropertiesTemplate]``, and
    at last the uid under ``[requiredProjectId]``.
    """
    properties = _read_properties(files, findings=findings)
    required = _page_references(properties.references.section("requiredProjectId")) if properties else []
    number = properties.attribute("pagetemplate") if properties else ""
    number = "" if number in _NO_TEMPLATE else number
    project_wide = _project_wide(files, findings=findings)
    found = (
        next(filter(None, map(pages.by_gid, required)), None)
        or pages.by_number(number)
        or next(filter(None, map(pages.by_reference, project_wide)), None)
        or next(filter(None, map(pages.by_reference, required)), None)
    )
    if found is None and (required or number or project_wide):
        names = dict.fromkeys(reference.uid or reference.gid for reference in (*required, *project_wide))
        name = next(iter(names), "") or f"with the id {number}"
        findings.warning(
            f"the project properties use the page template {name!r}, which is not in the export or broken, so they "
            "have no form; export that template too",
            path=properties.definition if properties else _PROJECT_REFERENCES,
        )
    return found


def _read_properties(files: ExportFiles, *, findings: FindingLog) -> StoreElement | None:
    directory = next(files.walk(_PROPERTIES), None)
    if directory is None:
        return None
    try:
        return read_element(files, directory)
    except BrokenFileError as problem:
        findings.broken(problem)
        return None


def _project_wide(files: ExportFiles, *, findings: FindingLog) -> list[Reference]:
    try:
        content = files.read_text(_PROJECT_REFERENCES)
    except BrokenFileError as problem:
        findings.broken(problem)
        return []
    references = parse_references(content or "", path=_PROJECT_REFERENCES)
    return _page_references(references.section("ProjectPropertiesTemplate"))


def _page_references(references: tuple[Reference, ...]) -> list[Reference]:
    return [reference for reference in references if reference.kind in {"", _PAGE_TEMPLATE}]


def find_gca_templates(
    files: ExportFiles, pages: PageTemplates, *, findings: FindingLog
) -> tuple[tuple[str, ...], bool]:
    """The uids of the page templates that GCA pages use, and whether the export tells.

    Where it does not, every page template counts as used.
    """
    used: set[str] = set()
    for page in _gca_pages(files, findings=findings):
        uid = _template_of(page, pages)
        if uid is None:
            findings.warning(
                "this GCA page uses a page template that is not in the export or broken; export that template too",
                path=page.definition,
            )
        else:
            used.add(uid)
    if used:
        return tuple(sorted(used)), True
    if pages.uids:
        findings.warning(
            "the export does not tell which page templates GCA pages use, so every page template counts as used; "
            "export the global content area with its pages to narrow that",
            path=_CONTENT_AREA if files.exists(_CONTENT_AREA) else "",
        )
    return tuple(sorted(pages.uids)), False


def _gca_pages(files: ExportFiles, *, findings: FindingLog) -> Iterator[StoreElement]:
    """Every directory below the content area that names a page template; what lies inside it is passed over."""
    inside = ""
    for directory in files.walk(_CONTENT_AREA):
        if directory.path == _CONTENT_AREA or (inside and directory.path.startswith(inside)):
            continue
        element = _read_page(files, directory, findings=findings)
        if element is None or not _names_template(element):
            continue
        inside = f"{directory.path}/"
        yield element


def _read_page(files: ExportFiles, directory: ExportDirectory, *, findings: FindingLog) -> StoreElement | None:
    if not {DEFINITION_FILE, "FS_References.txt", ".FirstSpirit"} & directory.names:
        return None
    try:
        return read_element(files, directory)
    except BrokenFileError as problem:
        findings.broken(problem)
        return None


def _names_template(element: StoreElement) -> bool:
    if element.attribute("pagetemplate") not in _NO_TEMPLATE:
        return True
    return any(reference.kind == _PAGE_TEMPLATE for reference in element.references.outgoing)


def _template_of(page: StoreElement, pages: PageTemplates) -> str | None:
    by_number = pages.by_number(page.attribute("pagetemplate"))
    if by_number is not None:
        return by_number
    named = [reference for reference in page.references.outgoing if reference.kind == _PAGE_TEMPLATE]
    named.sort(key=lambda reference: reference.section != "requiredProjectId")
    return next(filter(None, map(pages.by_reference, named)), None)
