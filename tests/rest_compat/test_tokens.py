"""Security tokens over HTTP: who gets one, what it opens, when it ends, and that no page of others can use a cookie."""

import asyncio
import base64
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
import pytest

from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from opencaas.asgi import Services, create_app
from opencaas.settings import read_settings
from tests.content_core.access.keys import ALL, READ, entry, store_global_key, store_key
from tests.patience import until
from tests.rest_compat.conftest import ADMIN
from tests.rest_compat.test_app import bearer, error_body
from tests.rest_compat.test_definitions import definition

SECRET = "a secret for tests"
ORIGIN = "https://shop.example"
ENDPOINTS = ["/_logic/securetoken", "/_logic/securetokencookie"]
QUERY = {"query": "{ __typename }"}


@asynccontextmanager
async def whole_server(mongo: EmbeddedMongo, *, token_secret: str = SECRET) -> AsyncIterator[httpx.AsyncClient]:
    """REST and GraphQL as ``opencaas serve`` puts them together; the client shows no credentials."""
    settings = read_settings(allowed_origins=(ORIGIN,))
    services = Services.open(settings, uri=mongo.uri, admin_password="correct horse", token_secret=token_secret)
    await services.start()
    transport = httpx.ASGITransport(create_app(services, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://caas.example") as client:
        yield client
    await services.stop()


@pytest.fixture
async def server(mongo: EmbeddedMongo) -> AsyncIterator[httpx.AsyncClient]:
    async with whole_server(mongo) as client:
        yield client


@pytest.fixture
async def shop(server: httpx.AsyncClient, database: str) -> str:
    """A database with the GraphQL application ``<database>/shop``."""
    assert (await server.put(f"/{database}", auth=ADMIN)).status_code == 201
    app = f"/{database}/gql-apps/{database}___shop"
    assert (await server.put(app, json=definition(database, "shop"), auth=ADMIN)).status_code == 201
    return database


async def token_for(server: httpx.AsyncClient, key: str, tenant: str, ttl: int | None = None) -> str:
    parameters: dict[str, Any] = {"tenant": tenant} | ({} if ttl is None else {"ttl": ttl})
    response = await server.get("/_logic/securetoken", params=parameters, headers=bearer(key))
    assert response.status_code == 200, response.text
    return str(response.json()["securetoken"])


def cookie(token: str, **headers: str) -> dict[str, str]:
    return {"Cookie": f"other=1; securetoken={token}"} | headers


async def test_securetoken_is_given_for_a_key(server: httpx.AsyncClient, store: Store, shop: str) -> None:
    key = await store_key(store, shop, entry("/gql-apps/", "GET"))

    response = await server.get(f"/_logic/securetoken?tenant={shop}", headers={"Authorization": f'apikey="{key}"'})

    assert (200, "application/json", "no-store") == (
        response.status_code,
        response.headers["content-type"],
        response.headers["cache-control"],
    )
    assert ["securetoken"] == list(response.json())
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", response.json()["securetoken"])


async def test_securetoken_opens_what_its_key_opens(server: httpx.AsyncClient, store: Store, shop: str) -> None:
    graphql = entry("shop", "POST", mode="GRAPHQL")
    for key in (
        await store_key(store, shop, entry("/gql-apps/", "GET"), graphql),
        await store_global_key(store, entry(f"/{shop}/gql-apps/", "GET"), entry(f"/graphql/{shop}/", "POST")),
    ):
        token = await token_for(server, key, shop)
        ways: list[dict[str, Any]] = [{"params": {"securetoken": token}}, {"headers": cookie(token, Origin=ORIGIN)}]
        for way in ways:
            answers = [
                await server.get(f"/{shop}/gql-apps", **way),
                await server.get(f"/{shop}/notes", **way),
                await server.put(f"/{shop}/notes/1", json={}, **way),
                await server.post(f"/graphql/{shop}/shop", json=QUERY, **way),
                await server.post(f"/graphql/{shop}___shop", json=QUERY, **way),
            ]
            assert [200, 403, 403, 200, 200] == [answer.status_code for answer in answers]


async def test_securetoken_holds_neither_the_key_nor_what_it_could_be_guessed_from(
    server: httpx.AsyncClient, store: Store, shop: str
) -> None:
    key = await store_key(store, shop, key=f"guess-{shop}")

    payload = (await token_for(server, key, shop)).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    assert key not in str(claims)
    assert ["exp", "loc", "sub", "ten"] == sorted(claims)
    guesses = {hashlib.new(name, key.encode()).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}
    assert not any(guess.startswith(claims["sub"]) for guess in guesses)


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("tenant=", 400),
        ("tenant=a%20b", 400),
        ("tenant=a/b", 400),
        ("tenant=caas_admin", 403),
        ("tenant=admin", 403),
        ("tenant=_logic", 403),
        ("tenant={db}&ttl=0", 400),
        ("tenant={db}&ttl=", 400),
        ("tenant={db}&ttl=-5", 400),
        ("tenant={db}&ttl=1.5", 400),
        ("tenant={db}&ttl=1e3", 400),
        ("tenant={db}&ttl=ten", 400),
        ("tenant={db}&ttl=%D9%A1", 400),
        ("tenant={db}&ttl=+5", 400),
        ("tenant={db}&ttl=%ff", 400),
        ("tenant={db}&ttl=1", 200),
        ("tenant={db}&ttl=0060", 200),
        ("tenant={db}&ttl=" + "9" * 5000, 200),
    ],
)
async def test_securetoken_tenant_and_ttl_are_checked(
    server: httpx.AsyncClient, store: Store, shop: str, path: str, query: str, status: int
) -> None:
    key = await store_global_key(store, entry("/"))

    response = await server.get(f"{path}?{query.replace('{db}', shop)}", headers=bearer(key))

    assert status == response.status_code
    assert response.headers["cache-control"] == "no-store"
    if status != 200:
        assert "securetoken=" not in response.headers.get("set-cookie", "")
        assert error_body(response)["http status code"] == status


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_securetoken_needs_a_key_in_the_header(
    server: httpx.AsyncClient, store: Store, shop: str, path: str
) -> None:
    key, elsewhere = await store_key(store, shop, entry("/")), await store_key(store, f"{shop}x", entry("/"))
    token = await token_for(server, key, shop)
    address = f"{path}?tenant={shop}"
    try:
        answers = {
            "nothing": await server.get(address),
            "nothing, no tenant": await server.get(path),
            "unknown key": await server.get(address, headers=bearer("unknown")),
            "another tenant's key": await server.get(address, headers=bearer(elsewhere)),
            "unknown scheme": await server.get(address, headers={"Authorization": f"Token {key}"}),
            "wrong password": await server.get(address, auth=("admin", "wrong")),
            "unknown token": await server.get(f"{address}&securetoken=x", headers=bearer(key)),
            "unknown cookie": await server.get(address, headers=cookie("x")),
            "admin": await server.get(address, auth=ADMIN),
            "admin, no tenant": await server.get(path, auth=ADMIN),
            "token": await server.get(f"{address}&securetoken={token}"),
            "token before key": await server.get(f"{address}&securetoken={token}", headers=bearer(key)),
            "token, no tenant": await server.get(f"{path}?securetoken={token}"),
            "cookie": await server.get(address, headers=cookie(token)),
            "key before cookie": await server.get(address, headers=cookie("x") | bearer(key)),
            "local key, no tenant": await server.get(path, headers=bearer(key)),
        }
    finally:
        await store.drop_database(f"{shop}x")

    assert {
        "nothing": 401,
        "nothing, no tenant": 401,
        "unknown key": 401,
        "another tenant's key": 401,
        "unknown scheme": 401,
        "wrong password": 401,
        "unknown token": 401,
        "unknown cookie": 401,
        "admin": 403,
        "admin, no tenant": 403,
        "token": 403,
        "token before key": 403,
        "token, no tenant": 403,
        "cookie": 403,
        "key before cookie": 200,
        "local key, no tenant": 400,
    } == {name: answer.status_code for name, answer in answers.items()}
    assert {b""} == {answer.content for answer in answers.values() if answer.status_code == 401}
    assert {"no-store"} == {answer.headers["cache-control"] for answer in answers.values()}


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_securetoken_knows_get_only(server: httpx.AsyncClient, store: Store, shop: str, path: str) -> None:
    headers = bearer(await store_key(store, shop, entry("/")))
    address = f"{path}?tenant={shop}"

    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert 401 == (await server.request(method, address)).status_code
        assert 405 == error_body(await server.request(method, address, headers=headers))["http status code"]
    head = await server.head(address, headers=headers)
    assert (200, b"") == (head.status_code, head.content)
    assert 200 == (await server.options(address)).status_code


