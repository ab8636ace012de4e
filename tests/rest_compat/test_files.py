"""Files over a socket: stored, described, replaced, listed, deleted."""

import asyncio
import json
import os
import re
from typing import Any, Final

import httpx
import pytest
from bson import ObjectId

from content_core.access import KeyStore
from content_core.store import FindQuery, Store
from tests.buckets import FILES, left_over
from tests.rest_compat.writing import WRONG, bulk_result, if_match

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
BIG: Final = 3_000_000
OID: Final = re.compile("[0-9a-f]{24}")


def form(
    data: bytes = PNG, metadata: Any = None, *, filename: str = "up.bin", part_type: str = "application/octet-stream"
) -> dict[str, Any]:
    """Build what httpx sends as multipart: metadata first, then the file."""
    parts: dict[str, Any] = {}
    if metadata is not None:
        text = metadata if isinstance(metadata, str | bytes) else json.dumps(metadata)
        parts["metadata"] = (None, text)
    return {"files": {**parts, "file": (filename, data, part_type)}}


async def upload(remote: httpx.AsyncClient, path: str, document_id: str = "a", **options: Any) -> httpx.Response:
    response = await remote.put(f"{path}/{document_id}", **form(**options))
    assert response.status_code in {200, 201}, response.text
    return response


async def shown(remote: httpx.AsyncClient, path: str, document_id: str = "a") -> dict[str, Any]:
    response = await remote.get(f"{path}/{document_id}")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def test_upload_with_metadata_is_as_documented(remote: httpx.AsyncClient, bucket: str, tenant: str) -> None:
    metadata = {"_id": "9c1e.ORIGINAL", "filename": "logo.png", "alt": "Logo"}
    response = await remote.post(bucket, **form(metadata=metadata))

    assert 201 == response.status_code
    assert f"{remote.base_url}{bucket}/9c1e.ORIGINAL".replace("//t", "/t") == response.headers["location"]
    assert OID.fullmatch(response.headers["etag"])
    read = await remote.get(f"{bucket}/9c1e.ORIGINAL")
    assert "application/hal+json" == read.headers["content-type"]
    assert response.headers["etag"] == read.headers["etag"]
    file = read.json()
    assert isinstance(file.pop("uploadDate")["$date"], int)
    assert {
        "_id": "9c1e.ORIGINAL",
        "filename": "logo.png",
        "length": len(PNG),
        "chunkSize": 261_120,
        "metadata": {
            "filename": "logo.png",
            "alt": "Logo",
            "contentType": "image/png",
            "_etag": {"$oid": response.headers["etag"]},
        },
        "_links": {"rh:data": {"href": f"{bucket}/9c1e.ORIGINAL/binary"}},
    } == file
    assert PNG == (await remote.get(f"{bucket}/9c1e.ORIGINAL/binary")).content


async def test_metadata_may_come_after_the_file_and_under_either_name(remote: httpx.AsyncClient, bucket: str) -> None:
    for name, document_id in (("metadata", "a"), ("properties", "b")):
        data = os.urandom(BIG)
        parts: Any = {"anything": ("up.bin", data), name: (None, json.dumps({"_id": document_id, "alt": name}))}
        response = await remote.post(bucket, files=parts)
        assert 201 == response.status_code
        assert response.headers["location"].endswith(f"{bucket}/{document_id}")
        assert name == (await shown(remote, bucket, document_id))["metadata"]["alt"]
        assert data == (await remote.get(f"{bucket}/{document_id}/binary")).content


@pytest.mark.parametrize("size", [3, BIG])
async def test_upload_without_id_gets_a_new_one(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, size: int
) -> None:
    data = os.urandom(size)
    response = await remote.post(bucket, **form(data))
    document_id = response.headers["location"].rpartition("/")[2]
    assert 201 == response.status_code
    assert OID.fullmatch(document_id)
    assert data == (await remote.get(f"{bucket}/{document_id}/binary")).content
    assert await store.get(tenant, FILES, ObjectId(document_id))
    assert [] == await left_over(store, tenant)


