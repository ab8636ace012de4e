from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_app.schema.matching import compile_predicate
from graphql_app.schema.predicate_parser import parse_predicate
from schema_gen import ContentModel, FormField
from schema_gen.named import NamedModel, name_model
from schema_gen.predicates import (
    Resolver,
    card_resolver,
    dataset_resolver,
    field_equals,
    kind_resolver,
    reference_resolver,
    routed_resolver,
)
from tests.schema_gen.examples import link, page, section, table

UIDS = st.text("ab.'\"\\_ é", min_size=1, max_size=4)


def _matches(resolver: Resolver, value: Any) -> list[str]:
    return [name for name, text in resolver.items() if compile_predicate(parse_predicate(text))(value)]


def _template(uid: str, uid_type: str | None = "TEMPLATESTORE") -> dict[str, Any]:
    return {"uid": uid} | ({} if uid_type is None else {"uidType": uid_type})


@pytest.fixture
def named() -> NamedModel:
    return name_model(
        ContentModel(
            page_templates=(page("landing"), page("x", FormField("c", "FS_CATALOG"))),
            section_templates=(section("teaser"), section("shared")),
            link_templates=(link("shared"), link("go")),
            table_templates=(
                table("shop.product"),
                table("shop.short", schema="shop", entity_type="product"),
                table("crm.person"),
            ),
        )
    )


@pytest.mark.parametrize("text", ["plain", "it's", 'say "x"', "a\\b", "a\\'b", "\\", "é€", "#x", "", "a b", "%{x}"])
def test_any_text_survives_the_predicate_language(text: str) -> None:
    test = compile_predicate(parse_predicate(field_equals("template.uid", text)))

    assert test({"template": {"uid": text}})
    assert not test({"template": {"uid": f"{text}x"}})


@pytest.mark.parametrize(
    ("expected", "template"),
    [
        ("LandingPage", _template("landing")),
        ("LandingPage", _template("landing", None)),
        ("UnknownPage", _template("landing", "TEMPLATESTORE_LINKTEMPLATE")),
        ("UnknownPage", _template("Landing")),
        ("UnknownPage", {}),
    ],
)
def test_page_is_known_by_uid_and_uid_type(named: NamedModel, expected: str, template: dict[str, Any]) -> None:
    resolver = kind_resolver(named.pages, unknown="UnknownPage")

    assert [expected] == _matches(resolver, {"template": template})


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("TeaserSection", {"fsType": "Section", "template": _template("teaser")}),
        ("TeaserSection", {"fsType": "SectionReference", "template": _template("teaser")}),
        ("TeaserSection", {"fsType": "GCASection", "template": _template("teaser")}),
        ("Content2Section", {"fsType": "Content2Section", "template": _template("teaser")}),
        ("Content2Section", {"fsType": "Content2Section"}),
        ("UnknownSection", {"fsType": "Section", "template": _template("new")}),
        ("UnknownSection", {"fsType": "Section"}),
    ],
)
def test_body_content_is_known_by_kind_and_uid(named: NamedModel, expected: str, value: dict[str, Any]) -> None:
    projection = {"Content2Section": field_equals("fsType", "Content2Section")}
    resolver = kind_resolver(named.sections, unknown="UnknownSection", except_for=projection)

    assert [expected] == _matches(resolver, value)


