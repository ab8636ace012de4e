"""Which pages may act with a cookie alone."""

import pytest

from content_core.access.origins import is_trusted_origin

ALLOWED = ("https://shop.example", "https://edit.example:8443")


@pytest.mark.parametrize(
    ("origin", "host", "trusted"),
    [
        (None, "caas.example", False),
        ("", "caas.example", False),
        ("null", "caas.example", False),
        ("https://evil.example", "caas.example", False),
        ("https://shop.example", "caas.example", True),
        ("https://shop.example/", "caas.example", False),
        ("https://shop.example:444", "caas.example", False),
        ("https://shop.example, https://evil.example", "caas.example", False),
        ("https://edit.example:8443", "caas.example", True),
        ("https://edit.example", "caas.example", False),
        ("https://caas.example", "caas.example", True),
        ("http://caas.example:8080", "caas.example:8080", True),
        ("https://CAAS.example", "caas.example", True),
        ("https://caas.example.evil", "caas.example", False),
        ("https://evil-caas.example", "caas.example", False),
        ("file://caas.example", "caas.example", False),
        ("caas.example", "caas.example", False),
        ("https://", "", False),
        ("https://caas.example", None, False),
        ("https://shop.example", None, True),
    ],
)
def test_own_and_listed_origins_are_trusted(origin: str | None, host: str | None, trusted: bool) -> None:
    assert trusted is is_trusted_origin(origin, host, ALLOWED)


def test_nothing_is_listed_unless_it_is() -> None:
    assert not is_trusted_origin("https://shop.example", "caas.example", ())
