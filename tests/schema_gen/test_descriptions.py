import pytest

from schema_gen import FormField, Language
from schema_gen.descriptions import describe_field, describe_template, tidy
from tests.schema_gen.examples import page

GERMAN_MASTER = (Language("EN", "en", "GB"), Language("DE", "de", "DE", master=True))


@pytest.mark.parametrize(
    ("expected", "names"),
    [
        ('page template "Landeseite" (uid landing)', (("DE", "Landeseite"), ("EN", "Landing page"))),
        ('page template "Landing page" (uid landing)', (("EN", "Landing page"), ("FR", "Page"))),
        ("page template (uid landing)", ()),
    ],
)
def test_template_is_named_in_master_language(expected: str, names: tuple[tuple[str, str], ...]) -> None:
    assert expected == describe_template(page("landing", display_names=names), GERMAN_MASTER)


@pytest.mark.parametrize(
    ("expected", "field", "renamed"),
    [
        ("CMS_INPUT_TEXT.", FormField("x", "CMS_INPUT_TEXT"), False),
        ("Title. Shown on top. T.", FormField("x", "T", label="Title.", description="Shown\n on top."), False),
        ("FS_INDEX A/B.", FormField("x", "FS_INDEX", plugin="A/B"), False),
        ("Title. T. Named a-b in the form.", FormField("a-b", "T", label="Title"), True),
    ],
)
def test_field_tells_label_and_component(expected: str, field: FormField, renamed: bool) -> None:
    assert expected == describe_field(field, renamed=renamed)


def test_texts_become_one_short_printable_line() -> None:
    assert tidy("a\x00b\n\n\tc\u2028d") == "a b c d"
    assert len(tidy("x" * 1000)) == 300
