"""Indexes over HTTP: list, make, drop, and what is refused."""

from typing import Any

import httpx
import pytest

from content_core.indexes import CONTENT_INDEXES
from content_core.store import Store
from tests.rest_compat.content import PAGES, fill
from tests.rest_compat.test_app import error_body


@pytest.fixture
async def indexes(store: Store, tenant: str) -> str:
    """The address of the indexes of a collection with five pages."""
    await fill(store, tenant)
    return f"/{tenant}/{PAGES}/_indexes"


async def test_indexes_are_listed(admin: httpx.AsyncClient, indexes: str) -> None:
    response = await admin.put(f"{indexes}/idx_route", json={"keys": {"route": 1}})
    assert (response.status_code, response.content) == (201, b"")

    listed = await admin.get(f"{indexes}/")

    assert listed.json() == {
        "_size": 2,
        "_returned": 2,
        "_embedded": {
            "rh:index": [{"v": 2, "key": {"_id": 1}, "_id": "_id_"}, {"v": 2, "key": {"route": 1}, "_id": "idx_route"}]
        },
    }
    assert list(listed.json()["_embedded"]["rh:index"][1]) == ["v", "key", "_id"]
    assert listed.headers["content-type"] == "application/hal+json"
    assert len((await admin.get(f"{indexes}?rep=s")).json()) == 2


async def test_index_of_connect_with_options(admin: httpx.AsyncClient, indexes: str) -> None:
    for name, fields in CONTENT_INDEXES.items():
        body = {"keys": dict.fromkeys(fields, 1), "ops": {"sparse": True, "name": "other"}}
        for _ in range(2):
            assert (await admin.put(f"{indexes}/{name}", json=body)).status_code == 201

    listed = {index["_id"]: index for index in (await admin.get(indexes)).json()["_embedded"]["rh:index"]}

    assert listed.keys() == {"_id_", *CONTENT_INDEXES}
    assert list(listed["idx_fstype_lang_country"]["key"]) == ["fsType", "locale.language", "locale.country"]
    assert listed["idx_route"]["sparse"] is True


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"keys": 5}, {"keys": {}}, {"keys": {"a": "what"}}, {"keys": {"a": 0}}, {"keys": {"a": 1}, "ops": 5},
        {"keys": {"a": 1}, "ops": {"what": 1}}, {"keys": {"a": 1}, "ops": {"sparse": {}}},
        {"keys": {"fsType": 1}, "ops": {"unique": True}}, {"keys": {"a": 1}, "ops": {"expireAfterSeconds": "x"}},
        {"keys": {"there": -1}}, {"keys": {"a": 1}, "ops": {"v": 99}}, {"keys": {"": 1}},
    ],
)  # fmt: skip
async def test_bad_index_is_400(admin: httpx.AsyncClient, indexes: str, body: Any) -> None:
    name = "taken" if isinstance(body, dict) and body.get("keys") == {"there": -1} else "new"
    assert (await admin.put(f"{indexes}/taken", json={"keys": {"there": 1}})).status_code == 201

    assert error_body(await admin.put(f"{indexes}/{name}", json=body))["http status code"] == 400


async def test_index_is_dropped(admin: httpx.AsyncClient, indexes: str) -> None:
    await admin.put(f"{indexes}/idx", content="{keys: {a: 1}}")

    dropped, again = await admin.delete(f"{indexes}/idx"), await admin.delete(f"{indexes}/idx")

    assert (dropped.status_code, dropped.content) == (204, b"")
    assert (again.status_code, again.content) == (404, b"")
    assert (await admin.delete(f"{indexes}/*")).status_code in {400, 404, 405}


async def test_default_index_stays(admin: httpx.AsyncClient, indexes: str) -> None:
    assert error_body(await admin.delete(f"{indexes}/_id_"))["http status code"] == 400
    assert error_body(await admin.put(f"{indexes}/_x", json={"keys": {"a": 1}}))["http status code"] == 400
    assert (await admin.get(indexes)).json()["_size"] == 1


@pytest.mark.parametrize(("method", "path", "status"), [
    ("POST", "", 405), ("GET", "/idx", 405), ("PUT", "", 405), ("PATCH", "/idx", 405),
])  # fmt: skip
async def test_methods(admin: httpx.AsyncClient, indexes: str, method: str, path: str, status: int) -> None:
    assert status == (await admin.request(method, f"{indexes}{path}", json={})).status_code


async def test_indexes_of_the_server_stay(admin: httpx.AsyncClient, tenant: str) -> None:
    for path in (f"/{tenant}/gql-apps/_indexes/app_keys", f"/{tenant}/apikeys/_indexes/x"):
        assert (await admin.put(path, json={"keys": {"a": 1}})).status_code == 403
        assert (await admin.delete(path)).status_code == 403


async def test_missing_collection_is_404(admin: httpx.AsyncClient, tenant: str) -> None:
    for method, path in [("GET", ""), ("PUT", "/x"), ("DELETE", "/x")]:
        response = await admin.request(method, f"/{tenant}/none/_indexes{path}", json={"keys": {"a": 1}})
        assert response.status_code == 404
