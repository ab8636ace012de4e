"""Content models for tests; ``python -m tests.schema_gen.examples`` rewrites the worked example's expected schema."""

from pathlib import Path
from typing import Any, Final

from schema_gen import (
    ContentModel,
    Emission,
    FormField,
    Language,
    Resolution,
    Template,
    TemplateKind,
    TemplateRef,
    emit_definitions,
)

__all__ = [
    "COMPONENTS",
    "DATASET_PLUGIN",
    "EXPECTED_SDL",
    "all_components",
    "emit",
    "fields",
    "link",
    "page",
    "section",
    "table",
    "worked_example",
]

DATASET_PLUGIN: Final = "DatasetDataAccessPlugin"
EXPECTED_SDL: Final = Path(__file__).parent / "expected" / "worked_example.graphql"

COMPONENTS: Final[dict[str, tuple[str, str]]] = {
    "CMS_INPUT_TEXT": ("TextField", "String"),
    "CMS_INPUT_TEXTAREA": ("TextField", "String"),
    "CMS_INPUT_DOM": ("TextField", "String"),
    "CMS_INPUT_DOMTABLE": ("TextField", "String"),
    "CMS_INPUT_NUMBER": ("NumberField", "Float"),
    "CMS_INPUT_TOGGLE": ("ToggleField", "Boolean"),
    "CMS_INPUT_DATE": ("DateField", "String"),
    "CMS_INPUT_COMBOBOX": ("OptionField", "Option"),
    "CMS_INPUT_RADIOBUTTON": ("OptionField", "Option"),
    "CMS_INPUT_CHECKBOX": ("OptionListField", "[Option]"),
    "CMS_INPUT_LIST": ("OptionListField", "[Option]"),
    "CMS_INPUT_LINK": ("LinkField", "Link"),
    "CMS_INPUT_IMAGEMAP": ("ImageMapField", "ImageMap"),
    "CMS_INPUT_PERMISSION": ("PermissionField", "[PermissionActivity]"),
    "FS_REFERENCE": ("ReferenceField", "ReferenceTarget"),
    "FS_DATASET": ("DatasetField", "DatasetFieldValue"),
    "FS_INDEX": ("IndexField", "[IndexRecord]"),
    "FS_CATALOG": ("CatalogField", "[CatalogCard]"),
    "FS_BUTTON": ("RawField", "JSON"),
    "CMS_INPUT_PICTURE": ("RawField", "JSON"),
    "CMS_INPUT_SECTIONLIST": ("RawField", "JSON"),
    "ACME_COLOR_PICKER": ("RawField", "JSON"),
}
"""Per component the type of its field, and the type of that field's value."""


def fields(**components: str) -> tuple[FormField, ...]:
    """Make form fields: names and components."""
    return tuple(FormField(name, component) for name, component in components.items())


def page(uid: str, *form: FormField, **members: Any) -> Template:
    """Make a page template."""
    return Template(TemplateKind.PAGE, uid, fields=form, **members)


def section(uid: str, *form: FormField, **members: Any) -> Template:
    """Make a section template."""
    return Template(TemplateKind.SECTION, uid, fields=form, **members)


def link(uid: str, *form: FormField, **members: Any) -> Template:
    """Make a link template."""
    return Template(TemplateKind.LINK, uid, fields=form, **members)


def table(uid: str, *form: FormField, **members: Any) -> Template:
    """Make a table template whose uid is ``<schema>.<table>``."""
    schema, _, entity_type = uid.partition(".")
    return Template(TemplateKind.TABLE, uid, fields=form, **{"schema": schema, "entity_type": entity_type, **members})


def worked_example() -> ContentModel:
    """Make the two page templates, the section and the table of the specification's worked example."""
    related = FormField("pt_related", "FS_INDEX", plugin=DATASET_PLUGIN)
    return ContentModel(
        page_templates=(
            page(
                "landing",
                FormField("pt_headline", "CMS_INPUT_TEXT", label="Headline", description="Shown on top."),
                FormField("pt_image", "FS_REFERENCE", label="Stage picture"),
                display_names=(("DE", "Landeseite"), ("EN", "Landing page")),
            ),
            page("product_special", *fields(pt_headline="CMS_INPUT_TEXT", pt_product="FS_DATASET"), related),
        ),
        section_templates=(section("teaser", *fields(st_text="CMS_INPUT_DOM")),),
        table_templates=(table("shop.product", *fields(tt_name="CMS_INPUT_TEXT", tt_price="CMS_INPUT_NUMBER")),),
        languages=(Language("DE", "de", "DE"), Language("EN", "en", "GB", master=True)),
        resolutions=(Resolution("ORIGINAL"), Resolution("16x9_S", 480, 270)),
        project="7c1e",
        project_name="Bakery",
    )


def all_components() -> ContentModel:
    """Make a model in which every component occurs, in every kind of form, and every place has types."""
    form = (
        *(FormField(f"x_{tag.lower()}", tag) for tag in COMPONENTS),
        FormField("x_related", "FS_INDEX", plugin=DATASET_PLUGIN),
        FormField("x_bound", "FS_INDEX", plugin=DATASET_PLUGIN, templates=(TemplateRef("table", "shop.product"),)),
        FormField("x_bound_one", "FS_DATASET", templates=(TemplateRef("table", "shop.product"),)),
        FormField("16x9", "CMS_INPUT_TEXT"),
    )
    return ContentModel(
        page_templates=(page("story", *form), page("settings", *form), page("meta", *form), page("bare")),
        section_templates=(section("teaser", *form), section("bare")),
        link_templates=(link("teaser", *form),),
        table_templates=(table("shop.product", *form), table("shop.category", *form), table("crm.person", *form)),
        settings_template="settings",
        metadata_template="meta",
        gca_templates=("story",),
    )


def emit(model: ContentModel) -> Emission:
    """Emit the definitions of the tenant ``acme`` and the project ``7c1e``."""
    return emit_definitions(model, tenant="acme", project="7c1e")


if __name__ == "__main__":
    EXPECTED_SDL.write_text(emit(worked_example()).sdl, encoding="utf-8")
