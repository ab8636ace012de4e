"""The one place that decides: who is asking, and may they do this?

REST and GraphQL ask the same questions here. Principals are kept in memory while the change feed is live, and
dropped as soon as it tells of a write to any collection of API keys.
"""

import hmac
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from content_core import observe
from content_core.access.credentials import Credentials, KeyLogin, PasswordLogin, parse_authorization
from content_core.access.directory import KeyDirectory
from content_core.access.origins import is_trusted_origin
from content_core.access.permissions import WRITE_METHODS, allows_app, allows_path, path_text
from content_core.access.principals import ADMIN, Principal, key_principal
from content_core.access.reserved import check_database, is_tenant
from content_core.access.tokens import TokenClaims, TokenSigner, parse_ttl
from content_core.errors import ForbiddenError, RequestError, ReservedNameError, UnauthenticatedError
from content_core.names import ADMIN_DATABASE, APIKEYS, GQL_APPS, AppKey
from content_core.store import ChangeEvent, ChangeFeed, Store

__all__ = ["AccessControl"]

_MAX_AGE: Final = 60.0  # seconds; bounds what an event that never came could cost
_MAX_KEYS: Final = 10_000
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


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
        token_secret: signs security tokens; shared by all processes of all servers. None makes one of its own.
        allowed_origins: web origins whose pages may change something with a cookie alone.
    """

    def __init__(
        self,
        store: Store,
        feed: ChangeFeed,
        *,
        admin_user: str,
        admin_password: str,
        token_secret: str | None = None,
        allowed_origins: Collection[str] = (),
    ) -> None:
        if not admin_user or not admin_password:
            raise ValueError("the admin user needs a name and a password")
        self._store = store
        self._feed = feed
        self._admin = (admin_user.encode(), admin_password.encode())
        self._tokens = TokenSigner(token_secret)
        self._directory = KeyDirectory(store, self._tokens.digest)
        self._allowed_origins = frozenset(allowed_origins)
        self._remembered: dict[str, dict[tuple[str, ...], _Remembered]] = {}
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
            ForbiddenError: a security token that is good for another database.
        """
        principal = await self._identify(credentials, tenant)
        observe.note(principal=principal.key_id or principal.kind)
        return principal

    async def issue_token(self, credentials: Credentials, *, tenant: str | None, ttl: str | None) -> tuple[str, int]:
        """Write a security token for the API key that a request shows in its header.

        Args:
            credentials: what the request shows.
            tenant: the database that the token is to open.
            ttl: how many seconds it is to live, as the request has it.

        Returns:
            The token, and how many seconds it lives.

        Raises:
            UnauthenticatedError: nobody we know.
            ForbiddenError: something else than an API key is shown; a token belongs to a key.
            RequestError: the tenant is missing or cannot be one, or ``ttl`` is no life.
        """
        key = _shown_key(credentials)
        if key is not None and not tenant:
            raise RequestError("the parameter 'tenant' is missing")
        principal = await self.authenticate(credentials, tenant=tenant)
        if key is None or tenant is None:
            raise ForbiddenError("a security token is given for an API key in the Authorization header only")
        check_database(tenant)
        if tenant == ADMIN_DATABASE:
            raise ReservedNameError("reserved resource")
        seconds = parse_ttl(ttl)
        claims = TokenClaims(self._tokens.digest(key), local=principal.tenant is not None, tenant=tenant)
        return self._tokens.sign(claims, ttl=seconds), seconds

    def authorize_path(
        self, principal: Principal, *, method: str, segments: Sequence[str], websocket: bool = False
    ) -> None:
        """Let a request on a path pass, or not.

        Args:
            principal: who is asking.
            method: the HTTP method; a WebSocket counts as GET.
            segments: the path, split and then decoded.
            websocket: whether a WebSocket is to be opened.

        Raises:
            ForbiddenError: no entry of the key covers it, or the way that the request came does not reach so far.
        """
        _check_forgery(principal, method, websocket=websocket)
        if principal.token_tenant is not None and method not in _SAFE and GQL_APPS in segments[1:2]:
            raise ForbiddenError("application definitions are written with an API key, not with a security token")
        if not _allows(principal, method, segments):
            raise ForbiddenError(f"the API key does not allow {method} on this path")

    def authorize_app(
        self, principal: Principal, *, key: AppKey, method: str = "POST", websocket: bool = False
    ) -> None:
        """Let a request to a GraphQL application pass, or not.

        Raises:
            ForbiddenError: no entry of the key covers the application, or the way that the request came does not
                reach so far.
        """
        if principal.kind == "admin":
            return
        _check_forgery(principal, method, websocket=websocket)
        if principal.token_tenant not in {None, key.tenant}:
            raise ForbiddenError("the security token is good for another database")
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

    async def _identify(self, credentials: Credentials, tenant: str | None) -> Principal:
        if credentials.security_token is not None:
            return await self._find_token(credentials.security_token, tenant)
        if credentials.authorization is not None:
            login = parse_authorization(credentials.authorization)
            if isinstance(login, PasswordLogin):
                return self._check_admin(login)
            own = (tenant,) if tenant is not None and is_tenant(tenant) else ()
            return await self._find_key(login.key, (*own, ADMIN_DATABASE))
        if credentials.cookie is not None:
            principal = await self._find_token(credentials.cookie, tenant)
            trusted = is_trusted_origin(credentials.origin, credentials.host, self._allowed_origins)
            return replace(principal, forgeable=not trusted)
        raise UnauthenticatedError("credentials are missing")

    def _check_admin(self, login: PasswordLogin) -> Principal:
        user, password = self._admin
        # Both are compared, and both in constant time: the answer's delay tells nothing.
        same_user = hmac.compare_digest(login.user.encode(), user)
        same_password = hmac.compare_digest(login.password.encode(), password)
        if same_user and same_password:
            return ADMIN
        raise UnauthenticatedError("unknown user or wrong password")

    async def _find_token(self, token: str, tenant: str | None) -> Principal:
        """Find the key behind a token, with the rights that it has now."""
        claims = self._tokens.read(token)
        database = claims.tenant if claims.local else ADMIN_DATABASE
        key = await self._directory.find(database, claims.key_digest)
        if key is None:
            raise UnauthenticatedError("the API key of the security token is gone")
        principal = await self._find_key(key, (database,))
        if tenant != claims.tenant:
            raise ForbiddenError("the security token is good for another database")
        return replace(principal, token_tenant=claims.tenant)

    async def _find_key(self, key: str, databases: tuple[str, ...]) -> Principal:
        known = self._recall(key, databases)
        if known is not None:
            return known
        generation = self._generation
        principal = await self._read_key(key, databases)
        # A change that was told of while the database was asked may be newer than its answer.
        if self._feed.live and generation == self._generation:
            self._remember(key, databases, principal)
        return principal

    async def _read_key(self, key: str, databases: tuple[str, ...]) -> Principal:
        """Look in one database after the other. Failures are not remembered."""
        for database in databases:
            document = await self._store.get(database, APIKEYS, key)
            if document is not None and document.get("key") == key:
                return key_principal(document, tenant=None if database == ADMIN_DATABASE else database)
        raise UnauthenticatedError("unknown API key")

    def _recall(self, key: str, databases: tuple[str, ...]) -> Principal | None:
        if not self._feed.live:
            self._forget_all()
            return None
        found = self._remembered.get(key, {}).get(databases)
        return found.principal if found is not None and found.until > time.monotonic() else None

    def _remember(self, key: str, databases: tuple[str, ...], principal: Principal) -> None:
        if len(self._remembered) >= _MAX_KEYS:
            self._remembered.clear()
        # A global key may be shown under any name that could be a tenant's.
        under = self._remembered.setdefault(key, {})
        if len(under) >= _MAX_KEYS:
            under.clear()
        under[databases] = _Remembered(principal, time.monotonic() + _MAX_AGE)

    def _follow(self, event: ChangeEvent) -> None:
        if isinstance(event.document_id, str):
            self.forget(event.document_id)
        else:
            self._forget_all()

    def _forget_all(self) -> None:
        self._generation += 1
        self._remembered.clear()


def _shown_key(credentials: Credentials) -> str | None:
    """Give the API key in the header, where the header is what counts."""
    if credentials.security_token is not None or credentials.authorization is None:
        return None
    login = parse_authorization(credentials.authorization)
    return login.key if isinstance(login, KeyLogin) else None


def _check_forgery(principal: Principal, method: str, *, websocket: bool) -> None:
    if principal.forgeable and (websocket or method not in _SAFE):
        raise ForbiddenError("the cookie alone does not do for this, except from the server's own and listed origins")


def _allows(principal: Principal, method: str, segments: Sequence[str]) -> bool:
    if principal.kind == "admin" or method == "OPTIONS":
        return True
    if any(segment in {"", ".", ".."} for segment in segments):
        return False
    if principal.token_tenant is not None and list(segments[:1]) != [principal.token_tenant]:
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
