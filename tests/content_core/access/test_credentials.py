"""Header forms, the three ways and their order, and that secrets stay out of every repr."""

import base64

import pytest

from content_core.access import Credentials
from content_core.access.credentials import KeyLogin, PasswordLogin, parse_authorization
from content_core.errors import UnauthenticatedError


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        'apikey="k-1"', "apikey=k-1", 'APIKEY="k-1"', 'ApiKey = "k-1"', "apikey= k-1 ", ' apikey ="k-1"', "Bearer k-1",
        "bearer k-1", "BEARER   k-1 ",
    ],
)  # fmt: skip
def test_header_forms_of_a_key(header: str) -> None:
    assert KeyLogin("k-1") == parse_authorization(header)


def test_key_may_hold_blanks_and_any_letter() -> None:
    assert KeyLogin("zwei Schlüssel") == parse_authorization("Bearer zwei Schlüssel".encode().decode("latin-1"))


@pytest.mark.parametrize(
    ("header", "user", "password"),
    [
        (f"Basic {basic('admin:secret')}", "admin", "secret"),
        (f"bAsIc  {basic('admin:a:b:')} ", "admin", "a:b:"),
        (f"Basic {basic(':')}", "", ""),
    ],
)
def test_basic_holds_user_and_password(header: str, user: str, password: str) -> None:
    assert PasswordLogin(user, password) == parse_authorization(header)


@pytest.mark.parametrize(
    "header",
    [
        "", " ", "Basic", "Bearer", "Bearer ", "apikey=", 'apikey=""', 'apikey="a', 'apikey=a"', "apikey a", "Digest a",
        "k-1",
        f"Basic {basic('admin')}", "Basic !!!", "Basic /w==", "Bearer" + " " + "x" * 257, 'apikey="a", apikey="b"',
    ],
)  # fmt: skip
def test_other_headers_are_refused(header: str) -> None:
    with pytest.raises(UnauthenticatedError):
        parse_authorization(header)


@pytest.mark.parametrize(
    ("query", "cookie", "expected"),
    [
        (b"", b"", (None, None)),
        (b"securetoken=t", b"", ("t", None)),
        (b"a=1&securetoken=t&securetoken=u", b"", ("t", None)),
        (b"%73ecuretoken=t%20u", b"", ("t u", None)),
        (b"securetoken", b"", ("", None)),
        (b"Securetoken=t", b"", (None, None)),
        (b"", b"a=1; securetoken=c", (None, "c")),
        (b"", b'securetoken="c"; b=2', (None, "c")),
        (b"", b"xsecuretoken=c", (None, None)),
    ],
)
def test_tokens_are_found_in_query_and_cookie(
    query: bytes, cookie: bytes, expected: tuple[str | None, str | None]
) -> None:
    found = Credentials.read(query_string=query, headers=[(b"Cookie", cookie)] if cookie else [])

    assert expected == (found.security_token, found.cookie)


def test_two_authorization_headers_are_no_credentials() -> None:
    found = Credentials.read(
        query_string=b"", headers=[(b"authorization", b"Bearer a"), (b"Authorization", b'apikey="b"')]
    )

    assert found.authorization is not None
    assert parse_authorization(found.authorization) == KeyLogin('a, apikey="b"')  # a key that nobody has


def test_no_repr_shows_a_secret() -> None:
    shown = repr([Credentials("s3cret", "s3cret", "s3cret"), KeyLogin("s3cret"), PasswordLogin("s3cret", "s3cret")])

    assert "s3cret" not in shown