@pytest.mark.parametrize(
    ("expected", "template"),
    [
        ("SharedCard_2", _template("shared")),
        ("SharedCard_2", _template("shared", None)),
        ("SharedCard", _template("shared", "TEMPLATESTORE_LINKTEMPLATE")),
        ("GoCard", _template("go", "TEMPLATESTORE_LINKTEMPLATE")),
        ("UnknownCard", _template("go")),
        ("TeaserCard", _template("teaser")),
        ("UnknownCard", _template("teaser", "TEMPLATESTORE_LINKTEMPLATE")),
    ],
)
def test_card_kinds_may_share_a_uid(named: NamedModel, expected: str, template: dict[str, Any]) -> None:
    assert [expected] == _matches(card_resolver(named.cards, unknown="UnknownCard"), {"template": template})


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("Shop_productDataset", {"schema": "shop", "entityType": "product", "template": {"uid": "shop.product"}}),
        ("Shop_productDataset_2", {"schema": "shop", "entityType": "product", "template": {"uid": "shop.short"}}),
        ("UnknownDataset", {"schema": "shop", "entityType": "product", "template": {"uid": "shop.new"}}),
        ("Crm_personDataset", {"schema": "crm", "entityType": "person"}),
        ("UnknownDataset", {"schema": "shop", "entityType": "person"}),
    ],
)
def test_dataset_is_known_by_table_and_if_needed_by_template(
    named: NamedModel, expected: str, value: dict[str, Any]
) -> None:
    datasets = dataset_resolver(named.datasets, unknown="UnknownDataset", all_types=named.datasets)
    routed = routed_resolver(named.datasets, unknown="UnknownDataset")

    assert [expected] == _matches(datasets, value)
    assert [expected] == _matches(routed, value)
    assert ["PageRef"] == _matches(routed, {"fsType": "PageRef"} | value)


def test_dataset_of_another_schema_is_unknown_to_a_schema_union(named: NamedModel) -> None:
    shop = [type_ for type_ in named.datasets if type_.template.schema == "shop"]
    resolver = dataset_resolver(shop, unknown="UnknownDataset", all_types=named.datasets)

    assert _matches(resolver, {"schema": "crm", "entityType": "person"}) == ["UnknownDataset"]


def test_reference_leads_to_page_or_media() -> None:
    assert [_matches(reference_resolver(), {"fsType": kind}) for kind in ("PageRef", "Media", "Dataset")] == [
        ["PageRef"],
        ["Media"],
        [],
    ]


def test_without_templates_everything_is_unknown() -> None:
    empty = name_model(ContentModel())

    for resolver in _resolvers(empty):
        assert len(_matches(resolver, {"fsType": "Section", "template": _template("x")})) == 1


@given(
    uids=st.lists(UIDS, max_size=4, unique=True),
    document=st.fixed_dictionaries(
        {},
        optional={
            "fsType": st.sampled_from(["PageRef", "Content2Section", "Section", "Dataset"]),
            "schema": UIDS,
            "entityType": UIDS,
            "template": st.fixed_dictionaries(
                {},
                optional={
                    "uid": UIDS,
                    "uidType": st.sampled_from(["TEMPLATESTORE", "TEMPLATESTORE_LINKTEMPLATE", None]),
                },
            ),
        },
    ),
)
def test_exactly_one_predicate_holds(uids: list[str], document: dict[str, Any]) -> None:
    named = name_model(
        ContentModel(
            page_templates=(*(page(uid) for uid in uids), page("cards", FormField("c", "FS_CATALOG"))),
            section_templates=tuple(section(uid) for uid in uids),
            link_templates=tuple(link(uid) for uid in uids),
            table_templates=tuple(table(uid) for uid in uids),
        )
    )

    for resolver in _resolvers(named):
        assert len(_matches(resolver, document)) == 1


def _resolvers(named: NamedModel) -> Iterator[Resolver]:
    projection = {"Content2Section": field_equals("fsType", "Content2Section")}
    yield kind_resolver(named.pages, unknown="UnknownPage")
    yield kind_resolver(named.sections, unknown="UnknownSection", except_for=projection)
    yield kind_resolver(named.links, unknown="UnknownLink")
    yield card_resolver(named.cards, unknown="UnknownCard")
    yield dataset_resolver(named.datasets, unknown="UnknownDataset", all_types=named.datasets)
    yield routed_resolver(named.datasets, unknown="UnknownDataset")


def test_predicates_grow_with_the_number_of_templates_only() -> None:
    def size(number: int) -> int:
        named = name_model(ContentModel(section_templates=tuple(section(f"s{n:04}") for n in range(number))))
        return sum(map(len, _texts(_resolvers(named))))

    assert size(400) < 2.1 * size(200)


def _texts(resolvers: Iterable[Resolver]) -> Iterator[str]:
    return (text for resolver in resolvers for text in resolver.values())
