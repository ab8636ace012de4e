"""Who gets in and how far, for REST and GraphQL alike: the ways in, the header forms, the table of permissions."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from content_core.names import ADMIN_DATABASE
from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from tests.content_core.access.keys import ALL, READ, entry, store_global_key, store_key
from tests.rest_compat.conftest import ADMIN
from tests.rest_compat.test_app import bearer
from tests.rest_compat.test_definitions import definition
from tests.rest_compat.test_tokens import ORIGIN, QUERY, token_for, whole_server


@pytest.fixture
async def server(mongo: EmbeddedMongo) -> AsyncIterator[httpx.AsyncClient]:
    async with whole_server(mongo) as client:
        yield client


@pytest.fixture
async def shop(server: httpx.AsyncClient, database: str) -> str:
    """A database with a collection and the GraphQL application ``<database>/shop``."""
    for path, body in (("", {}), ("/content", {}), (f"/gql-apps/{database}___shop", definition(database, "shop"))):
        assert (await server.put(f"/{database}{path}", json=body, auth=ADMIN)).status_code in {201, 404, 405}
    return database


async def call(server: httpx.AsyncClient, room: str, tenant: str, **shown: Any) -> httpx.Response:
    """Ask REST or GraphQL for the same tenant."""
    if room == "rest":
        return await server.get(f"/{tenant}/gql-apps", **shown)
    return await server.post(f"/graphql/{tenant}/shop", json=QUERY, **shown)


GOOD, BAD, NARROW, NONE = "good", "bad", "narrow", None


@pytest.mark.parametrize("room", ["rest", "graphql"])
@pytest.mark.parametrize(
    ("query", "header", "cookie", "status"),
    [
        (GOOD, NONE, NONE, 200),
        (NONE, GOOD, NONE, 200),
        (NONE, NONE, GOOD, 200),
        (NONE, NONE, NONE, 401),
        # the first one that is present decides, right or wrong
        (GOOD, BAD, BAD, 200),
        (BAD, GOOD, GOOD, 401),
        (NARROW, GOOD, GOOD, 403),
        ("", GOOD, GOOD, 401),
        (NONE, GOOD, BAD, 200),
        (NONE, BAD, GOOD, 401),
        (NONE, NARROW, GOOD, 403),
        (NONE, "", GOOD, 401),
        (NONE, NONE, BAD, 401),
        (NONE, NONE, NARROW, 403),
        (NONE, NONE, "", 401),
    ],
)
async def test_only_the_first_of_the_three_ways_counts(
    server: httpx.AsyncClient, store: Store, shop: str, room: str,
    query: str | None, header: str | None, cookie: str | None, status: int,
) -> None:  # fmt: skip
    good = await store_key(store, shop, entry("/gql-apps/", "GET"), entry("shop", "POST", mode="GRAPHQL"))
    narrow = await store_key(store, shop, entry("/elsewhere/", "GET"))
    keys = {GOOD: good, NARROW: narrow, BAD: "unknown", "": ""}
    tokens = {BAD: "unknown", "": ""} | {name: await token_for(server, keys[name], shop) for name in (GOOD, NARROW)}
    headers = {"Origin": ORIGIN}
    if header is not None:
        headers["Authorization"] = f"Bearer {keys[header]}"
    if cookie is not None:
        headers["Cookie"] = f"securetoken={tokens[cookie]}"
    parameters = {} if query is None else {"securetoken": tokens[query]}

    response = await call(server, room, shop, params=parameters, headers=headers)

    assert status == response.status_code
    if status == 401:
        assert b"" == response.content
        assert 'Basic realm="OpenCaaS"' == response.headers["www-authenticate"]


@pytest.mark.parametrize("room", ["rest", "graphql"])
@pytest.mark.parametrize(
    ("form", "status"),
    [
        ('apikey="{}"', 200),
        ("apikey={}", 200),
        ('ApiKey = "{}"', 200),
        ("Bearer {}", 200),
        ("bearer {}", 200),
        ("{}", 401),
        ("Token {}", 401),
        ('Bearer apikey="{}"', 401),
        ("Basic {}", 401),
    ],
)
async def test_both_header_forms_name_a_key(
    server: httpx.AsyncClient, store: Store, shop: str, room: str, form: str, status: int
) -> None:
    graphql = entry("shop", "POST", mode="GRAPHQL")
    for key in (
        await store_key(store, shop, entry("/gql-apps/", "GET"), graphql),
        await store_global_key(store, entry(f"/{shop}/gql-apps/", "GET"), entry(f"/graphql/{shop}/shop", "POST")),
    ):
        response = await call(server, room, shop, headers={"Authorization": form.format(key)})
        assert status == response.status_code


@pytest.mark.parametrize("room", ["rest", "graphql"])
async def test_basic_is_the_admin(server: httpx.AsyncClient, shop: str, room: str) -> None:
    assert 200 == (await call(server, room, shop, auth=ADMIN)).status_code
    for wrong in (("admin", "wrong"), ("other", "correct horse"), ("", "")):
        assert 401 == (await call(server, room, shop, auth=wrong)).status_code


@pytest.mark.parametrize("room", ["rest", "graphql"])
@pytest.mark.parametrize(
    ("headers", "parameters", "challenged"),
    [
        ({}, {}, True),
        ({"No-Auth-Challenge": "true"}, {}, False),
        ({"No-Auth-Challenge": ""}, {}, False),
        ({}, {"noauthchallenge": ""}, False),
    ],
)
async def test_challenge_is_left_out_on_request(
    server: httpx.AsyncClient, shop: str, room: str, headers: dict[str, str], parameters: dict[str, str],
    challenged: bool,
) -> None:  # fmt: skip
    response = await call(server, room, shop, headers=headers, params=parameters)

    assert (401, challenged) == (response.status_code, "www-authenticate" in response.headers)


PLACES = ("/", "/{project}/", "/{project}/content/", "/{project}x/", "/{project}x/content/")


@pytest.mark.parametrize(
    ("url", "local", "answers"),
    [
        # url, key and answers as the table has them; the last word is what "no" is, place by place
        ("/", False, "yes yes yes yes yes"),
        ("/{project}/", False, "403 yes yes 403 403"),
        ("/", True, "401 yes yes 401 401"),
        ("/content/", True, "401 403 yes 401 401"),
    ],
)
@pytest.mark.parametrize("mode", ["PREFIX", "REGEX", None])
async def test_permission_table(
    server: httpx.AsyncClient, store: Store, shop: str, url: str, local: bool, answers: str, mode: str | None
) -> None:
    pattern = url.replace("{project}", shop) + (".*" if mode == "REGEX" else "")
    key = await store_key(store, shop if local else ADMIN_DATABASE, entry(pattern, *READ, mode=mode))

    given = []
    for method in ("GET", "HEAD"):
        statuses = [
            (await server.request(method, place.replace("{project}", shop), headers=bearer(key))).status_code
            for place in PLACES
        ]
        given.append(" ".join(str(status) if status in {401, 403} else "yes" for status in statuses))

    assert [answers, answers] == given


@pytest.mark.parametrize(
    ("permission", "method", "path", "allowed"),
    [
        # trailing slash
        (entry("/content/"), "GET", "/content", True),
        (entry("/content"), "GET", "/content/", True),
        # boundary
        (entry("/content"), "GET", "/content-archive", True),
        (entry("/content/"), "GET", "/content-archive", False),
        # encoded slashes
        (entry("/content/a/"), "GET", "/content/a%2Fb", False),
        (entry("/content/"), "GET", "/other%2F..%2Fcontent", False),
        (entry("/content/a%2Fb"), "GET", "/content/a%2Fb", True),
        # url without leading slash
        (entry("content/"), "GET", "/content", False),
        # REGEX: the whole path, after the database
        (entry("/con[a-z]+/?", mode="REGEX"), "GET", "/content", True),
        (entry("/con[a-z]+/?", mode="REGEX"), "GET", "/content/1", False),
        (entry("/con[a-z]+/\\d+", mode="REGEX"), "GET", "/content/1", True),
        # GRAPHQL opens no path
        (entry("/content/", mode="GRAPHQL"), "GET", "/content", False),
        # methods
        (entry("/content/", "GET"), "HEAD", "/content", True),
        (entry("/content/", "HEAD"), "HEAD", "/content", True),
        (entry("/content/", "HEAD"), "GET", "/content", False),
        (entry("/content/", "GET"), "DELETE", "/content/1", False),
        (entry("/content/", "DELETE"), "PATCH", "/content/*", False),
        (entry("/other/", "GET"), "OPTIONS", "/content", True),
        # bulk
        (entry("/content/*", "PATCH"), "PATCH", "/content/*", True),
        (entry("/content/*", "DELETE"), "PATCH", "/content/*", False),
    ],
)
async def test_permission_details(
    server: httpx.AsyncClient, store: Store, shop: str, permission: dict[str, Any], method: str, path: str,
    allowed: bool,
) -> None:  # fmt: skip
    key = await store_key(store, shop, permission)
    request = server.build_request(method, "/", headers=bearer(key))
    request.url = httpx.URL("http://caas.example").copy_with(raw_path=f"/{shop}{path}".encode())

    assert allowed is ((await server.send(request)).status_code != 403)


@pytest.mark.parametrize("path", ["/{db}//content", "/{db}/%2E/content", "/{db}/x/%2e%2e/content", "//{db}/content"])
async def test_paths_that_move_about_are_400_before_permissions(
    server: httpx.AsyncClient, store: Store, shop: str, path: str
) -> None:
    key = await store_global_key(store, entry("/nothing/"))
    request = server.build_request("GET", "/", headers=bearer(key))
    request.url = httpx.URL("http://caas.example").copy_with(raw_path=path.replace("{db}", shop).encode())

    assert 400 == (await server.send(request)).status_code


@pytest.mark.parametrize(
    ("permission", "local", "status"),
    [
        (entry("shop", "POST", mode="GRAPHQL"), True, 200),
        (entry("{db}___shop", "POST", mode="GRAPHQL"), True, 200),
        (entry("{db}___shop", "POST", mode="GRAPHQL"), False, 200),
        ({"url": "{db}___shop", "permissionMode": "GRAPHQL"}, False, 200),
        (entry("{db}___other", "POST", mode="GRAPHQL"), False, 403),
        (entry("/graphql/{db}/shop", "POST"), False, 200),
        (entry("/graphql/{db}___.*", "POST", mode="REGEX"), False, 200),
        (entry("/", *ALL), False, 200),
        (entry("/", *ALL), True, 403),
        (entry(".*", *ALL, mode="REGEX"), True, 403),
    ],
)
async def test_permission_mode_graphql_opens_the_application(
    server: httpx.AsyncClient, store: Store, shop: str, permission: dict[str, Any], local: bool, status: int
) -> None:
    held = permission | {"url": permission["url"].replace("{db}", shop)}
    headers = bearer(await store_key(store, shop if local else ADMIN_DATABASE, held))

    for address in (f"/graphql/{shop}/shop", f"/graphql/{shop}___shop"):
        assert status == (await server.post(address, json=QUERY, headers=headers)).status_code
    if held.get("permissionMode") == "GRAPHQL":
        assert 403 == (await server.get(f"/{shop}/shop", headers=headers)).status_code


async def test_local_key_comes_before_the_global_one(server: httpx.AsyncClient, store: Store, shop: str) -> None:
    key = await store_global_key(store, entry("/"))
    headers = bearer(key)
    assert 200 == (await server.get(f"/{shop}/gql-apps", headers=headers)).status_code

    narrowed = {"key": key, "permissions": [entry("/content/", "GET")]}
    assert 201 == (await server.put(f"/{shop}/apikeys/{key}", json=narrowed, auth=ADMIN)).status_code

    assert 403 == (await server.get(f"/{shop}/gql-apps", headers=headers)).status_code


async def test_health_check_needs_no_credentials(server: httpx.AsyncClient) -> None:
    for headers in ({}, bearer("unknown"), {"Cookie": "securetoken=x"}):
        response = await server.get("/_logic/healthcheck", headers=headers)
        assert (200, {"mongoReachable": True, "mongoPrimaryAvailable": True}) == (
            response.status_code,
            response.json(),
        )