@pytest.mark.parametrize(("query", "age"), [("", 300), ("&ttl=600", 600), ("&ttl=86400", 86400), ("&ttl=86401", 86400)])
async def test_securetokencookie_lives_as_long_as_its_token(
    server: httpx.AsyncClient, store: Store, shop: str, query: str, age: int
) -> None:
    key = await store_key(store, shop, entry("/gql-apps/", "GET"))

    before = int(time.time())
    response = await server.get(f"/_logic/securetokencookie?tenant={shop}{query}", headers=bearer(key))

    assert (200, {}) == (response.status_code, response.json())
    found = re.fullmatch(r"securetoken=([^;]+); (.*)", response.headers["set-cookie"])
    assert found is not None
    assert f"Path=/; Max-Age={age}; HttpOnly; SameSite=None; Secure" == found[2]
    expiry = jwt.decode(found[1], options={"verify_signature": False})["exp"]
    assert before + age <= expiry <= int(time.time()) + age
    assert 200 == (await server.get(f"/{shop}/gql-apps", headers=cookie(found[1]))).status_code


@pytest.mark.parametrize(
    ("base", "attributes"),
    [
        ("http://127.0.0.1:8080", "HttpOnly; SameSite=Lax"),
        ("http://[::1]:8080", "HttpOnly; SameSite=Lax"),
        ("http://localhost", "HttpOnly; SameSite=Lax"),
        ("https://localhost", "HttpOnly; SameSite=None; Secure"),
        ("http://caas.example", "HttpOnly; SameSite=None; Secure"),
        ("http://localhost.evil.example", "HttpOnly; SameSite=None; Secure"),
    ],
)
async def test_securetokencookie_is_secure_except_on_loopback(
    server: httpx.AsyncClient, store: Store, shop: str, base: str, attributes: str
) -> None:
    headers = bearer(await store_key(store, shop))

    response = await server.get(f"{base}/_logic/securetokencookie?tenant={shop}", headers=headers)

    assert response.headers["set-cookie"].endswith(f"; Path=/; Max-Age=300; {attributes}")


