"""Who a request comes from, once its credentials were found good."""

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from content_core.access.permissions import Permission, read_permissions
from content_core.documents import Document

__all__ = ["ADMIN", "Principal", "key_principal"]

_ID_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Principal:
    """The admin user or an API key.

    Args:
        kind: which of the two.
        key_id: names the key in logs without giving it away; empty for the admin user.
        tenant: the database of a local key; None for a global key and for the admin user.
        permissions: what the key opens.
        token_tenant: the one database that is open where a security token stands in for the key; None without one.
        forgeable: whether a page of somebody else may be behind the request, so that it may only read.
    """

    kind: Literal["admin", "key"]
    key_id: str
    tenant: str | None
    permissions: tuple[Permission, ...]
    token_tenant: str | None = None
    forgeable: bool = False


ADMIN: Final = Principal("admin", "", None, ())


def key_principal(document: Document, *, tenant: str | None) -> Principal:
    """Read the principal from a stored API key."""
    digest = hashlib.sha256(str(document["_id"]).encode()).hexdigest()
    return Principal("key", digest[:_ID_LENGTH], tenant, read_permissions(document))