@pytest.mark.parametrize("size", [3, BIG])
async def test_post_of_an_id_that_is_there_replaces_the_file(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, size: int
) -> None:
    for expected in (201, 200):
        data = os.urandom(size)
        response = await remote.post(bucket, **form(data, {"_id": "a", "n": expected}))
        assert expected == response.status_code
        assert (expected == 201) is ("location" in response.headers)
        assert data == (await remote.get(f"{bucket}/a/binary")).content
        assert expected == (await shown(remote, bucket))["metadata"]["n"]
    assert [] == await left_over(store, tenant)


async def test_put_creates_then_replaces(remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str) -> None:
    versions = set()
    for expected, size in ((201, 10), (200, BIG), (200, 10)):
        data = os.urandom(size)
        response = await remote.put(f"{bucket}/a", **form(data, {"size": size}))
        assert expected == response.status_code
        assert "location" not in response.headers
        versions.add(response.headers["etag"])
        assert data == (await remote.get(f"{bucket}/a/binary")).content
        assert {"size", "contentType", "_etag"} == set((await shown(remote, bucket))["metadata"])
    assert 3 == len(versions)
    assert [] == await left_over(store, tenant)


@pytest.mark.parametrize(
    ("metadata", "sent_as", "expected"),
    [
        ({"filename": "logo.png"}, "up.bin", "logo.png"),
        (None, "up.bin", "up.bin"),
        ({}, "Übersicht „1“.pdf", "Übersicht „1“.pdf"),
    ],
)
async def test_name_of_a_file(
    remote: httpx.AsyncClient, bucket: str, metadata: Any, sent_as: str, expected: str
) -> None:
    await upload(remote, bucket, metadata=metadata, filename=sent_as)
    file = await shown(remote, bucket)
    assert expected == file["filename"]
    assert (metadata or {}).get("filename") == file["metadata"].get("filename")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"metadata": {"contentType": "x/y"}, "part_type": "image/gif"}, "x/y"),
        ({"part_type": "text/plain; charset=utf-8"}, "text/plain; charset=utf-8"),
        ({}, "image/png"),
        ({"data": b"plain", "filename": "style.css"}, "text/css"),
        ({"data": b"plain", "metadata": {"filename": "a.csv"}}, "text/csv"),
        ({"data": b"\0\1\2", "filename": "none"}, "application/octet-stream"),
        ({"data": b"", "filename": "none"}, "application/octet-stream"),
    ],
)
async def test_content_type(remote: httpx.AsyncClient, bucket: str, options: dict[str, Any], expected: str) -> None:
    await upload(remote, bucket, **options)
    assert expected == (await shown(remote, bucket))["metadata"]["contentType"]
    assert expected == (await remote.get(f"{bucket}/a/binary")).headers["content-type"]


async def test_json_put_replaces_the_metadata_only(remote: httpx.AsyncClient, bucket: str) -> None:
    first = await upload(remote, bucket, metadata={"alt": "old", "more": 1})
    response = await remote.put(f"{bucket}/a", json={"alt": "new", "filename": "neu.png", "_etag": "x"})

    assert 200 == response.status_code
    assert first.headers["etag"] != response.headers["etag"]
    file = await shown(remote, bucket)
    etag = {"$oid": response.headers["etag"]}
    assert {"contentType": "image/png", "alt": "new", "filename": "neu.png", "_etag": etag} == file["metadata"]
    assert "neu.png" == file["filename"]
    assert PNG == (await remote.get(f"{bucket}/a/binary")).content


