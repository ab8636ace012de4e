import pytest
from graphql import GraphQLNamedType

from schema_gen import ContentModel, EmissionError, FormField, Resolution, TemplateRef
from schema_gen.compare import build_sdl
from schema_gen.named import NamedModel, name_model
from schema_gen.vocabulary import RESERVED_NAMES
from tests.schema_gen.examples import DATASET_PLUGIN, all_components, emit, fields, link, page, section, table


def _names(named: NamedModel) -> list[str]:
    groups = (named.pages, named.sections, named.links, named.datasets, named.gca_pages, named.cards)
    return [type_.name for group in groups for type_ in group]


def test_colliding_uids_are_numbered_in_order_of_uid() -> None:
    named = name_model(ContentModel(page_templates=(page("a_b"), page("a.b"), page("a-b"))))

    assert {type_.template.uid: type_.name for type_ in named.pages} == {
        "a-b": "A_bPage",
        "a.b": "A_bPage_2",
        "a_b": "A_bPage_3",
    }
    assert [str(collision) for collision in named.collisions] == [
        "page template 'a.b' is named A_bPage_2: A_bPage belongs to page template 'a-b'",
        "page template 'a_b' is named A_bPage_3: A_bPage belongs to page template 'a-b'",
    ]


def test_form_type_follows_its_numbered_type() -> None:
    named = name_model(ContentModel(page_templates=(page("a-b", *fields(x="T")), page("a_b", *fields(x="T")))))

    assert [form.name for form in named.forms] == ["A_bPageFormData", "A_bPage_2FormData"]


@pytest.mark.parametrize(
    ("expected", "model"),
    [
        ("GCAPage_2", ContentModel(page_templates=(page("GCA"),))),
        ("UnknownPage_2", ContentModel(page_templates=(page("unknown"),))),
        ("Content2Section_2", ContentModel(section_templates=(section("content2"),))),
        ("UnknownLink_2", ContentModel(link_templates=(link("Unknown"),))),
    ],
)
def test_shared_names_are_reserved(expected: str, model: ContentModel) -> None:
    named = name_model(model)

    assert _names(named) == [expected]
    assert [collision.holder for collision in named.collisions] == ["the shared schema"]


def test_page_and_gca_page_types_do_not_collide() -> None:
    model = ContentModel(page_templates=(page("foo"), page("fooGCA")), gca_templates=("foo",))

    named = name_model(model)

    assert sorted(_names(named)) == ["FooGCAPage", "FooGCAPage_2", "FooPage"]
    assert named.gca_pages[0].name == "FooGCAPage"


def test_schema_union_gives_way_to_dataset_type() -> None:
    """The union of the schema ``shop_product`` wants the name of the table ``product`` in ``shop``."""
    bound = FormField("x", "FS_INDEX", plugin=DATASET_PLUGIN, templates=(TemplateRef("table", "shop_product.a"),))
    model = ContentModel(
        page_templates=(page("p", bound),), table_templates=(table("shop.product"), table("shop_product.a"))
    )

    named = name_model(model)

    assert [union.name for union in named.unions] == ["Shop_productDataset_2"]
    assert named.pages[0].form.fields[0].type_name == "Shop_productDataset_2IndexField"


def test_section_and_link_cards_with_one_uid_are_told_apart() -> None:
    named = name_model(
        ContentModel(
            page_templates=(page("p", FormField("x", "FS_CATALOG")),),
            section_templates=(section("teaser"),),
            link_templates=(link("teaser"),),
        )
    )

    assert {card.template.kind.value: card.name for card in named.cards} == {
        "link": "TeaserCard",
        "section": "TeaserCard_2",
    }


def test_catalog_admits_the_named_templates_only() -> None:
    refs = (TemplateRef("section", "quote"), TemplateRef("link", "missing"), TemplateRef("page", "p"))
    model = ContentModel(
        page_templates=(page("p", FormField("x", "FS_CATALOG", templates=refs)),),
        section_templates=(section("quote"), section("other")),
    )

    assert [card.name for card in name_model(model).cards] == ["PCard", "QuoteCard"]


def test_cards_and_gca_pages_share_the_template_form() -> None:
    named = name_model(all_components())

    teaser = next(type_ for type_ in named.sections if type_.name == "TeaserSection")
    assert "TeaserSectionFormData" == teaser.form.name
    assert {card.form.name for card in named.cards if card.template == teaser.template} == {teaser.form.name}
    assert [type_.form.name for type_ in named.gca_pages] == ["StoryPageFormData"]


