"""The statistics of data loaders in answers: the examples of the specification, by the engine that answers requests."""

from typing import Any

import orjson
import pytest

from content_core.documents import Document
from content_core.store import Store
from graphql_app.engine import Engine
from graphql_app.plan.cache import BoundedCache, PlanCache
from graphql_app.registry import ActiveApp
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.query.workshop import build, load_workshop, workshop_definition

OWNERS = "{ allJobs { owner { name } } }"
PARENTS = "{ posts { parent { id } } }"
SDL = """type Post { id: Int parent: Post } type Job { owner: Mechanic } type Mechanic { name: String }
         type Query { posts: [Post] allJobs: [Job] broken: [Broken] } type Broken { again: Job }"""


def definition(tenant: str, options: Document) -> Document:
    posts, jobs, mechanics = ({"db": tenant, "collection": name} for name in ("posts", "jobs", "mechanics"))
    parent = posts | {"find": {"_id": {"$fk": "parent"}}, "dataLoader": options}
    owner = mechanics | {"find": {"_id": {"$fk": "owner"}}, "dataLoader": options}
    return workshop_definition(tenant, sdl=SDL) | {
        "mappings": {
            "Post": {"id": "_id", "parent": parent},
            "Job": {"owner": owner},
            "Mechanic": {"name": "first"},
            "Broken": {"again": jobs | {"find": {"$or": {"$fk": "_id"}}, "dataLoader": options}},
            "Query": {
                "posts": posts | {"find": {"parent": {"$gt": 0}}, "dataLoader": {"caching": True}},
                "allJobs": jobs,
                "broken": jobs,
            },
        }
    }


async def ask(store: Store, document: Document, text: str, *, verbose: bool = True) -> Any:
    active = ActiveApp(build(document), PlanCache(BoundedCache(entries=10, length=1_000_000)))
    engine = Engine(store=store, settings=GraphQLSettings(verbose=verbose))
    return orjson.loads((await engine.answer(active, text)).body)


@pytest.fixture
async def tenant(store: Store, database: str) -> str:
    await load_workshop(store, database)
    children: list[Document] = [{"_id": 100 + n, "parent": 1 + n // 2} for n in range(16)]
    await store.bulk_replace(database, "posts", [*children, *({"_id": 1 + n} for n in range(8))])
    return database


@pytest.mark.parametrize(
    ("text", "options", "batch_load", "batch_invoke", "cache_hit"),
    [
        (PARENTS, {"batching": True, "caching": True, "maxBatchSize": 2}, 8, 4, 8),
        (PARENTS, {"batching": True, "maxBatchSize": 2}, 16, 8, 0),
        (PARENTS, {"batching": True, "maxBatchSize": 4}, 16, 4, 0),
        (PARENTS, {"batching": False, "caching": True, "maxBatchSize": 4}, 0, 0, 0),
        (OWNERS, {"batching": True, "caching": True, "maxBatchSize": 2}, 2, 1, 1),
        (OWNERS, {"batching": True, "maxBatchSize": 2}, 3, 2, 0),
    ],
)
async def test_verbose_answers_tell_what_loaders_count(
    text: str, options: Document, batch_load: int, batch_invoke: int, cache_hit: int, store: Store, tenant: str
) -> None:
    answer = await ask(store, definition(tenant, options), text)

    statistics = answer["extensions"]["dataloader"]["overall-statistics"]
    assert statistics["batchLoadCount"] == batch_load
    assert statistics["batchInvokeCount"] == batch_invoke
    assert statistics["cacheHitCount"] == cache_hit
    assert statistics["loadCount"] == batch_load + cache_hit
    assert statistics["batchLoadExceptionCount"] == statistics["loadErrorCount"] == 0


async def test_failed_loads_are_counted(store: Store, tenant: str) -> None:
    answer = await ask(store, definition(tenant, {"batching": True}), "{ broken { again { owner { name } } } }")

    statistics = answer["extensions"]["dataloader"]["overall-statistics"]
    assert answer["data"] == {"broken": [{"again": None}] * 3}
    assert (statistics["loadErrorCount"], statistics["batchLoadExceptionCount"]) == (3, 1)


async def test_other_answers_say_nothing_of_loaders(store: Store, tenant: str) -> None:
    options = {"batching": True, "caching": True, "maxBatchSize": 2}

    quiet = await ask(store, definition(tenant, options), PARENTS, verbose=False)

    loud = await ask(store, definition(tenant, options), PARENTS)
    assert "extensions" not in quiet
    assert quiet["data"] == loud["data"]
    assert [post["parent"]["id"] for post in quiet["data"]["posts"]] == [1 + n // 2 for n in range(16)]