@pytest.mark.parametrize("host", ["[::1", "", "a b", "localhost.evil.example"])
async def test_strange_host_does_no_harm(server: httpx.AsyncClient, store: Store, shop: str, host: str) -> None:
    headers = bearer(await store_key(store, shop)) | {"Host": host}

    response = await server.get(f"/_logic/securetokencookie?tenant={shop}", headers=headers)

    assert (200, True) == (response.status_code, response.headers["set-cookie"].endswith("Secure"))


@pytest.mark.parametrize("scope", ["local", "global"])
async def test_securetoken_is_good_for_one_database_only(
    server: httpx.AsyncClient, store: Store, shop: str, scope: str
) -> None:
    key = await store_key(store, shop, entry("/")) if scope == "local" else await store_global_key(store, entry("/"))
    token = await token_for(server, key, shop)

    for path in (
        "/",
        "/other",
        f"/{shop}x/notes",
        "/caas_admin/apikeys",
        "/_metrics",
        "/_size",
        "/_logic/other",
        "/a//b",
    ):
        for way in ({"params": {"securetoken": token}}, {"headers": cookie(token)}):
            response = await server.get(path, **way)  # type: ignore[arg-type]  # either of two options
            assert 403 == error_body(response)["http status code"], path
    for path in ("/graphql", "/graphql/other/shop", "/graphql/other___shop", "/graphql/_metrics"):
        assert 403 == (await server.post(path, params={"securetoken": token}, json=QUERY)).status_code, path
    assert 200 == (await server.get(f"/{shop}/gql-apps", params={"securetoken": token})).status_code


