"""Tokens as values: what is written is read, until its time is over, with the same secret only."""

import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_core.access.tokens import DEFAULT_TTL, MAX_TTL, TokenClaims, TokenSigner, parse_ttl
from content_core.errors import RequestError, UnauthenticatedError

CLAIMS = TokenClaims("0123", local=True, tenant="acme")


@given(key=st.text(), local=st.booleans(), tenant=st.text(st.characters(exclude_categories=["Cs"]), max_size=63))
def test_token_says_what_was_signed(key: str, local: bool, tenant: str) -> None:
    signer = TokenSigner("s")
    claims = TokenClaims(signer.digest(key), local=local, tenant=tenant)

    token = signer.sign(claims, ttl=5)

    assert claims == signer.read(token)
    assert token.isascii()
    assert len(token) < 2_048


@given(st.text())
def test_what_nobody_signed_is_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        TokenSigner("s").read(text)


@given(st.data())
def test_changed_token_is_refused(data: st.DataObject) -> None:
    signer = TokenSigner("s")
    token = signer.sign(CLAIMS, ttl=5)
    place = data.draw(st.integers(0, len(token) - 2))
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]

    with pytest.raises(UnauthenticatedError):
        signer.read(changed)


def test_token_ends_with_its_time() -> None:
    with pytest.raises(UnauthenticatedError):
        TokenSigner("s").read(TokenSigner("s").sign(CLAIMS, ttl=0))


def test_token_of_another_secret_is_refused() -> None:
    assert CLAIMS == TokenSigner("one").read(TokenSigner("one").sign(CLAIMS, ttl=5))
    for other in (TokenSigner("two"), TokenSigner(), TokenSigner("one ")):
        with pytest.raises(UnauthenticatedError):
            other.read(TokenSigner("one").sign(CLAIMS, ttl=5))


@pytest.mark.parametrize("missing", ["sub", "exp", "loc", "ten"])
def test_token_without_a_claim_is_refused(missing: str) -> None:
    signer = TokenSigner("s")
    claims = {"sub": "0123", "loc": True, "ten": "acme", "exp": int(time.time()) + 5}
    del claims[missing]

    with pytest.raises(UnauthenticatedError):
        signer.read(jwt.encode(claims, signer._signing_key, algorithm="HS256"))


def test_other_algorithms_are_refused() -> None:
    signer = TokenSigner("s")
    claims = {"sub": "0123", "loc": True, "ten": "acme", "exp": int(time.time()) + 5}

    for token in (jwt.encode(claims, "", algorithm="none"), jwt.encode(claims, "s" * 64, algorithm="HS512")):
        with pytest.raises(UnauthenticatedError):
            signer.read(token)


def test_digest_names_a_key_for_one_installation_only() -> None:
    assert TokenSigner("s").digest("key") == TokenSigner("s").digest("key")
    assert len({TokenSigner("s").digest("key"), TokenSigner("t").digest("key"), TokenSigner("s").digest("kez")}) == 3


def test_empty_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        TokenSigner("")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(None, DEFAULT_TTL), ("1", 1), ("0060", 60), ("86400", MAX_TTL), ("86401", MAX_TTL), ("9" * 10_000, MAX_TTL)],
)
def test_ttl_is_cut_to_the_maximum(text: str | None, seconds: int) -> None:
    assert seconds == parse_ttl(text)


@pytest.mark.parametrize("text", ["", "0", "000", "-1", "+1", "1.0", "1e2", " 1", "1 ", "ten", "٣", "²", "0x10", "1_0"])
def test_ttl_that_is_no_life_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        parse_ttl(text)
