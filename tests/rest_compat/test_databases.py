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
