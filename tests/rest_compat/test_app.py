"""The order of checks, the error body, CORS, HEAD, bodies that are not read: what every address has in common."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message

from content_core.access import AccessControl, KeyStore
from content_core.store import ChangeFeed, Store
from rest_compat import RestSettings, create_app
from tests.content_core.access.keys import READ, entry, store_global_key, store_key
from tests.rest_compat.conftest import Notes


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def error_body(response: httpx.Response) -> dict[str, Any]:
    """Check the shape that every error has; give the body."""
    body: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/json"
    assert response.status_code == body["http status code"]
    assert isinstance(body["http status description"], str)
    assert '"' not in body["message"]
    return body


@pytest.mark.parametrize(
    "path", ["/", "/acme", "/acme/gql-apps", "/acme/apikeys/k", "/_logic/securetoken", "/a//b", "/%ff"]
)
async def test_stranger_gets_401_and_nothing_else(anonymous: httpx.AsyncClient, path: str) -> None:
    response = await anonymous.get(path)

    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["www-authenticate"] == 'Basic realm="OpenCaaS"'


@pytest.mark.parametrize(
    ("headers", "query"), [({"No-Auth-Challenge": "true"}, ""), ({}, "?noauthchallenge"), ({}, "?noauthchallenge=1")]
)
async def test_challenge_is_left_out_on_request(
    anonymous: httpx.AsyncClient, headers: dict[str, str], query: str
) -> None:
    response = await anonymous.get(f"/acme{query}", headers=headers)

    assert response.status_code == 401
    assert "www-authenticate" not in response.headers


@pytest.mark.parametrize(
    ("query", "header", "cookie", "status"),
    [
        ("", True, "", 200),
        ("", True, "wrong", 200),
        ("?securetoken=wrong", True, "", 401),
        ("", False, "wrong", 401),
        ("", False, "", 401),
    ],
)
async def test_first_way_decides(
    anonymous: httpx.AsyncClient, store: Store, tenant: str, query: str, header: bool, cookie: str, status: int
) -> None:
    key = await store_key(store, tenant, entry("/gql-apps/", "GET"))
    headers = (bearer(key) if header else {}) | ({"Cookie": f"securetoken={cookie}"} if cookie else {})

    assert status == (await anonymous.get(f"/{tenant}/gql-apps{query}", headers=headers)).status_code


@pytest.mark.parametrize("form", ["Bearer {}", 'apikey="{}"'])
async def test_both_header_forms_open_the_door(
    anonymous: httpx.AsyncClient, store: Store, tenant: str, form: str
) -> None:
    key = await store_key(store, tenant, entry("/gql-apps/", "GET"))

    response = await anonymous.get(f"/{tenant}/gql-apps", headers={"Authorization": form.format(key)})

    assert response.status_code == 200


async def test_right_is_checked_before_anything_about_the_resource(
    anonymous: httpx.AsyncClient, store: Store, tenant: str
) -> None:
    headers = bearer(await store_key(store, tenant, entry("/x/", *READ)))

    for method, path in [("GET", "/gql-apps/none"), ("PATCH", "/apikeys"), ("GET", "/_properties"), ("PUT", "/x/1")]:
        response = await anonymous.request(method, f"/{tenant}{path}", headers=headers)
        assert error_body(response)["http status code"] == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("BREW", "/", 405),
        ("TRACE", "/acme", 405),
        ("POST", "/{db}", 405),
        ("PATCH", "/{db}/apikeys/k", 405),
        ("PATCH", "/{db}/apikeys/*", 405),
        ("DELETE", "/{db}/apikeys/*", 405),
        ("PUT", "/{db}/apikeys", 403),
        ("PATCH", "/{db}/apikeys", 403),
        ("DELETE", "/{db}/apikeys", 403),
        ("PUT", "/{db}/gql-apps", 403),
        ("DELETE", "/{db}/gql-apps", 403),
        ("GET", "/{db}/notes/_aggrs", 405),
        ("POST", "/{db}/notes/_indexes", 405),
        ("GET", "/{db}/notes/1", 404),
        ("GET", "/{db}/gql-apps/a/b", 404),
        ("GET", "/{db}/gql-apps/a/b/c/d/e", 404),
        ("GET", "/none/apikeys", 404),
        ("GET", "/none/gql-apps", 404),
        ("PUT", "/none/gql-apps/none___x", 404),
        ("PUT", "/none/apikeys/x", 404),
        ("PUT", "/admin", 403),
        ("PUT", "/Config", 403),
        ("PUT", "/local", 403),
        ("GET", "/system.users/x", 403),
        ("PUT", "/_logic", 403),
        ("PUT", "/graphql", 403),
        ("PUT", "/_meta", 403),
        ("PUT", "/caas_admin", 403),
        ("GET", "/caas_admin/notes", 403),
        ("GET", "/{db}/system.views", 403),
        ("GET", "/{db}/fs.chunks", 403),
        ("GET", "/{db}/_properties", 403),
        ("GET", "/{db}/notes/_properties", 403),
        ("GET", "/{db}/notes/_properties.notes", 403),
        ("PUT", "/a.b", 400),
        ("PUT", "/a%20b", 400),
        ("PUT", "/a%00b", 400),
        ("PUT", "/a$b", 400),
        ("PUT", '/a"b', 400),
        ("PUT", "/a%5Cb", 400),
        ("PUT", "/a%2Fb", 400),
        ("PUT", "/" + "x" * 64, 400),
        ("GET", "/{db}/a%00b", 400),
        ("GET", "/{db}/a$b", 400),
        ("GET", "/{db}/notes/a%00b", 400),
        ("GET", "/{db}//gql-apps", 400),
        ("GET", "//{db}", 400),
        ("GET", "/{db}/%2e%2e/apikeys", 400),
        ("GET", "/{db}/%2E/apikeys", 400),
        ("GET", "/{db}/%ff", 400),
        ("GET", "/{db}/gql-apps?x=%ff", 400),
    ],
)
async def test_every_refusal_has_the_same_body(
    admin: httpx.AsyncClient, tenant: str, method: str, path: str, status: int
) -> None:
    raw = path.replace("{db}", tenant)
    request = admin.build_request(method, "/")
    request.url = httpx.URL("http://caas.example").copy_with(raw_path=raw.encode())

    assert status == error_body(await admin.send(request))["http status code"]


@pytest.mark.parametrize("path", ["/{db}/gql-apps", "/{db}/gql-apps/", "/{db}/%67ql-apps"])
async def test_trailing_slash_and_encoding_make_no_difference(admin: httpx.AsyncClient, tenant: str, path: str) -> None:
    assert (await admin.get(path.replace("{db}", tenant))).status_code == 200


async def test_encoded_slash_does_not_fake_a_path(anonymous: httpx.AsyncClient, store: Store, tenant: str) -> None:
    headers = bearer(await store_key(store, tenant, entry("/notes/", "GET")))

    assert (await anonymous.get(f"/{tenant}/notes%2F..%2Fapikeys", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", "GET, OPTIONS"),
        ("/acme", "GET, PUT, PATCH, DELETE, OPTIONS"),
        ("/acme/notes", "GET, PUT, POST, PATCH, DELETE, OPTIONS"),
        ("/acme/shop.files", "GET, PUT, POST, PATCH, DELETE, OPTIONS"),
        ("/acme/notes/1", "GET, PUT, PATCH, DELETE, OPTIONS"),
        ("/acme/shop.files/1/binary", "GET, OPTIONS"),
        ("/acme/notes/_indexes/i", "PUT, DELETE, OPTIONS"),
        ("/acme/notes/_AGGRS/a", "GET, OPTIONS"),
        ("/acme/_size", "GET, OPTIONS"),
        ("/acme/_schemas/s", "GET, PUT, DELETE, OPTIONS"),
        ("/acme/apikeys", "GET, POST, OPTIONS"),
        ("/acme/apikeys/k", "GET, PUT, DELETE, OPTIONS"),
        ("/acme/gql-apps", "GET, POST, OPTIONS"),
        ("/acme/gql-apps/acme___x", "GET, PUT, PATCH, DELETE, OPTIONS"),
        ("/_logic/securetoken", "GET, OPTIONS"),
    ],
)
async def test_options_needs_no_credentials(anonymous: httpx.AsyncClient, path: str, methods: str) -> None:
    response = await anonymous.options(path)

    assert (200, b"", methods) == (
        response.status_code,
        response.content,
        response.headers["access-control-allow-methods"],
    )
    assert "Authorization" in response.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("origin", "allowed", "credentials"),
    [
        (None, "*", None),
        ("https://shop.example", "https://shop.example", "true"),
        ("https://shop.example.evil", "*", None),
        ("null", "*", None),
    ],
)
async def test_every_answer_can_be_read_by_browsers(
    admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, origin: str | None, allowed: str, credentials: str | None
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    for client, method, path in [
        (anonymous, "GET", "/acme"),
        (anonymous, "OPTIONS", "/acme"),
        (anonymous, "BREW", "/acme"),
        (admin, "POST", "/_logic/securetoken"),
        (admin, "PUT", "/admin"),
        (admin, "GET", "/none/apikeys"),
    ]:
        answer = (await client.request(method, path, headers=headers)).headers
        assert (allowed, credentials) == (
            answer["access-control-allow-origin"],
            answer.get("access-control-allow-credentials"),
        )
        assert answer["access-control-expose-headers"] == "Location, ETag, X-Powered-By"
        assert answer["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/{db}/gql-apps", "/{db}/apikeys", "/{db}/apikeys/none"])
async def test_head_is_get_without_its_body(admin: httpx.AsyncClient, tenant: str, path: str) -> None:
    path = path.replace("{db}", tenant)

    get, head = await admin.get(path), await admin.head(path)

    assert (get.status_code, dict(get.headers)) == (head.status_code, dict(head.headers))
    assert head.content == b""
    assert get.content


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Content-Type": "application/json"}, 201),
        ({"Content-Type": "application/hal+json; charset=utf-8"}, 201),
        ({"Content-Type": "APPLICATION/JSON"}, 201),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "identity"}, 201),
    ],
)
async def test_media_type_of_a_body(
    admin: httpx.AsyncClient, tenant: str, headers: dict[str, str], status: int
) -> None:
    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___a", content=b"{}", headers=headers)

    assert status == response.status_code


@pytest.mark.parametrize(
    "body",
    [
        b"{", b'{"a": }', b"[1, 2", b"nonsense", b"{} {}", b"\xff\xfe{}", b'{"a": "\xff"}',
        b'{"a": 1e999}', b'{"a": 123456789012345678901}', b'{"a": "\\ud800"}', b"[" * 5000, b"\0",
    ],
)  # fmt: skip
async def test_malformed_body_is_refused(admin: httpx.AsyncClient, tenant: str, body: bytes) -> None:
    for method, path in [
        ("PUT", f"/{tenant}/gql-apps/{tenant}___a"),
        ("POST", f"/{tenant}/apikeys"),
        ("PUT", f"/{tenant}"),
    ]:
        response = await admin.request(method, path, content=body)
        assert error_body(response)["http status code"] == 400, path


@pytest.mark.parametrize("body", [b'{"a": NaN}', b"{'a': 1}"])
async def test_definitions_and_keys_are_strict_json(admin: httpx.AsyncClient, tenant: str, body: bytes) -> None:
    for method, path in [("PUT", f"/{tenant}/gql-apps/{tenant}___a"), ("POST", f"/{tenant}/apikeys")]:
        response = await admin.request(method, path, content=body)
        assert error_body(response)["http status code"] == 400, path


async def test_malformed_body_is_refused_with_its_place(admin: httpx.AsyncClient, tenant: str) -> None:
    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___a", content=b'{\n  "a": ?\n}')

    assert "line 2 column 8" in error_body(response)["message"]


@pytest.mark.parametrize("body", [b"[]", b"5", b'"x"', b"null", b"true", b"[{}]"])
async def test_body_that_is_no_object_is_refused(admin: httpx.AsyncClient, tenant: str, body: bytes) -> None:
    for method, path in [
        ("PUT", f"/{tenant}/gql-apps/{tenant}___a"),
        ("PUT", f"/{tenant}/apikeys/k"),
        ("PUT", f"/{tenant}"),
    ]:
        assert error_body(await admin.request(method, path, content=body))["http status code"] == 400


@pytest.mark.parametrize("announced", [True, False])
async def test_body_over_the_limit_is_refused(admin: httpx.AsyncClient, tenant: str, announced: bool) -> None:
    body = json.dumps({"schema": "x" * 70_000}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 8192):
            yield body[start : start + 8192]

    response = await admin.put(f"/{tenant}/gql-apps/{tenant}___a", content=body if announced else chunks())

    assert error_body(response)["http status code"] == 413
    assert error_body(response)["http status description"] == "Request Too Long"


async def raw_call(app: ASGIApp, method: str, path: str, receive: Callable[[], Any], **headers: str) -> list[Message]:
    """Speak ASGI without a client."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return sent