async def test_json_patch_merges_into_the_metadata(remote: httpx.AsyncClient, bucket: str) -> None:
    await upload(remote, bucket, metadata={"alt": "old", "deep": {"a": 1, "b": 2}, "list": [1, 2]})
    response = await remote.patch(
        f"{bucket}/a", json={"deep.a": 5, "list.0": 9, "new": {"x": 1}, "filename": "neu.png"}
    )

    assert 200 == response.status_code
    file = await shown(remote, bucket)
    assert {
        "alt": "old",
        "deep": {"a": 5, "b": 2},
        "list": [9, 2],
        "contentType": "image/png",
        "_etag": {"$oid": response.headers["etag"]},
        "new": {"x": 1},
        "filename": "neu.png",
    } == file["metadata"]
    assert "neu.png" == file["filename"]
    assert PNG == (await remote.get(f"{bucket}/a/binary")).content


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"$inc": {"n": 1}}, "'$inc' is not allowed"),
        ({}, "no data provided"),
        ({"_etag": "x"}, "no data provided"),
        ({"contentType": "no type"}, "media type"),
        ({"contentType": "text/html\r\nX: y"}, "media type"),
        ({"filename": 5}, "must be a string"),
        ({"_id": "b", "n": 1}, "differs"),
        ([], "must be a JSON object"),
    ],
)
async def test_bad_metadata_is_400(remote: httpx.AsyncClient, bucket: str, body: Any, part: str) -> None:
    await upload(remote, bucket)
    before = await shown(remote, bucket)
    response = await remote.patch(f"{bucket}/a", json=body)
    assert 400 == response.status_code
    assert part in response.json()["message"]
    assert before == await shown(remote, bucket)


async def test_metadata_of_a_file_that_is_missing_is_404(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str
) -> None:
    for method in ("PUT", "PATCH"):
        response = await remote.request(method, f"{bucket}/none", json={"a": 1})
        assert (404, "file 'none' does not exist") == (response.status_code, response.json()["message"])
        await upload(remote, bucket)
        response = await remote.request(method, f"{bucket}/a", json={"a": 1}, params={"filter": '{"length": -1}'})
        assert 404 == response.status_code
    assert ["a"] == [file["_id"] for file in await store.find(tenant, FILES, FindQuery(filter={}))]


async def test_list_has_everything_that_lists_have(remote: httpx.AsyncClient, bucket: str) -> None:
    for name, alt in (("a", "x"), ("b", "y"), ("c", "y")):
        await upload(remote, bucket, name, metadata={"alt": alt})
    filtered = {"filter": '{"metadata.alt": "y"}'}

    async def ids(**query: Any) -> list[str]:
        body = (await remote.get(bucket, params=query)).json()
        return [file["_id"] for file in body.get("_embedded", {}).get("rh:file", ())]

    assert ["c", "b", "a"] == await ids()
    assert ["b", "c"] == await ids(**filtered, sort="filename,_id", sort_by="_id")
    assert ["b"] == await ids(**filtered, sort="_id", pagesize=1)
    assert ["c"] == await ids(**filtered, sort="_id", pagesize=1, page=2)
    body = (await remote.get(bucket, params={**filtered, "count": "", "keys": '{"length": 1}'})).json()
    assert (2, 1, 2) == (body["_size"], body["_total_pages"], body["_returned"])
    assert [{"_id": "c", "length": len(PNG)}, {"_id": "b", "length": len(PNG)}] == body["_embedded"]["rh:file"]
    assert {"_size": 2} == (await remote.get(f"{bucket}/_size", params=filtered)).json()
    whole = (await remote.get(bucket, params={"np": "", "rep": "pj"})).json()
    assert {"_id", "filename", "length", "chunkSize", "uploadDate", "metadata", "_links"} == set(whole[0])


async def test_bucket_from_put_to_delete(remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str) -> None:
    await upload(remote, bucket, data=os.urandom(BIG))
    assert 200 == (await remote.patch(bucket, json={"desc": "pictures"})).status_code
    body = (await remote.get(bucket)).json()
    assert ("pictures", FILES, 1) == (body["desc"], body["_id"], body["_returned"])
    assert 409 == (await remote.delete(bucket)).status_code
    assert 412 == (await remote.delete(bucket, headers=WRONG)).status_code
    assert 204 == (await remote.delete(bucket, headers=if_match(await remote.get(bucket)))).status_code
    assert not [name for name in await store.collection_names(tenant) if name.startswith("media.")]
    for method, path in (("POST", bucket), ("PUT", f"{bucket}/a")):
        response = await remote.request(method, path, **form())
        assert (404, f"File Bucket '{FILES}' does not exist") == (response.status_code, response.json()["message"])
    assert not [name for name in await store.collection_names(tenant) if name.startswith("media.")]


