"""MongoDB dies under load, and comes back: what clients see meanwhile, and that nothing is lost or told twice."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pytest

from content_core.store.embedded import EmbeddedMongo
from tests.live import LiveServer, eventually, live_server
from tests.opencaas.load import Load
from tests.patience import PATIENCE

ADMIN: Final = ("admin", "correct horse")
KEY: Final = "k-watcher"
TENANT: Final = "acme"
COLLECTION: Final = f"/{TENANT}/shop.preview.content"
APP: Final = f"/graphql/{TENANT}/shop"
QUERY: Final = "{ documents(limit: 3) { _id writer } }"
DEFINITION: Final = {
    "descriptor": {"uri": f"{TENANT}/shop", "enabled": True},
    "schema": "type Query { documents(limit: Int): [Document] } type Document { _id: String writer: Int }",
    "mappings": {
        "Query": {"documents": {"db": TENANT, "collection": "shop.preview.content", "limit": {"$arg": "limit"}}}
    },
}
CRUD: Final = {"uri": "crud", "stages": [{"$match": {"operationType": {"$in": ["insert", "replace", "update"]}}}]}

EVERYTHING: Final = ("read", "write", "graphql", "health", "ready")

_LOAD_SECONDS: Final = 2.0
_AWAY_SECONDS: Final = 2.0


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """A MongoDB of the test's own, which the server takes for an external one."""
    with EmbeddedMongo(tmp_path / "mongo") as mongo:
        yield mongo


@pytest.fixture
def server(own: EmbeddedMongo, tmp_path: Path) -> Iterator[LiveServer]:
    env = {
        # A server waits ten seconds for a primary unless told otherwise: here it is to answer while there is none.
        "OPENCAAS_MONGODB_URI": f"{own.uri}&serverSelectionTimeoutMS=1500",
        "OPENCAAS_ADMIN_PASSWORD": ADMIN[1],
        "OPENCAAS_TOKEN_SECRET": "the secret of the tokens",
    }
    with live_server(tmp_path / "data", "--workers", "2", env=env) as running:
        with running.client(auth=ADMIN) as admin:
            key = {"_id": KEY, "key": KEY, "permissions": [{"url": "/", "methods": ["GET"]}]}
            for path, body in (
                (f"/{TENANT}", {}),
                (f"/{TENANT}/apikeys/{KEY}", key),
                (COLLECTION, {"streams": [CRUD]}),
                (f"/{TENANT}/gql-apps/{TENANT}___shop", DEFINITION),
            ):
                admin.put(path, json=body).raise_for_status()
            assert eventually(lambda: admin.post(APP, json={"query": QUERY}).status_code == 200)
        yield running


@pytest.fixture
def load(server: LiveServer) -> Load:
    return Load(url=server.url, collection=COLLECTION, graphql=(APP, QUERY), auth=ADMIN, key=KEY)


def kill(mongo: EmbeddedMongo) -> None:
    assert mongo.pid is not None
    process = psutil.Process(mongo.pid)
    process.kill()
    psutil.wait_procs([process], timeout=PATIENCE)


def run_through_deaths(load: Load, mongo: EmbeddedMongo, *, away: tuple[float, ...]) -> None:
    """Keep the load on while MongoDB is killed and started again, as often as times of absence are given.

    A time begins when everybody has noticed; with none, it is started again at once.
    """
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=load.url, timeout=PATIENCE) as probe:
        running = pool.submit(asyncio.run, load.run())
        try:
            assert eventually(lambda: len(load.acknowledged) > 10 or running.done())
            for seconds in away:
                time.sleep(_LOAD_SECONDS)
                kill(mongo)
                if seconds:
                    assert eventually(lambda: all(load.seen(what)[-1].status >= 500 for what in EVERYTHING))
                    time.sleep(seconds)
                mongo.start()
                assert eventually(lambda: probe.get("/_logic/ready").status_code == 200)
            time.sleep(_LOAD_SECONDS)
        finally:
            load.stopped = True
        running.result(3 * PATIENCE)


def message_of(body: str) -> Any:
    """Give what an error body says, of either interface."""
    parsed = json.loads(body)
    return parsed["message"] if "message" in parsed else parsed["errors"][0]["message"]


def test_mongod_killed_and_started_again_under_load(own: EmbeddedMongo, server: LiveServer, load: Load) -> None:
    run_through_deaths(load, own, away=(_AWAY_SECONDS, 0.0))

    # Watchers: all are still there, and heard everything once, in the same order.
    assert [None] * load.watchers == [watch.closed for watch in load.watches]
    first = load.watches[0].heard
    assert all(watch.heard == first for watch in load.watches)
    assert len(first) == len(set(first)), "nothing is told twice"
    assert load.acknowledged <= set(first) <= load.attempted
    for writer in range(load.writers):
        own_documents = [name for name in first if name.startswith(f"w{writer}-")]
        assert sorted(own_documents) == own_documents

    # Probes: good, bad, good. The second absence is short, and may or may not be seen.
    assert [200, 500, 200] == load.changes("health")[:3]
    assert [200, 503, 200] == load.changes("ready")[:3]
    assert max(answer.took for what in ("health", "ready") for answer in load.seen(what)) < 4

    # Requests: before and after they work, meanwhile they say what is wrong and nothing more.
    for what in ("read", "write", "graphql"):
        answers = load.seen(what)
        failed = [answer for answer in answers if answer.status not in {200, 201}]
        assert {500} == {answer.status for answer in failed}, failed[:3]
        assert [] == [a.body for a in failed if "MongoDB cannot be reached" not in message_of(a.body)]
        assert not any("127.0.0.1" in answer.body or "Traceback" in answer.body for answer in failed)
        assert {200, 201} & {answers[0].status}
        assert {200, 201} & {answers[-1].status}
    assert max(answer.took for answer in load.answers) < 20
    assert [] == [line for line in server.log if "Traceback" in line or "incident" in line]

    # Documents: what was acknowledged is there.
    with server.client(auth=ADMIN) as admin:
        for name in sorted(load.acknowledged)[::20]:
            assert 200 == admin.get(f"{COLLECTION}/{name}").status_code
        size = admin.get(f"{COLLECTION}/_size").json()["_size"]
    assert len(first) == size
