"""Versions over HTTP: If-Match, If-None-Match, policies, races (rest-api.md 4.10)."""

import asyncio
from typing import Any

import httpx
import pytest

from content_core.store import Store
from tests.rest_compat.test_app import error_body
from tests.rest_compat.writing import WRONG, if_match, make_collection

METHODS = ("PUT", "PATCH", "POST", "DELETE")


async def _write(
    admin: httpx.AsyncClient, notes: str, method: str, query: str = "", headers: dict[str, str] | None = None
) -> httpx.Response:
    path = notes if method == "POST" else f"{notes}/n1"
    body = None if method == "DELETE" else {"_id": "n1", "a": 2}
    return await admin.request(method, path + query, json=body, headers=headers)


@pytest.fixture
async def notes(admin: httpx.AsyncClient, tenant: str) -> str:
    return await make_collection(admin, tenant)


@pytest.mark.parametrize("method", METHODS)
async def test_etag_wrong_is_412(admin: httpx.AsyncClient, notes: str, method: str) -> None:
    etag = (await admin.put(f"{notes}/n1", json={"a": 1})).headers["etag"]

    for shown in (WRONG["If-Match"], "*", '"*"', "nonsense", f"{etag}x", etag.upper() + "0"):
        refused = await _write(admin, notes, method, headers={"If-Match": shown})
        assert (refused.status_code, refused.content, refused.headers["etag"]) == (412, b"", etag)
    assert (await admin.get(f"{notes}/n1")).json()["a"] == 1


@pytest.mark.parametrize("form", ["{}", '"{}"', 'W/"{}"', "0, {}", " {} "])
@pytest.mark.parametrize("method", METHODS)
async def test_etag_right_is_written(admin: httpx.AsyncClient, notes: str, method: str, form: str) -> None:
    etag = (await admin.put(f"{notes}/n1", json={"a": 1})).headers["etag"]

    written = await _write(admin, notes, method, headers={"If-Match": form.format(etag)})

    assert written.status_code == (204 if method == "DELETE" else 200)
    assert written.headers.get("etag") != etag


@pytest.mark.parametrize("method", METHODS)
async def test_etag_missing_is_409(admin: httpx.AsyncClient, notes: str, method: str) -> None:
    etag = (await admin.put(f"{notes}/n1", json={"a": 1})).headers["etag"]

    refused = await _write(admin, notes, method, "?checkEtag")

    assert error_body(refused)["http status code"] == 409
    assert error_body(refused)["message"] == "The document's ETag must be provided using the 'If-Match' header."
    assert refused.headers["etag"] == etag
    assert (await _write(admin, notes, method, "?checkEtag", {"If-Match": etag})).is_success


@pytest.mark.parametrize(
    ("of_database", "of_collection", "required"),
    [
        (None, None, ()),
        (None, "REQUIRED", METHODS),
        (None, "required_for_delete", ("DELETE",)),
        ("REQUIRED", None, METHODS),
        ("REQUIRED", "OPTIONAL", ()),
        ("REQUIRED", "nonsense", METHODS),
        ("OPTIONAL", "Required", METHODS),
        (None, 5, ()),
    ],
)
async def test_policy_of_documents(
    admin: httpx.AsyncClient, tenant: str, notes: str, of_database: Any, of_collection: Any, required: tuple[str, ...]
) -> None:
    await admin.patch(f"/{tenant}", json={"etagDocPolicy": of_database, "etagPolicy": "REQUIRED"})
    etag = (await admin.get(notes)).headers["etag"]
    await admin.patch(notes, json={"etagDocPolicy": of_collection}, headers={"If-Match": etag})

    for method in METHODS:
        await admin.delete(f"{notes}/n1", headers=if_match(await admin.get(f"{notes}/n1"), WRONG))
        assert (await admin.put(f"{notes}/n1", json={"a": 1})).status_code == 201
        answer = await _write(admin, notes, method)
        assert answer.status_code == (409 if method in required else 204 if method == "DELETE" else 200), method


