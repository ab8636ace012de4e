"""Who may watch what: answers before the upgrade, with the status of the refusal and the usual error body."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from content_core.documents import Document
from content_core.store import ChangeFeed, Store
from tests.patience import PATIENCE, until
from tests.rest_compat.streams.conftest import CRUD, Live, event, opened_live, watching

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}

UPGRADE = "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"


async def refused(live: Live, path: str, **headers: str) -> httpx.Response:
    """Ask for a WebSocket; give the answer, which is none."""
    response = await live.admin.get(path, headers={**HANDSHAKE, **headers})
    assert response.status_code != 101, response.headers
    return response


async def status_of(live: Live, uri: str, query: str = "", **options: Any) -> tuple[int, Any]:
    """Connect, or fail to; give the status and the body's message."""
    try:
        async with watching(live, uri, query, **options):
            return 101, None
    except websockets.InvalidStatus as error:
        body = error.response.body
        return error.response.status_code, json.loads(body)["message"] if body else None


async def works(client: ClientConnection, live: Live) -> bool:
    await live.put("works")
    return bool((await event(client))["documentKey"]["_id"] == "works")


async def test_token_in_the_query_opens_a_stream(live: Live) -> None:
    token = await live.token(await live.key())

    async with watching(live, query=f"securetoken={token}") as client:
        assert await works(client, live)


@pytest.mark.parametrize("header", ["Bearer k-reader", 'apikey="k-reader"'])
async def test_key_in_the_header_opens_a_stream(live: Live, header: str) -> None:
    await live.key()
    async with watching(live, additional_headers={"Authorization": header}) as client:
        assert await works(client, live)


async def test_admin_may_watch(live: Live) -> None:
    async with watching(live, additional_headers={"Authorization": "Basic YWRtaW46Y29ycmVjdCBob3JzZQ=="}) as client:
        assert await works(client, live)


async def test_cookie_opens_a_stream_for_pages_of_the_server_itself(live: Live) -> None:
    cookie = {"Cookie": f"securetoken={await live.token(await live.key())}"}

    async with watching(live, additional_headers=cookie, origin=f"http://127.0.0.1:{live.port}") as client:
        assert await works(client, live)
    assert 403 == (await status_of(live, "crud", additional_headers=cookie, origin="https://elsewhere.example"))[0]
    assert 403 == (await status_of(live, "crud", additional_headers=cookie))[0]


async def test_upgrade_without_credentials_is_401(live: Live) -> None:
    response = await live.admin.get(f"{live.collection}/_streams/crud", headers=HANDSHAKE, auth=None)

    assert (401, b"") == (response.status_code, response.content)
    assert response.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("shown", ["securetoken=nonsense", "securetoken="])
async def test_bad_token_is_401_even_with_a_good_header(live: Live, shown: str) -> None:
    headers = {"Authorization": f"Bearer {await live.key()}"}

    assert (401, None) == await status_of(live, "crud", shown, additional_headers=headers)


async def test_token_for_another_tenant_is_403(live: Live) -> None:
    other = f"{live.database}x"
    await live.admin.put(f"/{other}")
    key = {"_id": "k-all", "key": "k-all", "permissions": [{"url": "/", "methods": ["GET"]}]}
    await live.admin.put(f"/{other}/apikeys/k-all", json=key)
    try:
        answer = await live.admin.get(
            f"/_logic/securetoken?tenant={other}", headers={"Authorization": "Bearer k-all"}, auth=None
        )
        status, _ = await status_of(live, "crud", f"securetoken={answer.json()['securetoken']}")
    finally:
        await live.store.drop_database(other)

    assert 403 == status


