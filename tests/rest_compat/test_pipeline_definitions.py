"""Definitions of aggregations and change streams, checked when the metadata of a collection is written."""

from typing import Any

import httpx
import pytest

from content_core.access.reserved import PROPERTIES
from content_core.errors import NotFoundError, PipelineMalformedError, PipelineRefusedError, RequestError
from content_core.store import Store
from rest_compat.pipeline_definitions import check_definitions, find_aggregation
from tests.rest_compat.test_app import error_body
from tests.rest_compat.writing import make_collection

Document = dict[str, Any]


def aggregation(*stages: Any, **members: Any) -> Document:
    return {"uri": "it", "stages": list(stages), **members}


GOOD: list[Document] = [
    aggregation(),
    aggregation({"$match": {"a.b": {"$var": "x"}}}, {"$ifvar": ["y", {"$limit": 1}, {"$limit": 2}]}),
    *[
        aggregation(type=name)
        for name in ("pipeline", "aggregation", "aggregate", "ap", "aggregation pipeline", "aggregation-pipeline")
    ],
    *[aggregation(type=name, allowDiskUse=True) for name in ("aggregationPipeline", "AGGREGATION_PIPELINE")],
    aggregation({"$lookup": {"from": "x.y", "pipeline": [], "as": "z"}}, {"$out": {"db": "other", "coll": "x"}}),
    aggregation({"$facet": {"a": [{"$var": ["stage", {"$limit": 1}]}]}}, comment="kept"),
]

BAD_STAGES: list[Any] = [None, "x", [], {}, {"$match": {}, "$limit": 1}, {"$mtach": {}}, {"a": 1}]
BAD_VARIABLES: list[Any] = [[], ["a"], ["a", 1, 2], 5, {}]
BAD: list[Any] = [
    *[None, {}, "x", 5, [None], ["x"], [[]], [{}], [{"stages": []}], [{"uri": "", "stages": []}]],
    *[[{"uri": 5, "stages": []}], [{"uri": "a"}], [{"uri": "a", "stages": {}}], [{"uri": "a", "stages": None}]],
    [aggregation(), aggregation()],
    *[[aggregation(stage)] for stage in BAD_STAGES],
    *[[aggregation(type=name)] for name in ("mapReduce", "mapreduce", "map-reduce", "x", 5, None, "")],
    *[[aggregation(allowDiskUse=value)] for value in ("true", 1, None)],
    *[[aggregation({"$match": {name: "1"}})] for name in ("$where", "$function", "$accumulator", "$Where")],
    *[[aggregation({name: {}})] for name in ("$currentOp", "$collStats", "$changeStream", "$listSessions")],
    *[[aggregation({"$unionWith": name})] for name in ({"$var": "x"}, "apikeys", "_properties", "$x", "", 5)],
    *[[aggregation({"$out": name})] for name in ({"$var": "x"}, "gql-apps", "_schemas", {"db": "admin", "coll": "x"})],
    [aggregation({"$lookup": {"from": {"db": {"$var": "x"}, "coll": "y"}}})],
    [aggregation({"$ifvar": ["a", {"$merge": {"into": {"$var": "x"}}}]})],
    *[[aggregation({"$limit": {"$var": operand}})] for operand in BAD_VARIABLES],
    *[[aggregation({"$ifvar": operand})] for operand in ("a", ["a"], [[], {"$limit": 1}], ["a", "x", "y", "z"])],
    [aggregation({"$ifvar": ["a", {"$limit": 1}, {"$limit": {"$var": []}}]})],
]


@pytest.mark.parametrize("definition", GOOD, ids=str)
def test_good_definitions_pass(definition: Document) -> None:
    check_definitions({"aggrs": [definition], "streams": [], "desc": "x"}, database="acme")


@pytest.mark.parametrize("value", BAD, ids=lambda value: str(value)[:80])
def test_bad_definitions_are_400(value: Any) -> None:
    for member in ("aggrs", "streams"):
        with pytest.raises(RequestError, match=f"'{member}") as refused:
            check_definitions({member: value if member == "aggrs" else _as_stream(value)}, database="acme")
        assert refused.value.status == 400


def _as_stream(value: Any) -> Any:
    """Give a value that is as wrong for streams, which have no types and touch nothing."""
    if value and isinstance(value, list) and isinstance(value[0], dict) and {"type", "allowDiskUse"} & value[0].keys():
        return [aggregation({"$group": {"_id": 1}})]
    return value


