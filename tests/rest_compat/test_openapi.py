"""The description of the interface: served, complete, and the same in the package and in the documentation."""

from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import schemathesis

from rest_compat.openapi import read_description
from rest_compat.resources import METHODS, Kind, read_resource

ROOT: Final = Path(__file__).resolve().parents[2]
BUCKETS: Final = {Kind.FILES_BUCKET: Kind.COLLECTION, Kind.FILE: Kind.DOCUMENT}
"""A bucket is a collection with a special name, and what it has in common with others is described once."""

EXAMPLES: Final = {"database": "acme", "collection": "notes"}


def described() -> dict[str, Any]:
    schema: dict[str, Any] = schemathesis.openapi.from_path(ROOT / "rest_compat" / "openapi.yaml").raw_schema
    return schema


def operations() -> set[tuple[Kind, str]]:
    found = set()
    for path, item in described()["paths"].items():
        segments = tuple(EXAMPLES.get(part.strip("{}"), part.strip("{}")) for part in path.split("/") if part)
        if segments[:1] not in {("_logic",), ("graphql",)} and segments[-1:] != ("_metrics",):
            found |= {(read_resource(segments).kind, method.upper()) for method in item if method != "parameters"}
    return found


def test_description_is_valid() -> None:
    schemathesis.openapi.from_path(ROOT / "rest_compat" / "openapi.yaml").validate()


def test_description_in_the_documentation_is_the_one_of_the_package() -> None:
    assert read_description() == (ROOT / "docs" / "openapi.yaml").read_bytes()


def test_every_route_is_described_and_nothing_else(transport: httpx.ASGITransport) -> None:
    routes: Any = transport.app

    shared = {(kind, method) for kind, method in routes._routes if (kind, method) not in operations()}
    described_elsewhere = {(BUCKETS.get(kind, kind), method) for kind, method in shared}
    assert described_elsewhere <= operations() <= {*routes._routes, *described_elsewhere}


def test_described_methods_are_those_of_the_resources() -> None:
    assert [] == [(kind, method) for kind, method in operations() if method not in METHODS[kind]]


async def test_description_is_served(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/_logic/openapi")

    assert (200, "application/yaml") == (response.status_code, response.headers["content-type"])
    assert read_description() == response.content


async def test_head_has_no_body(admin: httpx.AsyncClient) -> None:
    response = await admin.head("/_logic/openapi")

    assert 200 == response.status_code
    assert str(len(read_description())) == response.headers["content-length"]


async def test_key_without_any_right_may_read_the_description(
    admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, tenant: str
) -> None:
    key = {"_id": "k-nothing", "key": "k-nothing", "permissions": []}
    assert 201 == (await admin.put(f"/{tenant}/apikeys/k-nothing", json=key)).status_code
    shown = {"Authorization": "Bearer k-nothing"}

    known = await anonymous.get("/_logic/openapi", params={"tenant": tenant}, headers=shown)
    elsewhere = await anonymous.get("/_logic/openapi", headers=shown)

    assert (200, 401) == (known.status_code, elsewhere.status_code)


async def test_nobody_reads_the_description_without_credentials(anonymous: httpx.AsyncClient) -> None:
    response = await anonymous.get("/_logic/openapi")

    assert (401, b"") == (response.status_code, response.content)


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
async def test_description_is_only_read(admin: httpx.AsyncClient, method: str) -> None:
    response = await admin.request(method, "/_logic/openapi")

    assert 405 == response.status_code
