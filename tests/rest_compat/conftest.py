"""A REST interface on the real store, spoken to over HTTP in process; the GraphQL side is a hook that takes notes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from content_core.access import AccessControl, KeyStore
from content_core.documents import Document
from content_core.errors import ConflictError, DefinitionError
from content_core.names import AppKey
from content_core.store import ChangeFeed, Store
from rest_compat import RestSettings, create_app
from tests.buckets import FILES

ADMIN = httpx.BasicAuth("admin", "correct horse")


@dataclass(frozen=True, slots=True)
class Prepared:
    definition: Document
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Notes:
    """A hook that refuses what it is told to refuse and notes the rest."""

    prepared: list[Document] = field(default_factory=list)
    active: dict[str, str] = field(default_factory=dict)
    retired: list[AppKey] = field(default_factory=list)
    reasons: tuple[str, ...] = ()
    conflict: str = ""
    warnings: tuple[str, ...] = ()
    failure: Exception | None = None

    async def prepare(self, tenant: str, definition: Document) -> Prepared:
        assert str(definition["_id"]).startswith(f"{tenant}___")
        if self.reasons:
            raise DefinitionError(*self.reasons)
        if self.conflict:
            raise ConflictError(self.conflict)
        self.prepared.append(definition)
        return Prepared(definition, self.warnings)

    async def activate(self, prepared: Any, etag: str) -> None:
        if self.failure:
            raise self.failure
        self.active[prepared.definition["_id"]] = etag

    async def retire(self, key: AppKey) -> None:
        self.retired.append(key)


@pytest.fixture
def settings() -> RestSettings:
    return RestSettings(max_body_bytes=64 * 1024, upload_idle_seconds=5, allowed_origins=("https://shop.example",))


@pytest.fixture
def hook() -> Notes:
    return Notes()


@pytest.fixture
async def transport(store: Store, feed: ChangeFeed, hook: Notes, settings: RestSettings) -> httpx.ASGITransport:
    keys = KeyStore(store)
    await keys.start()
    access = AccessControl(store, feed, admin_user="admin", admin_password="correct horse")
    app = create_app(store=store, access=access, keys=keys, definitions=hook, settings=settings, feed=feed)
    return httpx.ASGITransport(app)


@pytest.fixture
async def anonymous(transport: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=transport, base_url="http://caas.example") as client:
        yield client


@pytest.fixture
async def admin(transport: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=transport, base_url="http://caas.example", auth=ADMIN) as client:
        yield client


@pytest.fixture
async def tenant(admin: httpx.AsyncClient, database: str) -> str:
    """A database made through the interface."""
    assert (await admin.put(f"/{database}")).status_code == 201
    return database


@pytest.fixture
async def remote(transport: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    """The admin on a real socket."""
    from tests.rest_compat.serving import serving  # it builds on this module

    async with serving(transport.app) as client:
        yield client


@pytest.fixture
async def bucket(remote: httpx.AsyncClient, tenant: str) -> str:
    """The path of an empty bucket."""
    assert (await remote.put(f"/{tenant}/{FILES}")).status_code == 201
    return f"/{tenant}/{FILES}"
