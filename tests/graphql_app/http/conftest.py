from collections.abc import AsyncIterator

import pytest

from content_core.store import ChangeFeed, Store
from tests.graphql_app.http.server import Server, put_definition, serve
from tests.graphql_app.query.workshop import load_workshop, workshop_definition


@pytest.fixture
async def server(store: Store, feed: ChangeFeed, database: str) -> AsyncIterator[Server]:
    """An application that serves the workshop."""
    async with serve(store, feed) as running:
        await load_workshop(store, database)
        await put_definition(running, store, workshop_definition(database))
        yield running
