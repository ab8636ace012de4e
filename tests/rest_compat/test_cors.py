"""What browsers and proxies need: CORS headers on every answer, HEAD for every GET, compression."""

import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from tests.content_core.access.keys import entry, store_key
from tests.rest_compat.conftest import ADMIN
from tests.rest_compat.test_app import bearer
from tests.rest_compat.test_definitions import definition
from tests.rest_compat.test_tokens import ORIGIN, QUERY, whole_server

EXPOSED = "Location, ETag, X-Powered-By"


@pytest.fixture
async def server(mongo: EmbeddedMongo) -> AsyncIterator[httpx.AsyncClient]:
    async with whole_server(mongo) as client:
        yield client


@pytest.fixture
async def shop(server: httpx.AsyncClient, store: Store, database: str) -> str:
    """A database with 50 notes, a key ``k`` and a GraphQL application."""
    assert (await server.put(f"/{database}", auth=ADMIN)).status_code == 201
    await store.bulk_replace(database, "notes", [{"_id": f"n{n}", "text": "lorem ipsum " * 10} for n in range(50)])
    await store_key(store, database, entry("/notes/", "GET"), key="k")
    path = f"/{database}/gql-apps/{database}___shop"
    assert (await server.put(path, json=definition(database, "shop"), auth=ADMIN)).status_code == 201
    return database


@pytest.mark.parametrize(
    ("origin", "allowed", "credentials"),
    [(None, "*", None), (ORIGIN, ORIGIN, "true"), ("https://elsewhere.example", "*", None)],
)
async def test_cors_headers_stand_on_every_answer(
    server: httpx.AsyncClient, shop: str, origin: str | None, allowed: str, credentials: str | None
) -> None:
    named = {} if origin is None else {"Origin": origin}
    app = f"/{shop}/gql-apps/{shop}___shop"
    version = (await server.get(app, auth=ADMIN)).headers["etag"]
    asked: list[tuple[int, str, str, dict[str, Any]]] = [
        (200, "GET", f"/{shop}/notes", {"auth": ADMIN}),
        (200, "HEAD", f"/{shop}/notes", {"auth": ADMIN}),
        (201, "PUT", f"/{shop}/apikeys/new", {"auth": ADMIN, "json": {"key": "new", "permissions": []}}),
        (204, "DELETE", f"/{shop}/apikeys/new", {"auth": ADMIN}),
        (304, "GET", app, {"auth": ADMIN, "headers": {"If-None-Match": version}}),
        (400, "GET", f"/{shop}/notes?filter=x", {"auth": ADMIN}),
        (401, "GET", f"/{shop}/notes", {}),
        (401, "GET", f"/{shop}/notes", {"params": {"securetoken": "x"}}),
        (403, "GET", f"/{shop}/other", {"headers": bearer("k")}),
        (403, "GET", f"/{shop}/_properties", {"auth": ADMIN}),
        (404, "GET", f"/{shop}/notes/none", {"auth": ADMIN}),
        (404, "DELETE", f"/{shop}/apikeys/none", {"auth": ADMIN}),
        (405, "POST", f"/{shop}", {"auth": ADMIN}),
        (405, "BREW", f"/{shop}", {}),
        (412, "DELETE", app, {"auth": ADMIN, "headers": {"If-Match": "0" * 24}}),
        (200, "GET", f"/_logic/securetoken?tenant={shop}", {"headers": bearer("k")}),
        (400, "GET", "/_logic/securetoken", {"headers": bearer("k")}),
        (401, "GET", f"/_logic/securetokencookie?tenant={shop}", {}),
        (200, "OPTIONS", f"/{shop}/notes", {}),
    ]

    for status, method, path, options in asked:
        headers = named | options.pop("headers", {})
        response = await server.request(method, path, headers=headers, **options)
        assert (status, allowed, credentials, EXPOSED) == (
            response.status_code,
            response.headers["access-control-allow-origin"],
            response.headers.get("access-control-allow-credentials"),
            response.headers["access-control-expose-headers"],
        ), (method, path)
        assert "Origin" in response.headers["vary"], (method, path)


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
@pytest.mark.parametrize(
    "path",
    [
        "/", "/_size", "/{db}", "/{db}/_size", "/{db}/_meta", "/{db}/notes", "/{db}/notes?count&filter={_id:'n1'}",
        "/{db}/notes/_size", "/{db}/notes/_meta", "/{db}/notes/_indexes", "/{db}/notes/n1", "/{db}/notes/none",
        "/{db}/_schemas", "/{db}/_schemas/apikeys", "/{db}/apikeys", "/{db}/apikeys/k", "/{db}/gql-apps",
        "/{db}/gql-apps/{db}___shop", "/_logic/healthcheck", "/_logic/openapi",
    ],
)  # fmt: skip
async def test_head_says_what_get_says(server: httpx.AsyncClient, shop: str, path: str, accepted: str) -> None:
    address, headers = path.replace("{db}", shop), {"Accept-Encoding": accepted, "X-Request-Id": "the-same"}

    get = await server.get(address, auth=ADMIN, headers=headers)
    head = await server.head(address, auth=ADMIN, headers=headers)

    assert (get.status_code, get.headers) == (head.status_code, head.headers)
    assert b"" == head.content
    assert get.content