@pytest.mark.parametrize("size", [3, BIG, 17_000_000])
async def test_delete(remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, size: int) -> None:
    await upload(remote, bucket, data=os.urandom(size))
    await upload(remote, bucket, "b")
    response = await remote.delete(f"{bucket}/a")
    assert (204, b"") == (response.status_code, response.content)
    response = await remote.delete(f"{bucket}/a")
    assert (404, b"") == (response.status_code, response.content)
    assert ["b"] == [file["_id"] for file in await store.find(tenant, FILES, FindQuery(filter={}))]
    assert [] == await left_over(store, tenant)


async def test_bulk_delete_needs_a_filter(remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str) -> None:
    for name in ("a", "b", "c"):
        await upload(remote, bucket, name, metadata={"keep": name == "b"})
    assert 400 == (await remote.delete(f"{bucket}/*")).status_code
    response = await remote.delete(f"{bucket}/*", params={"filter": '{"metadata.keep": false}'})
    assert {"inserted": 0, "deleted": 2, "modified": 0, "matched": 0} == bulk_result(response)
    assert PNG == (await remote.get(f"{bucket}/b/binary")).content
    assert [] == await left_over(store, tenant)


@pytest.mark.parametrize("size", [3, BIG])
async def test_etags_guard_files(remote: httpx.AsyncClient, bucket: str, size: int) -> None:
    first = await upload(remote, bucket, data=os.urandom(size))
    path = f"{bucket}/a"
    for response in (
        await remote.put(path, **form(), headers=WRONG),
        await remote.put(path, json={"a": 1}, headers=WRONG),
        await remote.patch(path, json={"a": 1}, headers=WRONG),
        await remote.delete(path, headers=WRONG),
        await remote.post(bucket, **form(metadata={"_id": "a"}), headers=WRONG),
    ):
        assert (412, b"", first.headers["etag"]) == (response.status_code, response.content, response.headers["etag"])
    for response in (
        await remote.put(path, **form(), params={"checkEtag": ""}),
        await remote.delete(path, params={"checkEtag": ""}),
    ):
        assert (409, first.headers["etag"]) == (response.status_code, response.headers["etag"])
        assert "The file's ETag must be provided" in response.json()["message"]
    second = await remote.put(path, **form(), headers=if_match(first))
    third = await remote.patch(path, json={"a": 1}, headers=if_match(second))
    fourth = await remote.put(path, json={"a": 1}, headers=if_match(third))
    assert [200, 200, 200] == [response.status_code for response in (second, third, fourth)]
    assert 304 == (await remote.get(path, headers={"If-None-Match": fourth.headers["etag"]})).status_code
    assert 204 == (await remote.delete(path, headers=if_match(fourth))).status_code
    assert 201 == (await remote.put(path, **form(), headers=WRONG)).status_code


async def test_policy_of_the_bucket_holds_for_files(remote: httpx.AsyncClient, bucket: str) -> None:
    assert 200 == (await remote.patch(bucket, json={"etagDocPolicy": "REQUIRED"})).status_code
    first = await upload(remote, bucket)
    assert 409 == (await remote.put(f"{bucket}/a", **form())).status_code
    assert 409 == (await remote.patch(f"{bucket}/a", json={"a": 1})).status_code
    assert 200 == (await remote.put(f"{bucket}/a", **form(), headers=if_match(first))).status_code


