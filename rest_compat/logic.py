"""``/_logic/securetoken`` and ``/_logic/securetokencookie``: an API key is shown, a token that stands in for it given.

Both decide by themselves who may: any API key in the header, and nobody else.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from content_core.access import AccessControl
from content_core.access.credentials import SECURE_TOKEN
from content_core.errors import MethodNotAllowedError, UnauthenticatedError
from content_core.extended_json import dumps
from rest_compat.reply import Reply
from rest_compat.request import Request
from rest_compat.settings import RestSettings

__all__ = ["TokenEndpoints"]

_TOKEN: Final = ("_logic", "securetoken")
_COOKIE: Final = ("_logic", "securetokencookie")


class TokenEndpoints:
    """The two endpoints.

    Args:
        access: checks the key and writes the token.
        settings: the address by which clients reach the server.
    """

    def __init__(self, access: AccessControl, settings: RestSettings) -> None:
        self._access = access
        self._settings = settings

    async def answer(self, request: Request) -> Reply | None:
        """Answer a request that is meant for one of the endpoints; None for any other."""
        if request.segments not in {_TOKEN, _COOKIE}:
            return None
        if not request.credentials.given:
            raise UnauthenticatedError("credentials are missing")
        if request.problem is not None:
            raise request.problem
        if not request.reads:
            raise MethodNotAllowedError(f"method {request.method} not allowed")
        token, ttl = await self._access.issue_token(
            request.credentials, tenant=_first(request, "tenant"), ttl=_first(request, "ttl")
        )
        if request.segments == _TOKEN:
            return Reply(status=200, body=dumps({SECURE_TOKEN: token}))
        return Reply(status=200, body=dumps({}), headers={"Set-Cookie": self._cookie(request, token, ttl)})

    def _cookie(self, request: Request, token: str, ttl: int) -> str:
        cookie = f"{SECURE_TOKEN}={token}; Path=/; Max-Age={ttl}; HttpOnly"
        if _is_plain_loopback(self._settings.public_url or request.base_url):
            return f"{cookie}; SameSite=Lax"
        return f"{cookie}; SameSite=None; Secure"


def _first(request: Request, name: str) -> str | None:
    values = request.query.get(name)
    return values[0] if values else None


def _is_plain_loopback(address: str) -> bool:
    """Tell a developer's own machine, where browsers would drop a cookie that asks for HTTPS."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        named = host == "localhost" or host.endswith(".localhost")
        return parts.scheme == "http" and (named or ipaddress.ip_address(host).is_loopback)
    except ValueError:  # no address at all, or a name elsewhere
        return False
