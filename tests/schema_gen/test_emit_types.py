import re
from typing import Final

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    parse,
    print_type,
    validate,
    validate_schema,
)

from schema_gen import ContentModel
from schema_gen.compare import build_sdl
from tests.schema_gen.examples import EXPECTED_SDL, all_components, emit, fields, page, section, worked_example

ALWAYS: Final = ("Page", "Dataset", "GCAPage", "BodyContent", "Routed")


@pytest.fixture(scope="module")
def full() -> GraphQLSchema:
    """The schema in which every component occurs."""
    return build_sdl(emit(all_components()).sdl)


def test_worked_example_is_printed_as_expected() -> None:
    assert EXPECTED_SDL.read_text(encoding="utf-8") == emit(worked_example()).sdl


@pytest.mark.parametrize("model", [ContentModel(), worked_example(), all_components()], ids=["empty", "small", "full"])
def test_schema_is_valid_for_graphql(model: ContentModel) -> None:
    assert validate_schema(build_sdl(emit(model).sdl)) == []


def test_built_in_scalars_are_not_declared() -> None:
    assert not re.search("^scalar ", emit(all_components()).sdl, re.MULTILINE)


def test_everything_is_described(full: GraphQLSchema) -> None:
    for name, type_ in full.type_map.items():
        if name.startswith("__") or type_.ast_node is None or name in {"BsonDocument", "JSON"}:
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in type_.fields.items():
                assert field.description, f"{name}.{field_name}"
                assert all(argument.description for argument in field.args.values()), f"{name}.{field_name}"
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            assert type_.description, name


def test_every_field_may_be_null(full: GraphQLSchema) -> None:
    for type_ in full.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            assert not [name for name, field in type_.fields.items() if isinstance(field.type, GraphQLNonNull)]


@pytest.mark.parametrize(
    "field",
    ["pageRefs", "datasets", "medias", "projectProperties", "gcaPages", "pageRefs_StoryPage", "gcaPages_StoryGCAPage"],
)
def test_collection_fields_take_the_four_arguments(full: GraphQLSchema, field: str) -> None:
    assert full.query_type
    arguments = full.query_type.fields[field].args

    assert {name: str(argument.type) for name, argument in arguments.items()} == {
        "filter": "BsonDocument",
        "sort": "BsonDocument",
        "skip": "Int",
        "limit": "Int",
    }
    assert "skip: Int = 0" in _printed_field(full, field)
    assert "limit: Int = 20" in _printed_field(full, field)
    assert "filter: BsonDocument\n" in _printed_field(full, field)


def _printed_field(schema: GraphQLSchema, field: str) -> str:
    assert schema.query_type
    return print_type(schema.query_type).partition(f"  {field}(")[2].partition("  ): ")[0]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("pageRefs", "[PageRef]"),
        ("datasets", "[Dataset]"),
        ("medias", "[Media]"),
        ("projectProperties", "[ProjectProperties]"),
        ("gcaPages", "[GCAPage]"),
        ("pageRefs_StoryPage", "[PageRef]"),
        ("datasets_Shop_productDataset", "[Shop_productDataset]"),
        ("gcaPages_StoryGCAPage", "[StoryGCAPage]"),
        ("pageRef", "PageRef"),
        ("dataset", "Dataset"),
        ("media", "Media"),
        ("byRoute", "Routed"),
    ],
)
def test_root_field_has_its_type(full: GraphQLSchema, field: str, expected: str) -> None:
    assert full.query_type
    assert expected == str(full.query_type.fields[field].type)


@pytest.mark.parametrize(
    ("union", "expected"),
    [
        ("BodyContent", {"BareSection", "TeaserSection", "Content2Section", "UnknownSection"}),
        ("Link", {"TeaserLink", "UnknownLink"}),
        ("CatalogCard", {"BareCard", "TeaserCard", "TeaserCard_2", "UnknownCard"}),
        ("ReferenceTarget", {"PageRef", "Media"}),
        (
            "Routed",
            {"PageRef", "Shop_productDataset", "Shop_categoryDataset", "Crm_personDataset", "UnknownDataset"},
        ),
        ("ShopDataset", {"Shop_productDataset", "Shop_categoryDataset", "UnknownDataset"}),
    ],
)
def test_union_has_the_project_types(full: GraphQLSchema, union: str, expected: set[str]) -> None:
    type_ = full.type_map[union]
    assert isinstance(type_, GraphQLUnionType)
    assert expected == {member.name for member in type_.types}


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ("Page", {"StoryPage", "SettingsPage", "MetaPage", "BarePage", "UnknownPage"}),
        ("GCAPage", {"StoryGCAPage", "UnknownGCAPage"}),
        ("Dataset", {"Shop_productDataset", "Shop_categoryDataset", "Crm_personDataset", "UnknownDataset"}),
    ],
)
def test_interface_has_the_project_implementors(full: GraphQLSchema, interface: str, expected: set[str]) -> None:
    type_ = full.type_map[interface]
    assert isinstance(type_, GraphQLInterfaceType)
    assert expected == {implementor.name for implementor in full.get_possible_types(type_)}


