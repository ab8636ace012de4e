"""Bulk writes over HTTP: POST of arrays, PATCH and DELETE of what a filter finds (rest-api.md 4.7, 4.8)."""

import json
from typing import Any

import httpx
import pytest

from content_core.store import Store
from tests.rest_compat.test_app import error_body
from tests.rest_compat.writing import bulk_result, make_collection, stored

EVERYTHING = '?filter={"_id":{"$exists":true}}'


@pytest.fixture
async def notes(admin: httpx.AsyncClient, tenant: str) -> str:
    return await make_collection(admin, tenant)


async def test_bulk_post_body_and_links(admin: httpx.AsyncClient, notes: str) -> None:
    await admin.put(f"{notes}/a", json={"n": 0})

    response = await admin.post(notes, json=[{"_id": "a", "n": 1}, {"_id": "b", "n": 2}, {"n": 3}])

    result = bulk_result(response)
    links = [link["href"] for link in result.pop("_links")["rh:newdoc"]]
    assert result == {"inserted": 2, "deleted": 0, "modified": 1, "matched": 1}
    assert links[0] == f"{notes}/b"
    assert (await admin.get(links[1])).json()["n"] == 3
    for link in (f"{notes}/a", *links):
        assert (await admin.get(link)).headers["etag"] == response.headers["etag"]


async def test_bulk_post_of_known_documents_has_no_links(admin: httpx.AsyncClient, notes: str) -> None:
    body = [{"_id": "a"}, {"_id": {"x": 1}}]
    first = bulk_result(await admin.post(notes, json=body))
    second = bulk_result(await admin.post(notes, json=body))

    assert first == {
        "inserted": 2, "deleted": 0, "modified": 0, "matched": 0, "_links": {"rh:newdoc": [{"href": f"{notes}/a"}]},
    }  # fmt: skip
    assert second == {"inserted": 0, "deleted": 0, "modified": 2, "matched": 2}


@pytest.mark.parametrize("rep", ["s", "pj", "standard", "PLAIN_JSON"])
async def test_bulk_result_in_other_representations(admin: httpx.AsyncClient, notes: str, rep: str) -> None:
    posted = await admin.post(f"{notes}?rep={rep}", json=[{"_id": "b"}])
    patched = await admin.patch(f"{notes}/*{EVERYTHING}&rep={rep}", json={"a": 1})
    deleted = await admin.delete(f"{notes}/*{EVERYTHING}&rep={rep}")

    assert posted.headers["content-type"] == "application/json"
    expected = {"inserted": 1, "links": [f"{notes}/b"], "deleted": 0, "modified": 0, "matched": 0}
    assert json.dumps(expected, separators=(",", ":")) == posted.text
    assert patched.json() == {"inserted": 0, "deleted": 0, "modified": 1, "matched": 1}
    assert deleted.json() == {"inserted": 0, "deleted": 1, "modified": 0, "matched": 0}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[]", 400), ("[5]", 400), ('[{"_id": "a"}, "x"]', 400), ("[[]]", 400),
        ('[{"_id": "a"}, {"$set": {"a": 1}}]', 400),
        ('[{"_id": "a"}, {"_id": [1]}]', 400), ('[{"_id": "a"}, {"_id": "_properties"}]', 403), ("[{}", 400),
        ('[{"_id": "a", "x": 123456789012345678901}]', 400), ('[{"_id": "a", "x": {"$date": "never"}}]', 400),
        ('[{"_id": "a"}, {"b.": 1}]', 400), ('[{"_id": "a", "x\\u0000": 1}]', 400), ("[" * 10_000, 400),
        ('[{"_id": "a", "x": "\\ud800"}]', 400), ("[{_id: 'lenient',}]", 200),
        ('[{"_id": "a", "x": ' + "[" * 900 + "]" * 900 + "}]", 400),
    ],
    ids=range(16),
)  # fmt: skip
async def test_one_bad_element_writes_nothing(admin: httpx.AsyncClient, notes: str, body: str, status: int) -> None:
    response = await admin.post(notes, content=body)

    assert status == response.status_code, response.text
    if status != 200:
        error_body(response)
        assert (await admin.get(f"{notes}/_size")).json() == {"_size": 0}


async def test_elements_are_read_as_single_documents_are(admin: httpx.AsyncClient, store: Store, notes: str) -> None:
    body = [
        {"_id": "a", "x.y": 1, "l": [{"p.q": 1}], "s": 'a dot. and ": and $5'},
        {"_id": "b", "$currentDate": {"seen": True}, "d": {"$date": 5}},
        {"_id": "c", "z": 1234567890123456789, "_etag": 5},
    ]
    await admin.post(notes, json=body)

    assert {"_id": "a", "x": {"y": 1}, "l": [{"p": {"q": 1}}], "s": 'a dot. and ": and $5'} == await stored(
        store, notes, "a"
    )
    assert {"_id", "seen", "d"} == (await stored(store, notes, "b")).keys()
    assert {"_id": "c", "z": 1234567890123456789} == await stored(store, notes, "c")


@pytest.mark.parametrize("name", ["a.b", "a\\u002eb", 'a.\\"b', "a.:b", "a.b\\\\", "x.y.z"])
async def test_dotted_names_are_noticed_however_they_are_written(
    admin: httpx.AsyncClient, store: Store, notes: str, name: str
) -> None:
    await admin.post(notes, content=f'[{{"_id": 1, "{name}" : {{"v": 1}}}}]')

    document = await stored(store, notes, 1)
    assert "." not in "".join(document)
    path = json.loads(f'"{name}"').split(".")
    for part in path:
        document = document[part]
    assert document == {"v": 1}


