"""What one entry of an API key opens: paths by prefix or pattern, or a GraphQL application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias, get_args

from content_core.access.pattern import PatternError, compile_pattern
from content_core.documents import Document
from content_core.errors import IllegalNameError
from content_core.names import AppKey

__all__ = [
    "METHODS",
    "WRITE_METHODS",
    "Mode",
    "Permission",
    "allows_app",
    "allows_path",
    "path_text",
    "read_permissions",
]

Mode: TypeAlias = Literal["PREFIX", "REGEX", "GRAPHQL"]

METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
WRITE_METHODS: Final = ("PUT", "POST", "PATCH")
"""Having one of these on a collection of API keys is what reading them takes."""

_POST: Final = frozenset({"POST"})


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of an API key.

    Args:
        url: a literal prefix, a pattern, or the address of a GraphQL application, as ``mode`` says.
        mode: how ``url`` is read.
        methods: the methods allowed; a GRAPHQL entry needs POST among them.
    """

    url: str
    mode: Mode
    methods: frozenset[str]


def read_permissions(document: Document) -> tuple[Permission, ...]:
    """Read the entries of a stored key; what has not the shape of an entry opens nothing."""
    entries = document.get("permissions")
    read = [_read_permission(entry) for entry in entries] if isinstance(entries, list) else []
    return tuple(permission for permission in read if permission is not None)


def _read_permission(entry: Any) -> Permission | None:
    if not isinstance(entry, Mapping):
        return None
    url, mode, methods = entry.get("url"), entry.get("permissionMode", "PREFIX"), entry.get("methods")
    if not isinstance(url, str) or mode not in get_args(Mode):
        return None
    if methods is None and mode == "GRAPHQL":
        return Permission(url, mode, _POST)
    if not isinstance(methods, list):
        return None
    return Permission(url, mode, METHODS.intersection(method for method in methods if isinstance(method, str)))


def path_text(segments: Sequence[str]) -> str:
    """Join decoded segments to the path that permissions are compared with, without a trailing slash.

    A slash inside a segment stays encoded, so that ``%2F`` cannot fake a path.
    """
    return "/" + "/".join(segment.replace("/", "%2F") for segment in segments)


def allows_path(permission: Permission, *, method: str, path: str) -> bool:
    """Say whether an entry covers a method on a path made by :func:`path_text`."""
    if permission.mode == "GRAPHQL" or not _allows_method(permission, method):
        return False
    with_slash = path if path.endswith("/") else f"{path}/"
    if permission.mode == "PREFIX":
        return permission.url.startswith("/") and with_slash.startswith(permission.url)
    try:
        pattern = compile_pattern(permission.url)
    except PatternError:  # written behind the server's back
        return False
    return pattern.matches(path) or pattern.matches(with_slash)


def allows_app(permission: Permission, *, method: str, key: AppKey, tenant: str | None) -> bool:
    """Say whether an entry covers a GraphQL application.

    Args:
        permission: the entry.
        method: the method of the request, for entries that name paths.
        key: the application.
        tenant: the database of a local key. Its entries reach no other tenant, and only those of mode GRAPHQL open
            GraphQL; such an entry may leave the tenant out.
    """
    if tenant is not None and tenant != key.tenant:
        return False
    if permission.mode == "GRAPHQL":
        return "POST" in permission.methods and key in _named_apps(permission.url, tenant)
    if tenant is not None:
        return False
    paths = (path_text(["graphql", *address.split("/")]) for address in (key.uri, key.document_id))
    return any(allows_path(permission, method=method, path=path) for path in paths)


def _allows_method(permission: Permission, method: str) -> bool:
    return method in permission.methods or (method == "HEAD" and "GET" in permission.methods)


@lru_cache(maxsize=4096)
def _named_apps(url: str, tenant: str | None) -> tuple[AppKey, ...]:
    """Read the url of a GRAPHQL entry: any spelling of an address, in a local key also just the application."""
    addresses = [url] if tenant is None else [url, f"{tenant}/{url.strip('/')}"]
    for address in addresses:
        try:
            key = AppKey.parse(address)
        except IllegalNameError:
            continue
        if tenant is None or key.tenant == tenant:
            return (key,)
    return ()
