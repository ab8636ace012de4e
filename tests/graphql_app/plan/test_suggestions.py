import pytest
from graphql import build_schema

from graphql_app.plan import PlanRefusedError, parse_operations

MANY = " ".join(f"a_field_of_many_with_number_{n}: Int" for n in range(900))
SCHEMA = build_schema(f"""
enum Colour {{ RED GREEN }}
input Where {{ city: String }}
type Query {{ name: String paint(colour: Colour, where: Where): String many: Many }}
type Many {{ {MANY} }}
""")


def message(text: str) -> str:
    with pytest.raises(PlanRefusedError) as refused:
        parse_operations(SCHEMA, text, max_tokens=15_000, max_errors=100)
    return refused.value.errors[0].message


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{ nam }", "name"),
        ("{ paint(color: RED) }", "colour"),
        ("{ paint(colour: REDD) }", "RED"),
        ('{ paint(where: {citi: "x"}) }', "city"),
        ("query ($c: Color) { paint(colour: $c) }", "Colour"),
    ],
)
def test_typing_mistakes_are_told_what_was_meant(text: str, meant: str) -> None:
    assert "Did you mean" in message(text)
    assert meant in message(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ nam nan nar nas nat nau }",
        "{ many { a_field_of_many_with_nomber_1 } }",
        "{ nam }#" + "x" * 20_000,
    ],
)
def test_no_time_is_spent_on_what_takes_long(text: str) -> None:
    assert "Did you mean" not in message(text)