async def test_half_a_body_writes_nothing(
    transport: httpx.ASGITransport, store: Store, admin: httpx.AsyncClient, tenant: str, hook: Notes
) -> None:
    headers = bearer(await store_key(store, tenant, entry("/")))
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b'{"schema": ', "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    path = f"/{tenant}/gql-apps/{tenant}___a"
    sent = await raw_call(transport.app, "PUT", path, receive, authorization=headers["Authorization"])

    assert sent == []
    assert hook.prepared == []
    assert (await admin.get(path)).status_code == 404


async def test_websocket_without_credentials_is_refused_with_a_status(transport: httpx.ASGITransport) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    path = "/acme/notes/_streams/crud"
    scope = {"type": "websocket", "scheme": "ws", "path": path, "raw_path": path.encode(), "query_string": b""}
    await transport.app(scope | {"headers": []}, receive, send)

    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert 401 == sent[0]["status"]


async def test_unexpected_error_is_masked_and_logged(
    store: Store, feed: ChangeFeed, hook: Notes, tenant: str, caplog: pytest.LogCaptureFixture
) -> None:
    hook.failure = RuntimeError("details of ours")
    access = AccessControl(store, feed, admin_user="a", admin_password="b")
    app = create_app(store=store, access=access, keys=KeyStore(store), definitions=hook, settings=RestSettings())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", auth=("a", "b")) as client:
        response = await client.put(f"/{tenant}/gql-apps/{tenant}___a", json={})

    body = error_body(response)
    assert body["http status code"] == 500
    assert "details of ours" not in response.text
    assert body["message"].rsplit(" ", 1)[1] in caplog.text


