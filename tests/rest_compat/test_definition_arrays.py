"""Several definitions in one POST: checked one by one, stored only if all are good, told apart by their index."""

from typing import Any

import httpx
import pytest

from content_core.documents import Document
from content_core.names import GQL_APPS
from content_core.store import Store
from rest_compat.definitions import ensure_definitions
from tests.rest_compat.conftest import Notes
from tests.rest_compat.test_app import error_body
from tests.rest_compat.test_definitions import definition
from tests.rest_compat.test_with_registry import client, registry

__all__ = ["client", "registry"]  # fixtures


def named(tenant: str, app: str, uri: str | None = None, **members: Any) -> Document:
    return {"_id": f"{tenant}___{app}", **definition(tenant, app, uri and f"{tenant}/{uri}", **members)}


async def test_all_definitions_of_an_array_are_stored_and_answer(
    admin: httpx.AsyncClient, tenant: str, hook: Notes
) -> None:
    await admin.post(f"/{tenant}/gql-apps", json=named(tenant, "a"))

    response = await admin.post(f"/{tenant}/gql-apps?rep=s", json=[named(tenant, "a"), named(tenant, "b")])

    links = [f"/{tenant}/gql-apps/{tenant}___b"]
    assert (response.status_code, response.json()) == (
        200,
        {"inserted": 1, "links": links, "deleted": 0, "modified": 1, "matched": 1},
    )
    assert hook.active == {f"{tenant}___{app}": response.headers["etag"] for app in ("a", "b")}
    assert (await admin.get(links[0])).json()["schema"] == definition(tenant, "b")["schema"]


async def test_the_first_invalid_definition_stops_the_array(client: httpx.AsyncClient, database: str) -> None:
    await client.put(f"/{database}")
    bodies = [named(database, "a"), named(database, "b", schema=1), named(database, "c", mappings=1)]

    response = await client.post(f"/{database}/gql-apps", json=bodies)

    reason = "'Schema' field must be a String but was INT32"
    assert response.status_code == 400
    assert error_body(response)["message"] == f"Wrong GraphQL App definition in document at index positon 1: {reason}"
    assert error_body(response)["reasons"] == [reason]
    assert (await client.get(f"/{database}/gql-apps/{database}___a")).status_code == 404


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_collision_names_the_index(client: httpx.AsyncClient, database: str, *, enabled: bool) -> None:
    await client.put(f"/{database}")
    first = named(database, "x")
    first["descriptor"]["enabled"] = enabled
    await client.post(f"/{database}/gql-apps", json=first)

    response = await client.post(f"/{database}/gql-apps", json=[named(database, "y"), named(database, "z", "x")])

    assert response.status_code == 409
    assert error_body(response)["message"] == (
        f"URI collision in document at index position 1: another GraphQL app is already accessible at /{database}/x"
    )
    assert (await client.get(f"/{database}/gql-apps/{database}___y")).status_code == 404


@pytest.mark.parametrize("others", [[("b", "a")], [("a", None)]])
async def test_definitions_of_one_array_collide(
    client: httpx.AsyncClient, database: str, others: list[tuple[str, str | None]]
) -> None:
    await client.put(f"/{database}")
    bodies = [named(database, "a"), *(named(database, app, uri) for app, uri in others)]

    response = await client.post(f"/{database}/gql-apps", json=bodies)

    assert response.status_code == 409
    assert error_body(response)["message"].startswith("URI collision in document at index position 1: another GraphQL")
    assert (await client.get(f"/{database}/gql-apps/{database}___a")).status_code == 404


async def test_a_collision_that_only_the_store_sees_names_the_index(
    admin: httpx.AsyncClient, store: Store, tenant: str
) -> None:
    """The hook here knows nothing of the other definition, as if another server had just stored it."""
    await ensure_definitions(store, tenant)
    await store.insert(tenant, GQL_APPS, {"_id": "stray", "_app_keys": [f"{tenant}/b"]})

    response = await admin.post(f"/{tenant}/gql-apps", json=[named(tenant, "a"), named(tenant, "b")])

    assert response.status_code == 409
    assert error_body(response)["message"].startswith("URI collision in document at index position 1: ")


@pytest.mark.parametrize("element", [1, [], {}, {"_id": 5}])
async def test_elements_that_name_no_application_are_refused(
    admin: httpx.AsyncClient, tenant: str, element: Any
) -> None:
    response = await admin.post(f"/{tenant}/gql-apps", json=[named(tenant, "a"), element])

    assert response.status_code == 400
    assert "index position 1" in error_body(response)["message"]


async def test_array_of_another_tenant_is_refused(admin: httpx.AsyncClient, tenant: str) -> None:
    response = await admin.post(f"/{tenant}/gql-apps", json=[{**definition(tenant, "a"), "_id": "other___a"}])

    assert response.status_code == 400


async def test_no_definitions_change_nothing(admin: httpx.AsyncClient, tenant: str) -> None:
    response = await admin.post(f"/{tenant}/gql-apps?rep=s", json=[])

    assert (response.status_code, response.json()["inserted"]) == (200, 0)


async def test_write_mode_counts_for_every_definition(admin: httpx.AsyncClient, tenant: str) -> None:
    await admin.post(f"/{tenant}/gql-apps", json=named(tenant, "a"))

    again = await admin.post(f"/{tenant}/gql-apps?wm=insert", json=[named(tenant, "b"), named(tenant, "a")])
    absent = await admin.post(f"/{tenant}/gql-apps?wm=update", json=[named(tenant, "b")])

    assert (again.status_code, absent.status_code) == (409, 404)
    assert (await admin.get(f"/{tenant}/gql-apps/{tenant}___b")).status_code == 404