@pytest.mark.parametrize(
    "permission",
    [{"url": "/shop.release.content/", "methods": ["GET"]}, {"url": "/shop.preview.content/", "methods": ["PUT"]}],
)
async def test_key_without_the_right_to_read_is_403(live: Live, permission: Document) -> None:
    await live.key("k-other", permissions=[permission])

    status, _ = await status_of(live, "crud", additional_headers={"Authorization": "Bearer k-other"})

    assert 403 == status


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/{database}/shop.preview.content/_streams/none", "change stream 'none' does not exist"),
        ("/{database}/shop.preview.content/_streams/CRUD", "change stream 'CRUD' does not exist"),
        ("/{database}/nowhere/_streams/crud", "Collection 'nowhere' does not exist"),
        ("/{database}none/any/_streams/crud", "Db '{database}none' does not exist"),
    ],
)
async def test_unknown_stream_is_404(live: Live, path: str, message: str) -> None:
    response = await refused(live, path.format(database=live.database))

    assert (404, message.format(database=live.database)) == (response.status_code, response.json()["message"])
    assert "application/json" == response.headers["content-type"]
    assert (404, "Not Found") == tuple(response.json()[f"http status {what}"] for what in ("code", "description"))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/{database}/shop.preview.content/_streams", 400),
        ("/{database}/shop.preview.content", 400),
        ("/{database}/shop.preview.content/a", 400),
        ("/", 400),
        ("/_logic/healthcheck", 400),
        ("/graphql/acme/app", 403),
        ("/config/any/_streams/crud", 403),
        ("/{database}/system.views/_streams/crud", 403),
        ("/{database}//x/_streams/crud", 400),
        ("/{database}/a%00b/_streams/crud", 400),
    ],
)
async def test_other_addresses_have_no_websocket(live: Live, path: str, status: int) -> None:
    response = await refused(live, path.format(database=live.database))

    assert (status, status) == (response.status_code, response.json()["http status code"])


async def test_get_without_upgrade_is_400(live: Live) -> None:
    response = await live.admin.get(f"{live.collection}/_streams/crud")

    assert 400 == response.status_code
    assert "Upgrade" in response.json()["message"]


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_other_methods_are_405(live: Live, method: str) -> None:
    assert 405 == (await live.admin.request(method, f"{live.collection}/_streams/crud")).status_code


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "variable lang not bound"),
        ("avars=[1]", "illegal avars parameter, it is not a json object"),
        ("avars={", "illegal avars parameter"),
        ('avars={"lang":{"$ne":1}}', "illegal avars parameter: the operator '$ne' is not allowed in it"),
        ('avars={"lang":1}&pagesize=1000', "illegal pagesize parameter"),
    ],
)
async def test_variables_that_do_not_fit_are_400(live: Live, query: str, message: str) -> None:
    await live.define({"uri": "by_lang", "stages": [{"$match": {"fullDocument.lang": {"$var": "lang"}}}]})

    status, said = await status_of(live, "by_lang", query)

    assert (400, True) == (status, said.startswith(message)), said


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        ({"$match": {"$where": "1"}}, 403),
        ({"$match": {"$expr": {"$function": {"body": "f", "args": [], "lang": "js"}}}}, 403),
        ({"$currentOp": {}}, 403),
        ({"$lookup": {"from": "apikeys", "as": "a", "localField": "a", "foreignField": "a"}}, 422),
        ({"$merge": "elsewhere"}, 422),
        ({"$out": "elsewhere"}, 422),
        ({"$group": {"_id": 1}}, 422),
        ({"$nonsense": 1}, 422),
        ({"$match": {"$nonsense": 1}}, 422),
        ({"$project": {"_id": 0}}, 422),
        ({"$project": {"_id": "$operationType"}}, 422),
        ({"$unset": ["_id._data"]}, 422),
        ({"$unset": "_id"}, 422),
        ({"$addFields": {"_id": 1}}, 422),
        ({"$set": {"_id.x": 1}}, 422),
        ({"$match": {"fullDocument.name": {"$regex": "a" * 2000}}}, 400),
        ("nonsense", 422),
        ({}, 422),
    ],
)
async def test_stages_that_cannot_run_are_refused(live: Live, stage: Any, status: int) -> None:
    await live.store.update_one(
        live.database,
        "_properties",
        filter={"_id": "_properties.shop.preview.content"},
        update=[{"$set": {"streams": {"$literal": [{"uri": "bad", "stages": [stage]}]}}}],
        upsert=True,
    )

    answered, said = await status_of(live, "bad")

    assert (status, True) == (answered, bool(said)), said
    assert 0 == live.upstreams.streams