def test_legal_field_names_stay_and_others_are_numbered() -> None:
    form = fields(**{"a-b": "T", "a.b": "T", "a_b": "T", "a b": "T"})
    named = name_model(ContentModel(page_templates=(page("p", *form),)))

    assert {field.source.name: field.name for field in named.pages[0].form.fields} == {
        "a_b": "a_b",
        "a b": "a_b_2",
        "a-b": "a_b_3",
    }
    assert [str(skipped) for skipped in named.skipped] == [
        "page template 'p': 'a.b' has no field: a name with a dot cannot be mapped"
    ]
    assert len(named.collisions) == 2


def test_field_names_are_case_sensitive() -> None:
    named = name_model(ContentModel(page_templates=(page("p", *fields(title="T", Title="T")),)))

    assert [field.name for field in named.pages[0].form.fields] == ["Title", "title"]
    assert named.collisions == ()


def test_second_field_of_one_name_is_reported() -> None:
    form = (FormField("x", "CMS_INPUT_TEXT"), FormField("x", "CMS_INPUT_NUMBER"))
    named = name_model(ContentModel(page_templates=(page("p", *form, source="p/GomSource.xml"),)))

    assert [field.type_name for field in named.pages[0].form.fields] == ["TextField"]
    assert list(map(str, named.warnings)) == [
        "warning: p/GomSource.xml: page template 'p' has two fields 'x'; the first one counts"
    ]


def test_resolution_names_are_normalised_with_original_always_there() -> None:
    resolutions = (Resolution("16x9_S"), Resolution("16x9-S"), Resolution("a.b"))
    named = name_model(ContentModel(resolutions=resolutions))

    assert {resolution.source: resolution.name for resolution in named.resolutions} == {
        "ORIGINAL": "ORIGINAL",
        "16x9-S": "_16x9_S",
        "16x9_S": "_16x9_S_2",
    }
    assert [skipped.name for skipped in named.skipped] == ["a.b"]


def test_table_without_schema_takes_the_halves_of_its_uid() -> None:
    tables = (
        table("shop.product", schema=None, entity_type=None),
        table("plain", schema=None, entity_type=None),
    )

    named = name_model(ContentModel(table_templates=tables))

    assert [type_.name for type_ in named.datasets] == ["Plain_plainDataset", "Shop_productDataset"]


@pytest.mark.parametrize(
    ("expected", "templates"),
    [
        ("ShopDatasetIndexField", ("shop.product",)),
        ("ShopDatasetIndexField", ("shop.product", "shop.category")),
        ("DatasetIndexField", ("shop.product", "crm.person")),
        ("DatasetIndexField", ("shop.product", "shop.missing")),
        ("DatasetIndexField", ()),
    ],
)
def test_index_is_bound_to_a_schema_only_where_all_its_tables_are(expected: str, templates: tuple[str, ...]) -> None:
    refs = tuple(TemplateRef("table", uid) for uid in templates)
    model = ContentModel(
        page_templates=(page("p", FormField("x", "FS_INDEX", plugin=DATASET_PLUGIN, templates=refs)),),
        table_templates=(table("shop.product"), table("shop.category"), table("crm.person")),
    )

    assert expected == name_model(model).pages[0].form.fields[0].type_name


def test_missing_chosen_templates_are_warnings() -> None:
    named = name_model(ContentModel(settings_template="a", metadata_template="b", gca_templates=("c",)))

    assert named.settings is None
    assert named.metadata is None
    assert [warning.message for warning in named.warnings] == [
        "the template 'a' is not among the page templates; export it too, or the project settings stay JSON",
        "the template 'b' is not among the page templates; export it too, or metadata stays a plain document",
        "the GCA page template 'c' is not among the page templates; export it too, or its pages stay untyped",
    ]


def test_two_templates_of_one_kind_with_one_uid_are_refused() -> None:
    model = ContentModel(section_templates=(section("a", source="x"), section("a", source="y")))

    with pytest.raises(EmissionError, match="Two section templates have the uid 'a'") as caught:
        name_model(model)

    assert caught.value.details == {"sources": ["x", "y"]}


def test_kinds_may_share_a_uid() -> None:
    model = ContentModel(page_templates=(page("a"),), section_templates=(section("a"),), link_templates=(link("a"),))

    assert _names(name_model(model)) == ["APage", "ASection", "ALink"]


def test_every_shared_type_name_is_reserved() -> None:
    """Whatever the schema with every component has beyond the project's own types."""
    own = {type_.name for type_ in _types() if type_.name.startswith(("Story", "Settings", "Meta", "Bare", "Teaser"))}
    bound = {type_.name for type_ in _types() if type_.name.startswith(("Shop", "Crm"))}

    assert {type_.name for type_ in _types()} - own - bound <= set(RESERVED_NAMES)


def _types() -> list[GraphQLNamedType]:
    schema = build_sdl(emit(all_components()).sdl)
    return [type_ for type_ in schema.type_map.values() if not type_.name.startswith("__")]
