"""Aggregations over a socket: shapes, variables, paging, limits, failures."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from bson import ObjectId

from content_core.access.reserved import PROPERTIES
from content_core.store import ChangeFeed, FindQuery, Store
from rest_compat import RestSettings
from tests.rest_compat.content import PAGES, fill
from tests.rest_compat.serving import make_app, serving
from tests.rest_compat.test_app import error_body

Document = dict[str, Any]

_LIST: Document = {"$range": [0, {"$add": [500_000, "$many"]}]}
_SPIN: Document = {"$expr": {"$lt": [{"$sum": {"$map": {"input": _LIST, "in": {"$mod": ["$$this", 7]}}}}, 0]}}
"""A condition that takes MongoDB a while per document."""

BY_LANGUAGE: Document = {
    "uri": "by_language",
    "type": "pipeline",
    "allowDiskUse": True,
    "stages": [
        {"$match": {"fsType": {"$var": "fsType"}, "locale.language": {"$var": ["lang", "en"]}}},
        {"$ifvar": ["dearer", {"$match": {"price": {"$gte": {"$var": "dearer"}}}}]},
        {"$sort": {"$var": ["sort", {"_id": -1}]}},
        {"$skip": {"$var": "@skip"}},
        {"$limit": {"$var": "@limit"}},
        {"$project": {"name": 1}},
    ],
}


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant with five pages, spoken to over a socket by the admin."""

    client: httpx.AsyncClient
    store: Store
    database: str

    @property
    def path(self) -> str:
        return f"/{self.database}/{PAGES}"

    async def define(self, *aggregations: Document) -> None:
        response = await self.client.patch(self.path, json={"aggrs": aggregations})
        assert response.status_code == 200, response.text

    async def define_past_checks(self, *aggregations: Document) -> None:
        """Store definitions as somebody who is not this server would."""
        metadata = {"_id": f"{PROPERTIES}.{PAGES}", "aggrs": list(aggregations), "_etag": ObjectId()}
        await self.store.replace(self.database, PROPERTIES, metadata)

    async def run(self, uri: str, avars: Any = None, method: str = "GET", **parameters: Any) -> httpx.Response:
        given = {} if avars is None else {"avars": avars if isinstance(avars, str) else json.dumps(avars)}
        return await self.client.request(method, f"{self.path}/_aggrs/{uri}", params={**given, **parameters})

    async def run_stages(self, *stages: Document, **members: Any) -> httpx.Response:
        """Define an aggregation and run it."""
        await self.define({"uri": "it", "stages": list(stages), **members})
        return await self.run("it")


@pytest.fixture
def limits() -> RestSettings:
    return RestSettings(aggregation_time_limit_ms=1_500, max_aggregation_bytes=100_000)


@pytest.fixture
async def shop(store: Store, feed: ChangeFeed, limits: RestSettings, database: str) -> AsyncIterator[Shop]:
    async with serving(await make_app(store, feed, limits)) as client:
        assert (await client.put(f"/{database}")).status_code == 201
        await fill(store, database)
        yield Shop(client, store, database)