@pytest.mark.parametrize(
    ("query", "counts"),
    [
        ("", (1, 1, 1)), ("?wm=upsert", (1, 1, 1)), ("?wm=update", (0, 1, 1)),
    ],
)  # fmt: skip
async def test_bulk_write_modes(admin: httpx.AsyncClient, notes: str, query: str, counts: tuple[int, int, int]) -> None:
    await admin.put(f"{notes}/a")

    result = bulk_result(await admin.post(notes + query, json=[{"_id": "a", "n": 1}, {"_id": "b", "n": 1}]))

    assert counts == (result["inserted"], result["matched"], result["modified"])


async def test_bulk_update_of_a_document_without_id_is_400(admin: httpx.AsyncClient, notes: str) -> None:
    assert (await admin.post(f"{notes}?wm=update", json=[{"_id": "a"}, {}])).status_code == 400
    assert (await admin.post(f"{notes}?id_type=STRING", json=[{}])).status_code == 400


async def test_partial_failure_is_207(admin: httpx.AsyncClient, store: Store, notes: str) -> None:
    await admin.put(f"{notes}/a", json={"n": 1})
    body = [{"_id": "a"}, {"_id": "b"}, {"_id": {"$regularExpression": {"pattern": "x", "options": ""}}}]

    response = await admin.post(f"{notes}?wm=insert", json=body)

    assert (response.status_code, response.headers["content-type"]) == (207, "application/json")
    result = response.json()
    assert list(result) == ["inserted", "links", "deleted", "modified", "matched", "errors"]
    assert (result["inserted"], result["links"]) == (1, [f"{notes}/b"])
    duplicate, other = result["errors"]
    assert duplicate == {"index": 0, "httpStatus": 409}
    assert (other["index"], other["mongodbErrorCode"], other["httpStatus"]) == (2, 53, 400)
    assert isinstance(other["message"], str)
    assert (await admin.get(f"{notes}/b")).status_code == 200
    assert (await stored(store, notes, "a"))["n"] == 1


async def test_filter_is_a_condition_of_each_document(admin: httpx.AsyncClient, notes: str) -> None:
    await admin.post(notes, json=[{"_id": "a", "n": 1}, {"_id": "b", "n": 2}])

    response = await admin.post(f'{notes}?filter={{"n":1}}', json=[{"_id": "a", "n": 5}, {"_id": "b", "n": 5}])

    assert response.status_code == 207
    assert response.json()["errors"] == [{"index": 1, "httpStatus": 409}]
    assert (await admin.get(f"{notes}/a")).json()["n"] == 5
    assert (await admin.get(f"{notes}/b")).json()["n"] == 2


# --- PATCH and DELETE of many --------------------------------------------------------------------------------------


async def test_bulk_patch_and_delete(admin: httpx.AsyncClient, notes: str) -> None:
    await admin.post(notes, json=[{"_id": "a", "n": 1}, {"_id": "b", "n": 2}, {"_id": "c", "n": 3}])
    before = (await admin.get(f"{notes}/b")).headers["etag"]

    patched = await admin.patch(f'{notes}/*?filter={{"n":{{"$gt":1}}}}', json={"x.y": 1, "$inc": {"n": 1}})
    read = await admin.get(f"{notes}/b")
    deleted = await admin.delete(f'{notes}/%2A?filter={{"n":{{"$gt":1}}}}')
    nothing = await admin.delete(f'{notes}/*?filter={{"n":{{"$gt":1}}}}')

    assert bulk_result(patched) == {"inserted": 0, "deleted": 0, "modified": 2, "matched": 2}
    assert (read.json()["n"], read.json()["x"]) == (3, {"y": 1})
    assert read.headers["etag"] != before
    assert bulk_result(deleted) == {"inserted": 0, "deleted": 2, "modified": 0, "matched": 0}
    assert bulk_result(nothing)["deleted"] == 0
    assert (await admin.get(f"{notes}/_size")).json() == {"_size": 1}


async def test_bulk_patch_never_creates(admin: httpx.AsyncClient, notes: str) -> None:
    assert bulk_result(await admin.patch(f'{notes}/*?filter={{"_id":"x"}}', json={"a": 1}))["matched"] == 0
    assert (await admin.get(f"{notes}/_size")).json() == {"_size": 0}


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_bulk_without_filter_is_400(admin: httpx.AsyncClient, notes: str, method: str) -> None:
    await admin.put(f"{notes}/a")

    response = await admin.request(method, f"{notes}/*", json={"a": 1})

    assert error_body(response)["message"] == "filter parameter is mandatory for bulk write requests"
    for wrong in ("?filter=", "?filter={}", "?filter=5", "?filter={a:{$foo:1}}"):
        assert (await admin.request(method, f"{notes}/*{wrong}", json={"a": 1})).status_code == 400
    assert (await admin.request(method, f'{notes}/*?filter={{"$where":"1"}}', json={"a": 1})).status_code == 403
    assert (await admin.get(f"{notes}/a")).status_code == 200


@pytest.mark.parametrize("body", [{}, [], {"_id": "x"}, {"$foo": {"a": 1}}, {"a": 1, "a.b": 1}])
async def test_bulk_patches_that_are_refused(admin: httpx.AsyncClient, notes: str, body: Any) -> None:
    await admin.put(f"{notes}/a")

    assert error_body(await admin.patch(f"{notes}/*{EVERYTHING}", json=body))["http status code"] == 400


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_bulk_of_nothing_there_is_404(admin: httpx.AsyncClient, tenant: str, method: str) -> None:
    for path in (f"/{tenant}/none/*", "/none/none/*"):
        assert error_body(await admin.request(method, path + EVERYTHING, json={"a": 1}))["http status code"] == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
async def test_other_methods_of_bulk_are_405(admin: httpx.AsyncClient, notes: str, method: str) -> None:
    assert (await admin.request(method, f"{notes}/*")).status_code == 405
