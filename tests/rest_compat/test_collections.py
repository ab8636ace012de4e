"""Collections over HTTP: made, described, dropped; their metadata and its odd names (rest-api.md 4.6)."""

import asyncio
from typing import Any

import httpx
import pytest

from content_core.access.reserved import PROPERTIES
from content_core.store import Store
from tests.rest_compat.test_app import error_body
from tests.rest_compat.writing import WRONG, if_match, make_collection


async def test_collection_from_put_to_delete(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    path = f"/{tenant}/notes"

    made = await admin.put(path, headers={"Content-Type": "application/json"})
    read = await admin.get(path)
    again = await admin.put(path)
    missing = await admin.delete(path)
    wrong = await admin.delete(path, headers=WRONG)
    deleted = await admin.delete(path, headers=if_match(again))

    assert (made.status_code, made.content, again.status_code) == (201, b"", 200)
    assert {"_id": "notes", "_etag": {"$oid": made.headers["etag"]}, "_returned": 0} == read.json()
    assert error_body(missing)["http status code"] == 409
    assert "The collection's ETag must be provided using the 'If-Match' header" in missing.text
    assert (wrong.status_code, wrong.content) == (412, b"")
    assert missing.headers["etag"] == wrong.headers["etag"] == again.headers["etag"]
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await admin.get(path)).status_code == 404
    assert (await admin.delete(path)).content == b""
    assert (await admin.delete(path)).status_code == 404
    assert await store.get(tenant, PROPERTIES, f"{PROPERTIES}.notes") is None


AGGREGATION = {"uri": "by", "type": "pipeline", "stages": [{"$match": {"a.b": {"$var": "t"}}}]}


