"""From an export of 500 templates of 12 fields to a schema that answers, beside just parsing the same XML."""

import tempfile
import uuid
from pathlib import Path

import defusedxml.ElementTree

from benchmarks.clock import best_of
from graphql_app.schema.build import build_app
from graphql_app.schema.definition import Limits, parse_definition
from schema_gen.emit import emit_definitions
from schema_gen.export import read_export

PROJECT = "0c8f2f6a-5d0c-4b6e-9a55-51f5c2b2e001"
COMPONENTS = (
    "CMS_INPUT_TEXT", "CMS_INPUT_TEXTAREA", "CMS_INPUT_DOM", "CMS_INPUT_NUMBER", "CMS_INPUT_TOGGLE", "CMS_INPUT_DATE",
    "CMS_INPUT_RADIOBUTTON", "CMS_INPUT_CHECKBOX", "CMS_INPUT_LINK", "FS_REFERENCE", "FS_DATASET", "FS_CATALOG",
)  # fmt: skip
KINDS = (("PageTemplates", "page", 150), ("SectionTemplates", "section", 300), ("LinkTemplates", "link", 50))
CLASSES = {"page": "PageTemplateImpl", "section": "SectionTemplateImpl", "link": "LinkTemplateImpl"}


def write_export(root: Path) -> int:
    """Write the export; gives the number of templates."""
    count = 0
    for folder, kind, number in KINDS:
        for place in range(number):
            uid = f"{kind}_{place:03}"
            home = root / "TemplateStore" / folder / "generated" / uid
            home.mkdir(parents=True)
            fields = "".join(
                f'<{tag} name="f{index:02}_{tag.lower()}" useLanguages="no"><LANGINFOS><LANGINFO lang="*" '
                f'label="Field {index}"/></LANGINFOS>'
                + ('<TEMPLATES type="section"/>' if tag == "FS_CATALOG" else "")
                + f"</{tag}>"
                for index, tag in enumerate(COMPONENTS)
            )
            (home / "GomSource.xml").write_text(f"<CMS_MODULE>{fields}</CMS_MODULE>", encoding="utf-8")
            name = '<LANG displayname="A template" language="EN"/>'
            element = (
                f'<LINKTEMPLATE id="{count}" name="{uid}">{name}</LINKTEMPLATE>'
                if kind == "link"
                else f'<TEMPLATE filename="{uid}" id="{count}" templateid="{10_000 + count}" type="{kind}">{name}'
                + ('<TEMPLATEBODY name="content"/>' if kind == "page" else "")
                + "</TEMPLATE>"
            )
            (home / "StoreElement.xml").write_text(element, encoding="utf-8")
            uid_type = "TEMPLATESTORE_LINKTEMPLATE" if kind == "link" else "TEMPLATESTORE"
            (home / "FS_References.txt").write_text(
                f"[self]\nuid={uid}\ngid={uuid.uuid5(uuid.NAMESPACE_OID, uid)}\nuidType={uid_type}\n"
                f"class=de.espirit.firstspirit.store.access.templatestore.{CLASSES[kind]}\n",
                encoding="utf-8",
            )
            count += 1
    return count


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        count = write_export(root)
        files = sorted(root.rglob("*.xml"))
        parsing = best_of(5, lambda: [defusedxml.ElementTree.parse(file) for file in files])
        reading = best_of(3, lambda: read_export(root))
        model = read_export(root).model
        emitting = best_of(3, lambda: emit_definitions(model, tenant="bench", project=PROJECT))
        definition = emit_definitions(model, tenant="bench", project=PROJECT).definitions["preview"]
        activating = best_of(3, lambda: build_app(parse_definition(definition, tenant="bench", limits=Limits())))
    build = reading.wall + emitting.wall
    print(f"{count} templates of {len(COMPONENTS)} fields, {len(files)} XML files")
    print(f"parsing the XML          {parsing.wall:7.3f} s   1.0")
    for label, seconds in (
        ("reading the export", reading.wall),
        ("emitting definitions", emitting.wall),
        ("schema build, both", build),
        ("activating one schema", activating.wall),
    ):
        print(f"{label:24} {seconds:7.3f} s  {seconds / parsing.wall:5.1f} times the parsing")
