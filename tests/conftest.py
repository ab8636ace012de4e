"""What tests of every room share: one real MongoDB per run, a store on it, a database per test, the change feed."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from content_core.store import ChangeFeed, Store
from content_core.store.embedded import EmbeddedMongo
from tests.patience import be_patient


def pytest_configure() -> None:
    be_patient()


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongo]:
    """A running MongoDB, one for the whole run; its ``uri`` is what a server would be given."""
    with EmbeddedMongo(tmp_path_factory.mktemp("mongo")) as running:
        yield running


@pytest.fixture
async def store(mongo: EmbeddedMongo) -> AsyncIterator[Store]:
    """A store on the running MongoDB, with the default driver."""
    opened = Store.open(mongo.uri)
    yield opened
    await opened.close()


@pytest.fixture
async def database(store: Store) -> AsyncIterator[str]:
    """The name of a database that nobody else uses, dropped afterwards."""
    name = f"t{uuid.uuid4().hex[:12]}"
    yield name
    await store.drop_database(name)


@pytest.fixture
async def feed(store: Store) -> AsyncIterator[ChangeFeed]:
    """A change feed that is open."""
    opened = ChangeFeed(store)
    await opened.start()
    yield opened
    await opened.stop()