@pytest.mark.parametrize(
    ("policy", "required"),
    [
        (None, ("DELETE",)), ("REQUIRED", ("PUT", "PATCH", "DELETE")), ("optional", ()),
        ("REQUIRED_FOR_DELETE", ("DELETE",)), ("nonsense", ("DELETE",)),
    ],
)  # fmt: skip
async def test_policy_of_collections(
    admin: httpx.AsyncClient, tenant: str, policy: str | None, required: tuple[str, ...]
) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        path = await make_collection(admin, tenant, f"c{method}", **({"etagPolicy": policy} if policy else {}))
        answer = await admin.request(method, path, json=None if method == "DELETE" else {"desc": "x"})
        if method in required:
            assert error_body(answer)["http status code"] == 409
            assert "The collection's ETag" in answer.text
            shown = await admin.request(
                method, path, json=None if method == "DELETE" else {"desc": "x"}, headers=if_match(answer)
            )
            assert shown.is_success
        else:
            assert answer.status_code == (204 if method == "DELETE" else 200)


async def test_policy_of_the_database_holds_for_its_collections(admin: httpx.AsyncClient, tenant: str) -> None:
    path = await make_collection(admin, tenant)
    await admin.patch(f"/{tenant}", json={"etagPolicy": "OPTIONAL"})

    assert (await admin.delete(path)).status_code == 204
    assert (await admin.delete(f"/{tenant}")).status_code == 204


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
async def test_what_is_not_there_has_no_etag_to_check(admin: httpx.AsyncClient, notes: str, method: str) -> None:
    assert (await _write(admin, notes, method, "?checkEtag", WRONG)).status_code == 201


async def test_deleting_what_is_not_there_is_404_whatever_is_shown(admin: httpx.AsyncClient, notes: str) -> None:
    assert (await _write(admin, notes, "DELETE", "?checkEtag", WRONG)).status_code == 404


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("version", [{}, {"_etag": "text"}])
async def test_document_without_etag_is_not_checked(
    admin: httpx.AsyncClient, store: Store, notes: str, method: str, version: dict[str, str]
) -> None:
    await store.insert(notes.split("/")[1], "notes", {"_id": "n1", **version})

    written = await _write(admin, notes, method, "?checkEtag", WRONG)

    assert written.status_code == (204 if method == "DELETE" else 200)


async def test_collection_made_elsewhere_is_deleted_without_etag(
    admin: httpx.AsyncClient, store: Store, tenant: str
) -> None:
    await store.insert(tenant, "wild", {"_id": 1})

    assert (await admin.delete(f"/{tenant}/wild")).status_code == 204
    assert "wild" not in await store.collection_names(tenant)


async def test_bulk_writes_never_look_at_etags(admin: httpx.AsyncClient, tenant: str) -> None:
    notes = await make_collection(admin, tenant, etagDocPolicy="REQUIRED")
    await admin.put(f"{notes}/n1", json={"a": 1})

    assert (await admin.post(notes, json=[{"_id": "n1"}], headers=WRONG)).status_code == 200
    assert (await admin.patch(f"{notes}/*?filter={{_id:'n1'}}", json={"b": 1}, headers=WRONG)).status_code == 200
    assert (await admin.delete(f"{notes}/*?filter={{_id:'n1'}}", headers=WRONG)).status_code == 200


@pytest.mark.parametrize("form", ["{}", '"{}"', 'W/"{}"'])
async def test_etag_known_is_304(admin: httpx.AsyncClient, notes: str, form: str) -> None:
    etag = (await admin.put(f"{notes}/n1", json={"a": 1})).headers["etag"]

    same = await admin.get(f"{notes}/n1", headers={"If-None-Match": form.format(etag)})
    other = await admin.get(f"{notes}/n1", headers={"If-None-Match": WRONG["If-Match"]})
    version = (await admin.get(notes)).headers["etag"]

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert other.status_code == 200
    assert (await admin.get(notes, headers={"If-None-Match": version})).status_code == 200


@pytest.mark.parametrize("method", METHODS)
async def test_of_many_writers_with_the_same_etag_one_wins(admin: httpx.AsyncClient, notes: str, method: str) -> None:
    etag = (await admin.put(f"{notes}/n1", json={"a": 1})).headers["etag"]

    answers = await asyncio.gather(*(_write(admin, notes, method, "", {"If-Match": etag}) for _ in range(8)))

    statuses = sorted(answer.status_code for answer in answers)
    if method == "DELETE":
        assert statuses == [204] + [404] * 7
    else:
        assert statuses == [200] + [412] * 7


async def test_of_many_creators_that_must_show_etags_one_is_first(admin: httpx.AsyncClient, notes: str) -> None:
    answers = await asyncio.gather(*(_write(admin, notes, "PUT", "?checkEtag") for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
