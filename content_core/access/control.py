"""The one place that decides: who is asking, and may they do this?

REST and GraphQL ask the same questions here. Principals are kept in memory while the change feed is live, and
dropped as soon as it tells of a write to any collection of API keys.
"""

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from content_core.access.credentials import Credentials, PasswordLogin, parse_authorization
from content_core.access.permissions import WRITE_METHODS, allows_app, allows_path, path_text
from content_core.access.principals import ADMIN, Principal, key_principal
from content_core.access.reserved import is_tenant
from content_core.errors import ForbiddenError, UnauthenticatedError
from content_core.names import ADMIN_DATABASE, APIKEYS, AppKey
from content_core.store import ChangeEvent, ChangeFeed, Store

__all__ = ["AccessControl"]

_MAX_AGE: Final = 60.0  # seconds; bounds what an event that never came could cost
_MAX_KEYS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Remembered:
    principal: Principal
    until: float


class AccessControl:
    """Tells principals apart and weighs their rights.

    Args:
        store: where the keys are.
        feed: tells of changed keys; while it is not live, every request reads the database.
        admin_user: name of the user who may do everything.
        admin_password: their password.
    """

    def __init__(self, store: Store, feed: ChangeFeed, *, admin_user: str, admin_password: str) -> None:
        if not admin_user or not admin_password:
            raise ValueError("the admin user needs a name and a password")
        self._store = store
        self._feed = feed
        self._admin = (admin_user.encode(), admin_password.encode())
        self._remembered: dict[str, dict[str | None, _Remembered]] = {}
        self._generation = 0
        self._unsubscribe = feed.subscribe(
            self._follow,
            collections=lambda _database, collection: collection == APIKEYS,
            on_gap=self._forget_all,
        )

    def close(self) -> None:
        """Stop following the feed."""
        self._unsubscribe()
        self._forget_all()

    async def authenticate(self, credentials: Credentials, *, tenant: str | None) -> Principal:
        """Tell who is asking.

        Args:
            credentials: what the request shows. Only the first way that is present counts.
            tenant: the database of the request, whose own keys come before the global ones; None where there is none.

        Raises:
            UnauthenticatedError: nobody we know.
        """
        if credentials.security_token is not None:
            raise UnauthenticatedError("unknown security token")
        if credentials.authorization is not None:
            login = parse_authorization(credentials.authorization)
            if isinstance(login, PasswordLogin):
                return self._check_admin(login)
            return await self._find_key(login.key, tenant if tenant is not None and is_tenant(tenant) else None)
        if credentials.cookie is not None:
            raise UnauthenticatedError("unknown security token")
        raise UnauthenticatedError("credentials are missing")

    def authorize_path(self, principal: Principal, *, method: str, segments: Sequence[str]) -> None:
        """Let a request on a path pass, or not.

        Args:
            principal: who is asking.
            method: the HTTP method; a WebSocket counts as GET.
            segments: the path, split and then decoded.

        Raises:
            ForbiddenError: no entry of the key covers it.
        """
        if not _allows(principal, method, segments):
            raise ForbiddenError(f"the API key does not allow {method} on this path")

    def authorize_app(self, principal: Principal, *, key: AppKey, method: str = "POST") -> None:
        """Let a request to a GraphQL application pass, or not.

        Raises:
            ForbiddenError: no entry of the key covers the application.
        """
        if principal.kind == "admin":
            return
        if not any(
            allows_app(permission, method=method, key=key, tenant=principal.tenant)
            for permission in principal.permissions
        ):
            raise ForbiddenError("the API key does not allow this GraphQL application")

    def may_read_collection(self, principal: Principal, database: str, collection: str) -> bool:
        """Say whether a principal may read the documents of a collection."""
        return _allows(principal, "GET", (database, collection))

    def forget(self, key: str) -> None:
        """Drop what is remembered of a key, before a write to it is acknowledged on this server."""
        self._generation += 1
        self._remembered.pop(key, None)

    def _check_admin(self, login: PasswordLogin) -> Principal:
        user, password = self._admin
        # Both are compared, and both in constant time: the answer's delay tells nothing.
        same_user = hmac.compare_digest(login.user.encode(), user)
        same_password = hmac.compare_digest(login.password.encode(), password)
        if same_user and same_password:
            return ADMIN
        raise UnauthenticatedError("unknown user or wrong password")

    async def _find_key(self, key: str, tenant: str | None) -> Principal:
        known = self._recall(key, tenant)
        if known is not None:
            return known
        generation = self._generation
        principal = await self._read_key(key, tenant)
        # A change that was told of while the database was asked may be newer than its answer.
        if self._feed.live and generation == self._generation:
            self._remember(key, tenant, principal)
        return principal

    async def _read_key(self, key: str, tenant: str | None) -> Principal:
        """Look in the tenant's keys, then in the global ones. Failures are not remembered."""
        for database in (tenant, ADMIN_DATABASE):
            if database is None:
                continue
            document = await self._store.get(database, APIKEYS, key)
            if document is not None and document.get("key") == key:
                return key_principal(document, tenant=tenant if database == tenant else None)
        raise UnauthenticatedError("unknown API key")

    def _recall(self, key: str, tenant: str | None) -> Principal | None:
        if not self._feed.live:
            self._forget_all()
            return None
        found = self._remembered.get(key, {}).get(tenant)
        return found.principal if found is not None and found.until > time.monotonic() else None

    def _remember(self, key: str, tenant: str | None, principal: Principal) -> None:
        if len(self._remembered) >= _MAX_KEYS:
            self._remembered.clear()
        # A global key may be shown under any name that could be a tenant's.
        under = self._remembered.setdefault(key, {})
        if len(under) >= _MAX_KEYS:
            under.clear()
        under[tenant] = _Remembered(principal, time.monotonic() + _MAX_AGE)

    def _follow(self, event: ChangeEvent) -> None:
        if isinstance(event.document_id, str):
            self.forget(event.document_id)
        else:
            self._forget_all()

    def _forget_all(self) -> None:
        self._generation += 1
        self._remembered.clear()


def _allows(principal: Principal, method: str, segments: Sequence[str]) -> bool:
    if principal.kind == "admin" or method == "OPTIONS":
        return True
    if any(segment in {"", ".", ".."} for segment in segments):
        return False
    path = segments
    if principal.tenant is not None:
        if not segments or segments[0] != principal.tenant:
            return False
        path = segments[1:]
    text = path_text(path)

    def covers(wanted: str) -> bool:
        return any(allows_path(permission, method=wanted, path=text) for permission in principal.permissions)

    if not covers(method):
        return False
    # Who may only read must not read keys, else a reader could pick up a writer's key.
    guarded = len(segments) > 1 and segments[1] == APIKEYS
    return not guarded or any(covers(wanted) for wanted in WRITE_METHODS)
