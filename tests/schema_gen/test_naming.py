import pytest
from graphql import assert_name
from hypothesis import given
from hypothesis import strategies as st

from schema_gen.naming import NameBook, field_name, type_name


@pytest.mark.parametrize(
    ("expected", "uid", "suffix"),
    [
        ("LandingPage", "landing", "Page"),
        ("Product_specialPage", "product_special", "Page"),
        ("TeaserSection", "Teaser", "Section"),
        ("A_b_cLink", "a-b.c", "Link"),
        ("_3dCard", "3d", "Card"),
        ("_ffnungGCAPage", "öffnung", "GCAPage"),
        ("X__systemPage", "__system", "Page"),
        ("X__Page", "äö", "Page"),
        ("Shop_productDataset", "shop_product", "Dataset"),
        ("_Page", "", "Page"),
        ("LANDINGPage", "LANDING", "Page"),
    ],
)
def test_type_name_follows_rule(expected: str, uid: str, suffix: str) -> None:
    assert expected == type_name(uid, suffix)


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        ("pt_headline", "pt_headline"),
        ("Headline", "Headline"),
        ("_16x9_S", "16x9_S"),
        ("my_field", "my-field"),
        ("gr__e", "größe"),
        ("X__typename", "__typename"),
        ("X__a", "--a"),
        ("_id", "_id"),
        ("class", "class"),
        ("_", ""),
        ("a_", "a\n"),
    ],
)
def test_field_name_keeps_legal_names(expected: str, name: str) -> None:
    assert expected == field_name(name)


@given(st.text())
def test_names_are_legal_whatever_the_origin(text: str) -> None:
    for name in (field_name(text), type_name(text, "Page")):
        assert assert_name(name) == name
        assert not name.startswith("__")


def test_later_claims_get_numbers() -> None:
    book = NameBook()

    assert [book.claim("A", origin) for origin in ("one", "two", "three")] == ["A", "A_2", "A_3"]
    assert [str(collision) for collision in book.collisions] == [
        "two is named A_2: A belongs to one",
        "three is named A_3: A belongs to one",
    ]


def test_reserved_name_counts_as_taken() -> None:
    book = NameBook(["Page"])

    assert book.claim("Page", "page template ''") == "Page_2"
    assert book.collisions[0].holder == "the shared schema"


def test_derived_names_must_be_free_as_well() -> None:
    book = NameBook()
    book.claim("PageFormData", "somebody")

    assert book.claim("Page", "another", derived=["FormData"]) == "Page_2"
    assert book.claim("Page_2FormData", "a third") == "Page_2FormData_2"


def test_numbered_name_that_is_taken_is_passed_over() -> None:
    book = NameBook()
    book.claim("A_2", "early")
    book.claim("A", "one")

    assert book.claim("A", "two") == "A_3"


def test_numbered_name_keeps_clear_of_introspection() -> None:
    book = NameBook()

    assert [book.claim("_", origin) for origin in ("one", "two")] == ["_", "X__2"]
