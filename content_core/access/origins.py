"""Which requests a browser may have been talked into: the one rule against forgery across sites.

Browsers add cookies by themselves, also to requests that a page of somebody else begins. A request that comes with the
cookie alone and changes something, or opens a WebSocket, must therefore name its own origin or a listed one.
"""

from collections.abc import Collection

__all__ = ["is_trusted_origin"]


def is_trusted_origin(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Say whether a page of an origin may act for the user whose cookie the browser sends along.

    Args:
        origin: the header ``Origin``; browsers send it with everything but plain reading.
        host: the header ``Host``. Which scheme the client used is not known behind a proxy, so it does not count.
        allowed: the origins that the operator lists.
    """
    if origin is None:
        return False
    if origin in allowed:
        return True
    scheme, _, address = origin.partition("://")
    return host is not None and scheme in {"http", "https"} and bool(address) and address.lower() == host.lower()
