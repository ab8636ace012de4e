"""Keys found by their digests, with few readings of the database."""

import pytest

from content_core.access.directory import KeyDirectory
from content_core.documents import Document
from content_core.names import APIKEYS
from content_core.store import FindQuery, Store
from tests.content_core.access.keys import store_key


class Reading(Store):
    """A store that counts how often it is asked for lists."""

    asked = 0

    async def find(self, database: str, collection: str, query: FindQuery) -> list[Document]:
        self.asked += 1
        return await super().find(database, collection, query)


@pytest.fixture
def reading(store: Store) -> Reading:
    store.__class__ = Reading
    assert isinstance(store, Reading)
    return store


def digest(key: str) -> str:
    return f"digest of {key}"


async def test_key_is_found_by_its_digest(reading: Reading, database: str) -> None:
    keys = [await store_key(reading, database) for _ in range(3)]
    await reading.replace(database, APIKEYS, {"_id": 5, "key": "stray"})
    directory = KeyDirectory(reading, digest)

    for key in keys * 2:
        assert key == await directory.find(database, digest(key))

    assert 1 == reading.asked


async def test_new_key_is_found_at_once(reading: Reading, database: str) -> None:
    directory = KeyDirectory(reading, digest)
    for _ in range(3):
        key = await store_key(reading, database)
        assert key == await directory.find(database, digest(key))


async def test_missing_key_is_not_looked_for_again_and_again(reading: Reading, database: str) -> None:
    directory = KeyDirectory(reading, digest)

    for _ in range(5):
        assert await directory.find(database, digest("gone")) is None

    assert 1 == reading.asked
