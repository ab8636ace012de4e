"""Reading one document over HTTP: the body as stored, ids of all types, versions, filters, files and schemas."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from bson import Int64, MaxKey, MinKey, ObjectId

from content_core.store import Store
from rest_compat.ids import document_link
from tests.rest_compat.content import DOCUMENTS, PAGES, fill
from tests.rest_compat.test_app import error_body

OID = "64a5f0c2e4b0a1b2c3d4e5f6"


@pytest.fixture
async def pages(store: Store, tenant: str) -> str:
    """The address of a collection with five pages."""
    await fill(store, tenant)
    return f"/{tenant}/{PAGES}"


async def test_document_is_its_own_json(admin: httpx.AsyncClient, pages: str) -> None:
    response = await admin.get(f"{pages}/a.en_GB/")

    assert list(response.json()) == ["_id", "fsType", "locale", "name", "price", "created", "_etag"]
    assert response.headers["content-type"] == "application/hal+json"
    assert response.headers["etag"] == str(DOCUMENTS[1]["_etag"])


@pytest.mark.parametrize(
    ("path", "status"),
    [("none", 404), ("A.EN_GB", 404), ("a.en_GB/x", 404), ("a.en_GB/x/y", 404), ("_properties", 403)],
)
async def test_what_is_no_document(admin: httpx.AsyncClient, pages: str, path: str, status: int) -> None:
    assert status == error_body(await admin.get(f"{pages}/{path}"))["http status code"]


async def test_missing_place_is_named(admin: httpx.AsyncClient, tenant: str, pages: str) -> None:
    messages = [
        error_body(await admin.get(path))["message"]
        for path in (f"/{tenant}x/c/1", f"/{tenant}/none/1", f"/{tenant}/none.files/1", f"{pages}/none")
    ]

    assert messages == [
        f"Db '{tenant}x' does not exist",
        "Collection 'none' does not exist",
        "File Bucket 'none.files' does not exist",
        "document 'none' does not exist",
    ]


IDS = [
    ("plain", "plain", ""),
    (OID, ObjectId(OID), ""),
    (OID, OID, "STRING"),
    (OID, ObjectId(OID), "oid"),
    ("a%2Fb", "a/b", ""),
    ("a%20b%22%7B", 'a b"{', ""),
    ("%C3%A4", "ä", ""),
    ("100", 100, "NUMBER"),
    ("1.5", 1.5, "number"),
    ("-4294967296", Int64(-(2**32)), "NUMBER"),
    ("100", "100", ""),
    ("1656633600000", datetime(2022, 7, 1, tzinfo=UTC), "DATE"),
    (quote('{"$date":1656633600000}'), datetime(2022, 7, 1, tzinfo=UTC), "DATE"),
    ("true", True, "BOOLEAN"),
    ("_true", True, ""),
    ("_FALSE", False, "OID"),
    ("_null", None, ""),
    ("null", None, "NULL"),
    ("_MinKey", MinKey(), ""),
    ("MinKey", MinKey(), "MINKEY"),
    ("_maxkey", MaxKey(), "STRING"),
]


@pytest.mark.parametrize(("segment", "document_id", "kind"), IDS)
async def test_id_type(
    admin: httpx.AsyncClient, store: Store, tenant: str, segment: str, document_id: Any, kind: str
) -> None:
    await store.insert(tenant, "things", {"_id": document_id, "found": True})
    for other in ("x", 7, 1.25, ObjectId()):
        await store.insert(tenant, "things", {"_id": other})

    response = await admin.get(f"/{tenant}/things/{segment}" + (f"?id_type={kind}" if kind else ""))
    assert response.json()["found"] is True

    path = document_link(tenant, "things", document_id)
    assert path is not None
    assert (await admin.get(path)).json() == response.json()


@pytest.mark.parametrize(
    ("segment", "kind"),
    [
        ("x", "OID"), ("x", "NUMBER"), ("true", "NUMBER"), ("1e999", "NUMBER"), ("9223372036854775808", "NUMBER"),
        ("x", "DATE"), ("99999999999999999999", "DATE"), ("1", "BOOLEAN"), ("x", "MINKEY"), ("x", "MAXKEY"),
        ("x", "NULL"), ("x", "WHAT"), ("x", ""),
    ],
)  # fmt: skip
async def test_bad_id_is_400(admin: httpx.AsyncClient, pages: str, segment: str, kind: str) -> None:
    body = error_body(await admin.get(f"{pages}/{segment}?id_type={kind}"))

    assert body["http status code"] == 400
    assert body["message"] == "unknown id_type" if kind in {"WHAT", ""} else kind in body["message"]


@pytest.mark.parametrize(
    ("document_id", "link"),
    [
        ("a b", "/d/c/a%20b"), ("a/b", "/d/c/a%2Fb"), (OID, f"/d/c/{OID}?id_type=STRING"),
        (ObjectId(OID), f"/d/c/{OID}"),
        (100, "/d/c/100?id_type=NUMBER"), (datetime(1970, 1, 1, tzinfo=UTC), "/d/c/0?id_type=DATE"),
        (True, "/d/c/_true"), (False, "/d/c/_false"), (None, "/d/c/_null"), (MinKey(), "/d/c/_MinKey"),
        (MaxKey(), "/d/c/_MaxKey"), ({"a": 1}, None), (float("nan"), None), ("_true", None), ("", None), (b"x", None),
    ],
)  # fmt: skip
def test_link_is_the_inverse_of_the_id(document_id: Any, link: str | None) -> None:
    assert link == document_link("d", "c", document_id)


async def test_if_none_match_is_304(admin: httpx.AsyncClient, pages: str) -> None:
    version = str(DOCUMENTS[0]["_etag"])

    for shown in (version, f'"{version}"', f'W/"{version}"', f"x, {version}"):
        for query in ("", "?keys={name:1}"):
            response = await admin.get(f"{pages}/a.de_DE{query}", headers={"If-None-Match": shown})
            assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", version)
    assert (await admin.get(f"{pages}/a.de_DE", headers={"If-None-Match": "0" * 24})).status_code == 200


@pytest.mark.parametrize(("value", "status"), [("{price: 3}", 200), ("{price: 4}", 404), ("{_id: 'b.de_DE'}", 404)])
async def test_filter_is_a_further_condition(admin: httpx.AsyncClient, pages: str, value: str, status: int) -> None:
    assert status == (await admin.get(f"{pages}/a.de_DE", params={"filter": value})).status_code


async def test_file_shows_its_metadata_and_links_its_bytes(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    version = ObjectId()
    stored = {"filename": "logo.png", "length": 3, "chunkSize": 261120, "metadata": {"_etag": version}}
    await store.insert(tenant, "shop.files", {"_id": "x.ORIGINAL", **stored})
    await store.insert(tenant, "shop.files", {"_id": 5, **stored})
    await store.insert(tenant, "shop.files", {"_id": "bare"})
    data = {"rh:data": {"href": f"/{tenant}/shop.files/x.ORIGINAL/binary"}}

    response = await admin.get(f"/{tenant}/shop.files/x.ORIGINAL")
    listed = (await admin.get(f"/{tenant}/shop.files?sort=filename&rep=hal")).json()["_embedded"]["rh:file"]

    assert response.json()["_links"] == data
    assert response.headers["etag"] == str(version)
    assert [element.get("_links") for element in listed if element["_id"] != 5] == [None, data]
    assert [element["_links"] for element in listed if element["_id"] == 5] == [
        {"rh:data": {"href": f"/{tenant}/shop.files/5/binary?id_type=NUMBER"}}
    ]


async def test_schema_is_shown_with_its_names(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    version = ObjectId()
    stored = {"_id": "note", "_$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "_etag": version}
    await store.insert(tenant, "_schemas", stored)

    response = await admin.get(f"/{tenant}/_schemas/note")
    listed = await admin.get(f"/{tenant}/_schemas", params={"filter": "{_id: 'note'}"})

    assert list(response.json()) == ["_id", "$schema", "type", "_etag"]
    assert response.headers["etag"] == str(version)
    assert listed.json()["_embedded"] == {"rh:schema": [response.json()]}
    assert error_body(await admin.get(f"/{tenant}/_schemas/none"))["message"] == "schema 'none' does not exist"
