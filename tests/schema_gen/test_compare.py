from copy import deepcopy
from dataclasses import replace

import pytest

from content_core.documents import Document
from schema_gen import ContentModel, EmissionError, FormField, compare_definitions, emit_definitions
from schema_gen.compare import build_sdl
from tests.schema_gen.examples import emit, fields, page, section, table, worked_example


def _preview(model: ContentModel) -> Document:
    return emit(model).definitions["preview"]


def _small(*templates: str, form: tuple[FormField, ...] = ()) -> ContentModel:
    return ContentModel(page_templates=tuple(page(uid, *form) for uid in templates))


TEXT = fields(pt_x="CMS_INPUT_TEXT")


def test_equal_definitions_are_unchanged() -> None:
    built = _preview(worked_example())

    comparison = compare_definitions(deepcopy(built), built)

    assert comparison.unchanged
    assert (comparison.added, comparison.breaking, comparison.mapping_changes) == ((), (), ())


def test_what_the_server_adds_is_no_change() -> None:
    built = _preview(worked_example())
    deployed = {**built, "_etag": {"$oid": "67a07c10a4c1f20b8d3e5a10"}, "_links": {"self": "x"}}

    assert compare_definitions(deployed, built).unchanged


def test_first_deployment_adds_every_type() -> None:
    model = replace(_small("landing", form=TEXT), gca_templates=("landing",))

    comparison = compare_definitions(None, _preview(model))

    assert comparison.created
    assert not comparison.unchanged
    assert {"LandingPage", "LandingPageFormData", "PageRef", "Query"} <= set(comparison.added)
    assert not {"JSON", "String", "__Schema"} & set(comparison.added)
    assert comparison.gca_added == ("LandingGCAPage",)


def test_new_template_adds_types_and_breaks_nothing() -> None:
    comparison = compare_definitions(_preview(_small("a", form=TEXT)), _preview(_small("a", "b", form=TEXT)))

    assert comparison.added == ("BPage", "BPageFormData", "Query.pageRefs_BPage")
    assert comparison.removed == ()
    assert comparison.breaking == ()
    assert comparison.mapping_changes == ()


def test_removed_template_breaks() -> None:
    comparison = compare_definitions(_preview(_small("a", "b", form=TEXT)), _preview(_small("a", form=TEXT)))

    assert comparison.removed == ("BPage", "BPageFormData", "Query.pageRefs_BPage")
    assert "BPage was removed." in " ".join(comparison.breaking)
    assert not comparison.unchanged


def test_added_field_is_safe_and_removed_field_breaks() -> None:
    one, two = _small("a", form=TEXT), _small("a", form=(*TEXT, *fields(pt_y="CMS_INPUT_TEXT")))

    assert compare_definitions(_preview(one), _preview(two)).added == ("APageFormData.pt_y",)
    assert compare_definitions(_preview(one), _preview(two)).breaking == ()
    back = compare_definitions(_preview(two), _preview(one))
    assert back.removed == ("APageFormData.pt_y",)
    assert len(back.breaking) == 1


def test_changed_component_breaks_without_adding_or_removing_the_field() -> None:
    comparison = compare_definitions(
        _preview(_small("a", form=TEXT)), _preview(_small("a", form=fields(pt_x="CMS_INPUT_TEXTAREA")))
    )
    assert comparison.breaking == ()
    assert not comparison.unchanged, "the description tells the component"

    other = compare_definitions(
        _preview(_small("a", form=TEXT)), _preview(_small("a", form=fields(pt_x="CMS_INPUT_TOGGLE")))
    )
    assert any("pt_x" in change for change in other.breaking)


def test_new_union_member_is_dangerous() -> None:
    old = ContentModel(section_templates=(section("a", *TEXT),))
    new = ContentModel(section_templates=(section("a", *TEXT), section("b", *TEXT)))

    comparison = compare_definitions(_preview(old), _preview(new))

    assert any("BSection" in change and "BodyContent" in change for change in comparison.dangerous)
    assert comparison.breaking == ()


def test_template_newly_in_use_for_gca_pages_is_told() -> None:
    model = _small("a", "b", form=TEXT)

    comparison = compare_definitions(
        _preview(replace(model, gca_templates=("a",))), _preview(replace(model, gca_templates=("a", "b")))
    )

    assert comparison.gca_added == ("BGCAPage",)


def test_moved_collection_is_a_mapping_change() -> None:
    old = emit_definitions(_small("a"), tenant="acme", project="old").definitions["preview"]
    new = emit_definitions(_small("a"), tenant="acme", project="new").definitions["preview"]

    comparison = compare_definitions(old, new)

    assert "Query.pageRefs collection: old.preview.content -> new.preview.content" in comparison.mapping_changes
    assert comparison.breaking == ()


def test_type_that_is_recognised_otherwise_is_a_mapping_change() -> None:
    """A second template for one table makes the first one depend on its template."""
    twin = table("shop.short", schema="shop", entity_type="product")
    old = ContentModel(table_templates=(table("shop.product"),))
    new = ContentModel(table_templates=(table("shop.product"), twin))

    comparison = compare_definitions(_preview(old), _preview(new))

    recognised = [change for change in comparison.mapping_changes if "recognised otherwise" in change]
    assert [change.partition(" is ")[0] for change in recognised] == [
        "Dataset: Shop_productDataset",
        "Routed: Shop_productDataset",
    ]
    assert any(change.startswith("Query.datasets_Shop_productDataset find") for change in comparison.mapping_changes)


def test_renamed_source_is_a_mapping_change() -> None:
    old, new = (_small("a", form=fields(**{name: "CMS_INPUT_TEXT"})) for name in ("a-b", "a b"))

    assert compare_definitions(_preview(old), _preview(new)).mapping_changes == ("APageFormData.a_b: a-b -> a b",)


@pytest.mark.parametrize("schema", ["type Query {", 1, "type Query { a: Missing }"])
def test_unreadable_deployed_schema_is_reported(schema: object) -> None:
    built = _preview(_small("a"))

    comparison = compare_definitions({**built, "schema": schema}, built)

    assert not comparison.unchanged
    assert "The deployed schema cannot be read" in comparison.dangerous[0]


@pytest.mark.parametrize("mappings", [None, [], {"Query": 1}, {"Query": {"pageRefs": "x"}}])
def test_odd_deployed_mappings_are_compared_tolerantly(mappings: object) -> None:
    built = _preview(_small("a"))

    assert not compare_definitions({**built, "mappings": mappings}, built).unchanged


def test_invalid_new_schema_is_refused() -> None:
    built = _preview(_small("a"))

    with pytest.raises(EmissionError, match="new schema is not valid"):
        compare_definitions(None, {**built, "schema": "type Query {"})


def test_sdl_may_declare_built_in_scalars() -> None:
    assert "JSON" in build_sdl("scalar JSON\ntype Query { a: JSON b: BsonDocument }").type_map
