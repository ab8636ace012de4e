"""Single documents over HTTP: PUT, POST, PATCH, DELETE, write modes, conditions, statuses (rest-api.md 4.1 to 4.5)."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from bson import ObjectId, Timestamp

from content_core.store import Store
from tests.rest_compat.test_app import error_body
from tests.rest_compat.writing import make_collection, stored


@pytest.fixture
async def notes(admin: httpx.AsyncClient, tenant: str) -> str:
    return await make_collection(admin, tenant)


# --- PUT -----------------------------------------------------------------------------------------------------------


async def test_put_creates_then_replaces(admin: httpx.AsyncClient, notes: str) -> None:
    created = await admin.put(f"{notes}/n1", json={"data": "some", "tags": ["x"]})
    replaced = await admin.put(f"{notes}/n1", json={"data": "other"})
    read = await admin.get(f"{notes}/n1")

    assert (created.status_code, created.content) == (201, b"")
    assert (replaced.status_code, replaced.content) == (200, b"")
    assert "location" not in created.headers
    assert created.headers["etag"] != replaced.headers["etag"]
    assert {"_id": "n1", "data": "other", "_etag": {"$oid": replaced.headers["etag"]}} == read.json()
    assert read.headers["etag"] == replaced.headers["etag"]


@pytest.mark.parametrize(
    ("mode", "missing", "existing"),
    [("", 201, 200), ("upsert", 201, 200), ("insert", 201, 409), ("update", 404, 200), ("other", 201, 200)],
)
@pytest.mark.parametrize("parameter", ["wm", "writeMode"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
async def test_write_modes(
    admin: httpx.AsyncClient, notes: str, method: str, parameter: str, mode: str, missing: int, existing: int
) -> None:
    path = notes if method == "POST" else f"{notes}/n"
    query = f"?{parameter}={mode}" if mode else ""
    body = {"_id": "n", "data": 1}

    first = await admin.request(method, path + query, json=body)
    await admin.put(f"{notes}/n", json={})
    second = await admin.request(method, path + query, json=body)

    assert (missing, existing) == (first.status_code, second.status_code)
    if second.status_code == 409:
        assert error_body(second)["message"].startswith("Duplicate key error")
    if first.status_code == 404:
        assert error_body(first)["message"] == "document 'n' does not exist"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"", 201),
        ({"Content-Type": "application/json"}, b"", 201),
        ({"Content-Type": "application/hal+json;charset=UTF-8"}, b"{}", 201),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=1", 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 415),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({}, b"5", 400),
        ({}, b'"text"', 400),
        ({}, b"[{}]", 400),
        ({}, b"null", 400),
        ({}, b"{", 400),
        ({}, b'{"a": "\xff"}', 400),
        ({}, b'{"a": ' * 10_000, 400),
        ({}, b"[" * 10_000, 400),
        ({}, b'{"a":' * 190 + b"1" + b"}" * 190, 400),
        ({}, b'{"a": 123456789012345678901}', 400),
        ({}, b'{"a": {"$date": "yesterday"}}', 400),
        ({}, b'{"a\\u0000b": 1}', 400),
        ({}, b'{"a": "%s"}' % (b"x" * 65_536), 413),
        ({}, b"{data: 'lenient', when: {$date: 5},}", 201),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_bodies(
    admin: httpx.AsyncClient, notes: str, method: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    if method == "PATCH" and body in {b"", b"{}"} and status == 201:
        status = 400
    response = await admin.request(method, f"{notes}/n1", content=body, headers=headers)

    assert status == response.status_code, response.text
    if status >= 400:
        error_body(response)
        assert (await admin.get(f"{notes}/n1")).status_code == 404


async def test_server_owns_the_etag(admin: httpx.AsyncClient, notes: str) -> None:
    response = await admin.put(f"{notes}/n1", json={"_etag": {"$oid": "0" * 24}, "a": 1})
    patched = await admin.patch(f"{notes}/n1", json={"_etag": 5, "b": 1, "$unset": {"_etag": ""}})

    assert response.headers["etag"] not in {"0" * 24, patched.headers["etag"]}
    assert (await admin.get(f"{notes}/n1")).json()["_etag"] == {"$oid": patched.headers["etag"]}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_id_of_the_body_must_be_that_of_the_address(admin: httpx.AsyncClient, notes: str, method: str) -> None:
    for document_id, query, body_id, status in [
        ("n1", "", "n1", 201),
        ("n1", "", "n2", 400),
        ("1", "?id_type=NUMBER", 1, 201),
        ("1", "?id_type=NUMBER", True, 400),
        ("64a51c0de3b1f20f4d7a4004", "", {"$oid": "64a51c0de3b1f20f4d7a4004"}, 201),
        ("64a51c0de3b1f20f4d7a4004", "", "64a51c0de3b1f20f4d7a4004", 400),
        ("64a51c0de3b1f20f4d7a4004", "?id_type=STRING", "64a51c0de3b1f20f4d7a4004", 201),
    ]:
        response = await admin.request(method, f"{notes}/{document_id}{query}", json={"_id": body_id, "a": 1})
        assert status == response.status_code, (document_id, body_id)


async def test_dotted_names_are_unfolded(admin: httpx.AsyncClient, store: Store, notes: str) -> None:
    await admin.put(f"{notes}/n1", json={"a.b": 1, "l.0": "x", "l.1.c": 2, "list": [{"x.y": 1}], "in": {"d.e": 1}})

    assert await stored(store, notes, "n1") == {
        "_id": "n1",
        "a": {"b": 1},
        "l": ["x", {"c": 2}],
        "list": [{"x": {"y": 1}}],
        "in": {"d.e": 1},
    }


@pytest.mark.parametrize(
    "body",
    [
        {"$set": {"a": 1}}, {"a": 1, "$inc": {"b": 1}}, {"$foo": 1}, {"$currentDate": 5}, {"$currentDate": {"a": 1}},
        {"a.": 1}, {".a": 1}, {"a..b": 1}, {"a": 1, "a.b": 2}, {"a.0": 1, "a.b": 2},
        {"l.99999999": 1}, {"a" + ".a" * 300: 1},
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_operators_and_bad_names_in_whole_documents_are_400(
    admin: httpx.AsyncClient, notes: str, method: str, body: dict[str, Any]
) -> None:
    response = await admin.request(method, notes if method == "POST" else f"{notes}/n1", json=body)

    assert error_body(response)["http status code"] == 400


async def test_current_date_in_a_whole_document(admin: httpx.AsyncClient, store: Store, notes: str) -> None:
    wanted = {"seen": True, "at": {"$type": "date"}, "in.ts": {"$type": "timestamp"}}

    assert (await admin.put(f"{notes}/n1", json={"in": {"a": 1}, "$currentDate": wanted})).status_code == 201

    document = await stored(store, notes, "n1")
    assert {"_id", "in", "seen", "at"} == document.keys()
    assert isinstance(document["seen"], datetime)
    assert abs((document["at"].replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()) < 60
    assert document["in"]["a"] == 1
    assert isinstance(document["in"]["ts"], Timestamp)


# --- POST ----------------------------------------------------------------------------------------------------------


async def test_post_creates_with_location_then_replaces(admin: httpx.AsyncClient, notes: str) -> None:
    automatic = await admin.post(notes, json={"data": "auto id"})
    first = await admin.post(notes, json={"_id": "n2", "data": 1})
    second = await admin.post(notes, json={"_id": "n2", "data": 2})

    assert (automatic.status_code, first.status_code, second.status_code) == (201, 201, 200)
    base, _, document_id = automatic.headers["location"].rpartition("/")
    assert (f"http://caas.example{notes}", True) == (base, ObjectId.is_valid(document_id))
    assert (await admin.get(automatic.headers["location"])).json()["data"] == "auto id"
    assert first.headers["location"] == f"http://caas.example{notes}/n2"
    assert "location" not in second.headers
    assert (await admin.get(f"{notes}/n2")).json()["data"] == 2


@pytest.mark.parametrize(
    ("document_id", "link"),
    [
        ("x y/z", "x%20y%2Fz"),
        ("64a51c0de3b1f20f4d7a4004", "64a51c0de3b1f20f4d7a4004?id_type=STRING"),
        ({"$oid": "64a51c0de3b1f20f4d7a4004"}, "64a51c0de3b1f20f4d7a4004"),
        (100, "100?id_type=NUMBER"),
        ({"$date": 5}, "5?id_type=DATE"),
        (None, "_null"),
        (True, "_true"),
        ({"$minKey": 1}, "_MinKey"),
        ({"a": 1}, None),
    ],
)
async def test_location_of_each_type_of_id(
    admin: httpx.AsyncClient, notes: str, document_id: Any, link: str | None
) -> None:
    created = await admin.post(notes, json={"_id": document_id, "a": 1})
    again = await admin.post(notes, json={"_id": document_id, "a": 2})

    assert (created.status_code, again.status_code) == (201, 200)
    location = created.headers.get("location")
    assert location == (link and f"http://caas.example{notes}/{link}")
    if location:
        assert (await admin.get(location)).json()["_id"] == document_id


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("", {}, 201), ("?id_type=OID", {}, 201), ("?id_type=string_oid", {}, 201), ("?id_type=STRING", {}, 400),
        ("?id_type=NUMBER", {}, 400), ("?id_type=STRING", {"_id": "x"}, 201), ("?id_type=FOO", {}, 400),
        ("?wm=update", {}, 400), ("", {"_id": [1]}, 400), ("", {"_id": {"$regularExpression": {"pattern": "a"}}}, 400),
        ("", {"_id": "_properties"}, 403), ("", {"_id": "_properties.x"}, 403), ("", {"_id": {"$foo": 1}}, 400),
    ],
)  # fmt: skip
async def test_ids_of_posted_documents(
    admin: httpx.AsyncClient, notes: str, query: str, body: dict[str, Any], status: int
) -> None:
    assert status == (await admin.post(notes + query, json=body)).status_code


@pytest.mark.parametrize("body", [b"5", b'"x"', b"true", b"null"])
async def test_post_of_no_object_is_400(admin: httpx.AsyncClient, notes: str, body: bytes) -> None:
    assert error_body(await admin.post(notes, content=body))["http status code"] == 400


# --- PATCH ---------------------------------------------------------------------------------------------------------


async def test_patch_with_operators_and_dots(admin: httpx.AsyncClient, store: Store, notes: str) -> None:
    await admin.put(
        f"{notes}/n1", json={"_id": "n1", "meta": {"a": 1}, "tags": ["x"], "views": 1, "old": 1, "in": {"b": 1}}
    )
    body = {
        "data": "new", "meta.lang": "en", "tags.0": "y", "in": {"c": 1}, "$inc": {"views": 2}, "$unset": {"old": ""},
        "$push": {"list": {"$each": [3, 1, 2], "$sort": 1}}, "$currentDate": {"seen": True}, "$set": {"more": 1},
    }  # fmt: skip

    response = await admin.patch(f"{notes}/n1", json=body)

    assert (response.status_code, response.content) == (200, b"")
    document = await stored(store, notes, "n1")
    assert isinstance(document.pop("seen"), datetime)
    assert document == {
        "_id": "n1", "data": "new", "meta": {"a": 1, "lang": "en"}, "tags": ["y"], "in": {"c": 1}, "views": 3,
        "list": [1, 2, 3], "more": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "before", "after"),
    [
        ({"$mul": {"n": 3}}, {"n": 2}, {"n": 6}),
        ({"$min": {"n": 1}}, {"n": 2}, {"n": 1}),
        ({"$max": {"n": 3}}, {"n": 2}, {"n": 3}),
        ({"$rename": {"n": "m"}}, {"n": 2}, {"m": 2}),
        ({"$setOnInsert": {"m": 1}}, {"n": 2}, {"n": 2}),
        ({"$addToSet": {"n": 2}}, {"n": [1, 2]}, {"n": [1, 2]}),
        ({"$pop": {"n": 1}}, {"n": [1, 2]}, {"n": [1]}),
        ({"$pull": {"n": {"$gt": 1}}}, {"n": [1, 2]}, {"n": [1]}),
        ({"$pullAll": {"n": [1]}}, {"n": [1, 2]}, {"n": [2]}),
        ({"$bit": {"n": {"or": 1}}}, {"n": 2}, {"n": 3}),
    ],
)
async def test_every_update_operator(
    admin: httpx.AsyncClient, store: Store, notes: str, operator: Any, before: Any, after: Any
) -> None:
    await admin.put(f"{notes}/n1", json=before)

    assert (await admin.patch(f"{notes}/n1", json=operator)).status_code == 200
    assert {"_id": "n1", **after} == await stored(store, notes, "n1")


async def test_patch_that_creates_is_201_with_nested_names(admin: httpx.AsyncClient, store: Store, notes: str) -> None:
    response = await admin.patch(f"{notes}/n1", json={"a.b": 1, "$inc": {"views": 1}})

    assert response.status_code == 201
    assert await stored(store, notes, "n1") == {"_id": "n1", "a": {"b": 1}, "views": 1}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{}", 400), (b"[{}]", 400), (b'{"a": 1, "a.b": 2}', 400), (b'{"a": 1, "$inc": {"a": 1}}', 400),
        (b'{"a": 1, "$set": {"a": 2}}', 400), (b'{"$foo": {"a": 1}}', 400), (b'{"$set": 5}', 400), (b'{"": 1}', 400),
        (b'{"$inc": {"text": 1}}', 400), (b'{"$push": {"text": 1}}', 400), (b'{"_etag.x": 1}', 400),
        (b'{"$rename": {"text": "_etag"}}', 400), (b'{"$set": {"_id": 5}}', 403), (b'{"text.x": 1}', 400),
        (b'{"a..b": 1}', 400), (b'{"$bit": {"text": 1}}', 400), (b'{"$set": {"a\\u0000": 1}}', 400),
    ],
)  # fmt: skip
async def test_patches_that_are_refused(admin: httpx.AsyncClient, notes: str, body: bytes, status: int) -> None:
    etag = (await admin.put(f"{notes}/n1", json={"text": "x"})).headers["etag"]

    response = await admin.patch(f"{notes}/n1", content=body)

    assert error_body(response)["http status code"] == status
    assert (await admin.get(f"{notes}/n1")).headers["etag"] == etag


# --- DELETE --------------------------------------------------------------------------------------------------------


async def test_delete(admin: httpx.AsyncClient, notes: str) -> None:
    await admin.put(f"{notes}/n1")

    first = await admin.delete(f"{notes}/n1")
    second = await admin.delete(f"{notes}/n1")

    assert (first.status_code, first.content) == (204, b"")
    assert (second.status_code, second.content) == (404, b"")


# --- places, conditions, races -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
async def test_nothing_is_created_on_the_way(admin: httpx.AsyncClient, store: Store, tenant: str, method: str) -> None:
    for path, message in [
        ("/none{}", "Db 'none' does not exist"), (f"/{tenant}/none", "Collection 'none' does not exist"),
    ]:  # fmt: skip
        place = path.format("/none") if "{}" in path else path
        target = place if method == "POST" else f"{place}/1"
        response = await admin.request(method, target, json=None if method == "DELETE" else {"a": 1})
        assert error_body(response)["message"] == message
    assert "none" not in await store.collection_names(tenant)
    assert await store.collection_names("none") == []


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        ("DELETE", "", 404), ("PATCH", "&wm=update", 404), ("PUT", "&wm=update", 404), ("POST", "&wm=update", 404),
        ("PATCH", "", 409), ("PUT", "", 409), ("POST", "", 409),
    ],
)  # fmt: skip
async def test_filter_that_the_document_does_not_meet(
    admin: httpx.AsyncClient, notes: str, method: str, query: str, status: int
) -> None:
    etag = (await admin.put(f"{notes}/n1", json={"a": 1})).headers["etag"]
    path = notes if method == "POST" else f"{notes}/n1"
    body = None if method == "DELETE" else {"_id": "n1", "b": 1}

    for wrong in ({}, {"If-Match": etag}):
        refused = await admin.request(method, f'{path}?filter={{"a":2}}{query}', json=body, headers=wrong)
        assert status == refused.status_code
    assert (await admin.get(f"{notes}/n1")).headers["etag"] == etag
    met = await admin.request(method, f'{path}?filter={{"a":1}}&filter={{"a":{{"$gt":0}}}}{query}', json=body)
    assert met.status_code == (204 if method == "DELETE" else 200)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400), ("{}", 400), ("5", 400), ("{a:", 400), ('{"$where":"1"}', 403), ('{"a":{"$foo":1}}', 400),
        ('{"$expr":{"$eq":["$a",1]}}', 400), ('{"$text":{"$search":"x"}}', 400), ('{"a":{"$near":[1,1]}}', 400),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_filters_that_no_write_can_have(
    admin: httpx.AsyncClient, notes: str, method: str, query: str, status: int
) -> None:
    await admin.put(f"{notes}/n1", json={"a": 1})

    response = await admin.request(method, f"{notes}/n1", params={"filter": query}, json={"a": 2})

    assert error_body(response)["http status code"] == status
    assert (await admin.get(f"{notes}/n1")).json()["a"] == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
async def test_of_many_creators_of_a_document_one_is_first(admin: httpx.AsyncClient, notes: str, method: str) -> None:
    path, body = (notes, {"_id": "n", "a": 1}) if method == "POST" else (f"{notes}/n", {"a": 1})

    answers = await asyncio.gather(*(admin.request(method, path, json=body) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


async def test_duplicate_of_another_unique_index_is_409(admin: httpx.AsyncClient, store: Store, notes: str) -> None:
    await store.create_index(notes.split("/")[1], "notes", name="u", keys=[("mail", 1)], unique=True)
    await admin.put(f"{notes}/a", json={"mail": "secret@example.org"})

    for method, path in [("PUT", f"{notes}/b"), ("PATCH", f"{notes}/b"), ("POST", notes)]:
        response = await admin.request(method, path, json={"mail": "secret@example.org"})
        assert error_body(response)["message"].startswith("Duplicate key error")
        assert "secret" not in response.text


async def test_values_keep_their_types(admin: httpx.AsyncClient, notes: str) -> None:
    body = {
        "d": {"$date": 5}, "o": {"$oid": "64a51c0de3b1f20f4d7a4004"}, "l": {"$numberLong": "5"}, "f": 2.0,
        "dec": {"$numberDecimal": "1.50"}, "b": {"$binary": {"base64": "AQI=", "subType": "00"}}, "big": 2**40,
        "re": {"$regularExpression": {"pattern": "^a", "options": "i"}}, "n": None, "ref": {"$ref": "x", "$id": 1},
    }  # fmt: skip
    await admin.put(f"{notes}/n1", content=json.dumps(body))

    read = (await admin.get(f"{notes}/n1")).json()

    assert {**body, "l": 5, "_id": "n1", "_etag": read["_etag"]} == read


@pytest.mark.parametrize("path", ["_properties/x", "system.views/x", "a.chunks/x", "notes/_properties"])
async def test_reserved_names_are_403(admin: httpx.AsyncClient, tenant: str, path: str) -> None:
    await make_collection(admin, tenant)

    for method in ("PUT", "PATCH", "DELETE"):
        assert (await admin.request(method, f"/{tenant}/{path}")).status_code == 403