def test_too_many_definitions_are_400() -> None:
    many = [{"uri": str(number), "stages": []} for number in range(1_001)]

    check_definitions({"aggrs": many[1:]}, database="acme")
    with pytest.raises(RequestError, match="at most 1000"):
        check_definitions({"aggrs": many}, database="acme")


@pytest.mark.parametrize(
    "stage",
    [
        *[{"$group": {"_id": 1}}, {"$limit": 1}, {"$sort": {"a": 1}}, {"$lookup": {"from": "x", "as": "y"}}],
        *[{"$facet": {}}, {"$out": "x"}, {"$merge": "x"}, {"$unionWith": "x"}, {"$count": "n"}, {"$unwind": "$a"}],
        *[{"$project": {"_id": 0}}, {"$unset": "_id"}, {"$unset": ["a", "_id._data"]}, {"$set": {"_id": 1}}],
        {"$ifvar": ["x", {"$match": {}}, {"$unset": "_id"}]},
    ],
    ids=str,
)
def test_stages_that_no_change_stream_has_are_400(stage: Document) -> None:
    with pytest.raises(RequestError, match=r"'streams\[0\]' \(it\): malformed aggregation pipeline"):
        check_definitions({"streams": [aggregation(stage)]}, database="acme")


def test_usual_streams_pass() -> None:
    kinds = {"operationType": {"$in": ["insert", "replace", "update", "delete"]}}
    shown = {"documentKey": 1, "operationType": 1, "operationResult": 1, "fullDocument._id": 1}
    language = {"$match": {"fullDocument.locale.language": {"$var": "lang"}}}

    check_definitions({"streams": [
        {"uri": "crud", "stages": [{"$match": kinds}, {"$project": shown}]},
        {"uri": "by_lang", "stages": [{"$ifvar": ["lang", language]}]},
        {"uri": "all", "stages": []},
    ]}, database="acme")  # fmt: skip


def test_what_is_stored_is_found() -> None:
    stages = [{"$limit": 1}]
    properties = {"aggrs": [5, {"uri": "other"}, {"uri": "a", "stages": stages, "allowDiskUse": True}, {"uri": "b"}]}

    found = find_aggregation(properties, "a")

    assert (found.stages, found.allow_disk_use) == (stages, True)
    with pytest.raises(PipelineMalformedError):
        find_aggregation(properties, "b")
    with pytest.raises(PipelineRefusedError):
        find_aggregation({"aggrs": [{"uri": "a", "type": "mapReduce", "map": "x", "reduce": "y"}]}, "a")
    for other in ({}, {"aggrs": None}, {"aggrs": {"uri": "a"}}, properties):
        with pytest.raises(NotFoundError, match="query does not exist"):
            find_aggregation(other, "c")


# --- over HTTP -----------------------------------------------------------------------------------------------------


async def kept(store: Store, path: str) -> Document | None:
    _, database, collection = path.split("/")
    return await store.get(database, PROPERTIES, f"{PROPERTIES}.{collection}")