async def test_write_modes(remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str) -> None:
    path = f"{bucket}/a"
    assert 404 == (await remote.put(path, **form(), params={"wm": "update"})).status_code
    assert 201 == (await remote.put(path, **form(), params={"wm": "insert"})).status_code
    conflict = await remote.put(path, **form(b"x"), params={"wm": "insert"})
    assert 409 == conflict.status_code
    assert "Duplicate key error" in conflict.json()["message"]
    no_match = {"filter": '{"length": -1}'}
    assert 409 == (await remote.put(path, **form(b"x"), params=no_match)).status_code
    assert 404 == (await remote.put(path, **form(b"x"), params={**no_match, "wm": "update"})).status_code
    assert 404 == (await remote.delete(path, params=no_match)).status_code
    assert 400 == (await remote.post(bucket, **form(b"x"), params={"wm": "update"})).status_code
    assert PNG == (await remote.get(f"{path}/binary")).content
    assert 200 == (await remote.put(path, **form(b"x"), params={"wm": "update"})).status_code
    assert [] == await left_over(store, tenant)


async def test_types_of_ids(remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str) -> None:
    response = await remote.put(f"{bucket}/5?id_type=NUMBER", **form())
    assert 201 == response.status_code
    assert await store.get(tenant, FILES, 5)
    link = (await remote.get(f"{bucket}/5?id_type=NUMBER")).json()["_links"]["rh:data"]["href"]
    assert PNG == (await remote.get(link)).content
    posted = await remote.post(bucket, **form(metadata={"_id": {"$oid": "64a51c0de3b1f20f4d7a1001"}}))
    assert posted.headers["location"].endswith("/64a51c0de3b1f20f4d7a1001")
    assert 400 == (await remote.post(bucket, **form(), params={"id_type": "NUMBER"})).status_code
    assert 400 == (await remote.post(bucket, **form(), params={"id_type": "odd"})).status_code
    assert 400 == (await remote.post(bucket, **form(metadata={"_id": [1]}))).status_code
    assert 403 == (await remote.post(bucket, **form(metadata={"_id": "_properties"}))).status_code
    assert 400 == (await remote.put(f"{bucket}/a", **form(metadata={"_id": "b"}))).status_code
    assert 201 == (await remote.put(f"{bucket}/a", **form(metadata={"_id": "a"}))).status_code
    assert "_id" not in (await shown(remote, bucket))["metadata"]
    assert [] == await left_over(store, tenant)


@pytest.mark.parametrize("sizes", [(10, 10), (BIG, 10), (BIG, BIG)])
async def test_concurrent_puts_of_one_file_both_count(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, sizes: tuple[int, int]
) -> None:
    bodies = [os.urandom(size) for size in sizes]
    responses = await asyncio.gather(*(remote.put(f"{bucket}/a", **form(body)) for body in bodies))
    assert [200, 201] == sorted(response.status_code for response in responses)
    last = next(response for response in responses if response.status_code == 200)
    read = await remote.get(f"{bucket}/a/binary")
    assert last.headers["etag"] == read.headers["etag"]
    assert bodies[responses.index(last)] == read.content
    assert [] == await left_over(store, tenant)


async def test_rights_are_those_of_documents(remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str) -> None:
    await upload(remote, bucket)
    permission = {"url": f"/{FILES}/", "permissionMode": "PREFIX", "methods": ["GET"]}
    key = {"_id": "reader", "key": "reader", "name": "reads", "permissions": [permission]}
    await KeyStore(store).create(tenant, key)
    reader = {"Authorization": "Bearer reader"}
    anonymous = httpx.AsyncClient(base_url=remote.base_url)
    async with anonymous:
        assert 401 == (await anonymous.get(f"{bucket}/a/binary")).status_code
        assert PNG == (await anonymous.get(f"{bucket}/a/binary", headers=reader)).content
        for method, path in (("PUT", f"{bucket}/a"), ("POST", bucket)):
            assert 401 == (await anonymous.request(method, path, **form())).status_code
            assert 403 == (await anonymous.request(method, path, **form(), headers=reader)).status_code
        assert 403 == (await anonymous.delete(f"{bucket}/a", headers=reader)).status_code
        assert 403 == (await anonymous.get(f"/{tenant}/other.files/a/binary", headers=reader)).status_code
    assert PNG == (await remote.get(f"{bucket}/a/binary")).content
