"""Making databases: what each gets, who is first, and that names differ by more than case."""

import asyncio

import httpx
import pytest

from content_core.access.reserved import PROPERTIES
from content_core.store import Store
from tests.content_core.access.keys import entry, store_global_key
from tests.rest_compat.test_app import bearer, error_body


async def test_database_is_created_with_the_collections_of_the_server(
    admin: httpx.AsyncClient, store: Store, database: str
) -> None:
    first = await admin.put(f"/{database}", headers={"Content-Type": "application/json"})
    second = await admin.put(f"/{database}/")

    assert (first.status_code, first.content, second.status_code, second.content) == (201, b"", 200, b"")
    assert await store.collection_names(database) == ["_properties", "_schemas", "apikeys", "gql-apps"]
    assert first.headers["etag"] != second.headers["etag"]


async def test_properties_are_kept_with_odd_names(admin: httpx.AsyncClient, store: Store, database: str) -> None:
    etag = (await admin.put(f"/{database}", json={"desc": "x", "$a": {"b.c": [{"$d": 1}]}, "_id": 5})).headers["etag"]

    stored = await store.get(database, PROPERTIES, PROPERTIES)

    assert stored is not None
    assert etag == str(stored.pop("_etag"))
    assert stored == {"_id": PROPERTIES, "desc": "x", "_$a": {"b::c": [{"_$d": 1}]}}


async def test_of_many_creators_one_is_first(admin: httpx.AsyncClient, database: str) -> None:
    answers = await asyncio.gather(*(admin.put(f"/{database}") for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


async def test_database_made_elsewhere_is_not_created_again(
    admin: httpx.AsyncClient, store: Store, database: str
) -> None:
    await store.insert(database, "notes", {"_id": 1})

    assert (await admin.put(f"/{database}")).status_code == 200
    assert (await admin.get(f"/{database}/apikeys")).status_code == 200


async def test_name_that_differs_in_case_only_is_409(admin: httpx.AsyncClient, tenant: str) -> None:
    response = await admin.put(f"/{tenant.upper()}")

    assert error_body(response)["http status code"] == 409


async def test_if_match_guards_the_database(admin: httpx.AsyncClient, tenant: str) -> None:
    assert (await admin.put(f"/{tenant}", headers={"If-Match": "0" * 24})).status_code == 412


@pytest.mark.parametrize(("url", "status"), [("/", 201), ("/{db}/", 201), ("/other/", 403)])
async def test_global_key_makes_the_databases_it_covers(
    anonymous: httpx.AsyncClient, store: Store, database: str, url: str, status: int
) -> None:
    key = await store_global_key(store, entry(url.replace("{db}", database), "PUT"))

    assert status == (await anonymous.put(f"/{database}", headers=bearer(key))).status_code


async def test_database_from_put_to_delete(admin: httpx.AsyncClient, store: Store, database: str) -> None:
    path = f"/{database}"
    await admin.put(path, json={"desc": "x", "tags": ["a"]})
    await admin.put(f"{path}/notes")

    patched = await admin.patch(path, json={"a.b": {"$c.d": 1}, "$push": {"tags": "b"}})
    read = (await admin.get(path)).json()
    missing = await admin.delete(path)
    wrong = await admin.delete(path, headers={"If-Match": "0" * 24})
    deleted = await admin.delete(path, headers={"If-Match": patched.headers["etag"]})

    assert (patched.status_code, patched.content) == (200, b"")
    assert (read["desc"], read["tags"], read["a"]) == ("x", ["a", "b"], {"b": {"$c.d": 1}})
    assert "The database's ETag" in error_body(missing)["message"]
    assert (missing.status_code, missing.headers["etag"]) == (409, patched.headers["etag"])
    assert (wrong.status_code, wrong.content, wrong.headers["etag"]) == (412, b"", patched.headers["etag"])
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert await store.collection_names(database) == []
    gone = await admin.delete(path)
    assert (gone.status_code, gone.content) == (404, b"")


async def test_empty_put_wipes_the_metadata_of_a_database(admin: httpx.AsyncClient, database: str) -> None:
    await admin.put(f"/{database}", json={"desc": "x"})

    assert (await admin.put(f"/{database}")).status_code == 200
    assert "desc" not in (await admin.get(f"/{database}")).json()


async def test_patch_of_no_database_is_404(admin: httpx.AsyncClient, store: Store, database: str) -> None:
    response = await admin.patch(f"/{database}", json={"a": 1})

    assert error_body(response)["message"] == f"Db '{database}' does not exist"
    assert await store.collection_names(database) == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("name", ["admin", "Config", "local", "system.x", "caas_admin", "graphql"])
async def test_reserved_databases_are_403(admin: httpx.AsyncClient, name: str, method: str) -> None:
    assert (await admin.request(method, f"/{name}", json={"a": 1})).status_code == 403
