"""The forms of an answer over HTTP: rep and jsonMode."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from content_core.store import Store
from tests.rest_compat.content import ETAG, PAGES, fill

OID = "64a5f0c2e4b0a1b2c3d4e5f6"


@pytest.fixture
async def pages(store: Store, tenant: str) -> str:
    """The address of a collection with five pages."""
    await fill(store, tenant)
    return f"/{tenant}/{PAGES}"


ONE = "keys={_id:1}&pagesize=1&sort=_id"
ELEMENT = {"_id": "a.de_DE"}
PROPERTIES = {"_id": PAGES, "_etag": {"$oid": str(ETAG)}}


@pytest.mark.parametrize(
    ("query", "media_type", "expected"),
    [
        ("rep=hal", "application/hal+json", PROPERTIES | {"_returned": 1, "_embedded": {"rh:doc": [ELEMENT]}}),
        ("rep=HAL", "application/hal+json", PROPERTIES | {"_returned": 1, "_embedded": {"rh:doc": [ELEMENT]}}),
        ("rep=pj", "application/json", PROPERTIES | {"_returned": 1, "_embedded": [ELEMENT]}),
        ("rep=PLAIN_JSON", "application/json", PROPERTIES | {"_returned": 1, "_embedded": [ELEMENT]}),
        ("rep=shal", "application/json", PROPERTIES | {"_returned": 1, "_embedded": [ELEMENT]}),
        ("rep=pj&np", "application/json", [ELEMENT]),
        ("rep=pj&filter={fsType:'Page'}", "application/json", [ELEMENT]),
        ("rep=pj&np&filter={a:1}", "application/json", []),
        ("rep=pj&page=9", "application/json", PROPERTIES | {"_returned": 0, "_embedded": []}),
        ("rep=s", "application/json", [ELEMENT]),
        ("rep=Standard", "application/json", [ELEMENT]),
        ("rep=s&filter={a:1}", "application/json", []),
    ],
)
async def test_rep_of_collection(
    admin: httpx.AsyncClient, pages: str, query: str, media_type: str, expected: Any
) -> None:
    response = await admin.get(f"{pages}?{ONE}&{query}")

    assert expected == response.json()
    assert media_type == response.headers["content-type"]
    assert response.headers["etag"] == str(ETAG)


async def test_unknown_rep_is_hal_with_a_warning(admin: httpx.AsyncClient, pages: str) -> None:
    body = (await admin.get(f"{pages}?rep=xml&np")).json()

    assert list(body) == ["_returned", "_embedded", "_warnings"]
    assert "xml" in body["_warnings"][0]


@pytest.mark.parametrize(("hal", "status"), [("c", 200), ("compact", 200), ("F", 200), ("x", 400), ("", 400)])
async def test_hal_parameter(admin: httpx.AsyncClient, pages: str, hal: str, status: int) -> None:
    assert status == (await admin.get(f"{pages}?hal={hal}")).status_code


async def test_document_looks_alike_in_all_forms(admin: httpx.AsyncClient, pages: str) -> None:
    answers = [await admin.get(f"{pages}/a.en_GB?rep={rep}") for rep in ("hal", "pj", "s")]

    assert len({answer.text for answer in answers}) == 1
    assert [answer.headers["content-type"] for answer in answers] == [
        "application/hal+json", "application/json", "application/json",
    ]  # fmt: skip


VALUES: dict[str, tuple[Any, ...]] = {
    "int32": (5, 5, {"$numberInt": "5"}, 5, "5"),
    "int64": (Int64(5), 5, {"$numberLong": "5"}, 5, '{"$numberLong":"5"}'),
    "large": (2**40, 2**40, {"$numberLong": str(2**40)}, 2**40, f'{{"$numberLong":"{2**40}"}}'),
    "double": (1.5, 1.5, {"$numberDouble": "1.5"}, 1.5, "1.5"),
    "whole": (2.0, 2.0, {"$numberDouble": "2.0"}, 2.0, "2.0"),
    "nan": (float("nan"), *[{"$numberDouble": "NaN"}] * 3, "NaN"),
    "infinity": (float("-inf"), *[{"$numberDouble": "-Infinity"}] * 3, "-Infinity"),
    "decimal": (Decimal128("1.50"), *[{"$numberDecimal": "1.50"}] * 3, '{"$numberDecimal":"1.50"}'),
    "date": (
        datetime(2019, 9, 12, 13, 42, 49, 260000, tzinfo=UTC),
        {"$date": 1568295769260},
        {"$date": {"$numberLong": "1568295769260"}},
        {"$date": "2019-09-12T13:42:49.26Z"},
        '{"$date":1568295769260}',
    ),
    "old": (
        datetime(1969, 12, 31, tzinfo=UTC),
        {"$date": -86400000},
        *[{"$date": {"$numberLong": "-86400000"}}] * 2,
        '{"$date":-86400000}',
    ),
    "oid": (ObjectId(OID), *[{"$oid": OID}] * 3, f'{{"$oid":"{OID}"}}'),
    "binary": (
        Binary(b"\x01\x02", 5),
        *[{"$binary": {"base64": "AQI=", "subType": "05"}}] * 3,
        '{"$binary":"AQI=","$type":"05"}',
    ),
    "regex": (
        Regex("^a", "i"),
        *[{"$regularExpression": {"pattern": "^a", "options": "i"}}] * 3,
        '{"$regex":"^a","$options":"i"}',
    ),
    "timestamp": (Timestamp(1, 2), *[{"$timestamp": {"t": 1, "i": 2}}] * 3, '{"$timestamp":{"t":1,"i":2}}'),
    "min": (MinKey(), *[{"$minKey": 1}] * 3, '{"$minKey":1}'),
    "max": (MaxKey(), *[{"$maxKey": 1}] * 3, '{"$maxKey":1}'),
    "text": ("ä", *["ä"] * 3, '"ä"'),
    "bool": (True, True, True, True, "true"),
    "null": (None, None, None, None, "null"),
    "nested": ({"a": [1, 2.5]}, {"a": [1, 2.5]}, {"a": [{"$numberInt": "1"}, {"$numberDouble": "2.5"}]},
               {"a": [1, 2.5]}, '{"a":[1,2.5]}'),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
async def test_json_mode(admin: httpx.AsyncClient, store: Store, tenant: str, name: str) -> None:
    value, default, extended, relaxed, strict = VALUES[name]
    await store.insert(tenant, "values", {"_id": "x", "v": value})

    def read(response: httpx.Response) -> Any:
        assert response.status_code == 200
        return response.json()["v"]

    path = f"/{tenant}/values/x"
    assert default == read(await admin.get(path))
    assert default == read(await admin.get(f"{path}?jsonMode=whatever"))
    assert extended == read(await admin.get(f"{path}?jsonMode=EXTENDED"))
    assert relaxed == read(await admin.get(f"{path}?jsonMode=relaxed"))
    assert (await admin.get(f"{path}?jsonMode=Strict")).text == f'{{"_id":"x","v":{strict}}}'


async def test_json_mode_goes_for_lists_sizes_and_metadata(admin: httpx.AsyncClient, tenant: str, pages: str) -> None:
    five = {"$numberInt": "5"}

    listed = (await admin.get(f"{pages}?jsonMode=EXTENDED&count")).json()
    assert [listed["_size"], listed["_returned"]] == [five, five]
    assert (await admin.get(f"{pages}/_size?jsonMode=EXTENDED")).json() == {"_size": five}
    assert (await admin.get(f"/{tenant}?jsonMode=EXTENDED")).json()["_total_pages"] == {"$numberInt": "1"}
