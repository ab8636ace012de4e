"""API keys over HTTP: the endpoints, the order of checks, who may, and that a deleted key is dead on two servers."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from content_core.access import AccessControl, KeyStore
from content_core.access.reserved import SCHEMAS
from content_core.store import ChangeFeed, Store
from rest_compat import RestSettings, create_app
from tests.content_core.access.keys import READ, entry, key_document, store_global_key, store_key
from tests.patience import until
from tests.rest_compat.conftest import Notes
from tests.rest_compat.test_app import bearer, error_body


async def test_key_is_created_read_replaced_and_deleted(admin: httpx.AsyncClient, tenant: str) -> None:
    body = key_document(entry("/notes/", *READ))
    path = f"/{tenant}/apikeys/{body['_id']}"

    created = await admin.put(path, json={"key": body["_id"], "permissions": body["permissions"]})
    read = await admin.get(path)
    replaced = await admin.put(path, json=read.json())
    deleted = await admin.delete(path)
    again = await admin.delete(path)

    assert (created.status_code, created.content) == (201, b"")
    assert (read.status_code, read.headers["content-type"]) == (200, "application/hal+json")
    assert {**body, "_etag": {"$oid": created.headers["etag"]}} == read.json()
    assert read.headers["etag"] == created.headers["etag"]
    assert read.headers["cache-control"] == "no-store"
    assert (replaced.status_code, replaced.content) == (200, b"")
    assert replaced.headers["etag"] != created.headers["etag"]
    assert (deleted.status_code, deleted.content, again.status_code, again.content) == (204, b"", 404, b"")
    assert error_body(await admin.get(path))["http status code"] == 404


async def test_post_creates_with_location_then_replaces(admin: httpx.AsyncClient, tenant: str) -> None:
    body = key_document(key=f"key ü/{tenant}")

    first = await admin.post(f"/{tenant}/apikeys", json=body)
    second = await admin.post(f"/{tenant}/apikeys", json=body)

    assert (first.status_code, first.content) == (201, b"")
    assert first.headers["location"] == f"http://caas.example/{tenant}/apikeys/key%20%C3%BC%2F{tenant}"
    assert (second.status_code, "location" in second.headers) == (200, False)
    assert (await admin.get(first.headers["location"])).status_code == 200


async def test_array_is_stored_as_a_whole_or_not_at_all(admin: httpx.AsyncClient, tenant: str) -> None:
    one, two = key_document(), key_document()
    path = f"/{tenant}/apikeys"
    await admin.post(path, json=one)

    bad = await admin.post(path, json=[two, {**key_document(), "x": 1}])
    good = await admin.post(path, json=[one, two])

    assert error_body(bad)["http status code"] == 400
    assert good.status_code == 200
    assert good.json() == {
        "_embedded": {
            "rh:result": [
                {
                    "inserted": 1,
                    "deleted": 0,
                    "modified": 1,
                    "matched": 1,
                    "_links": {"rh:newdoc": [{"href": f"{path}/{two['_id']}"}]},
                }
            ]
        }
    }
    assert error_body(await admin.post(path, json=[]))["http status code"] == 400


async def test_list_is_paged(admin: httpx.AsyncClient, tenant: str) -> None:
    for number in range(25):
        await admin.put(f"/{tenant}/apikeys/k{number:02}", json=key_document(key=f"k{number:02}"))

    first = (await admin.get(f"/{tenant}/apikeys")).json()
    second = (await admin.get(f"/{tenant}/apikeys?page=3&pagesize=10&count")).json()
    past = (await admin.get(f"/{tenant}/apikeys?page=9&count")).json()
    none = (await admin.get(f"/{tenant}/apikeys?pagesize=0&count")).json()
    bare = (await admin.get(f"/{tenant}/apikeys?page=999999999999999&pagesize=100")).json()

    assert list(first) == ["_id", "_etag", "jsonSchema", "_returned", "_embedded"]
    assert (first["_id"], first["_returned"], first["_embedded"]["rh:doc"][0]["_id"]) == ("apikeys", 20, "k24")
    assert [key["_id"] for key in second["_embedded"]["rh:doc"]] == ["k04", "k03", "k02", "k01", "k00"]
    assert (second["_size"], second["_total_pages"], second["_returned"]) == (25, 3, 5)
    assert (past["_size"], past["_total_pages"], past["_returned"], "_embedded" in past) == (25, 2, 0, False)
    assert (none["_size"], "_total_pages" in none, none["_returned"]) == (25, False, 0)
    assert bare["_returned"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=-1", "page=x", "page=", "page=1.5", "page=%D9%A1", "page=" + "9" * 40, "pagesize=101",
        "pagesize=-1",
        "pagesize=x", "pagesize=", "filter={}",
    ],
)  # fmt: skip
async def test_bad_paging_is_refused(admin: httpx.AsyncClient, tenant: str, query: str) -> None:
    for collection in ("apikeys", "gql-apps"):
        assert error_body(await admin.get(f"/{tenant}/{collection}?{query}"))["http status code"] == 400


async def test_list_is_filtered_sorted_and_projected(admin: httpx.AsyncClient, tenant: str) -> None:
    path = f"/{tenant}/apikeys"
    for key, name in (("a", "shop, read"), ("b", "sync"), ("c", "shop, write")):
        body = key_document(entry(f"/{key}/", "GET"), key=key)
        assert (await admin.put(f"{path}/{key}", json={**body, "name": name})).status_code == 201

    shops = (await admin.get(path, params={"filter": "{name: {$regex: '^shop'}}", "sort": "name", "count": ""})).json()
    both = (await admin.get(f"{path}?filter={{name:'sync'}}&filter={{_id:'b'}}&keys={{_id:1}}")).json()
    none = (await admin.get(path, params={"filter": '{"key": "nobody\'s"}'})).json()
    plain = (await admin.get(path, params={"rep": "s", "keys": "{name: 1}", "sort": "{name: 1}"})).json()
    bare = (await admin.get(f"{path}?np&pagesize=1")).json()

    assert [key["_id"] for key in shops["_embedded"]["rh:doc"]] == ["a", "c"]
    assert (shops["_size"], shops["_total_pages"], shops["_returned"]) == (2, 1, 2)
    assert both["_embedded"]["rh:doc"] == [{"_id": "b"}]
    assert (none["_returned"], "_embedded" in none) == (0, False)
    assert plain == [
        {"_id": "a", "name": "shop, read"},
        {"_id": "c", "name": "shop, write"},
        {"_id": "b", "name": "sync"},
    ]
    assert "_etag" not in bare
    assert bare["_embedded"]["rh:doc"][0]["_id"] == "c"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filter=", 400), ("filter={}", 400), ("filter=[]", 400), ("filter={a:", 400), ("filter={$nonsense:1}", 400),
        ("filter={$where:'true'}", 403), ("filter={a:{$elemMatch:{$where:'true'}}}", 403), ("keys={}", 400),
        ("keys={a:{$function:{}}}", 403), ("sort={name:'up'}", 400), ("hal=x", 400),
    ],
)  # fmt: skip
async def test_bad_query_for_keys_is_refused(admin: httpx.AsyncClient, tenant: str, query: str, status: int) -> None:
    await admin.put(f"/{tenant}/apikeys/k", json=key_document(key="k"))
    for path in ("apikeys", "apikeys/k"):
        if path == "apikeys/k" and query.startswith("sort"):
            continue
        assert status == error_body(await admin.get(f"/{tenant}/{path}?{query}"))["http status code"], path


async def test_single_key_is_read_like_a_document(admin: httpx.AsyncClient, tenant: str) -> None:
    key = "64a51c0de3b1f20f4d7a2002"  # a string, although it looks like an ObjectId
    path = f"/{tenant}/apikeys/{key}"
    await admin.put(path, json={**key_document(key=key), "name": "n"})

    whole = await admin.get(path)
    part = await admin.get(path, params={"keys": "{name: 1}"})
    found = await admin.get(path, params={"filter": "{name: 'n'}"})
    lost = await admin.get(path, params={"filter": "{name: 'm'}"})

    assert key == whole.json()["_id"]
    assert {"_id": key, "name": "n"} == part.json()
    assert whole.headers["etag"] == part.headers["etag"]
    assert (200, 404) == (found.status_code, lost.status_code)


@pytest.mark.parametrize("below", ["", "/k", "/_size", "/_meta", "/_indexes", "/_aggrs/a", "/_streams/s", "/*"])
async def test_nothing_about_keys_is_open_to_readers(
    anonymous: httpx.AsyncClient, store: Store, tenant: str, below: str
) -> None:
    readers = [
        await store_key(store, tenant, entry("/", *READ, "DELETE")),
        await store_global_key(store, entry("/", *READ, "DELETE")),
    ]

    for reader in readers:
        for method in ("GET", "HEAD", "DELETE"):
            response = await anonymous.request(method, f"/{tenant}/apikeys{below}", headers=bearer(reader))
            assert 403 == response.status_code, method


async def test_references_never_lead_to_keys(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    await store.replace(tenant, "notes", {"_id": "n", "url": f"http://caas.example/{tenant}/apikeys/k"})
    await admin.put(f"/{tenant}/apikeys/k", json=key_document(key="k"))

    response = await admin.get(f"/{tenant}/notes/n?resolveRef=url")

    assert {} == response.json()["_resolvedRefs"]


async def test_errors_never_quote_a_key(admin: httpx.AsyncClient, tenant: str) -> None:
    secret = "0e6a5b7c1d22-secret"
    path = f"/{tenant}/apikeys"

    answers = [
        await admin.get(f"{path}/{secret}"),
        await admin.put(f"{path}/{secret}", json={"key": "other", "permissions": []}),
        await admin.put(f"{path}/other", json={"key": secret, "permissions": []}),
        await admin.post(path, json={"_id": secret, "key": [secret], "permissions": []}),
        await admin.post(path, json={"_id": "x", "key": secret, "permissions": []}),
        await admin.delete(f"{path}/{secret}"),
        await admin.patch(f"{path}/{secret}", json={}),
    ]

    assert [404, 400, 400, 400, 400, 404, 405] == [answer.status_code for answer in answers]
    assert not any(secret in answer.text for answer in answers)


@pytest.mark.parametrize(
    ("method", "status", "message", "body"),
    [
        ("PUT", 500, "the schema 'apikeys' is not stored", {}),
        ("POST", 500, "the schema 'apikeys' is not stored", {}),
    ],
)
async def test_missing_schema_is_500(
    admin: httpx.AsyncClient, store: Store, tenant: str, method: str, status: int, message: str, body: Any
) -> None:
    await store.delete(tenant, SCHEMAS, "apikeys")
    path = f"/{tenant}/apikeys" + ("/k" if method == "PUT" else "")

    refused = await admin.request(method, path, json=body)
    await admin.put(f"/{tenant}")
    mended = await admin.put(f"/{tenant}/apikeys/k", json=key_document(key="k"))

    assert status == error_body(refused)["http status code"]
    assert message in error_body(refused)["message"]
    assert mended.status_code == 201


@pytest.mark.parametrize(
    ("method", "body", "message"),
    [
        ("PUT", {"key": "k"}, "Request content violates schema 'apikeys'"),
        ("PUT", {"key": "k2", "permissions": [], "x": 1}, "Request content violates schema 'apikeys'"),
        ("PUT", {"key": "k2", "permissions": []}, "'key' must be the id"),
        ("PUT", {"_id": "k2", "key": "k2", "permissions": []}, "'_id' in the body differs"),
        ("POST", {"key": "k", "permissions": []}, "Request content violates schema 'apikeys'"),
        ("POST", {"_id": "k", "key": "k2", "permissions": []}, "'key' and '_id' must be the same"),
        ("POST", {"_id": "k", "key": "k", "permissions": [entry("/"), entry("/", "GET")]}, "twice"),
        ("POST", {"_id": "k", "key": "k", "permissions": [entry("(a+", mode="REGEX")]}, "not a pattern"),
        ("POST", {"_id": "stray", "key": "stray", "permissions": []}, None),
        ("POST", {"_id": "taken", "key": "taken", "permissions": []}, "another API key document"),
    ],
)
async def test_unacceptable_key_is_400(
    admin: httpx.AsyncClient, store: Store, tenant: str, method: str, body: Any, message: str | None
) -> None:
    await store.insert(tenant, "apikeys", {"_id": "stray", "key": "taken"})
    path = f"/{tenant}/apikeys" + ("/k" if method == "PUT" else "")

    response = await admin.request(method, path, json=body)

    if message is None:
        assert response.status_code == 200
        return
    assert error_body(response)["http status code"] == 400
    assert message in response.json()["message"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [("{etag}", 200), ('"{etag}"', 200), ('W/"{etag}"', 200), ("0" * 24, 412), ("*", 412)],
)
async def test_if_match_guards_writes(admin: httpx.AsyncClient, tenant: str, sent: str, status: int) -> None:
    path = f"/{tenant}/apikeys/k"
    etag = (await admin.put(path, json=key_document(key="k"), headers={"If-Match": "0" * 24})).headers["etag"]
    headers = {"If-Match": sent.format(etag=etag)}

    written = await admin.put(path, json=key_document(key="k"), headers=headers)
    deleted = await admin.delete(path, headers=headers)

    assert status == written.status_code
    assert deleted.status_code == 412
    if status == 412:
        assert (b"", etag) == (written.content, written.headers["etag"])


async def test_if_none_match_spares_the_body(admin: httpx.AsyncClient, tenant: str) -> None:
    path = f"/{tenant}/apikeys/k"
    etag = (await admin.put(path, json=key_document(key="k"))).headers["etag"]

    same = await admin.get(path, headers={"If-None-Match": f'"{etag}"'})
    other = await admin.get(path, headers={"If-None-Match": "0" * 24})

    assert (304, b"", etag, 200) == (same.status_code, same.content, same.headers["etag"], other.status_code)


async def test_global_keys_live_in_caas_admin(
    admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, tenant: str
) -> None:
    body = key_document(entry(f"/{tenant}/", *READ))

    created = await admin.post("/caas_admin/apikeys", json=body)
    opened = await anonymous.get(f"/{tenant}/gql-apps", headers=bearer(body["_id"]))
    closed = await anonymous.get("/caas_admin/apikeys", headers=bearer(body["_id"]))
    deleted = await admin.delete(f"/caas_admin/apikeys/{body['_id']}")

    assert [answer.status_code for answer in (created, opened, closed, deleted)] == [201, 200, 403, 204]


@pytest.mark.parametrize(
    ("methods", "get", "put", "delete"),
    [
        (READ, 403, 403, 403),
        (["GET", "PUT"], 200, 201, 403),
        (["GET", "POST"], 200, 403, 403),
        (["GET", "DELETE"], 403, 403, 403),
        (["PUT"], 403, 201, 403),
        (["GET", "PUT", "DELETE"], 200, 201, 204),
    ],
)
@pytest.mark.parametrize("scope", ["local", "global"])
async def test_keys_are_opened_by_the_right_to_write_them(
    anonymous: httpx.AsyncClient,
    store: Store,
    tenant: str,
    scope: str,
    methods: list[str],
    get: int,
    put: int,
    delete: int,
) -> None:
    if scope == "local":
        key = await store_key(store, tenant, entry("/apikeys/", *methods))
    else:
        key = await store_global_key(store, entry(f"/{tenant}/apikeys/", *methods))
    headers, path = bearer(key), f"/{tenant}/apikeys"
    fresh = key_document()

    answers = [
        await anonymous.get(path, headers=headers),
        await anonymous.put(f"{path}/{fresh['_id']}", json=fresh, headers=headers),
        await anonymous.delete(f"{path}/{fresh['_id']}", headers=headers),
    ]

    assert [get, put, delete] == [answer.status_code for answer in answers]


@pytest.fixture
async def other_server(store: Store, hook: Notes) -> AsyncIterator[httpx.AsyncClient]:
    """A second server on the same MongoDB, with a change feed of its own."""
    feed = ChangeFeed(store)
    await feed.start()
    access = AccessControl(store, feed, admin_user="admin", admin_password="correct horse")
    app = create_app(store=store, access=access, keys=KeyStore(store), definitions=hook, settings=RestSettings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://other.example") as client:
        yield client
    await feed.stop()


async def test_deleted_key_is_dead_everywhere_within_a_second(
    admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, other_server: httpx.AsyncClient, tenant: str
) -> None:
    body, path = key_document(entry("/gql-apps/", "GET")), f"/{tenant}/gql-apps"
    headers = bearer(body["_id"])
    await admin.post(f"/{tenant}/apikeys", json=body)
    for server in (anonymous, other_server):
        assert (await server.get(path, headers=headers)).status_code == 200

    assert (await admin.delete(f"/{tenant}/apikeys/{body['_id']}")).status_code == 204

    assert (await anonymous.get(path, headers=headers)).status_code == 401

    async def dead() -> bool:
        return (await other_server.get(path, headers=headers)).status_code == 401

    assert await until(dead) < 1