def results(response: httpx.Response) -> list[Any]:
    """Give the documents of a good answer in HAL."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/hal+json"
    body = response.json()
    if not body["_returned"]:
        assert body == {"_size": 0, "_returned": 0}
        return []
    found = body["_embedded"]["rh:result"]
    assert body == {"_returned": len(found), "_embedded": {"rh:result": found}}
    return list(found)


def ids(response: httpx.Response) -> list[Any]:
    return [document["_id"] for document in results(response)]


# --- running -------------------------------------------------------------------------------------------------------


async def test_aggregation_runs_with_variables_and_paging(shop: Shop) -> None:
    await shop.define(BY_LANGUAGE)

    assert ids(await shop.run("by_language", {"fsType": "Page"})) == ["c.en_GB", "b.en_GB", "a.en_GB"]
    assert ids(await shop.run("by_language", {"fsType": "Page", "lang": "de"})) == ["b.de_DE", "a.de_DE"]
    assert ids(await shop.run("by_language", {"fsType": "Page"}, pagesize=2)) == ["c.en_GB", "b.en_GB"]
    assert ids(await shop.run("by_language", {"fsType": "Page"}, pagesize=2, page=2)) == ["a.en_GB"]
    assert ids(await shop.run("by_language", {"fsType": "Page"}, pagesize=2, page=3)) == []
    assert ids(await shop.run("by_language", {"fsType": "Page", "sort": {"name": 1}})) == [
        "c.en_GB", "b.en_GB", "a.en_GB",
    ]  # fmt: skip


async def test_ifvar_keeps_or_drops_a_stage(shop: Shop) -> None:
    await shop.define(
        BY_LANGUAGE,
        {
            "uri": "either",
            "stages": [
                {"$ifvar": [["from", "to"], {"$match": {"price": {"$gt": {"$var": "from"}, "$lt": {"$var": "to"}}}},
                            {"$match": {"price": None}}]},
                {"$sort": {"_id": 1}},
            ],
        },
    )  # fmt: skip

    assert ids(await shop.run("by_language", {"fsType": "Page", "dearer": 3})) == ["a.en_GB"]
    assert ids(await shop.run("either", {"from": 1, "to": 5})) == ["a.de_DE", "c.en_GB"]
    assert ids(await shop.run("either", {"from": 1})) == ["b.en_GB"]


async def test_page_and_pagesize_are_bound(shop: Shop) -> None:
    await shop.define({"uri": "it", "stages": [
        {"$limit": 1},
        {"$project": {"_id": 0, **{name: {"$literal": {"$var": f"@{name}"}} for name in
                                   ("page", "pagesize", "limit", "skip")}}},
    ]})  # fmt: skip

    assert results(await shop.run("it")) == [{"page": 1, "pagesize": 20, "limit": 20, "skip": 0}]
    assert results(await shop.run("it", page=4, pagesize=5)) == [{"page": 4, "pagesize": 5, "limit": 5, "skip": 15}]


async def test_paging_is_never_automatic(shop: Shop) -> None:
    assert len(results(await shop.run_stages({"$match": {}}))) == 5
    assert len(results(await shop.run("it", pagesize=2))) == 5


async def test_bound_values_have_types(shop: Shop) -> None:
    await shop.define({"uri": "since", "stages": [{"$match": {"created": {"$gte": {"$var": "at"}}}}]})

    assert ids(await shop.run("since", '{at: {$date: "2022-07-01T00:00:00Z"}}')) == ["a.en_GB"]
    assert ids(await shop.run("since", "{at: ISODate('2022-07-02')}")) == []


async def test_results_that_are_no_documents_are_embedded_as_they_are(shop: Shop) -> None:
    assert results(await shop.run_stages({"$count": "count"})) == [{"count": 5}]
    facets = await shop.run_stages({"$facet": {"n": [{"$count": "n"}], "none": [{"$match": {"x": 1}}]}})
    assert results(facets) == [{"n": [{"n": 5}], "none": []}]
    assert results(await shop.run_stages({"$group": {"_id": None, "sum": {"$sum": "$price"}}})) == [
        {"_id": None, "sum": 11.0}
    ]


@pytest.mark.parametrize(
    ("parameters", "media_type", "full", "empty"),
    [
        ({"rep": "s"}, "json", [{"n": 5}], []),
        ({"rep": "pj", "np": ""}, "json", [{"n": 5}], []),
        (
            {"rep": "pj"}, "json",
            {"_returned": 1, "_embedded": [{"n": 5}]}, {"_size": 0, "_returned": 0, "_embedded": []},
        ),
        (
            {"np": ""}, "hal+json",
            {"_returned": 1, "_embedded": {"rh:result": [{"n": 5}]}}, {"_size": 0, "_returned": 0},
        ),
        (
            {"rep": "odd"}, "hal+json",
            {"_returned": 1, "_embedded": {"rh:result": [{"n": 5}]},
             "_warnings": ["unknown rep 'odd', the answer is in HAL"]},
            {"_size": 0, "_returned": 0, "_warnings": ["unknown rep 'odd', the answer is in HAL"]},
        ),
    ],
)  # fmt: skip
async def test_representations(shop: Shop, parameters: Any, media_type: str, full: Any, empty: Any) -> None:
    await shop.define({"uri": "full", "stages": [{"$count": "n"}]}, {"uri": "empty", "stages": [{"$match": {"no": 1}}]})

    for uri, body in (("full", full), ("empty", empty)):
        response = await shop.run(uri, **parameters)
        assert (response.status_code, response.json()) == (200, body)
        assert response.headers["content-type"] == f"application/{media_type}"


async def test_json_mode_applies(shop: Shop) -> None:
    await shop.define(
        {"uri": "it", "stages": [{"$match": {"created": {"$exists": True}}}, {"$project": {"created": 1}}]}
    )

    (extended,) = (await shop.run("it", jsonMode="extended")).json()["_embedded"]["rh:result"]
    (default,) = results(await shop.run("it"))

    assert extended["created"] == {"$date": {"$numberLong": "1656662400000"}}
    assert default["created"] == {"$date": 1656662400000}


async def test_aggregation_of_a_bucket(shop: Shop) -> None:
    bucket = f"/{shop.database}/media.files"
    stages = [{"$group": {"_id": "$metadata.kind", "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}]
    assert (await shop.client.put(bucket, json={"aggrs": [{"uri": "kinds", "stages": stages}]})).status_code == 201
    for number, kind in enumerate("aab"):
        await shop.store.insert(shop.database, "media.files", {"_id": number, "metadata": {"kind": kind}})

    found = await shop.client.get(f"{bucket}/_aggrs/kinds")

    assert results(found) == [{"_id": "a", "n": 2}, {"_id": "b", "n": 1}]


async def test_head_is_get_without_its_body(shop: Shop) -> None:
    await shop.define({"uri": "it", "stages": [{"$count": "n"}]})

    got, head = await shop.run("it"), await shop.run("it", method="HEAD")

    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == got.headers[name]
    assert (await shop.run("missing", method="HEAD")).status_code == 404


async def test_aggregations_are_linked_and_read_as_they_were_written(shop: Shop) -> None:
    await shop.define(BY_LANGUAGE)

    body = (await shop.client.get(shop.path, params={"pagesize": 0})).json()

    assert body["aggrs"] == [BY_LANGUAGE]
    assert body["_links"] == {"by_language": {"href": f"{shop.path}/_aggrs/by_language"}}
    kept = await shop.store.get(shop.database, PROPERTIES, f"{PROPERTIES}.{PAGES}")
    assert kept is not None
    assert "_$match" in kept["aggrs"][0]["stages"][0]
    assert "locale::language" in kept["aggrs"][0]["stages"][0]["_$match"]


# --- what is wrong with a request ----------------------------------------------------------------------------------


async def test_unbound_variable_is_400(shop: Shop) -> None:
    await shop.define(BY_LANGUAGE)

    for avars in (None, {}, {"lang": "de"}, {"x": {"fsType": "Page"}}):
        body = error_body(await shop.run("by_language", avars))
        assert (body["http status code"], body["message"]) == (400, "variable fsType not bound")


BAD_AVARS = ["", "[]", "5", "{", "{fsType: Page}", '{"fsType": {"$gt": ""}}', '{"x": [{"$where": "1"}]}', "{x: /a/}"]
BAD_AVARS += ['{"@limit": 1000}', '{"a": {"$ne": 1}}', '{"fsType": {"$regex": "P"}}']


async def test_bad_avars_are_400(shop: Shop) -> None:
    await shop.define(BY_LANGUAGE)

    for avars in BAD_AVARS:
        body = error_body(await shop.run("by_language", avars))
        assert body["http status code"] == 400
        assert body["message"].startswith("illegal avars parameter"), avars


async def test_bad_parameters_are_400(shop: Shop) -> None:
    await shop.define(BY_LANGUAGE)
    bad: list[Any] = [{"page": 0}, {"pagesize": 101}, {"pagesize": -1}, {"page": "x"}, {"filter": "{"}, {"hal": "x"}]

    for parameters in bad:
        assert error_body(await shop.run("by_language", {"fsType": "x"}, **parameters))["http status code"] == 400


async def test_long_regular_expression_is_400(shop: Shop) -> None:
    await shop.define({"uri": "it", "stages": [{"$match": {"name": {"$regex": {"$var": "pattern"}}}}]})

    assert ids(await shop.run("it", {"pattern": "^Sta"})) == ["a.en_GB"]
    assert error_body(await shop.run("it", {"pattern": "a" * 1_001}))["http status code"] == 400


async def test_unknown_aggregation_is_404(shop: Shop) -> None:
    for uri in ("missing", "BY_LANGUAGE", "%24"):
        body = error_body(await shop.run(uri))
        assert (body["http status code"], body["message"]) == (404, "query does not exist")
    for path in (f"/{shop.database}/none/_aggrs/x", "/nobody-has-this/c/_aggrs/x"):
        assert error_body(await shop.client.get(path))["http status code"] == 404


async def test_other_methods_are_405(shop: Shop) -> None:
    requests = [("GET", "/_aggrs"), ("POST", "/_aggrs"), ("POST", "/_aggrs/x"), ("PUT", "/_aggrs/x")]
    for method, below in [*requests, ("PATCH", "/_aggrs/x"), ("DELETE", "/_aggrs/x")]:
        response = await shop.client.request(method, f"{shop.path}{below}", json={})
        assert error_body(response)["message"] == f"method {method} not allowed"
        assert response.status_code == 405


# --- what goes wrong in MongoDB ------------------------------------------------------------------------------------


async def test_time_limit_is_408(shop: Shop) -> None:
    await shop.store.insert(shop.database, PAGES, {"_id": "many", "many": list(range(1_000))})
    await shop.define({"uri": "slow", "stages": [{"$unwind": "$many"}, {"$match": _SPIN}]})

    body = error_body(await shop.run("slow"))

    assert (body["http status code"], body["message"]) == (408, "Operation exceeded time limit")
    assert body["http status description"] == "Request Timeout"


REFUSED: list[list[Document]] = [
    [{"$nobody": {}}],
    [{"$limit": 0}],
    [{"$limit": {"$var": "@page"}}, {"$group": {"_id": 1, "n": {"$what": 1}}}],
    [{"$project": {"x": {"$toInt": "$name"}}}],
    [{"$project": {"a": 1, "b": 0}}],
    [{"$unwind": "name"}],
    [{"$match": {"$what": 1}}],
    [{"$match": {}, "$limit": 1}],
    [{"$out": "x"}, {"$match": {}}],
    [{"$project": {"x": {"$divide": [1, 0]}}}],
    [{"$geoNear": {}}],
    [{"$documents": [{"a": 1}]}],
    [{"$match": {"$text": {"$search": "x"}}}],
    [{"$facet": {"a": [{"$out": "x"}]}}],
]


async def test_what_mongodb_refuses_is_422(shop: Shop) -> None:
    names = [f"a{number}" for number in range(len(REFUSED))]
    await shop.define_past_checks(
        *[{"uri": name, "stages": stages} for name, stages in zip(names, REFUSED, strict=True)]
    )

    for name, stages in zip(names, REFUSED, strict=True):
        body = error_body(await shop.run(name))
        assert body["http status code"] == 422, stages
        assert body["http status description"] == "Unprocessable Entity"


MALFORMED: list[Document] = [
    {"stages": {}}, {"stages": None}, {}, {"stages": [5]}, {"stages": [], "type": "what"},
    {"stages": [], "allowDiskUse": 1}, {"stages": [{"$limit": {"$var": []}}]},
    {"stages": [{"$ifvar": "x"}]}, {"stages": [{"$match": {"$ifvar": ["x", {}]}}]},
]  # fmt: skip


async def test_malformed_definition_is_422(shop: Shop) -> None:
    """One that came into the database without this server."""
    names = [f"a{number}" for number in range(len(MALFORMED))]
    malformed = [{"uri": name, **definition} for name, definition in zip(names, MALFORMED, strict=True)]
    await shop.define_past_checks(*malformed, BY_LANGUAGE)

    for name, definition in zip(names, MALFORMED, strict=True):
        assert error_body(await shop.run(name))["http status code"] == 422, definition
    assert len(results(await shop.run("by_language", {"fsType": "Page"}))) == 3


async def test_sort_beyond_the_memory_is_422_unless_the_disk_is_allowed(shop: Shop) -> None:
    """MongoDB sorts 100 MB in memory."""
    grow = [
        {"$limit": 1},
        {"$project": {"n": {"$range": [0, 60]}}},
        {"$unwind": "$n"},
        {"$set": {"text": {"$reduce": {"input": {"$range": [0, 21]}, "initialValue": "x",
                                       "in": {"$concat": ["$$value", "$$value"]}}}}},
        {"$sort": {"text": 1, "n": -1}},
        {"$project": {"_id": "$n"}},
    ]  # fmt: skip
    await shop.define({"uri": "short", "stages": grow}, {"uri": "long", "stages": grow, "allowDiskUse": True})

    body = error_body(await shop.run("short"))

    assert (body["http status code"], body["message"]) == (422, "the pipeline takes more memory than MongoDB allows")
    assert ids(await shop.run("long"))[:2] == [59, 58]


async def test_graph_lookup_without_bounds_ends_with_422(shop: Shop) -> None:
    """A walk in circles ends by itself; one that gathers more than fits into a document is given up."""
    for number in range(20):
        node = {"_id": number, "next": (number + 1) % 20, "text": "x" * 1_000_000}
        await shop.store.insert(shop.database, "nodes", node)
    walk = {"from": "nodes", "startWith": 0, "connectFromField": "next", "connectToField": "_id", "as": "all"}
    await shop.define(
        {"uri": "circle", "stages": [{"$limit": 1}, {"$graphLookup": walk}, {"$project": {"n": {"$size": "$all"}}}]},
        {"uri": "large", "stages": [{"$limit": 1}, {"$graphLookup": walk}]},
    )

    assert [document["n"] for document in results(await shop.run("circle"))] == [20]
    assert error_body(await shop.run("large"))["http status code"] == 422


async def test_large_result_is_422(shop: Shop) -> None:
    stages = [{"$project": {"text": {"$reduce": {"input": {"$range": [0, 14]}, "initialValue": "xy",
                                                 "in": {"$concat": ["$$value", "$$value"]}}}}}]  # fmt: skip
    await shop.define({"uri": "all", "stages": stages}, {"uri": "one", "stages": [*stages, {"$limit": 1}]})

    assert len(results(await shop.run("one"))[0]["text"]) == 2**15
    body = error_body(await shop.run("all"))
    assert body["http status code"] == 422
    assert "larger than the limit of 100000 bytes" in body["message"]


async def test_error_says_nothing_about_stored_values(shop: Shop) -> None:
    await shop.store.insert(shop.database, PAGES, {"_id": "s", "secret": "canary-value"})

    response = await shop.run_stages({"$project": {"x": {"$toInt": "$secret"}}})

    assert response.status_code == 422
    assert "canary" not in response.text


# --- writing pipelines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stage", [{"$out": "copy"}, {"$merge": "copy"}, {"$merge": {"into": "copy"}}], ids=["out", "merge", "into"]
)
async def test_pipeline_that_writes_gives_an_empty_result(shop: Shop, stage: Document) -> None:
    response = await shop.run_stages({"$match": {"locale.language": "de"}}, stage)

    assert results(response) == []
    assert (await shop.run("it", rep="s")).json() == []
    copied = await shop.store.find(shop.database, "copy", FindQuery(filter={}, sort=(("_id", 1),)))
    assert [document["_id"] for document in copied] == ["a.de_DE", "b.de_DE"]


async def test_merge_that_collides_is_409(shop: Shop) -> None:
    stage = {"$merge": {"into": "copy", "whenMatched": "fail"}}
    assert results(await shop.run_stages(stage)) == []

    assert error_body(await shop.run("it"))["http status code"] == 409


async def test_changed_definition_counts_at_once(shop: Shop) -> None:
    for number in range(5):
        assert results(await shop.run_stages({"$limit": 1}, {"$project": {"_id": {"$literal": number}}})) == [
            {"_id": number}
        ]
    assert (await shop.client.put(shop.path)).status_code == 200
    assert (await shop.run("it")).status_code == 404


async def test_dates_of_variables_stay_dates(shop: Shop) -> None:
    await shop.store.insert(shop.database, PAGES, {"_id": "now", "created": datetime(2030, 1, 1, tzinfo=UTC)})
    await shop.define({"uri": "it", "stages": [{"$match": {"created": {"$var": ["at", None]}, "fsType": None}}]})

    assert ids(await shop.run("it", '{"at": {"$date": "2030-01-01T00:00:00Z"}}')) == ["now"]