async def test_securetoken_of_a_deleted_key_is_dead_everywhere_within_a_second(
    server: httpx.AsyncClient, store: Store, mongo: EmbeddedMongo, shop: str
) -> None:
    async with whole_server(mongo) as other:
        for home in (shop, "caas_admin"):
            url = "/gql-apps/" if home == shop else f"/{shop}/gql-apps/"
            key = await store_key(store, home, entry(url, "GET"))
            token, path = await token_for(server, key, shop), f"/{shop}/gql-apps"
            for each in (server, other):
                assert 200 == (await each.get(path, params={"securetoken": token})).status_code

            assert 204 == (await server.delete(f"/{home}/apikeys/{key}", auth=ADMIN)).status_code

            assert 401 == (await server.get(path, params={"securetoken": token})).status_code

            async def dead(path: str = path, token: str = token) -> bool:
                return (await other.get(path, params={"securetoken": token})).status_code == 401

            assert await until(dead) < 1


async def test_securetoken_follows_the_rights_of_its_key(server: httpx.AsyncClient, store: Store, shop: str) -> None:
    key = await store_key(store, shop, entry("/gql-apps/", "GET"))
    token, path = await token_for(server, key, shop), f"/{shop}/gql-apps"
    narrowed = {"key": key, "permissions": [entry("/elsewhere/", "GET")]}

    before = await server.get(path, params={"securetoken": token})
    assert 200 == (await server.put(f"/{shop}/apikeys/{key}", json=narrowed, auth=ADMIN)).status_code
    after = await server.get(path, params={"securetoken": token})

    assert (200, 403) == (before.status_code, after.status_code)


async def test_securetoken_of_a_new_key_works_on_every_server_at_once(
    server: httpx.AsyncClient, store: Store, mongo: EmbeddedMongo, shop: str
) -> None:
    async with whole_server(mongo) as other:
        for _ in range(5):
            key = await store_key(store, shop, entry("/gql-apps/", "GET"))
            token = await token_for(server, key, shop)
            assert 200 == (await other.get(f"/{shop}/gql-apps", params={"securetoken": token})).status_code


async def test_securetoken_of_a_local_key_never_becomes_one_of_a_global_key(
    server: httpx.AsyncClient, store: Store, shop: str
) -> None:
    key = await store_key(store, shop, entry("/notes/", "GET"))
    token = await token_for(server, key, shop)
    await store_global_key(store, entry("/"), key=key)

    assert 204 == (await server.delete(f"/{shop}/apikeys/{key}", auth=ADMIN)).status_code

    assert 401 == (await server.get(f"/{shop}/gql-apps", params={"securetoken": token})).status_code
    assert 200 == (await server.get(f"/{shop}/gql-apps", headers=bearer(key))).status_code


async def test_expired_securetoken_is_401(server: httpx.AsyncClient, store: Store, shop: str) -> None:
    key = await store_key(store, shop, entry("/gql-apps/", "GET"))
    path = f"/{shop}/gql-apps"
    lasting = await token_for(server, key, shop, ttl=60)
    assert 200 == (await server.get(path, params={"securetoken": lasting})).status_code

    token = await token_for(server, key, shop, ttl=1)
    await asyncio.sleep(1.1)
    expired = await server.get(path, params={"securetoken": token})

    assert (401, b"") == (expired.status_code, expired.content)


