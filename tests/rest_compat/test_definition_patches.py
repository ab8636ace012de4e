"""PATCH, write modes and bulk requests on definitions over HTTP (graphql-apps.md 2.4, 2.5, 7.1)."""

import asyncio
from typing import Any

import httpx
import pytest

from content_core.names import AppKey
from content_core.store import Store
from tests.rest_compat.conftest import Notes
from tests.rest_compat.test_app import error_body
from tests.rest_compat.test_definitions import definition
from tests.rest_compat.writing import WRONG, bulk_result


async def _put(admin: httpx.AsyncClient, tenant: str, app: str = "a", **members: Any) -> str:
    path = f"/{tenant}/gql-apps/{tenant}___{app}"
    assert (await admin.put(path, json=definition(tenant, app, **members))).status_code == 201
    return path


async def test_patch_reaches_into_a_definition(admin: httpx.AsyncClient, tenant: str, hook: Notes) -> None:
    path = await _put(admin, tenant, old=1, tags=["x"])
    stages = [{"$match": {"a.b": {"$arg": "x"}}}]
    body = {
        "mappings.Query.loads.stages": stages,
        "descriptor.enabled": False,
        "descriptor.extra": {"c.d": 1},
        "tags.1": "y",
        "$unset": {"old": ""},
    }

    response = await admin.patch(path, json=body)

    expected = definition(tenant, "a", tags=["x", "y"])
    expected["mappings"]["Query"]["loads"] = {"stages": stages}
    expected["descriptor"] |= {"enabled": False, "extra": {"c.d": 1}}
    read = (await admin.get(path)).json()
    assert (response.status_code, response.content) == (200, b"")
    assert read.pop("_etag") == {"$oid": response.headers["etag"]}
    assert read == {"_id": f"{tenant}___a", **expected}
    assert hook.prepared[-1] == read
    assert hook.active[f"{tenant}___a"] == response.headers["etag"]


async def test_patch_that_breaks_a_definition_is_400_and_changes_nothing(
    admin: httpx.AsyncClient, tenant: str, hook: Notes
) -> None:
    path = await _put(admin, tenant)
    before = (await admin.get(path)).json()
    hook.reasons = ("broken",)

    response = await admin.patch(path, json={"schema": "type Query {"})

    assert error_body(response)["message"] == "Wrong GraphQL App definition: broken"
    assert (await admin.get(path)).json() == before
    assert hook.active[f"{tenant}___a"] == before["_etag"]["$oid"]


@pytest.mark.parametrize(
    "body",
    [
        {}, [], 5, {"_id": "other"}, {"$inc": {"n": 1}}, {"$set": 5}, {"a..b": 1}, {"a": 1, "a.b": 2},
        {"a": 1, "$set": {"a": 1}}, {"schema.x": 1}, {"schema.x.y": 1}, {"tags.7": 1},
    ],
)  # fmt: skip
async def test_patches_of_definitions_that_are_refused(admin: httpx.AsyncClient, tenant: str, body: Any) -> None:
    path = await _put(admin, tenant, tags=[])

    assert error_body(await admin.patch(path, json=body))["http status code"] == 400


async def test_patch_moves_an_application_and_collides(admin: httpx.AsyncClient, tenant: str) -> None:
    first, second = await _put(admin, tenant, "a"), await _put(admin, tenant, "b")

    assert (await admin.patch(first, json={"descriptor.uri": f"{tenant}/b"})).status_code == 409
    assert (await admin.delete(second)).status_code == 204
    assert (await admin.patch(first, json={"descriptor.uri": f"{tenant}/b"})).status_code == 200


async def test_patches_at_the_same_time_all_count(admin: httpx.AsyncClient, tenant: str) -> None:
    path = await _put(admin, tenant)

    answers = await asyncio.gather(*(admin.patch(path, json={f"n{number}": 1}) for number in range(6)))

    assert [200] * 6 == [answer.status_code for answer in answers]
    assert {f"n{number}" for number in range(6)} <= (await admin.get(path)).json().keys()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_etags_and_modes_of_definitions(admin: httpx.AsyncClient, tenant: str, method: str) -> None:
    path, body = f"/{tenant}/gql-apps/{tenant}___a", definition(tenant, "a")

    assert (await admin.request(method, f"{path}?wm=update", json=body)).status_code == 404
    assert (await admin.request(method, f"{path}?wm=insert", json=body)).status_code == 201
    assert (await admin.request(method, f"{path}?wm=insert", json=body)).status_code == 409
    assert (await admin.request(method, path, json=body, headers=WRONG)).status_code == 412
    missing = await admin.request(method, f"{path}?checkEtag", json=body)
    assert error_body(missing)["http status code"] == 409
    shown = await admin.request(method, f"{path}?checkEtag", json=body, headers={"If-Match": missing.headers["etag"]})
    assert shown.status_code == 200
    assert (await admin.delete(f"{path}?checkEtag")).status_code == 409
    assert (await admin.delete(path, headers=WRONG)).status_code == 412


async def test_bulk_patch_of_definitions_is_501(admin: httpx.AsyncClient, tenant: str) -> None:
    response = await admin.patch(f"/{tenant}/gql-apps/*?filter={{a:1}}", json={"a": 1})

    assert error_body(response)["http status code"] == 501
    assert error_body(response)["message"] == "GraphQL App definition cannot be updated with bulk patch requests"


async def test_bulk_delete_of_definitions_retires_them(
    admin: httpx.AsyncClient, store: Store, tenant: str, hook: Notes
) -> None:
    for app, kind in (("a", 1), ("b", 2), ("c", 2)):
        await _put(admin, tenant, app, kind=kind)

    result = bulk_result(await admin.delete(f'/{tenant}/gql-apps/*?filter={{"kind":2}}'))

    assert result == {"inserted": 0, "deleted": 2, "modified": 0, "matched": 0}
    assert {AppKey(tenant, "b"), AppKey(tenant, "c")} == set(hook.retired)
    assert (await admin.get(f"/{tenant}/gql-apps/_size")).status_code in {200, 404}
    assert await store.count(tenant, "gql-apps", {}) == 1
    assert (await admin.delete(f"/{tenant}/gql-apps/*")).status_code == 400
