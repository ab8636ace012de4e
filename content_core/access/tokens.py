"""Security tokens: what stands in for an API key where a key must not be shown, for one database and a short time.

A token is a signed JWT. It names its key by a keyed digest, so that whoever holds one can neither read nor guess it.
"""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

import jwt

from content_core.errors import RequestError, UnauthenticatedError

__all__ = ["DEFAULT_TTL", "MAX_TTL", "TokenClaims", "TokenSigner", "parse_ttl"]

DEFAULT_TTL: Final = 300
"""Seconds that a token lives where nothing else is asked for."""

MAX_TTL: Final = 86_400
"""Seconds that a token lives at most."""

_ALGORITHM: Final = "HS256"
_MAX_TOKEN: Final = 2_048
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a token says.

    Args:
        key_digest: names its API key; see :meth:`TokenSigner.digest`.
        local: whether the key belongs to the tenant; False for a global one.
        tenant: the one database that the token opens.
    """

    key_digest: str
    local: bool
    tenant: str


class TokenSigner:
    """Writes tokens, and reads those that were written with the same secret.

    Args:
        secret: shared by all servers of an installation; None makes one that no other process knows.
    """

    def __init__(self, secret: str | None = None) -> None:
        if secret == "":
            raise ValueError("the secret that signs tokens is empty")
        material = (secret if secret is not None else secrets.token_hex(32)).encode()
        # One secret, two purposes: whoever had one of the derived keys would have neither the other nor the secret.
        self._signing_key = _derive(material, b"opencaas security token: signature")
        self._digest_key = _derive(material, b"opencaas security token: name of an API key")

    def digest(self, key: str) -> str:
        """Name an API key without giving it away."""
        return _derive(self._digest_key, key.encode("utf-8", "surrogatepass"))[:_DIGEST_BYTES].hex()

    def sign(self, claims: TokenClaims, *, ttl: int) -> str:
        """Write a token that is good for ``ttl`` seconds from now."""
        payload = {
            "sub": claims.key_digest,
            "loc": claims.local,
            "ten": claims.tenant,
            "exp": int(time.time()) + ttl,
        }
        return jwt.encode(payload, self._signing_key, algorithm=_ALGORITHM)

    def read(self, token: str) -> TokenClaims:
        """Read a token.

        Raises:
            UnauthenticatedError: it is no token, signed with another secret, or past its time.
        """
        if len(token) > _MAX_TOKEN:
            raise UnauthenticatedError("unknown security token")
        try:
            payload: dict[str, Any] = jwt.decode(
                token, self._signing_key, algorithms=[_ALGORITHM], options={"require": ["sub", "exp"]}
            )
            return TokenClaims(payload["sub"], payload["loc"], payload["ten"])
        except (jwt.InvalidTokenError, KeyError, ValueError) as error:
            raise UnauthenticatedError("unknown security token") from error


def parse_ttl(text: str | None) -> int:
    """Read the life of a token in seconds; more than the maximum is cut to it.

    Raises:
        RequestError: it is no number, or less than 1.
    """
    if text is None:
        return DEFAULT_TTL
    digits = text.lstrip("0")
    if not text.isascii() or not text.isdecimal() or not digits:
        raise RequestError("illegal ttl parameter, it must be a whole number of seconds > 0")
    return MAX_TTL if len(digits) > len(str(MAX_TTL)) else min(int(digits), MAX_TTL)


def _derive(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, purpose, hashlib.sha256)