async def _raw(server: httpx.AsyncClient, method: str, path: str, **options: Any) -> tuple[httpx.Response, bytes]:
    async with server.stream(method, path, auth=ADMIN, **options) as response:
        return response, b"".join([part async for part in response.aiter_raw()])


async def test_gzip_for_rest_and_graphql(server: httpx.AsyncClient, shop: str) -> None:
    introspection = {"query": "{ __schema { types { name fields { name } } } }"}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"/{shop}/notes", {}),
        ("GET", f"/{shop}/notes?rep=s", {}),
        ("POST", f"/graphql/{shop}/shop", {"json": introspection}),
    ]

    for method, path, options in asked:
        plain, body = await _raw(server, method, path, headers={"Accept-Encoding": "identity"}, **options)
        packed, gzipped = await _raw(server, method, path, headers={"Accept-Encoding": "gzip, deflate"}, **options)
        deflated, zipped = await _raw(server, method, path, headers={"Accept-Encoding": "deflate"}, **options)
        assert body == gzip.decompress(gzipped) == zlib.decompress(zipped), path
        assert [None, "gzip", "deflate"] == [
            response.headers.get("content-encoding") for response in (plain, packed, deflated)
        ]
        assert {200} == {response.status_code for response in (plain, packed, deflated)}
        assert all("Accept-Encoding" in response.headers["vary"] for response in (plain, packed, deflated))
        assert plain.headers.get("etag") == packed.headers.get("etag")


async def test_small_answers_are_not_compressed(server: httpx.AsyncClient, shop: str) -> None:
    for method, path, options in (
        ("GET", f"/{shop}/notes/n1", {}),
        ("GET", "/_logic/healthcheck", {}),
        ("POST", f"/graphql/{shop}/shop", {"json": QUERY}),
    ):
        response, body = await _raw(server, method, path, headers={"Accept-Encoding": "gzip"}, **options)
        assert "content-encoding" not in response.headers, path
        assert body.startswith(b"{"), path


async def test_compressed_document_keeps_its_version(server: httpx.AsyncClient, shop: str) -> None:
    path = f"/{shop}/gql-apps/{shop}___shop"
    large = definition(shop, "shop") | {"note": "x" * 1_000}
    etag = (await server.put(path, json=large, auth=ADMIN)).headers["etag"]

    packed, _ = await _raw(server, "GET", path, headers={"Accept-Encoding": "gzip"})
    unchanged, body = await _raw(server, "GET", path, headers={"Accept-Encoding": "gzip", "If-None-Match": etag})
    written = await server.put(path, json=large, auth=ADMIN, headers={"If-Match": packed.headers["etag"]})

    assert ("gzip", etag) == (packed.headers["content-encoding"], packed.headers["etag"])
    assert (304, b"", etag) == (unchanged.status_code, body, unchanged.headers["etag"])
    assert packed.headers["vary"] == unchanged.headers["vary"]
    assert 200 == written.status_code
