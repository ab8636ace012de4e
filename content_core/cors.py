"""Which web pages of other origins may read an answer, and whether they may send credentials for it."""

from collections.abc import Mapping, Sequence

__all__ = ["cors_headers"]


def cors_headers(origin: str | None, allowed: Sequence[str], *, exposed: str) -> Mapping[str, str]:
    """Build the headers for every answer.

    Pages of an allowed origin may also send cookies; to all others the answer is open only as far as keys and tokens
    that they hold themselves go.

    Args:
        origin: the origin that the request names, if it names one.
        allowed: origins that may send credentials.
        exposed: the headers that pages may read.
    """
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": exposed}
    if allowed:
        headers["Vary"] = "Origin"
    if origin is not None and origin in allowed:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
    return headers