@pytest.mark.parametrize("state", ["empty", "full"])
def test_abstract_types_that_root_fields_need_always_exist(state: str) -> None:
    schema = build_sdl(emit(ContentModel() if state == "empty" else all_components()).sdl)

    assert set(ALWAYS) <= set(schema.type_map)


@pytest.mark.parametrize(
    ("coordinate", "expected"),
    [
        ("PageRef.metaFormData", "MetaMetaFormData"),
        ("StoryPage.metaFormData", "MetaMetaFormData"),
        ("UnknownPage.metaFormData", "MetaMetaFormData"),
        ("Media.metaFormData", "MetaMetaFormData"),
        ("StoryGCAPage.metaFormData", "MetaMetaFormData"),
        ("TeaserLink.metaFormData", "MetaMetaFormData"),
        ("ProjectProperties.metaFormData", "MetaMetaFormData"),
        ("ProjectProperties.formData", "ProjectPropertiesFormData"),
        ("ProjectProperties.projectConfiguration", "JSON"),
        ("StoryPage.formData", "StoryPageFormData"),
        ("StoryGCAPage.formData", "StoryPageFormData"),
        ("TeaserCard.formData", "TeaserLinkFormData"),
        ("TeaserCard_2.formData", "TeaserSectionFormData"),
        ("BarePage.formData", "BsonDocument"),
        ("UnknownPage.formData", "BsonDocument"),
        ("UnknownSection.formData", "BsonDocument"),
        ("UnknownCard.formData", "BsonDocument"),
        ("ChangeInfo.lastSynced", "JSON"),
        ("ImageMap.media", "Reference"),
        ("ImageMap.resolvedMedia", "Media"),
        ("TeaserSection.displayed", "Boolean"),
        ("Content2Section.datasets", "Dataset"),
        ("ShopDatasetIndexRecord.value", "ShopDataset"),
        ("ShopDatasetFieldValue.target", "ShopDataset"),
        ("DatasetIndexRecord.value", "Dataset"),
        ("StoryPageFormData.x_bound", "ShopDatasetIndexField"),
        ("StoryPageFormData.x_bound_one", "ShopDatasetField"),
        ("StoryPageFormData._16x9", "TextField"),
        ("PageRef._id", "String"),
        ("Shop_productDataset._id", "String"),
        ("Media._id", "String"),
        ("StoryGCAPage._id", "String"),
        ("ProjectProperties._id", "String"),
    ],
)
def test_field_has_its_type(full: GraphQLSchema, coordinate: str, expected: str) -> None:
    type_name, _, field = coordinate.partition(".")
    type_ = full.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    assert expected == get_named_type(type_.fields[field].type).name


def test_without_chosen_templates_settings_and_metadata_stay_untyped() -> None:
    schema = build_sdl(emit(ContentModel()).sdl)

    properties = schema.type_map["ProjectProperties"]
    assert isinstance(properties, GraphQLObjectType)
    assert str(properties.fields["formData"].type) == "JSON"
    assert str(properties.fields["metaFormData"].type) == "BsonDocument"


def test_names_that_python_reserves_are_fields_like_others() -> None:
    names = ["class", "None", "self", "def", "_id", "value", "name", "fsType", "id", "type", "field_0", "formData"]
    model = ContentModel(section_templates=(section("s", *fields(**dict.fromkeys(names, "CMS_INPUT_TEXT"))),))

    form = build_sdl(emit(model).sdl).type_map["SSectionFormData"]

    assert isinstance(form, GraphQLObjectType)
    assert sorted(names) == list(form.fields)


@pytest.mark.parametrize("text", ['"""', "a\\", 'end"', "scalar JSON\n\nscalar JSON", "}", "\x00", "# no", "é€𝄞"])
def test_no_text_of_the_project_breaks_the_schema(text: str) -> None:
    form = fields(x="CMS_INPUT_TEXT")
    model = ContentModel(page_templates=(page(f"p{text}", *form, display_names=(("EN", text),)),), project_name=text)

    schema = build_sdl(emit(model).sdl)

    assert validate_schema(schema) == []
    assert "JSON" in schema.type_map


def test_two_projects_share_no_types() -> None:
    """The shared classes are copied per project: a second emission must not see the first one's types."""
    first = emit(worked_example()).sdl
    emit(all_components())

    assert first == emit(worked_example()).sdl


def test_attested_query_is_valid() -> None:
    query = """
    query ($filter: BsonDocument) { pageRefs(filter: $filter) { displayName locale { identifier } page {
      ... on LandingPage { formData { pt_headline { value } pt_image { value { ... on Media {
        _id resolutionsMetaData { ORIGINAL { url width } _16x9_S { url } } } } } }
        children { name children { ... on TeaserSection { formData { st_text { value } } } } } }
      ... on Product_specialPage { formData { pt_headline { value } pt_product { value { target { _id
        ... on Shop_productDataset { formData { tt_name { value } tt_price { value } } } } } }
        pt_related { value { value { displayName } } } } }
      ... on UnknownPage { displayName } } } }
    """

    assert validate(build_sdl(emit(worked_example()).sdl), parse(query)) == []