async def test_forged_securetoken_is_401(
    server: httpx.AsyncClient, store: Store, mongo: EmbeddedMongo, shop: str
) -> None:
    key = await store_key(store, shop, entry("/"))
    good = await token_for(server, key, shop)
    head, payload, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    async with whole_server(mongo, token_secret="another secret") as stranger:
        foreign = await token_for(stranger, key, shop)
    forged = [
        "", "x", "a.b.c", "..", good[:-1], good + "A", good + "." + good, head + "." + payload + ".",
        head + "." + _encode(claims | {"ten": "other"}) + "." + signature,
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, SECRET.ljust(32, "!"), algorithm="HS256"),
        foreign, key, "\x00", "ä", "é" * 3000, "9" * 7000, "eyJhbGciOiJIUzI1NiJ9.W10.x",
    ]  # fmt: skip

    for token in forged:
        response = await server.get(f"/{shop}/gql-apps", params={"securetoken": token})
        assert (401, b"") == (response.status_code, response.content), token[:40]
        query = await server.post(f"/graphql/{shop}/shop", params={"securetoken": token}, json=QUERY)
        assert (401, b"") == (query.status_code, query.content), token[:40]


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_definitions_are_not_written_with_a_securetoken(
    server: httpx.AsyncClient, store: Store, shop: str
) -> None:
    key = await store_key(store, shop, entry("/"))
    token, app = await token_for(server, key, shop), f"/{shop}/gql-apps/{shop}___shop"
    ways: list[dict[str, Any]] = [{"params": {"securetoken": token}}, {"headers": cookie(token, Origin=ORIGIN)}]

    for way in ways:
        refused = [
            await server.put(app, json=definition(shop, "shop"), **way),
            await server.patch(app, json={}, **way),
            await server.delete(app, **way),
            await server.post(f"/{shop}/gql-apps", json=definition(shop, "shop"), **way),
        ]
        assert [403] * 4 == [answer.status_code for answer in refused]
        assert 200 == (await server.get(app, **way)).status_code
    assert 200 == (await server.put(app, json=definition(shop, "shop"), headers=bearer(key))).status_code


@pytest.mark.parametrize(
    ("origin", "trusted"),
    [
        (None, False),
        ("null", False),
        ("", False),
        ("https://evil.example", False),
        ("https://shop.example.evil", False),
        ("http://shop.example", False),
        ("https://caas.example:8443", False),
        ("caas.example", False),
        (ORIGIN, True),
        ("http://caas.example", True),
        ("https://caas.example", True),
    ],
)
async def test_cookie_alone_changes_nothing_for_strange_origins(
    server: httpx.AsyncClient, store: Store, shop: str, origin: str | None, trusted: bool
) -> None:
    key = await store_key(store, shop, entry("/"), entry("shop", "POST", mode="GRAPHQL"))
    token = await token_for(server, key, shop)
    named = {} if origin is None else {"Origin": origin}
    fresh = {"key": "k", "permissions": [entry("/", *ALL)]}
    path = f"/{shop}/apikeys/k"

    by_cookie = [
        await server.get(f"/{shop}/gql-apps", headers=cookie(token, **named)),
        await server.head(f"/{shop}/gql-apps", headers=cookie(token, **named)),
        await server.put(path, json=fresh, headers=cookie(token, **named)),
        await server.delete(path, headers=cookie(token, **named)),
        await server.post(f"/graphql/{shop}/shop", json=QUERY, headers=cookie(token, **named)),
    ]
    by_query = await server.put(path, params={"securetoken": token}, json=fresh, headers=cookie(token, **named))
    by_header = await server.put(path, json=fresh, headers=cookie(token, **named) | bearer(key))

    assert [200, 200, *([201, 204, 200] if trusted else [403] * 3)] == [answer.status_code for answer in by_cookie]
    assert (201, 200) == (by_query.status_code, by_header.status_code)


async def test_keys_are_not_opened_by_the_securetoken_of_a_reader(
    server: httpx.AsyncClient, store: Store, shop: str
) -> None:
    token = await token_for(server, await store_key(store, shop, entry("/", *READ)), shop)

    assert 403 == (await server.get(f"/{shop}/apikeys", params={"securetoken": token})).status_code