async def test_metadata_is_kept_with_odd_names(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    path = await make_collection(admin, tenant, desc="x", aggrs=[AGGREGATION], _id=5, _etag=5)

    stored = await store.get(tenant, PROPERTIES, f"{PROPERTIES}.notes")
    read = (await admin.get(path)).json()

    assert stored is not None
    assert stored["aggrs"][0]["stages"] == [{"_$match": {"a::b": {"_$var": "t"}}}]
    assert (read["_id"], read["desc"], read["aggrs"]) == ("notes", "x", [AGGREGATION])
    meta = (await admin.get(f"{path}/_meta")).json()
    assert (meta["_id"], meta["desc"], meta["_etag"]) == ("_meta", "x", read["_etag"])


async def test_empty_put_wipes_metadata_but_no_documents(admin: httpx.AsyncClient, tenant: str) -> None:
    path = await make_collection(admin, tenant, desc="x", aggrs=[AGGREGATION], jsonSchema={"schemaId": "none"})
    await admin.put(path)
    await admin.put(f"{path}/n1", json={"a": 1})

    assert (await admin.put(path)).status_code == 200

    body = (await admin.get(path)).json()
    assert {"_id", "_etag", "_returned", "_embedded"} == body.keys()
    assert body["_returned"] == 1


async def test_patch_merges_metadata(admin: httpx.AsyncClient, tenant: str) -> None:
    path = await make_collection(admin, tenant, desc="x", aggrs=[AGGREGATION], n=1, old=1, tags=["a"])
    second = {**AGGREGATION, "uri": "second"}
    body = {
        "streams": [{"uri": "s", "stages": [{"$match": {"x.y": 1}}]}],
        "aggrs.0.uri": "first",
        "aggrs.0.stages.0.$match": {"c.d": 1},
        "$inc": {"n": 2},
        "$unset": {"old": ""},
        "$push": {"tags": {"$each": ["b"]}},
    }

    patched = await admin.patch(path, json=body)
    pushed = await admin.patch(path, json={"$push": {"aggrs": second}, "_id": "ignored"})

    assert (patched.status_code, patched.content, pushed.status_code) == (200, b"", 200)
    read = (await admin.get(path)).json()
    assert read["_etag"] == {"$oid": pushed.headers["etag"]}
    assert read["aggrs"] == [{**AGGREGATION, "uri": "first", "stages": [{"$match": {"c.d": 1}}]}, second]
    assert read["streams"] == body["streams"]
    assert (read["desc"], read["n"], read["tags"], read["_id"]) == ("x", 3, ["a", "b"], "notes")
    assert "old" not in read


async def test_patch_of_a_collection_made_elsewhere(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    await store.insert(tenant, "wild", {"_id": 1})

    assert (await admin.patch(f"/{tenant}/wild", json={"desc": "x"})).status_code == 200
    assert (await admin.get(f"/{tenant}/wild")).json()["desc"] == "x"


@pytest.mark.parametrize("body", [b"5", b"[]", b'"x"', b"{", b'{"a\\u0000": 1}', b'{"a":' * 195 + b"1" + b"}" * 195])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_metadata_must_be_an_object(admin: httpx.AsyncClient, tenant: str, method: str, body: bytes) -> None:
    path = await make_collection(admin, tenant)
    for target in (path, f"/{tenant}"):
        etag = (await admin.get(target)).headers["etag"]
        assert error_body(await admin.request(method, target, content=body))["http status code"] == 400
        assert (await admin.get(target)).headers["etag"] == etag


@pytest.mark.parametrize("body", [b"", b"{}", b'{"$foo": {"a": 1}}', b'{"a": 1, "a.b": 1}', b'{"$set": 5}'])
async def test_metadata_patches_that_are_refused(admin: httpx.AsyncClient, tenant: str, body: bytes) -> None:
    path = await make_collection(admin, tenant)

    for target in (path, f"/{tenant}"):
        assert error_body(await admin.patch(target, content=body))["http status code"] == 400


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("_foo", (400, 400, 404)), ("x$y", (400, 400, 400)), ("system.x", (403, 403, 403)),
        ("a.chunks", (403, 403, 403)),
        ("_properties", (403, 403, 403)), ("apikeys", (403, 403, 403)), ("gql-apps", (403, 403, 403)),
        ("a%00b", (400, 400, 400)), ("n" * 300, (400, 404, 404)),
    ],
)  # fmt: skip
async def test_names_of_collections(
    admin: httpx.AsyncClient, tenant: str, name: str, statuses: tuple[int, int, int]
) -> None:
    for method, status in zip(("PUT", "PATCH", "DELETE"), statuses, strict=True):
        response = await admin.request(method, f"/{tenant}/{name}", json=None if method == "DELETE" else {"a": 1})
        assert status == response.status_code, (method, response.text)


async def test_collection_of_no_database_is_404(admin: httpx.AsyncClient, store: Store) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        response = await admin.request(method, "/none/notes", json={"a": 1})
        assert error_body(response)["message"] == "Db 'none' does not exist"
    assert await store.collection_names("none") == []


@pytest.mark.parametrize("leftover", [False, True])
async def test_of_many_creators_of_a_collection_one_is_first(
    admin: httpx.AsyncClient, store: Store, tenant: str, leftover: bool
) -> None:
    if leftover:
        await store.insert(tenant, PROPERTIES, {"_id": f"{PROPERTIES}.notes", "desc": "of one dropped elsewhere"})

    answers = await asyncio.gather(*(admin.put(f"/{tenant}/notes", headers=WRONG) for _ in range(8)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 412}
    assert "desc" not in (await admin.get(f"/{tenant}/notes")).json()


async def test_bucket_is_dropped_with_its_bytes(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    path = await make_collection(admin, tenant, "media.files")
    await store.insert(tenant, "media.chunks", {"_id": 1})

    assert (await admin.delete(path, headers=if_match(await admin.get(path)))).status_code == 204
    assert not {"media.files", "media.chunks"} & set(await store.collection_names(tenant))


@pytest.mark.parametrize(
    ("path", "message"),
    [("b.files", "File Bucket 'b.files' does not exist"), ("none", "Collection 'none' does not exist")],
)
async def test_missing_things_have_their_names(admin: httpx.AsyncClient, tenant: str, path: str, message: Any) -> None:
    assert error_body(await admin.patch(f"/{tenant}/{path}", json={"a": 1}))["message"] == message
