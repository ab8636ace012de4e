"""What a request shows at the door: read from query string and headers, no decision yet.

Three ways exist and only the first that is present counts, right or wrong: the query parameter ``securetoken``, the
header ``Authorization``, the cookie ``securetoken``.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from content_core.errors import UnauthenticatedError

__all__ = ["MAX_KEY", "SECURE_TOKEN", "Credentials", "KeyLogin", "PasswordLogin", "parse_authorization"]

SECURE_TOKEN: Final = "securetoken"  # noqa: S105  # the name of the parameter and the cookie
MAX_KEY: Final = 256
"""Characters that an API key may have."""

_SEPARATORS: Final = {b"authorization": ", ", b"cookie": "; ", b"host": ", ", b"origin": ", "}
"""The headers that matter, and what stands between two of a name."""

_AUTHORIZATION: Final = re.compile(
    r"""\s*(?:
        basic\s+(?P<basic>[A-Za-z0-9+/=_-]*)
      | bearer\s+(?P<bearer>\S(?:.*\S)?)
      | apikey\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^"\s](?:[^"]*[^"\s])?))
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The three ways, None where one is absent (secrets, hence no repr), and which page speaks to which host.

    The latter two decide how far a cookie is trusted.
    """

    security_token: str | None = field(default=None, repr=False)
    authorization: str | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)
    origin: str | None = None
    host: str | None = None

    @classmethod
    def read(cls, *, query_string: bytes, headers: Iterable[tuple[bytes, bytes]]) -> "Credentials":
        """Read them from an ASGI scope's ``query_string`` and ``headers``."""
        held: dict[bytes, str] = {}
        for name, value in headers:
            wanted = name.lower()
            if wanted in _SEPARATORS:
                text = value.decode("latin-1")
                # What stands there twice is joined, as HTTP joins it, and is no login, no origin and no host then.
                held[wanted] = held[wanted] + _SEPARATORS[wanted] + text if wanted in held else text
        return cls(
            security_token=_first_token(query_string) if query_string else None,
            authorization=held.get(b"authorization"),
            cookie=_first_cookie(held[b"cookie"]) if b"cookie" in held else None,
            origin=held.get(b"origin"),
            host=held.get(b"host"),
        )

    @property
    def given(self) -> bool:
        """Whether anything is shown at all."""
        return any(way is not None for way in (self.security_token, self.authorization, self.cookie))


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """User and password of ``Authorization: Basic``."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyLogin:
    """The API key of ``Authorization: Bearer …`` or ``Authorization: apikey="…"``."""

    key: str = field(repr=False)


def parse_authorization(text: str) -> PasswordLogin | KeyLogin:
    """Read the value of an ``Authorization`` header.

    Raises:
        UnauthenticatedError: an unknown scheme or a malformed value.
    """
    found = _AUTHORIZATION.fullmatch(_as_utf8(text))
    if found is None:
        raise UnauthenticatedError('the Authorization header has none of the forms Basic, Bearer, apikey="…"')
    if found["basic"] is not None:
        return _parse_basic(found["basic"])
    key = found["bearer"] or found["quoted"] or found["bare"]
    if not key or len(key) > MAX_KEY:
        raise UnauthenticatedError("the Authorization header holds no API key")
    return KeyLogin(key)


def _parse_basic(encoded: str) -> PasswordLogin:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnauthenticatedError("the Basic credentials are not base64 of UTF-8 text") from error
    user, colon, password = text.partition(":")
    if not colon:
        raise UnauthenticatedError("the Basic credentials hold no password")
    return PasswordLogin(user, password)


def _as_utf8(text: str) -> str:
    """Undo the Latin-1 reading of servers, so that a key may hold any character."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _first_token(query_string: bytes) -> str | None:
    if SECURE_TOKEN.encode() not in query_string and b"%" not in query_string:
        return None
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="replace"):
        if name == SECURE_TOKEN:
            return value
    return None


def _first_cookie(cookies: str) -> str | None:
    for cookie in cookies.split(";"):
        name, equals, value = cookie.partition("=")
        if equals and name.strip() == SECURE_TOKEN:
            return value.strip().strip('"')
    return None
