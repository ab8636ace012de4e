import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from bson import ObjectId

from content_core.documents import Document
from content_core.errors import ConflictError, DefinitionError, StoreUnavailableError
from content_core.names import GQL_APPS, AppKey
from content_core.store import ChangeFeed, FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app import registry as registry_module
from graphql_app.plan import parse_operations
from graphql_app.registry import Prepared, Registry
from graphql_app.schema.mappings import QueryMapping
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.query.workshop import SDL, ask, workshop_definition
from tests.patience import PATIENCE

QUICK = GraphQLSettings(poll_seconds=0.05)
LONGER = SDL.replace("type Job  {", "type Job  { extra: String")


@pytest.fixture
async def registry(store: Store, feed: ChangeFeed) -> AsyncIterator[Registry]:
    running = Registry(store, feed, QUICK)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def definition(database: str) -> Document:
    return workshop_definition(database)


@pytest.fixture
def key(database: str) -> AppKey:
    return AppKey(database, "workshop")


async def write(registry: Registry, store: Store, definition: Document) -> Prepared:
    """Do what the REST interface does with a PUT."""
    tenant = definition["_id"].partition("___")[0]
    prepared: Prepared = await registry.prepare(tenant, definition)
    await activate(registry, store, definition, prepared)
    return prepared


async def activate(registry: Registry, store: Store, definition: Document, prepared: Prepared) -> None:
    etag = await store_behind(store, definition)
    await registry.activate(prepared, str(etag))


async def store_behind(store: Store, definition: Document) -> ObjectId:
    """Store a definition without telling this server, as another server or an operator would."""
    etag = ObjectId()
    stored = definition | {"_app_key": definition["_id"].replace("___", "/"), "_etag": etag}
    await store.replace(definition["_id"].partition("___")[0], GQL_APPS, stored)
    return etag


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event to set
            await asyncio.sleep(0.01)


def has_field(registry: Registry, key: AppKey, name: str) -> bool:
    app = registry.get(key)
    return app is not None and name in app.schema.type_map["Job"].fields  # type: ignore[attr-defined]