async def test_store_that_is_away_is_500_for_a_while(feed: ChangeFeed, hook: Notes) -> None:
    away = Store.open("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100")
    access = AccessControl(away, feed, admin_user="a", admin_password="b")
    app = create_app(store=away, access=access, keys=KeyStore(away), definitions=hook, settings=RestSettings())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        known = await client.get("/acme/apikeys", auth=("a", "b"))
        key = await client.get("/acme/apikeys", headers=bearer("k"))
    await away.close()

    assert [error_body(response)["http status code"] for response in (known, key)] == [500, 500]
    assert {"5"} == {response.headers["retry-after"] for response in (known, key)}
    assert "127.0.0.1" not in known.text + key.text


async def test_no_key_shows_up_in_logs_or_errors(
    anonymous: httpx.AsyncClient, store: Store, tenant: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")  # the client's own record of what it asks for
    key = await store_global_key(store, entry("/nothing/"))
    shown = []
    for headers in (bearer(key), {"Authorization": f'apikey="{key}x"'}, {"Authorization": f"Basic {key}"}):
        for method, path in [
            ("GET", f"/{tenant}/apikeys/{key}"),
            ("PUT", f"/{tenant}/apikeys/{key}"),
            ("GET", f"/{tenant}/gql-apps?securetoken={key}"),
            ("DELETE", f"/{tenant}/apikeys/{key}/more"),
        ]:
            shown.append((await anonymous.request(method, path, headers=headers, content=f'{{"_id": "{key}",')).text)

    assert not [text for text in shown if key in text]
    assert key not in caplog.text
