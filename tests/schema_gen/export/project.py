"""Composes small exports, so that a test shows only what it is about."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import quoteattr

from schema_gen.export import ExportReading, read_export
from schema_gen.model import Template

CLASSES = {
    "page": "PageTemplateImpl",
    "section": "SectionTemplateImpl",
    "link": "LinkTemplateImpl",
    "table": "TableTemplateImpl",
    "query": "QueryImpl",
    "schema": "SchemaImpl",
}
TREES = {"page": "PageTemplates", "section": "SectionTemplates", "link": "LinkTemplates", "table": "Schemes"}


def write(root: Path, path: str, content: str | bytes) -> Path:
    """Write one file, with the directories above it."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def gid(kind: str, uid: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{kind}/{uid}"))


def block(kind: str, uid: str) -> str:
    """One block of ``FS_References.txt``."""
    java = f"de.espirit.firstspirit.store.access.templatestore.{CLASSES[kind]}"
    return f"uid={uid}\ngid={gid(kind, uid)}\nuidType=TEMPLATESTORE\nclass={java}\n\n"


def references(kind: str, uid: str, *names: tuple[str, str], section: str = "optionalId") -> str:
    """A whole ``FS_References.txt`` that names further templates as (kind, uid)."""
    outgoing = "".join(block(*name) for name in names)
    return f"[self]\n{block(kind, uid)}" + (f"[{section}]\n{outgoing}" if outgoing else "")


def form(*components: str) -> str:
    """A form around components, one per line, so that the first stands on line 2."""
    return "\n".join(["<CMS_MODULE>", *components, "</CMS_MODULE>"])


def definition(kind: str, uid: str, *, extra: str = "", children: str = "") -> str:
    """The ``StoreElement.xml`` of a template."""
    attribute = "name" if kind == "link" else "filename"
    tag = {"link": "LINKTEMPLATE", "table": "TABLETEMPLATE"}.get(kind, "TEMPLATE")
    type_attribute = f' type="{kind}"' if tag == "TEMPLATE" else ""
    return f"<{tag} {attribute}={quoteattr(uid)}{type_attribute} {extra}>{children}</{tag}>"


def template(
    root: Path,
    kind: str,
    uid: str,
    *components: str,
    directory: str | None = None,
    extra: str = "",
    children: str = "",
    names: Sequence[tuple[str, str]] = (),
) -> str:
    """Write a template; the answer is its directory, relative to the root."""
    path = directory or f"TemplateStore/{TREES[kind]}/folder/{uid}"
    write(root, f"{path}/StoreElement.xml", definition(kind, uid, extra=extra, children=children))
    write(root, f"{path}/FS_References.txt", references(kind, uid, *names))
    if components:
        write(root, f"{path}/GomSource.xml", form(*components))
    return path


def bean(name: str, **fields: str | int | bool | Sequence[str] | None) -> str:
    """A serialised Java object."""
    return f'<OBJECT class="de.espirit.{name}">{"".join(_field(key, value) for key, value in fields.items())}</OBJECT>'


def _field(name: str, value: str | int | bool | Sequence[str] | None) -> str:
    if value is None:
        return f'<FIELD name="{name}"><NULL/><!-- class java.lang.String --></FIELD>'
    if isinstance(value, bool):
        return f'<FIELD name="{name}" type="boolean">{str(value).lower()}</FIELD>'
    if isinstance(value, int):
        return f'<FIELD name="{name}" type="int">{value}</FIELD>'
    if isinstance(value, str):
        return f'<FIELD name="{name}"><OBJECT class="java.lang.String">{value}</OBJECT></FIELD>'
    items = "".join(f'<OBJECT class="java.lang.String">{item}</OBJECT>' for item in value)
    return f'<FIELD name="{name}"><OBJECT class="java.util.TreeSet">{items}</OBJECT></FIELD>'


def beans(items: Iterable[str]) -> str:
    return f'<OBJECT class="java.util.ArrayList">{"".join(items)}</OBJECT>'


def language(abbreviation: str, locale: str | None, *, master: bool = False, generate: bool = True) -> str:
    return bean(
        "LanguageDTO", abbreviation=abbreviation, isMasterLanguage=master, locale=locale, shouldGenerate=generate
    )


def languages(root: Path, *items: str) -> None:
    write(root, "Global/Project/Languages.xml", beans(items))


def complete(root: Path) -> Path:
    """An export that gives no finding: one page template, all project files, one GCA page."""
    template(root, "page", "story", '<CMS_INPUT_TEXT name="pt_title"/>', extra='templateid="550"')
    languages(root, language("EN", "en_GB", master=True), language("DE", "de_DE"))
    original = bean("ResolutionDTO", m_name="ORIGINAL", m_width=0, m_height=0)
    write(root, "Global/Project/Resolutions.xml", beans([original]))
    write(root, "Global/Project/Project.xml", bean("ProjectDTO", m_name="Trails", m_metadataTemplateId=-1))
    write(root, "GlobalStore/GlobalContentArea/footer/StoreElement.xml", '<GCAPAGE name="footer" pagetemplate="550"/>')
    return root


def messages(reading: ExportReading, severity: str | None = None) -> list[str]:
    return [str(finding) for finding in reading.findings if severity in {None, finding.severity}]


def read_one(root: Path, *components: str, kind: str = "section") -> tuple[Template, list[str]]:
    """Read one template with a form; the answer is the template and what was found wrong with the form."""
    template(complete(root), kind, "probe", *components)
    reading = read_export(root)
    models = (*reading.model.section_templates, *reading.model.page_templates, *reading.model.link_templates)
    return next(model for model in models if model.uid == "probe"), messages(reading)
