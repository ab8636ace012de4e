"""Health for people and probes: while MongoDB works, while it hangs, while it is away, and while the server starts."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest

from content_core.store import ChangeFeed, Store
from content_core.store.embedded import EmbeddedMongo
from opencaas.health import HEALTH_PATH, HEALTH_PATHS, LIVE_PATH, READY_PATH, Health, HealthEndpoint
from tests.patience import PATIENCE, Stopwatch

READY = {
    "definitionsLoaded": True,
    "accepting": True,
    "mongoReachable": True,
    "mongoPrimaryAvailable": True,
    "changeFeed": True,
}


@pytest.fixture(scope="module")
def own_mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongo]:
    """A MongoDB that no other test sees hang."""
    with EmbeddedMongo(tmp_path_factory.mktemp("hanging")) as running:
        yield running


@pytest.fixture
async def health(own_mongo: EmbeddedMongo) -> AsyncIterator[Health]:
    store = Store.open(own_mongo.uri)
    feed = ChangeFeed(store)
    await feed.start()
    health = Health(store, feed, feed_grace=30)
    health.loaded()
    yield health
    await health.stop()
    await feed.stop()
    await store.close()


@contextmanager
def hanging(mongo: EmbeddedMongo) -> Iterator[None]:
    """MongoDB accepts connections and says nothing."""
    assert mongo.pid is not None
    os.kill(mongo.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(mongo.pid, signal.SIGCONT)


async def ask(health: Health, path: str, method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(HealthEndpoint(health))
    async with httpx.AsyncClient(transport=transport, base_url="http://caas") as client:
        return await client.request(method, path)


async def well(health: Health, path: str) -> httpx.Response:
    """Ask until all is well: a process that is put aside for two seconds takes MongoDB for hanging."""
    async with asyncio.timeout(PATIENCE):
        while (response := await ask(health, path)).status_code != 200:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.1)
    return response


async def test_checks_hold_while_mongodb_works(health: Health) -> None:
    response = await well(health, HEALTH_PATH)

    assert (200, {"mongoReachable": True, "mongoPrimaryAvailable": True}) == (response.status_code, response.json())


async def test_ready_while_everything_works(health: Health) -> None:
    response = await well(health, READY_PATH)

    assert (200, READY) == (response.status_code, response.json())


@pytest.mark.parametrize("path", sorted(HEALTH_PATHS))
async def test_head_and_options_are_answered_and_nothing_else(health: Health, path: str) -> None:
    assert 200 == (await ask(health, path, "HEAD")).status_code
    options = await ask(health, path, "OPTIONS")
    assert (200, "GET, HEAD, OPTIONS") == (options.status_code, options.headers["access-control-allow-methods"])
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert 405 == (await ask(health, path, method)).status_code


async def test_everything_is_said_within_two_seconds_while_mongodb_hangs(
    health: Health, own_mongo: EmbeddedMongo
) -> None:
    await ask(health, HEALTH_PATH)
    with hanging(own_mongo):
        await asyncio.sleep(0.6)  # past the time for which an answer counts
        with Stopwatch() as watch:
            checked, ready, live = await asyncio.gather(
                *(ask(health, path) for path in (HEALTH_PATH, READY_PATH, LIVE_PATH))
            )

    assert watch.seconds < 2
    assert (500, {"mongoReachable": False, "mongoPrimaryAvailable": False}) == (checked.status_code, checked.json())
    assert (503, False) == (ready.status_code, ready.json()["mongoReachable"])
    assert (200, {"live": True}) == (live.status_code, live.json())


async def test_health_returns_when_mongodb_does(health: Health, own_mongo: EmbeddedMongo) -> None:
    with hanging(own_mongo):
        await asyncio.sleep(0.6)
        assert 503 == (await ask(health, READY_PATH)).status_code

    for path in (READY_PATH, HEALTH_PATH):
        await well(health, path)


async def test_many_probes_ask_mongodb_once(mongo: EmbeddedMongo) -> None:
    from pymongo.monitoring import CommandListener, CommandStartedEvent

    class Counter(CommandListener):
        asked = 0

        def started(self, event: CommandStartedEvent) -> None:
            self.asked += event.command_name == "hello"

        def succeeded(self, event: object) -> None: ...

        def failed(self, event: object) -> None: ...

    counter = Counter()
    store = Store.open(mongo.uri)
    await store._control.close()
    store._control = store.open_client(event_listeners=[counter])
    health = Health(store, ChangeFeed(store))
    health.loaded()
    try:
        answers = await asyncio.gather(*(health.checks() for _ in range(200)))
    finally:
        await health.stop()
        await store.close()

    assert {True} == {all(answer.values()) for answer in answers}
    assert 1 == counter.asked


async def test_not_ready_before_the_definitions_are_loaded(store: Store) -> None:
    health = Health(store, ChangeFeed(store))

    response = await ask(health, READY_PATH)

    assert (503, {"definitionsLoaded": False, "accepting": True}) == (response.status_code, response.json())
    assert 200 == (await ask(health, LIVE_PATH)).status_code


async def test_not_ready_while_the_server_is_about_to_stop(store: Store) -> None:
    health = Health(store, ChangeFeed(store), draining=lambda: True)
    health.loaded()

    response = await ask(health, READY_PATH)

    assert (503, {"definitionsLoaded": True, "accepting": False}) == (response.status_code, response.json())


async def test_a_change_feed_that_is_down_counts_after_the_grace(store: Store) -> None:
    closed = ChangeFeed(store)
    patient, strict = Health(store, closed, feed_grace=60), Health(store, closed, feed_grace=0)
    for health in (patient, strict):
        health.loaded()
        await health.readiness()
        await asyncio.sleep(0.01)

    assert (await patient.readiness())["changeFeed"]
    assert not (await strict.readiness())["changeFeed"]
    await patient.stop()
    await strict.stop()
