"""Generated applications of any number of types, no two alike, and large queries to ask them."""

import uuid
from typing import Final

from benchmarks.content import TENANT
from content_core.documents import Document
from schema_gen.emit import emit_definitions
from schema_gen.model import ContentModel, FormField, Language, Resolution, Template, TemplateKind

__all__ = ["FIELDS_PER_TEMPLATE", "count_types", "make_definition", "make_query"]

_COMPONENTS: Final = ("CMS_INPUT_TEXT", "CMS_INPUT_DOM", "CMS_INPUT_NUMBER", "CMS_INPUT_TOGGLE", "FS_REFERENCE")
FIELDS_PER_TEMPLATE: Final = len(_COMPONENTS)
_KEYWORDS: Final = ("type ", "interface ", "union ", "enum ", "input ", "scalar ")


def make_definition(number: int, *, types: int) -> Document:
    """Generate the definition of an application that has so many types, or a few more.

    Args:
        number: which application; templates and fields have names of their own in each.
        types: how many types its schema has at least.
    """
    few, many = (_generate(number, templates) for templates in (10, 20))
    each = (count_types(many) - count_types(few)) / 10
    return _generate(number, 10 + round((types - count_types(few)) / each + 0.5))


def count_types(definition: Document) -> int:
    """Count the types that a definition's schema declares."""
    return sum(line.startswith(_KEYWORDS) for line in definition["schema"].splitlines())


def make_query(number: int, *, templates: int) -> str:
    """Write a query for pages with sections of so many templates and all fields of their forms but references."""
    fragments = (
        f"... on {_section(number, place).capitalize()}Section {{ formData {{ "
        + " ".join(f"{field.name} {{ value }}" for field in _fields(number, place) if field.component != "FS_REFERENCE")
        + " } }"
        for place in range(templates)
    )
    return f"{{ pageRefs(limit: 1) {{ _id page {{ children {{ children {{ {' '.join(fragments)} }} }} }} }} }}"


def _generate(number: int, templates: int) -> Document:
    project = str(uuid.uuid5(uuid.NAMESPACE_OID, f"application {number}"))
    model = ContentModel(
        page_templates=(
            Template(
                TemplateKind.PAGE,
                f"page_{number}",
                bodies=("content",),
                fields=(FormField(f"pt_title_{number}", "CMS_INPUT_TEXT"),),
            ),
        ),
        section_templates=tuple(
            Template(TemplateKind.SECTION, _section(number, place), fields=_fields(number, place))
            for place in range(templates)
        ),
        languages=(Language("EN", "en", "GB", master=True),),
        resolutions=(Resolution("ORIGINAL"),),
        project=project,
        project_name=f"Application {number}",
    )
    return emit_definitions(model, tenant=TENANT, project=project, states=("preview",)).definitions["preview"]


def _section(number: int, place: int) -> str:
    return f"section_{number}_{place}"


def _fields(number: int, place: int) -> tuple[FormField, ...]:
    return tuple(FormField(f"st_{number}_{place}_{index}", component) for index, component in enumerate(_COMPONENTS))
