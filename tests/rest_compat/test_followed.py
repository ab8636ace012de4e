"""What is remembered until the change feed tells of a change."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from content_core.store import ChangeEvent, ChangeFeed, Store
from rest_compat.followed import Followed
from rest_compat.metadata import Properties

EVENT = ChangeEvent("update", "d", "watched", 1)


class SilentFeed(ChangeFeed):
    """A feed that believes to be live, and from which nothing comes but what a test says."""

    live = True

    def tell(self, event: ChangeEvent) -> None:
        self._tell(event)


@pytest.fixture
def silent(store: Store) -> SilentFeed:
    return SilentFeed(store)


class Reads:
    """Counts reads; each gives its number."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self) -> int:
        self.count += 1
        return self.count


def followed(feed: ChangeFeed | None, *, maximum: int = 10, max_age: float = 60) -> Followed[int]:
    return Followed(feed, collections=lambda _, name: name == "watched", maximum=maximum, max_age=max_age)


async def test_a_value_is_read_once(silent: SilentFeed) -> None:
    values, read = followed(silent), Reads()

    assert [await values.get("k", read) for _ in range(3)] == [1, 1, 1]
    assert await values.get("other", read) == 2


async def test_an_event_makes_it_read_anew(silent: SilentFeed) -> None:
    values, read = followed(silent), Reads()
    assert await values.get("k", read) == 1

    silent.tell(ChangeEvent("update", "d", "elsewhere", 1))
    assert await values.get("k", read) == 1
    silent.tell(EVENT)
    assert await values.get("k", read) == 2
    silent.tell(ChangeEvent("dropDatabase", "d", "", None))
    assert await values.get("k", read) == 3


async def test_forgetting_is_immediate(silent: SilentFeed) -> None:
    values, read = followed(silent), Reads()
    assert await values.get("k", read) == 1

    values.forget()

    assert await values.get("k", read) == 2


@pytest.mark.parametrize("stopped", [True, False])
async def test_without_a_live_feed_nothing_is_remembered(store: Store, stopped: bool) -> None:
    values, read = followed(ChangeFeed(store) if stopped else None), Reads()

    assert [await values.get("k", read) for _ in range(3)] == [1, 2, 3]


async def test_a_feed_that_stops_makes_all_of_it_stale(feed: ChangeFeed) -> None:
    values, read = followed(feed), Reads()
    assert [await values.get("k", read) for _ in range(2)] == [1, 1]

    await feed.stop()

    assert [await values.get("k", read) for _ in range(2)] == [2, 3]
    await feed.start()
    assert [await values.get("k", read) for _ in range(2)] == [4, 4]


async def test_a_feed_that_says_nothing_any_more_does_not_keep_a_value_for_ever(
    silent: SilentFeed, store: Store, database: str
) -> None:
    values, read = followed(silent, max_age=0.05), Reads()
    properties = Properties(store, silent, max_age=0.05)
    await store.insert(database, "c", {"_id": 1})
    assert (await values.get("k", read), await properties.of_collection(database, "c")) == (1, {"_id": "c"})

    await store.insert(database, "_properties", {"_id": "_properties.c", "n": 1})
    await asyncio.sleep(0.1)

    assert (await values.get("k", read), await properties.of_collection(database, "c")) == (2, {"_id": "c", "n": 1})


@pytest.mark.parametrize("change", [lambda feed, _: feed.tell(EVENT), lambda _, values: values.forget()])
async def test_a_change_during_a_read_is_not_remembered_wrongly(
    silent: SilentFeed, change: Callable[[SilentFeed, Followed[int]], None]
) -> None:
    values, read = followed(silent), Reads()

    async def read_while_it_changes() -> int:
        change(silent, values)
        return await read()

    assert await values.get("k", read_while_it_changes) == 1
    assert [await values.get("k", read) for _ in range(2)] == [2, 2]


async def test_the_memory_is_bounded(silent: SilentFeed) -> None:
    values, read = followed(silent, maximum=3), Reads()

    for key in range(10):
        await values.get(key, read)

    assert len(values._values) <= 3
    assert await values.get(9, read) == 10


async def test_a_failed_read_is_not_remembered(silent: SilentFeed) -> None:
    values, read = followed(silent), Reads()

    async def fail() -> int:
        raise LookupError

    failing: Callable[[], Awaitable[int]] = fail
    with pytest.raises(LookupError):
        await values.get("k", failing)
    assert await values.get("k", read) == 1