async def test_a_written_definition_answers_at_once(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await write(registry, store, definition)
    assert registry.get(key) is not None

    await write(registry, store, definition | {"schema": LONGER})
    assert has_field(registry, key, "extra")


async def test_an_application_without_a_descriptor_answers_under_its_id(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    del definition["descriptor"]

    await write(registry, store, definition)

    assert registry.get(key) is not None


async def test_an_application_answers_under_its_uri_and_its_id(registry: Registry, store: Store, database: str) -> None:
    await write(registry, store, workshop_definition(database, uri=f"/{database}/bikes/all"))

    app = registry.get(AppKey(database, "bikes/all"))
    assert app is not None
    assert registry.get(AppKey(database, "workshop")) is app


@pytest.mark.parametrize(
    "change",
    [
        {"descriptor": 1},
        {"schema": None},
        {"schema": "type Other { a: Int }"},
        {"mappings": None},
        {"mappings": {"Job": {}}},
    ],
)
async def test_a_wrong_definition_changes_nothing(
    change: Document, registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await write(registry, store, definition)
    before = registry.get(key)

    with pytest.raises(DefinitionError):
        await registry.prepare(key.tenant, {k: v for k, v in (definition | change).items() if v is not None})

    assert registry.get(key) is before


@pytest.mark.parametrize("own_uri_first", [True, False])
async def test_two_applications_cannot_share_an_address(
    own_uri_first: bool, registry: Registry, store: Store, database: str
) -> None:
    by_id = workshop_definition(database, app="x")
    del by_id["descriptor"]
    by_uri = workshop_definition(database, app="y", uri=f"{database}/x")
    first, second = (by_uri, by_id) if own_uri_first else (by_id, by_uri)
    await write(registry, store, first)

    with pytest.raises(ConflictError) as refused:
        await registry.prepare(database, second)

    expected = f"URI collision: another GraphQL app is already accessible at /{database}/x"
    assert refused.value.message == expected
    await registry.prepare(database, first)


async def test_a_disabled_application_is_gone_but_keeps_its_address(
    registry: Registry, store: Store, definition: Document, key: AppKey, database: str
) -> None:
    await write(registry, store, workshop_definition(database, enabled=False))
    assert registry.get(key) is None
    assert registry.problem(key) is None

    with pytest.raises(ConflictError):
        await registry.prepare(database, workshop_definition(database, app="other", uri=f"{database}/workshop"))

    await write(registry, store, definition)
    assert registry.get(key) is not None


@pytest.mark.parametrize("uri", ["workshop", "bikes"])
async def test_a_deleted_application_is_gone_at_once(uri: str, registry: Registry, store: Store, database: str) -> None:
    await write(registry, store, workshop_definition(database, uri=f"{database}/{uri}"))
    await store.delete(database, GQL_APPS, f"{database}___workshop")

    await registry.retire(AppKey(database, uri))

    assert registry.get(AppKey(database, uri)) is None
    assert registry.get(AppKey(database, "workshop")) is None


async def test_other_servers_follow_writes_and_deletions(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await store_behind(store, definition)
    await until(lambda: registry.get(key))

    await store_behind(store, definition | {"schema": LONGER})
    await until(lambda: has_field(registry, key, "extra"))

    await store.delete(key.tenant, GQL_APPS, definition["_id"])
    await until(lambda: registry.get(key) is None)


async def test_a_dropped_database_takes_its_applications_along(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await write(registry, store, definition)

    await store.drop_database(key.tenant)

    await until(lambda: registry.get(key) is None)


async def test_without_a_feed_definitions_are_polled(store: Store, definition: Document, key: AppKey) -> None:
    closed = ChangeFeed(store)
    registry = Registry(store, closed, QUICK)
    await registry.start()

    await store_behind(store, definition)
    await until(lambda: registry.get(key))
    await store.delete(key.tenant, GQL_APPS, definition["_id"])
    await until(lambda: registry.get(key) is None)
    await registry.stop()


async def test_a_gap_in_the_feed_is_made_up_for(
    store: Store, feed: ChangeFeed, definition: Document, key: AppKey
) -> None:
    registry = Registry(store, feed, QUICK)
    await registry.start()
    for subscription in feed._subscriptions:
        if subscription.on_gap is not None:
            feed._subscriptions.remove(subscription)
            break

    await store_behind(store, definition)
    subscription.on_gap()  # type: ignore[misc]

    await until(lambda: registry.get(key))
    await registry.stop()


async def test_stored_definitions_are_loaded_at_the_start(
    store: Store, feed: ChangeFeed, definition: Document, key: AppKey, database: str
) -> None:
    """Bad ones are remembered and do not stop the start."""
    await store_behind(store, definition)
    await store_behind(store, {"_id": f"{database}___broken", "schema": "type", "mappings": {}})
    await store.insert(database, GQL_APPS, {"_id": 5})
    registry = Registry(store, feed, QUICK)

    await registry.start()

    assert registry.get(key) is not None
    broken = AppKey(database, "broken")
    assert registry.get(broken) is None
    assert "Syntax Error" in str(registry.problem(broken))
    assert f"{database}___broken" in registry.problems()
    await registry.stop()


async def test_a_stored_constant_that_looks_like_a_reference_is_a_template_still(
    store: Store, feed: ChangeFeed, definition: Document, key: AppKey, database: str
) -> None:
    """The driver reads such an object as a reference, and would hide the argument inside it."""
    author = {"$ref": "people", "$id": {"$arg": "id"}}
    definition["mappings"]["Query"]["mechanic"]["find"] = {"author": author}
    await store.insert(database, GQL_APPS, definition | {"_etag": ObjectId()})
    await store.insert(database, "mechanics", {"_id": "m9", "author": {"$ref": "people", "$id": "p1"}, "first": "Cy"})

    registry = Registry(store, feed, QUICK)
    await registry.start()
    app = registry.get(key)
    await registry.stop()

    assert app is not None
    mapping = app.definition.fields["Query"]["mechanic"]
    assert isinstance(mapping, QueryMapping)
    assert mapping.find == {"author": author}
    answer = await ask(app, store, '{ mechanic(id: "p1") { name } none: mechanic(id: "p2") { name } }')
    assert answer == {"data": {"mechanic": {"name": "Cy"}, "none": None}}


async def test_a_definition_broken_behind_the_api_leaves_the_last_good_one(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await write(registry, store, definition)

    await store_behind(store, definition | {"schema": "type"})
    await until(registry.problems)

    assert registry.get(key) is not None
    assert registry.problem(key) is None
    await store_behind(store, definition | {"schema": LONGER})
    await until(lambda: has_field(registry, key, "extra"))
    assert registry.problems() == {}


async def test_a_start_without_a_database_fails(mongo: EmbeddedMongo, feed: ChangeFeed) -> None:
    class _Away(Store):
        async def database_names(self) -> list[str]:
            raise StoreUnavailableError("MongoDB cannot be reached")

    store = _Away.open(mongo.uri)
    with pytest.raises(StoreUnavailableError):
        await Registry(store, feed, QUICK).start()
    await store.close()


async def test_an_outage_is_waited_out(
    mongo: EmbeddedMongo, feed: ChangeFeed, definition: Document, key: AppKey
) -> None:
    class _Shaky(Store):
        away = False

        async def find(self, database: str, collection: str, query: FindQuery) -> list[Document]:
            if self.away:
                raise StoreUnavailableError("MongoDB cannot be reached")
            return await super().find(database, collection, query)

    store = _Shaky.open(mongo.uri)
    registry = Registry(store, feed, QUICK)
    await registry.start()
    store.away = True
    await store_behind(store, definition)
    await asyncio.sleep(0.2)
    assert registry.get(key) is None

    store.away = False
    await until(lambda: registry.get(key))
    await registry.stop()
    await store.close()


async def test_a_slow_build_of_an_old_version_does_not_win(
    registry: Registry, store: Store, definition: Document, key: AppKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server's version is being built here when a newer one is written on this server."""
    newer = await registry.prepare(key.tenant, definition | {"schema": LONGER})
    building, go_on = threading.Event(), threading.Event()
    build = registry_module._build

    def slow_build(*arguments: Any) -> Prepared:
        building.set()
        go_on.wait(PATIENCE)
        return build(*arguments)

    monkeypatch.setattr(registry_module, "_build", slow_build)
    await store_behind(store, definition)
    await until(building.is_set)
    await activate(registry, store, definition | {"schema": LONGER}, newer)
    go_on.set()
    await asyncio.sleep(0.3)

    assert has_field(registry, key, "extra")


async def test_writes_that_are_told_in_the_wrong_order_end_right(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    older = await registry.prepare(key.tenant, definition)
    newer = await registry.prepare(key.tenant, definition | {"schema": LONGER})
    await store_behind(store, definition)
    await activate(registry, store, definition | {"schema": LONGER}, newer)
    await registry.activate(older, str(ObjectId()))

    await until(lambda: has_field(registry, key, "extra"))


async def test_an_unchanged_definition_is_not_built_again(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await write(registry, store, definition)
    before = registry.active(key)

    await store_behind(store, dict(reversed(definition.items())))
    await store_behind(store, definition)
    await asyncio.sleep(0.3)

    assert registry.active(key) is before


async def test_building_does_not_block_the_event_loop(
    registry: Registry, definition: Document, key: AppKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, building, turned = registry_module._build, threading.Event(), threading.Event()

    def slow_build(*arguments: Any) -> Prepared:
        building.set()
        assert turned.wait(PATIENCE), "the event loop stands still"
        return build(*arguments)

    monkeypatch.setattr(registry_module, "_build", slow_build)

    prepared = asyncio.create_task(registry.prepare(key.tenant, definition))
    await until(building.is_set)
    for _ in range(20):
        await asyncio.sleep(0.001)
    turned.set()

    assert (await prepared).collections


async def test_a_request_finishes_on_the_version_that_it_began_with(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await write(registry, store, definition)
    begun = registry.active(key)

    await write(registry, store, definition | {"schema": LONGER})

    assert begun is not None
    assert "extra" not in begun.app.schema.type_map["Job"].fields  # type: ignore[attr-defined]
    assert registry.active(key) is not begun


@pytest.mark.parametrize("change", ["replaced", "deleted"])
async def test_a_version_that_goes_takes_its_operations_along(
    change: str, registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await write(registry, store, definition)
    active = registry.active(key)
    assert active is not None
    operations = parse_operations(active.app.schema, "{ __typename }", max_tokens=10, max_errors=1)
    active.plans.put("{ __typename }", operations)
    assert active.plans.get("{ __typename }") is operations

    if change == "replaced":
        await write(registry, store, definition | {"schema": LONGER})
    else:
        await registry.retire(key)

    active.plans.put("{ __typename }", operations)  # by a request that is still under way
    assert active.plans.get("{ __typename }") is None


async def test_an_unchanged_version_keeps_its_operations(
    registry: Registry, store: Store, definition: Document, key: AppKey
) -> None:
    await write(registry, store, definition)
    active = registry.active(key)
    assert active is not None
    active.plans.put("1", parse_operations(active.app.schema, "{ __typename }", max_tokens=10, max_errors=1))

    await store_behind(store, definition)
    await asyncio.sleep(0.5)

    assert registry.active(key) is active
    assert active.plans.get("1") is not None


async def test_prepared_definitions_tell_what_they_read(registry: Registry, definition: Document, key: AppKey) -> None:
    prepared = await registry.prepare(key.tenant, definition)

    assert prepared.collections == {(key.tenant, "jobs"), (key.tenant, "mechanics")}


async def test_the_stored_definition_is_not_touched(registry: Registry, store: Store, definition: Document) -> None:
    await write(registry, store, definition)

    stored = await store.find(definition["_id"].partition("___")[0], GQL_APPS, FindQuery(filter={}))

    assert {name: part for name, part in stored[0].items() if name in definition} == definition
