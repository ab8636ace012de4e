from schema_gen import ContentModel, FormField, TemplateRef
from tests.schema_gen.examples import DATASET_PLUGIN, all_components, emit, fields, link, page, section, table


def test_one_name_with_different_values_is_a_conflict() -> None:
    model = ContentModel(
        page_templates=(
            page("a", *fields(pt_x="CMS_INPUT_TEXT", pt_y="CMS_INPUT_TEXT")),
            page("b", *fields(pt_x="CMS_INPUT_COMBOBOX", pt_y="CMS_INPUT_DATE")),
            page("c", *fields(pt_x="CMS_INPUT_TEXTAREA")),
        ),
        section_templates=(section("s", *fields(pt_x="CMS_INPUT_NUMBER")),),
    )

    (conflict,) = emit(model).report.conflicts
    assert str(conflict) == (
        "Page: pt_x needs an alias where it is selected in both: OptionField in page template 'b'; "
        "TextField in page template 'a', page template 'c'"
    )


def test_text_and_date_do_not_conflict() -> None:
    model = ContentModel(
        section_templates=(section("a", *fields(x="CMS_INPUT_TEXT")), section("b", *fields(x="CMS_INPUT_DATE")))
    )

    assert emit(model).report.conflicts == ()


def test_binding_to_a_schema_is_no_conflict() -> None:
    bound = FormField("x", "FS_INDEX", plugin=DATASET_PLUGIN, templates=(TemplateRef("table", "shop.product"),))
    free = FormField("x", "FS_INDEX", plugin=DATASET_PLUGIN)
    model = ContentModel(page_templates=(page("a", bound), page("b", free)), table_templates=(table("shop.product"),))

    assert emit(model).report.conflicts == ()


def test_cards_conflict_across_kinds_of_template_only() -> None:
    model = ContentModel(
        page_templates=(page("p", FormField("cards", "FS_CATALOG")),),
        section_templates=(section("a", *fields(x="CMS_INPUT_TEXT")),),
        link_templates=(link("b", *fields(x="CMS_INPUT_TOGGLE")),),
    )

    assert [conflict.place for conflict in emit(model).report.conflicts] == ["CatalogCard"]


def test_report_counts_types_per_place() -> None:
    report = emit(all_components()).report

    assert (report.pages, report.sections, report.links, report.cards, report.datasets) == (4, 2, 1, 3, 3)
    assert report.gca_pages == ("StoryGCAPage",)


def test_lines_tell_everything_once() -> None:
    model = ContentModel(page_templates=(page("a-b", *fields(**{"x.y": "T"})), page("a_b")), gca_templates=("missing",))

    report = emit(model).report

    missing = "is not among the page templates; export it too, or its pages stay untyped"
    assert list(report.lines()) == [
        f"{report.types} types: 2 pages, 0 sections, 0 links, 0 cards, 0 datasets, 0 GCA pages",
        "collision: page template 'a_b' is named A_bPage_2: A_bPage belongs to page template 'a-b'",
        "skipped: page template 'a-b': 'x.y' has no field: a name with a dot cannot be mapped",
        f"warning: the GCA page template 'missing' {missing}",
    ]
