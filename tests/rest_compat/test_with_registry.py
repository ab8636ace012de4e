"""Definitions over HTTP with the real registry behind the hook: what is written answers, what is invalid does not."""

from collections.abc import AsyncIterator

import httpx
import pytest

from content_core.access import AccessControl, KeyStore
from content_core.names import AppKey
from content_core.store import ChangeFeed, Store
from graphql_app.registry import Registry
from graphql_app.settings import GraphQLSettings
from rest_compat import RestSettings, create_app
from tests.patience import until
from tests.rest_compat.conftest import ADMIN
from tests.rest_compat.test_app import error_body
from tests.rest_compat.test_definitions import definition


@pytest.fixture
async def registry(store: Store, feed: ChangeFeed) -> AsyncIterator[Registry]:
    running = Registry(store, feed, GraphQLSettings())
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def client(store: Store, feed: ChangeFeed, registry: Registry) -> AsyncIterator[httpx.AsyncClient]:
    access = AccessControl(store, feed, admin_user="admin", admin_password="correct horse")
    app = create_app(store=store, access=access, keys=KeyStore(store), definitions=registry, settings=RestSettings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", auth=ADMIN) as opened:
        yield opened


async def test_definition_answers_from_its_write_to_its_deletion(
    client: httpx.AsyncClient, database: str, registry: Registry
) -> None:
    key, path = AppKey(database, "shop"), f"/{database}/gql-apps/{database}___shop"
    await client.put(f"/{database}")

    created = await client.put(path, json=definition(database, "shop"))
    running = registry.get(key)
    refused = await client.put(path, json=definition(database, "shop", schema="type Query {", mappings=[]))

    assert (201, 400) == (created.status_code, refused.status_code)
    assert running is not None
    assert registry.get(key) is running
    assert len(error_body(refused)["reasons"]) == 2
    assert (await client.delete(path)).status_code == 204
    assert registry.get(key) is None


async def test_unmapped_query_field_is_a_warning(client: httpx.AsyncClient, database: str) -> None:
    await client.put(f"/{database}")
    body = definition(database, "a", schema="type Query { notes: [Note] other: Int } type Note { text: String }")

    response = await client.put(f"/{database}/gql-apps/{database}___a", json=body)

    assert response.status_code == 201
    assert "other" in response.json()["_warnings"][0]


async def test_address_in_use_is_409(client: httpx.AsyncClient, database: str) -> None:
    await client.put(f"/{database}")
    await client.put(f"/{database}/gql-apps/{database}___x", json=definition(database, "x"))

    response = await client.put(f"/{database}/gql-apps/{database}___y", json=definition(database, "x"))

    assert error_body(response)["http status code"] == 409
    assert "accessible at" in error_body(response)["message"]


async def test_patch_that_breaks_a_definition_leaves_the_application(
    client: httpx.AsyncClient, database: str, registry: Registry
) -> None:
    key, path = AppKey(database, "shop"), f"/{database}/gql-apps/{database}___shop"
    await client.put(f"/{database}")
    await client.put(path, json=definition(database, "shop"))
    running = registry.get(key)

    refused = await client.patch(path, json={"mappings.Query.notes": 5})
    disabled = await client.patch(path, json={"descriptor.enabled": False})

    assert (error_body(refused)["http status code"], disabled.status_code) == (400, 200)
    assert running is not None
    assert registry.get(key) is None
    assert (await client.patch(path, json={"descriptor.enabled": True})).status_code == 200
    assert registry.get(key) is not None


async def test_applications_of_a_dropped_database_stop(
    client: httpx.AsyncClient, database: str, registry: Registry
) -> None:
    key, path = AppKey(database, "shop"), f"/{database}/gql-apps/{database}___shop"
    etag = (await client.put(f"/{database}")).headers["etag"]
    await client.put(path, json=definition(database, "shop"))
    assert registry.get(key) is not None

    assert (await client.delete(f"/{database}", headers={"If-Match": etag})).status_code == 204

    async def stopped() -> bool:
        return registry.get(key) is None

    await until(stopped)
