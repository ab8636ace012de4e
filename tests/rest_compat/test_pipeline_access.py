"""What the pipelines of aggregations may touch, and for whom: over a socket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from bson import ObjectId

from content_core.access.reserved import PROPERTIES
from content_core.names import ADMIN_DATABASE
from content_core.store import ChangeFeed, FindQuery, Store
from tests.content_core.access.keys import ALL, entry, store_global_key, store_key
from tests.rest_compat.serving import make_app, serving
from tests.rest_compat.test_app import bearer, error_body

Document = dict[str, Any]

CANARY = "canary-5a0c-key-that-nobody-may-see"
VIOLATION = "aggregation pipeline security violation: "


@dataclass(frozen=True, slots=True)
class Yard:
    """A tenant with three collections, spoken to over a socket; definitions are put past the checks of writes."""

    client: httpx.AsyncClient
    store: Store
    database: str

    async def define(self, *stages: Document, **members: Any) -> None:
        definition = {"uri": "it", "stages": list(stages), **members}
        metadata = {"_id": f"{PROPERTIES}.open", "aggrs": [definition], "_etag": ObjectId()}
        await self.store.replace(self.database, PROPERTIES, metadata)
        # Read by this server before it heard of the change? A write through it makes it forget.
        await self.client.patch(f"/{self.database}/other", json={"n": 1}, auth=("admin", "correct horse"))

    async def run(self, key: str | None = None, method: str = "GET", **parameters: str) -> httpx.Response:
        path = f"/{self.database}/open/_aggrs/it"
        if key is None:
            return await self.client.request(method, path, params=parameters, auth=("admin", "correct horse"))
        return await self.client.request(method, path, params=parameters, headers=bearer(key))

    async def key(self, *urls: str, methods: tuple[str, ...] = ("GET",)) -> str:
        """Make a key that may read what the urls cover, and the collection of the definition."""
        permissions = [entry(url, *methods) for url in urls]
        return await store_key(self.store, self.database, entry("/open/", "GET"), *permissions)

    async def names(self, collection: str, database: str | None = None) -> list[Any]:
        found = await self.store.find(database or self.database, collection, FindQuery(filter={}, sort=(("_id", 1),)))
        return [document["_id"] for document in found]


@pytest.fixture
async def yard(store: Store, feed: ChangeFeed, database: str) -> AsyncIterator[Yard]:
    async with serving(await make_app(store, feed), auth=None) as client:
        admin = httpx.BasicAuth("admin", "correct horse")
        for path in ("", "/open", "/secret", "/other", f"/apikeys/{CANARY}"):
            body = {"_id": CANARY, "key": CANARY, "permissions": []} if "apikeys" in path else {}
            assert (await client.put(f"/{database}{path}", json=body, auth=admin)).status_code == 201
        await store.insert(database, "open", {"_id": "o"})
        await store.insert(database, "secret", {"_id": "s"})
        yield Yard(client, store, database)


def refusal(response: httpx.Response) -> str:
    """Give what a refused pipeline is told."""
    body = error_body(response)
    assert body["http status code"] == 403, body
    message = str(body["message"])
    assert message.startswith(VIOLATION)
    return message.removeprefix(VIOLATION)


READING = [
    pytest.param({"$lookup": {"from": "secret", "pipeline": [], "as": "x"}}, "$lookup", id="lookup"),
    pytest.param({"$lookup": {"from": "secret", "localField": "none", "foreignField": "none", "as": "x"}}, "$lookup",
                 id="lookup-by-field"),
    pytest.param({"$graphLookup": {"from": "secret", "startWith": "s", "connectFromField": "a", "connectToField": "_id",
                                   "as": "x"}}, "$graphLookup", id="graph"),
    pytest.param({"$unionWith": "secret"}, "$unionWith", id="union"),
    pytest.param({"$unionWith": {"coll": "secret", "pipeline": []}}, "$unionWith", id="union-object"),
    pytest.param({"$facet": {"a": [{"$unionWith": "secret"}]}}, "$unionWith", id="facet"),
    pytest.param({"$lookup": {"from": "open", "pipeline": [{"$unionWith": "secret"}], "as": "x"}}, "$unionWith",
                 id="in-lookup"),
    pytest.param({"$unionWith": {"coll": "open", "pipeline": [{"$lookup": {"from": "secret", "pipeline": [],
                                                                          "as": "x"}}]}}, "$lookup", id="in-union"),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "name"), READING)
async def test_reading_another_collection_takes_the_right_to_read_it(yard: Yard, stage: Document, name: str) -> None:
    await yard.define(stage)

    told = refusal(await yard.run(await yard.key()))
    allowed = await yard.run(await yard.key("/secret/"))

    assert name in told
    assert "collection 'secret'" in told
    assert allowed.status_code == 200
    assert '"s"' in allowed.text
    assert (await yard.run()).status_code == 200
    assert refusal(await yard.run(await yard.key("/secret/x/")))
    assert refusal(await yard.run(await yard.key("/secret/", methods=("POST", "PUT", "PATCH", "DELETE"))))


async def test_the_right_on_the_aggregation_itself_comes_first(yard: Yard) -> None:
    await yard.define({"$match": {}})
    stranger = await store_key(yard.store, yard.database, entry("/secret/"))

    assert (await yard.run(stranger)).status_code == 403
    assert (await yard.run("unknown")).status_code == 401
    assert (await yard.run(await yard.key())).status_code == 200


@pytest.mark.parametrize(
    ("stage", "methods"),
    [
        ({"$out": "target"}, ("PUT", "DELETE")),
        ({"$merge": "target"}, ("PUT", "PATCH")),
        ({"$merge": {"into": "target"}}, ("PUT", "PATCH")),
    ],
    ids=["out", "merge", "into"],
)
async def test_writing_takes_the_right_to_write(yard: Yard, stage: Document, methods: tuple[str, ...]) -> None:
    """A GET that writes: the method of the request protects nothing."""
    await yard.define(stage)

    for wrong in [("GET",), *[tuple(set(ALL) - {method}) for method in methods]]:
        told = refusal(await yard.run(await yard.key("/target/", methods=wrong)))
        assert next(iter(stage)) in told
        assert "collection 'target'" in told
        assert refusal(await yard.run(await yard.key("/target/", methods=wrong), method="GET"))
    assert await yard.names("target") == []

    assert (await yard.run(await yard.key("/target/", methods=methods))).json() == {"_size": 0, "_returned": 0}
    assert await yard.names("target") == ["o"]


async def test_head_writes_nothing_that_get_may_not(yard: Yard) -> None:
    await yard.define({"$out": "target"})

    assert (await yard.run(await yard.key(), method="HEAD")).status_code == 403
    assert await yard.names("target") == []


async def test_cookie_from_elsewhere_does_not_write(yard: Yard) -> None:
    """A page of another site can make a browser send a GET with its cookie."""
    await yard.define({"$out": "target"})
    key = await yard.key("/target/", methods=tuple(ALL))
    token = (await yard.client.get(f"/_logic/securetoken?tenant={yard.database}", headers=bearer(key))).json()
    cookie = {"Cookie": f"securetoken={token['securetoken']}", "Origin": "https://evil.example"}

    answer = await yard.client.get(f"/{yard.database}/open/_aggrs/it", headers=cookie)

    assert "right to PUT" in refusal(answer)
    assert await yard.names("target") == []


CLOSED: list[Document] = [
    *[{"$unionWith": name} for name in ("apikeys", "_properties", "system.views", "x.chunks", "system.profile")],
    *[
        {"$lookup": {"from": {"db": db, "coll": "x"}, "pipeline": [], "as": "x"}}
        for db in ("admin", "config", "local", "ADMIN", ADMIN_DATABASE)
    ],
    {"$lookup": {"from": {"db": ADMIN_DATABASE, "coll": "apikeys"}, "pipeline": [], "as": "x"}},
    {"$lookup": {"from": "apikeys", "pipeline": [], "as": "x"}},
    {"$graphLookup": {"from": "apikeys", "startWith": 1, "connectFromField": "a", "connectToField": "b"}},
    {"$facet": {"a": [{"$lookup": {"from": "open", "pipeline": [{"$unionWith": "apikeys"}], "as": "x"}}]}},
    *[{"$out": name} for name in ("apikeys", "_schemas", "gql-apps", "_properties", "x.files", "x.chunks", "_x")],
    *[{"$merge": {"into": name}} for name in ("apikeys", "_schemas", "gql-apps", "x.files", "system.users")],
    *[{"$merge": {"into": {"db": db, "coll": "apikeys"}}} for db in ("admin", ADMIN_DATABASE, "config", "a.b")],
    {"$out": {"db": "local", "coll": "x"}},
]


async def test_some_collections_nobody_may_touch(yard: Yard) -> None:
    everything = await store_global_key(yard.store, entry("/"))
    for stage in CLOSED:
        await yard.define(stage)
        for response in (await yard.run(), await yard.run(everything)):
            assert "which no pipeline may" in refusal(response), stage
            assert "canary" not in response.text
    assert CANARY in await yard.names("apikeys")


async def test_application_definitions_and_schemas_are_read_with_the_right_to_read_them(yard: Yard) -> None:
    for name in ("gql-apps", "_schemas"):
        await yard.define({"$unionWith": name})
        assert f"'{name}'" in refusal(await yard.run(await yard.key()))
        assert (await yard.run(await yard.key(f"/{name}/"))).status_code == 200


async def test_other_databases_take_rights_there(yard: Yard) -> None:
    elsewhere = f"{yard.database}x"
    admin = ("admin", "correct horse")
    assert (await yard.client.put(f"/{elsewhere}", auth=admin)).status_code == 201
    try:
        local = await yard.key("/", "/target/", f"/{elsewhere}/", methods=tuple(ALL))
        narrow = await store_global_key(yard.store, entry(f"/{yard.database}/"))
        wide = await store_global_key(yard.store, entry(f"/{yard.database}/"), entry(f"/{elsewhere}/"))
        stages: list[Document] = [
            {"$out": {"db": elsewhere, "coll": "t"}},
            {"$merge": {"into": {"db": elsewhere, "coll": "t"}}},
        ]
        for stage in stages:
            await yard.define(stage)
            for key in (local, narrow):
                assert f"of database '{elsewhere}'" in refusal(await yard.run(key))
            assert await yard.names("t", elsewhere) == []
            assert (await yard.run(wide)).status_code == 200
            assert await yard.names("t", elsewhere) == ["o"]
            await yard.store.drop_collection(elsewhere, "t")
    finally:
        await yard.store.drop_database(elsewhere)


async def test_a_database_is_not_made_by_a_pipeline(yard: Yard) -> None:
    await yard.define({"$out": {"db": f"{yard.database}-new", "coll": "t"}})

    assert error_body(await yard.run())["http status code"] == 404
    assert f"{yard.database}-new" not in await yard.store.database_names()


async def test_collection_with_a_schema_is_not_written_unchecked(yard: Yard) -> None:
    """As with bulk PATCH: nobody would look at the documents."""
    target = f"/{yard.database}/checked"
    admin = ("admin", "correct horse")
    schema = {"type": "object", "required": ["title"]}
    assert (await yard.client.put(f"/{yard.database}/_schemas/note", json=schema, auth=admin)).status_code == 201
    assert (await yard.client.put(target, json={"jsonSchema": {"schemaId": "note"}}, auth=admin)).status_code == 201
    for stage in ({"$out": "checked"}, {"$merge": "checked"}):
        await yard.define(stage)
        assert error_body(await yard.run())["http status code"] == 501
    assert await yard.names("checked") == []

    lax = {"jsonSchema": {"schemaId": "note", "skipNotSupported": True}}
    assert (await yard.client.put(target, json=lax, auth=admin)).status_code == 200
    assert (await yard.run()).status_code == 200
    assert await yard.names("checked") == ["o"]


JAVASCRIPT: list[Document] = [
    {"$match": {"$where": "sleep(1000)"}},
    {"$match": {"$or": [{"a": 1}, {"$and": [{"$where": "1"}]}]}},
    {"$match": {"$expr": {"$function": {"body": "function() {}", "args": [], "lang": "js"}}}},
    {"$project": {"x": {"$add": [1, {"$function": {"body": "function() {}", "args": [], "lang": "js"}}]}}},
    {"$group": {"_id": 1, "x": {"$accumulator": {"init": "function() {}", "lang": "js"}}}},
    {"$lookup": {"from": "open", "pipeline": [{"$match": {"$where": "1"}}], "as": "x"}},
    {"$facet": {"a": [{"$match": {"$where": "1"}}]}},
    {"$unionWith": {"coll": "open", "pipeline": [{"$match": {"$where": "1"}}]}},
    {"$match": {"$WHERE": "1"}},
    {"$ifvar": ["never", {"$match": {"$where": "1"}}]},
    {"$match": {"$expr": {"$_internalJsEmit": {}}}},
]


async def test_javascript_is_never_run(yard: Yard) -> None:
    for stage in JAVASCRIPT:
        await yard.define(stage)
        assert refusal(await yard.run()), stage


async def test_map_reduce_is_never_run(yard: Yard) -> None:
    members = {"type": "mapReduce", "map": "function() { emit(1, 1) }", "reduce": "function() { return 1 }"}
    await yard.define(**members)

    assert "mapReduce" in refusal(await yard.run())


async def test_stages_that_show_the_server_are_refused(yard: Yard) -> None:
    names = ["$currentOp", "$listSessions", "$listLocalSessions", "$planCacheStats", "$collStats", "$indexStats"]
    for stage in [*names, "$changeStream"]:
        places: list[list[Document]] = [[{stage: {}}], [{"$facet": {"a": [{stage: {}}]}}]]
        for stages in places:
            await yard.define(*stages)
            assert stage in refusal(await yard.run())


NOT_CONSTANT: list[Document] = [
    {"$unionWith": {"$var": "c"}},
    {"$unionWith": {"coll": {"$var": "c"}}},
    {"$unionWith": {"$var": ["c", "open"]}},
    {"$lookup": {"from": {"$var": "c"}, "pipeline": [], "as": "x"}},
    {"$lookup": {"from": {"db": {"$var": "c"}, "coll": "x"}, "pipeline": [], "as": "x"}},
    {"$lookup": {"$var": "c"}},
    {"$graphLookup": {"from": {"$var": ["c", "open"]}}},
    {"$out": {"$var": "c"}},
    {"$merge": {"into": {"$var": "c"}}},
    {"$merge": {"into": {"$ifvar": ["c", "secret", "open"]}}},
    {"$facet": {"a": [{"$unionWith": {"$var": "c"}}]}},
    {"$ifvar": ["c", {"$unionWith": {"$var": "c"}}]},
    {"$ifvar": ["other", {"$match": {}}, {"$unionWith": {"$var": "c"}}]},
    {"$var": ["none", {"$unionWith": {"$var": "c"}}]},
]


async def test_variable_in_the_place_of_a_name_is_400(yard: Yard) -> None:
    """Whether it is bound or not, and for whom."""
    for stage in NOT_CONSTANT:
        await yard.define(stage)
        for avars in ('{"c": "secret"}', "{}", '{"c": {"from": "secret"}}'):
            assert error_body(await yard.run(avars=avars))["http status code"] == 400, stage


async def test_variables_cannot_make_stages(yard: Yard) -> None:
    await yard.define({"$facet": {"a": {"$var": "p"}}})
    assert error_body(await yard.run(avars='{"p": [{"unionWith": "secret"}]}'))["http status code"] == 422
    await yard.define({"$var": "p"})
    assert error_body(await yard.run(avars='{"p": {"unionWith": "secret"}}'))["http status code"] == 422
    await yard.define({"$lookup": {"from": "open", "pipeline": {"$var": "p"}, "as": "x"}})
    assert (await yard.run(await yard.key(), avars='{"p": []}')).status_code == 200
    assert error_body(await yard.run(avars='{"p": [{"$unionWith": "secret"}]}'))["http status code"] == 400


async def test_names_with_dots_are_collections(yard: Yard) -> None:
    """Not databases: ``<project>.release.content`` is one name."""
    await yard.store.insert(yard.database, "secret.release.content", {"_id": "dotted"})
    await yard.define({"$unionWith": "secret.release.content"})

    assert refusal(await yard.run(await yard.key("/release.content/", "/secret/")))
    found = (await yard.run(await yard.key("/secret.release.content/"))).json()["_embedded"]["rh:result"]
    assert [document["_id"] for document in found] == ["o", "dotted"]


async def test_deep_pipeline_is_422(yard: Yard) -> None:
    deep: Any = 1
    for _ in range(120):
        deep = {"a": deep}
    await yard.define({"$match": {"x": deep}})

    assert error_body(await yard.run())["http status code"] == 422
