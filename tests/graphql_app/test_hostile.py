"""What harmful operations cost: none keeps the process busy for half a second.

``pytest --log-cli-level=info`` shows the figures.
"""

import gc
import logging
import time
from collections.abc import Iterator
from typing import Final

import orjson
import pytest

from content_core.store import ChangeFeed, Store
from tests.graphql_app.hostile import ASKED, NODES, yard_definition
from tests.graphql_app.http.server import ADMIN, put_definition, serve

BUSY = 0.5
"""Seconds of the processor, by the process's own clock: other processes do not count."""

_TRIES: Final = 3
"""What else the machine does makes its processor slower, and never quicker: of several servers the best one counts."""


@pytest.fixture
async def yard(store: Store, database: str) -> str:
    """A database with what the application ``yard`` reads."""
    await store.bulk_replace(database, "nodes", NODES)
    return database


@pytest.fixture(scope="module", autouse=True)
def left_alone() -> Iterator[None]:
    """Keep the collector away from what other tests left, as a worker keeps it away from what it loaded."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("name", ASKED)
async def test_no_operation_keeps_the_process_busy(name: str, yard: str, store: Store, feed: ChangeFeed) -> None:
    query, variables = ASKED[name]
    body = orjson.dumps({"query": query, "variables": variables})
    headers = {"Content-Type": "application/json"}
    busy = BUSY
    for _ in range(_TRIES):
        async with serve(store, feed) as server:
            await put_definition(server, store, yard_definition(yard))
            client = server.client
            await client.post(f"/graphql/{yard}/yard", json={"query": "{ nodes { name } }"}, auth=ADMIN)

            started = time.process_time()
            response = await client.post(f"/graphql/{yard}/yard", content=body, headers=headers, auth=ADMIN)
            busy = time.process_time() - started

        logging.getLogger(__name__).info("%.3f s, status %d: %s", busy, response.status_code, name)
        if busy < BUSY:
            break
    assert response.status_code in {200, 400, 413}
    errors = response.json().get("errors", [])
    assert all(error["extensions"]["classification"] and error["message"] != "Validation aborted." for error in errors)
    assert busy < BUSY
