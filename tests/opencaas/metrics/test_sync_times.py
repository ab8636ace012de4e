"""The times of syncs, read from the metadata of collections in a real MongoDB and followed by its change feed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from content_core.access.reserved import PROPERTIES
from content_core.store import ChangeFeed, Store
from opencaas.metrics.sync_times import SyncTimes
from tests.patience import PATIENCE

MAY = datetime(2026, 5, 1, 12, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def note(store: Store, database: str, collection: str, value: Any) -> None:
    await store.replace_one(
        database,
        PROPERTIES,
        filter={"_id": f"{PROPERTIES}.{collection}"},
        document={"_id": f"{PROPERTIES}.{collection}", "lastSync": value},
        upsert=True,
    )


def seen(times: SyncTimes, database: str) -> dict[tuple[str, str], float]:
    found = {}
    for (name, labels), value in times.figures().items():
        assert "sync_completed_timestamp_seconds" == name
        assert ["tenant", "project", "state"] == [label for label, _ in labels]
        values = dict(labels)
        if values["tenant"] == database:
            found[values["project"], values["state"]] = value
    return found


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not check():  # noqa: ASYNC110  # figures have no event to set
            await asyncio.sleep(0.02)


@pytest.fixture
async def times(store: Store, feed: ChangeFeed, database: str) -> AsyncIterator[SyncTimes]:
    await note(store, database, "shop.preview.content", {"completed": MAY, "mode": "smart"})
    made = SyncTimes(store, feed, most=1_000)
    made.start()
    await until(lambda: ("shop", "preview") in seen(made, database))
    yield made
    await made.stop()


async def test_what_was_noted_before_the_start_is_known(times: SyncTimes, database: str) -> None:
    assert {("shop", "preview"): MAY.timestamp()} == seen(times, database)


async def test_new_notes_replace_older_ones(times: SyncTimes, store: Store, database: str) -> None:
    await note(store, database, "shop.preview.content", {"completed": JUNE})
    await note(store, database, "a.b.release.content", {"completed": MAY})

    wanted = {("shop", "preview"): JUNE.timestamp(), ("a.b", "release"): MAY.timestamp()}
    await until(lambda: seen(times, database) == wanted)


async def test_a_note_that_is_taken_away_is_not_shown(times: SyncTimes, store: Store, database: str) -> None:
    await note(store, database, "shop.release.content", {"completed": MAY})
    await until(lambda: len(seen(times, database)) == 2)

    await store.delete_one(database, PROPERTIES, filter={"_id": f"{PROPERTIES}.shop.preview.content"})
    await until(lambda: seen(times, database) == {("shop", "release"): MAY.timestamp()})
    await note(store, database, "shop.release.content", "never")
    await until(lambda: not seen(times, database))


async def test_a_dropped_database_is_forgotten(times: SyncTimes, store: Store, database: str) -> None:
    await store.drop_database(database)

    await until(lambda: not seen(times, database))


async def test_only_dates_of_content_collections_count(times: SyncTimes, store: Store, database: str) -> None:
    for collection in ("shop.preview.files", "shop.draft.content", "content", ".release.content", "notes"):
        await note(store, database, collection, {"completed": MAY})
    for number, value in enumerate([{"completed": 12}, {"completed": None}, [MAY], {}]):
        await note(store, database, f"odd{number}.preview.content", value)
    await note(store, database, "last.preview.content", {"completed": MAY})

    await until(lambda: ("last", "preview") in seen(times, database))
    assert {("shop", "preview"), ("last", "preview")} == seen(times, database).keys()


async def test_there_is_a_limit_and_the_log_says_so(
    store: Store, feed: ChangeFeed, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    few = SyncTimes(store, feed, most=2)
    few.start()
    for number in range(4):
        await note(store, database, f"p{number}.preview.content", {"completed": MAY})
    await until(lambda: "not shown" in caplog.text)

    assert len(few.figures()) <= 2
    assert 1 == caplog.text.count("not shown")
    await few.stop()


async def test_none_are_read_where_none_are_wanted(store: Store, feed: ChangeFeed, database: str) -> None:
    none, some = SyncTimes(store, feed, most=0), SyncTimes(store, feed, most=1_000)
    none.start()
    some.start()
    await note(store, database, "shop.preview.content", {"completed": MAY})
    await until(lambda: bool(seen(some, database)))

    assert {} == none.figures()
    await none.stop()
    await some.stop()


async def test_what_was_missed_is_read_when_the_feed_lost_events(store: Store, database: str) -> None:
    class Gap:
        """A change feed that only ever tells of a gap."""

        def subscribe(self, _listener: Any, *, collections: Any = None, on_gap: Any = None) -> Callable[[], None]:
            self.tell = on_gap
            return lambda: None

    gap = Gap()
    times = SyncTimes(store, gap, most=1_000)  # type: ignore[arg-type]
    await note(store, database, "before.preview.content", {"completed": MAY})
    times.start()
    await until(lambda: bool(seen(times, database)))
    await note(store, database, "shop.preview.content", {"completed": MAY})
    assert {("before", "preview")} == seen(times, database).keys()

    gap.tell()

    await until(lambda: ("shop", "preview") in seen(times, database))
    await times.stop()
