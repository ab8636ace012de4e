"""Lists of databases and of collections over HTTP, and who sees which."""

import httpx

from content_core.store import Store
from tests.content_core.access.keys import entry, store_global_key, store_key
from tests.rest_compat.content import PAGES, fill
from tests.rest_compat.test_app import bearer, error_body


async def names(client: httpx.AsyncClient, **options: dict[str, str]) -> list[str]:
    """List all databases."""
    found: list[str] = []
    for page in range(1, 50):
        got = (await client.get(f"/?rep=s&pagesize=100&page={page}", **options)).json()  # type: ignore[arg-type]
        found += got
        if len(got) < 100:
            break
    return found


async def test_hal_of_root(admin: httpx.AsyncClient, tenant: str) -> None:
    response = await admin.get("/?pagesize=100")

    body = response.json()
    assert list(body) == ["_size", "_total_pages", "_returned", "_embedded"]
    elements = {element["_id"]: element for element in body["_embedded"]["rh:db"]}
    assert list(elements[tenant]) == ["_id", "_etag"]
    assert sorted(elements) == list(elements)
    assert elements.keys().isdisjoint({"admin", "local", "config"})
    assert "caas_admin" in elements
    assert body["_returned"] == len(elements)
    assert response.headers["content-type"] == "application/hal+json"
    assert "etag" not in response.headers


async def test_root_is_paged(admin: httpx.AsyncClient, tenant: str) -> None:
    every = await names(admin)

    assert (await admin.get("/?rep=s&pagesize=1&page=2")).json() == every[1:2]
    assert (await admin.get("/?pagesize=0")).json() == {"_size": len(every), "_returned": 0}
    assert (await admin.get("/_size")).json() == {"_size": len(every)}


async def test_key_sees_only_its_databases(anonymous: httpx.AsyncClient, store: Store, tenant: str) -> None:
    of_one = bearer(
        await store_global_key(
            store,
            entry(
                "/",
                "GET",
                mode="REGEX",
            )
            | {"url": f"/|/_size|/{tenant}"},
        )
    )
    of_all = bearer(await store_global_key(store, entry("/", "GET")))

    assert await names(anonymous, headers=of_one) == [tenant]
    assert (await anonymous.get("/_size", headers=of_one)).json() == {"_size": 1}
    assert "caas_admin" not in await names(anonymous, headers=of_all)
    local = bearer(await store_key(store, tenant, entry("/", "GET")))
    assert (await anonymous.get("/", headers=local)).status_code == 401


async def test_hal_of_database(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    await fill(store, tenant)
    await store.insert(tenant, "shop.release.files", {"_id": 1})
    await store.insert(tenant, "shop.release.chunks", {"_id": 1})

    response = await admin.get(f"/{tenant}/")

    body = response.json()
    assert list(body) == ["_id", "_etag", "_size", "_total_pages", "_returned", "_embedded"]
    assert [body["_id"], body["_size"], body["_total_pages"], body["_returned"]] == [tenant, 5, 1, 5]
    assert {rel: [element["_id"] for element in elements] for rel, elements in body["_embedded"].items()} == {
        "rh:schema-store": ["_schemas"],
        "rh:coll": ["apikeys", "gql-apps", PAGES],
        "rh:bucket": ["shop.release.files"],
    }
    assert response.headers["etag"] == body["_etag"]["$oid"]
    assert (await admin.get(f"/{tenant}/_size")).json() == {"_size": 5}


async def test_rep_of_database(admin: httpx.AsyncClient, tenant: str) -> None:
    everything = ["_schemas", "apikeys", "gql-apps"]

    assert (await admin.get(f"/{tenant}?rep=s")).json() == everything
    assert (await admin.get(f"/{tenant}?rep=s&pagesize=1&page=2")).json() == ["apikeys"]
    plain = (await admin.get(f"/{tenant}?rep=pj")).json()
    assert [element["_id"] for element in plain["_embedded"]] == everything
    assert (await admin.get(f"/{tenant}?rep=pj&np")).json() == plain["_embedded"]


async def test_database_made_elsewhere_has_no_version(admin: httpx.AsyncClient, store: Store, database: str) -> None:
    await store.insert(database, "notes", {"_id": 1})

    response = await admin.get(f"/{database}")

    assert response.json() == {
        "_id": database, "_size": 1, "_total_pages": 1, "_returned": 1, "_embedded": {"rh:coll": [{"_id": "notes"}]},
    }  # fmt: skip
    assert "etag" not in response.headers
    assert error_body(await admin.get(f"/{database}/_meta"))["message"] == "resource _meta is not defined"


async def test_meta_of_database(admin: httpx.AsyncClient, database: str) -> None:
    await admin.put(f"/{database}", json={"desc": "x", "a.b": {"$c": 1}})

    body = (await admin.get(f"/{database}/_meta")).json()
    assert body == {"_id": "_meta", "_etag": body["_etag"], "desc": "x", "a.b": {"$c": 1}}
    assert (await admin.get(f"/{database}")).json()["desc"] == "x"


async def test_missing_database_is_404(admin: httpx.AsyncClient, database: str) -> None:
    for path in (f"/{database}", f"/{database}/_size", f"/{database}/_meta"):
        assert error_body(await admin.get(path))["message"] == f"Db '{database}' does not exist"


async def test_write_is_seen_by_the_next_read(admin: httpx.AsyncClient, tenant: str) -> None:
    for number in range(20):
        etag = (await admin.put(f"/{tenant}", json={"number": number})).headers["etag"]
        response = await admin.get(f"/{tenant}")
        assert (response.headers["etag"], response.json()["number"]) == (etag, number)
