"""The headers that let web pages of other origins read answers."""

from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["cors_headers", "preflight_headers"]

_EXPOSED: Final = "Location, ETag, X-Powered-By"
_REQUEST_HEADERS: Final = (
    "Accept, Accept-Encoding, Authorization, Content-Length, Content-Type, Host, If-Match, If-None-Match, Origin, "
    "X-Requested-With, User-Agent, No-Auth-Challenge"
)


def cors_headers(origin: str | None, allowed: Sequence[str]) -> Mapping[str, str]:
    """Build the headers for every answer.

    Pages of an allowed origin may also send cookies; to all others the answer is open only as far as keys and tokens
    that they hold themselves go.
    """
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}
    if allowed:
        headers["Vary"] = "Origin"
    if origin is not None and origin in allowed:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
    return headers


def preflight_headers(methods: Sequence[str]) -> Mapping[str, str]:
    """Build what an answer to OPTIONS says in addition."""
    return {
        "Access-Control-Allow-Methods": ", ".join([*methods, "OPTIONS"]),
        "Access-Control-Allow-Headers": _REQUEST_HEADERS,
    }
