"""The real export that lies beside the repository, field by field."""

from pathlib import Path

import pytest

from schema_gen.export import ExportReading, read_export
from schema_gen.model import Language, Resolution, Template, TemplateRef

EXPORT = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "fcecom-reference-export"
pytestmark = pytest.mark.skipif(not EXPORT.is_dir(), reason="no directory shared/data beside the repository")

BODIES_OF_PRODUCTS = ("stage", "sup_content", "sub_content")
PAGES = {
    "category": ("id type", BODIES_OF_PRODUCTS, True),
    "contentpage": (
        "id type pt_md_title* pt_md_type pt_md_description* pt_md_keywords* pt_md_image pt_md_image_alt_text*",
        ("stage", "content"),
        False,
    ),
    "homepage": ("pt_modals* id type", ("stage", "content"), False),
    "landingpage": ("id type", ("stage", "left_content", "right_content", "content", "sub_content"), False),
    "product": ("id type keywords*", BODIES_OF_PRODUCTS, True),
    "project_settings": ("ps_logo ps_logo_text* ps_logo_small ps_theme_primary ps_theme_secondary", (), True),
}
SECTIONS = {
    "banner": 6,
    "carousel": 2,
    "featured_products": 3,
    "interactive_image": 5,
    "interactive_youtube_video": 4,
    "modal": 5,
    "multi_slot_container": 3,
    "teaser_grid": 2,
    "text_image": 5,
}
LINKS = {
    "category_link": 1,
    "cta_link": 3,
    "external_link": 1,
    "interactive_product_link": 2,
    "internal_link": 1,
    "product_link": 1,
}
MISSING = {
    "link": ["dom_category_link", "dom_content_link", "dom_external_link", "dom_product_link"],
    "section": [
        "category_teaser",
        "content_teaser",
        "interactive_video_item",
        "interactive_video_product_item",
        "product_teaser",
        "teaser_item",
    ],
}


@pytest.fixture(scope="module")
def reading() -> ExportReading:
    return read_export(EXPORT)


def written(template: Template) -> str:
    return " ".join(f"{field.name}{'*' if field.language_dependent else ''}" for field in template.fields)


def test_page_templates_have_their_fields_and_bodies(reading: ExportReading) -> None:
    read = {
        template.uid: (written(template), template.bodies, template.hidden) for template in reading.model.page_templates
    }
    assert read == PAGES


def test_section_templates_have_their_fields(reading: ExportReading) -> None:
    assert {template.uid: len(template.fields) for template in reading.model.section_templates} == SECTIONS


def test_link_templates_have_their_fields(reading: ExportReading) -> None:
    assert {template.uid: len(template.fields) for template in reading.model.link_templates} == LINKS


def test_templates_are_sorted_by_uid(reading: ExportReading) -> None:
    assert [template.uid for template in reading.model.page_templates] == sorted(PAGES)
    assert [template.uid for template in reading.model.section_templates] == sorted(SECTIONS)
    assert [template.uid for template in reading.model.link_templates] == sorted(LINKS)


def test_settings_template_is_found(reading: ExportReading) -> None:
    assert reading.model.settings_template == "project_settings"


def test_languages_are_those_of_the_project(reading: ExportReading) -> None:
    assert reading.model.languages == (Language("EN", "en", "GB", master=True), Language("DE", "de", "DE"))


def test_all_thirteen_resolutions_are_listed_without_a_tag(reading: ExportReading) -> None:
    assert len(reading.model.resolutions) == 13
    assert reading.model.resolutions[0] == Resolution("ORIGINAL")
    assert Resolution("16x9_S", 480, 270) in reading.model.resolutions


def test_project_is_unknown_since_the_export_has_a_placeholder(reading: ExportReading) -> None:
    assert (reading.model.project, reading.model.project_name) == (None, "")


def test_every_page_template_counts_for_gca_pages(reading: ExportReading) -> None:
    assert reading.model.gca_templates == tuple(sorted(PAGES))
    assert not reading.model.gca_known


def test_every_template_has_its_identifier(reading: ExportReading) -> None:
    model = reading.model
    identifiers = {
        template.uid: template.identifier
        for template in (*model.page_templates, *model.section_templates, *model.link_templates)
    }
    assert identifiers["homepage"] == "9fefd1e7-0add-4d72-968c-b643a62062ee"
    assert all(identifiers.values())
    assert len(set(identifiers.values())) == 21


def test_fields_carry_component_label_plugin_and_templates(reading: ExportReading) -> None:
    sections = {
        template.uid: {field.name: field for field in template.fields} for template in reading.model.section_templates
    }
    video = sections["interactive_youtube_video"]
    assert video["st_youtubeVideo"].plugin == "YouTube-DAP-Integration/YoutubeVideoDataAccessPlugin"
    assert video["st_interactiveVideo"].component == "FS_BUTTON"
    assert sections["carousel"]["st_items"].templates == (TemplateRef("section", "banner"),)
    assert sections["modal"]["st_link"].templates == (TemplateRef("link", "cta_link"),)
    assert sections["text_image"]["st_text"].templates[-1] == TemplateRef("link", "cta_link")
    assert reading.model.page_templates[2].fields[1].label == "Id"


def test_display_names_are_read_per_language(reading: ExportReading) -> None:
    link = next(template for template in reading.model.link_templates if template.uid == "cta_link")
    assert link.display_names == (("DE", "CTA Link"), ("EN", "CTA Link"))


def test_findings_are_warnings_about_missing_templates_and_gca_pages_only(reading: ExportReading) -> None:
    assert {finding.severity for finding in reading.findings} == {"warning"}
    missing = [finding.message for finding in reading.findings if "is not in the export" in finding.message]
    expected = [f"the {kind} template {uid!r} is not in the export" for kind, uids in MISSING.items() for uid in uids]
    assert sorted(message.partition(", but")[0] for message in missing) == sorted(expected)
    others = [finding.message for finding in reading.findings if finding.message not in missing]
    assert [message.partition(",")[0] for message in others] == [
        "the export does not tell which page templates GCA pages use"
    ]


def test_reading_twice_gives_the_same(reading: ExportReading) -> None:
    assert read_export(EXPORT) == reading
    assert read_export(EXPORT.parent / "fcecom-reference-export" / "..") == reading