async def test_definitions_that_are_none_are_not_found(live: Live) -> None:
    for nonsense in ("crud", {"uri": "crud"}, ["crud", None, {"url": "crud"}]):
        await live.admin.put(live.collection, json={"other": 1})
        await live.store.update_one(
            live.database,
            "_properties",
            filter={"_id": "_properties.shop.preview.content"},
            update={"$set": {"streams": nonsense}},
            upsert=False,
        )

        assert 404 == (await status_of(live, "crud"))[0]


@pytest.mark.parametrize(
    "request_head",
    [
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET {path}?x=" + "y" * 20_000 + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        UPGRADE + "\r\n",
        UPGRADE + "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n\r\n",
        UPGRADE + "".join(f"X-{n}: 1\r\n" for n in range(300)) + "\r\n",
        "GET {path} HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
    ids=["method", "long", "without a key", "bad key", "many headers", "old version"],
)
async def test_handshake_that_is_none_is_answered_and_closed(live: Live, request_head: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(request_head.format(path=f"{live.collection}/_streams/crud").encode())
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    assert b"Traceback" not in answer


async def test_client_that_leaves_during_the_handshake_leaves_nothing_behind(live: Live) -> None:
    await live.key()
    lines = [f"GET {live.collection}/_streams/crud HTTP/1.1", "Host: x", "Authorization: Bearer k-reader"]
    head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in HANDSHAKE.items()), "", ""])
    for _ in range(10):
        _, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(head.encode())
        await writer.drain()
        writer.transport.abort()
    async with watching(live) as client:
        assert await works(client, live)

    async def nobody_left() -> bool:
        return (live.upstreams.watchers, live.upstreams.streams) == (0, 0)

    await until(nobody_left)


async def test_bounds_are_503(store: Store, feed: ChangeFeed, database: str) -> None:
    bounds: dict[str, Any] = {"max_streams": 2, "max_watchers": 4, "max_watchers_per_stream": 2}
    async with opened_live(store, feed, database, **bounds) as live:
        await live.define(CRUD, *({"uri": f"s{n}", "stages": [{"$match": {"n": n}}]} for n in range(3)))
        async with watching(live, "s0"), watching(live, "s0"):
            per_stream = await status_of(live, "s0")
            async with watching(live, "s1"):
                streams = await status_of(live, "s2")
                async with watching(live, "s1"):
                    watchers = await status_of(live, "s1")
        freed = await status_of(live, "s2")

    assert [503, 503, 503, 101] == [status for status, _ in (per_stream, streams, watchers, freed)]
    assert "the change stream has 2 watchers, and takes no more" == per_stream[1]
    assert "the server follows 2 different change streams, and takes no more" == streams[1]
    assert "the server has 4 watchers, and takes no more" == watchers[1]


async def test_interface_without_upstreams_has_no_change_streams(
    admin: httpx.AsyncClient, transport: httpx.ASGITransport, tenant: str
) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    authorization = admin.build_request("GET", "/", headers={"authorization": "Basic YWRtaW46Y29ycmVjdCBob3JzZQ=="})
    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": f"/{tenant}/any/_streams/crud",
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in authorization.headers.raw],
        "extensions": {"websocket.http.response": {}},
    }
    await transport.app(scope, receive, send)

    assert ("websocket.http.response.start", 501) == (sent[0]["type"], sent[0]["status"])