async def test_bad_definition_changes_nothing(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    path = await make_collection(admin, tenant, aggrs=[aggregation()], streams=[{"uri": "s", "stages": []}], n=1)
    before = await kept(store, path)
    bad = aggregation({"$match": {"$where": "1"}})
    requests: list[tuple[str, Document]] = [
        ("PUT", {"aggrs": {}}),
        ("PUT", {"aggrs": [bad]}),
        ("PUT", {"streams": [bad]}),
        ("PATCH", {"aggrs": [bad], "n": 2}),
        ("PATCH", {"$set": {"aggrs": 5}}),
        ("PATCH", {"aggrs.0": bad}),
        ("PATCH", {"aggrs.0.uri": ""}),
        ("PATCH", {"aggrs.0.stages": "x"}),
        ("PATCH", {"aggrs.0.stages.0": {"$unionWith": {"$var": "c"}}}),
        ("PATCH", {"$set": {"aggrs.0.stages": [{"_$match": {"_$where": "1"}}]}}),
        ("PATCH", {"$push": {"aggrs": bad}}),
        ("PATCH", {"$push": {"aggrs": aggregation()}}),
        ("PATCH", {"$push": {"aggrs": {"$each": [{"uri": "new"}]}}}),
        ("PATCH", {"$unset": {"aggrs.0.uri": ""}}),
        ("PATCH", {"$rename": {"n": "aggrs"}}),
        ("PATCH", {"$rename": {"streams": "streams.x"}}),
        ("PATCH", {"$inc": {"streams.0.uri": 1}}),
        ("PATCH", {"streams.0.stages": [{"$unset": "_id"}]}),
    ]

    for method, body in requests:
        answer = await admin.request(method, path, json=body)
        assert error_body(answer)["http status code"] == 400, (method, body)
        assert await kept(store, path) == before, (method, body)


async def test_bad_definition_makes_no_collection(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    for name in ("new", "new.files"):
        answer = await admin.put(f"/{tenant}/{name}", json={"aggrs": [{"uri": "a"}]})
        assert error_body(answer)["http status code"] == 400
        assert name not in await store.collection_names(tenant)


async def test_both_spellings_are_stored_alike_and_shown_unescaped(
    admin: httpx.AsyncClient, store: Store, tenant: str
) -> None:
    plain = aggregation({"$match": {"a.b": {"$in": [{"$var": "x"}]}}})
    escaped = aggregation({"_$match": {"a::b": {"_$in": [{"_$var": "x"}]}}})

    for number, written in enumerate((plain, escaped)):
        path = await make_collection(admin, tenant, f"c{number}", aggrs=[written])
        stored = await kept(store, path)
        assert stored is not None
        assert stored["aggrs"] == [escaped]
        assert (await admin.get(path)).json()["aggrs"] == [plain]
        assert (await admin.get(f"{path}/_meta")).json()["aggrs"] == [plain]
        assert (await admin.patch(path, json={"aggrs.0.stages.0": written["stages"][0]})).status_code == 200
        assert (await admin.get(path)).json()["aggrs"] == [plain]


async def test_good_changes_of_definitions_pass(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    path = await make_collection(admin, tenant)
    changes: list[Document] = [
        {"aggrs": [aggregation()]},
        {"$push": {"aggrs": aggregation({"$limit": 1}, uri="second")}},
        {"aggrs.1.stages.0": {"$limit": 2}},
        {"aggrs.0.allowDiskUse": True},
        {"streams": [{"uri": "crud", "stages": []}]},
        {"$pull": {"aggrs": {"uri": "it"}}},
        {"$unset": {"streams": ""}},
    ]

    for change in changes:
        assert (await admin.patch(path, json=change)).status_code == 200, change

    stored = await kept(store, path)
    assert stored is not None
    assert stored["aggrs"] == [{"uri": "second", "stages": [{"_$limit": 2}]}]
    assert "streams" not in stored


async def test_old_definition_that_would_be_refused_hinders_no_other_change(
    admin: httpx.AsyncClient, store: Store, tenant: str
) -> None:
    """One that came with a dump of another server: it does not run, and all else goes on."""
    path = await make_collection(admin, tenant)
    await store.update_one(
        tenant, PROPERTIES, filter={"_id": f"{PROPERTIES}.notes"}, update={"$set": {"aggrs": [{"uri": "old"}]}},
        upsert=False,
    )  # fmt: skip

    assert (await admin.patch(path, json={"desc": "x"})).status_code == 200
    assert error_body(await admin.patch(path, json={"aggrs.1": aggregation()}))["http status code"] == 400
    assert (await admin.patch(path, json={"aggrs": [aggregation()]})).status_code == 200


async def test_version_counts_for_definitions_too(admin: httpx.AsyncClient, tenant: str) -> None:
    path = await make_collection(admin, tenant, etagPolicy="REQUIRED")
    body = {"aggrs": [aggregation()]}

    missing = await admin.patch(path, json=body)
    wrong = await admin.patch(path, json=body, headers={"If-Match": "0123456789abcdef01234567"})
    right = await admin.patch(path, json=body, headers={"If-Match": missing.headers["etag"]})

    assert [missing.status_code, wrong.status_code, right.status_code] == [409, 412, 200]


async def test_collection_and_database_made_elsewhere_get_definitions(
    admin: httpx.AsyncClient, store: Store, database: str
) -> None:
    """They have no metadata yet, not even the collection that would hold them."""
    await store.insert(database, "c", {"_id": 1})
    path = f"/{database}/c"

    assert (await admin.patch(path, json={"aggrs": [aggregation({"$count": "n"})]})).status_code == 200

    found = await admin.get(f"{path}/_aggrs/it", params={"rep": "s"})
    assert found.json() == [{"n": 1}]
