"""The headers that let web pages of other origins read answers."""

from collections.abc import Mapping, Sequence
from typing import Final

from content_core.cors import cors_headers

__all__ = ["answer_headers", "preflight_headers"]

_EXPOSED: Final = "Location, ETag, X-Powered-By"
_REQUEST_HEADERS: Final = (
    "Accept, Accept-Encoding, Authorization, Content-Length, Content-Type, Host, If-Match, If-None-Match, Origin, "
    "X-Requested-With, User-Agent, No-Auth-Challenge"
)


def answer_headers(origin: str | None, allowed: Sequence[str]) -> Mapping[str, str]:
    """Build the headers for every answer."""
    return cors_headers(origin, allowed, exposed=_EXPOSED)


def preflight_headers(methods: Sequence[str]) -> Mapping[str, str]:
    """Build what an answer to OPTIONS says in addition."""
    return {
        "Access-Control-Allow-Methods": ", ".join([*methods, "OPTIONS"]),
        "Access-Control-Allow-Headers": _REQUEST_HEADERS,
    }
