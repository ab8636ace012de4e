"""The change feed on a real MongoDB, through interruptions, lost history and slow or failing listeners."""

import asyncio
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient

from content_core.documents import Document
from content_core.errors import StoreError, StoreUnavailableError
from content_core.store import ChangeEvent, ChangeFeed, Store
from content_core.store.embedded import EmbeddedMongo
from tests.patience import PATIENCE, Stopwatch


@dataclass
class Recorder:
    """Keeps what it hears."""

    events: list[ChangeEvent] = field(default_factory=list)
    gaps: int = 0

    def hear(self, event: ChangeEvent) -> None:
        self.events.append(event)

    def gap(self) -> None:
        self.gaps += 1

    def ids(self, database: str) -> list[int]:
        return [event.document_id for event in self.events if event.database == database]


async def _until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event to set
            await asyncio.sleep(0.01)


@pytest.fixture
def recorder(feed: ChangeFeed) -> Recorder:
    heard = Recorder()
    feed.subscribe(heard.hear, on_gap=heard.gap)
    return heard


async def test_every_kind_of_change_is_told(store: Store, database: str, recorder: Recorder) -> None:
    await store.insert(database, "a", {"_id": 1})
    await store.replace(database, "a", {"_id": 1, "v": 2})
    await store._driver.client[database]["a"].update_one({"_id": 1}, {"$set": {"v": 3}})
    await store.delete(database, "a", 1)
    await store._driver.client[database]["a"].rename("b")
    await store.drop_collection(database, "b")
    await store.insert(database, "c", {"_id": 2})
    await store.drop_database(database)

    await _until(lambda: ChangeEvent("dropDatabase", database, "", None) in recorder.events)
    assert [event for event in recorder.events if event.database == database] == [
        ChangeEvent("insert", database, "a", 1),
        ChangeEvent("replace", database, "a", 1),
        ChangeEvent("update", database, "a", 1),
        ChangeEvent("delete", database, "a", 1),
        ChangeEvent("rename", database, "a", None),
        ChangeEvent("rename", database, "b", None),
        ChangeEvent("drop", database, "b", None),
        ChangeEvent("insert", database, "c", 2),
        ChangeEvent("drop", database, "c", None),
        ChangeEvent("dropDatabase", database, "", None),
    ]


async def test_change_right_after_start_is_not_lost(store: Store, database: str) -> None:
    for number in range(5):
        feed, heard = ChangeFeed(store), Recorder()
        feed.subscribe(heard.hear)
        await feed.start()
        await store.insert(database, "c", {"_id": number})

        await _until(lambda heard=heard, number=number: number in heard.ids(database))  # type: ignore[misc]
        await feed.stop()


async def test_many_changes_come_once_and_in_order(store: Store, database: str, recorder: Recorder) -> None:
    for start in range(0, 2000, 500):
        await store.bulk_replace(database, "c", [{"_id": number} for number in range(start, start + 500)])

    await _until(lambda: len(recorder.ids(database)) >= 2000)
    assert recorder.ids(database) == list(range(2000))


async def test_large_documents_do_not_disturb(store: Store, database: str, recorder: Recorder) -> None:
    await store.insert(database, "c", {"_id": 1, "text": "x" * 16_000_000})
    await store.replace(database, "c", {"_id": 1, "text": "y" * 16_000_000})
    await store.insert(database, "c", {"_id": 2})

    await _until(lambda: recorder.ids(database) == [1, 1, 2])
    assert recorder.gaps == 0


async def test_listener_hears_only_its_collections(store: Store, database: str, feed: ChangeFeed) -> None:
    heard = Recorder()
    feed.subscribe(heard.hear, collections=lambda _database, collection: collection == "wanted")
    await store.insert(database, "other", {"_id": 1})
    await store.insert(database, "wanted", {"_id": 2})
    await store.drop_database(database)

    await _until(lambda: ChangeEvent("dropDatabase", database, "", None) in heard.events)
    mine = [event for event in heard.events if event.database == database]
    assert [(event.operation, event.collection) for event in mine] == [
        ("insert", "wanted"),
        ("drop", "wanted"),
        ("dropDatabase", ""),
    ]


async def test_ended_subscription_hears_nothing(
    store: Store, database: str, feed: ChangeFeed, recorder: Recorder
) -> None:
    former = Recorder()
    unsubscribe = feed.subscribe(former.hear)
    unsubscribe()
    unsubscribe()
    await store.insert(database, "c", {"_id": 1})

    await _until(lambda: recorder.ids(database) == [1])
    assert former.ids(database) == []


async def test_failing_listener_disturbs_nobody(
    store: Store, database: str, feed: ChangeFeed, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_event: ChangeEvent) -> None:
        raise LookupError("nobody home")

    feed.subscribe(fail)
    heard = Recorder()
    feed.subscribe(heard.hear)
    with caplog.at_level(logging.ERROR):
        await store.insert(database, "c", {"_id": 1})
        await store.insert(database, "c", {"_id": 2})
        await _until(lambda: heard.ids(database) == [1, 2])

    assert feed.live
    assert "nobody home" in caplog.text


async def test_feed_is_live_while_open(store: Store) -> None:
    feed = ChangeFeed(store)
    seen = [feed.live]
    for step in (feed.start, feed.start, feed.stop, feed.stop):
        await step()
        seen.append(feed.live)

    assert seen == [False, True, True, False, False]


@pytest.mark.parametrize("pause", [0, 0.01, 0.2])
async def test_stop_does_not_wait_for_changes(store: Store, pause: float) -> None:
    feed = ChangeFeed(store)
    await feed.start()
    await asyncio.sleep(pause)
    with Stopwatch() as watch:
        await feed.stop()

    assert watch.seconds < 0.5


async def test_quiet_feed_stays_live(feed: ChangeFeed, recorder: Recorder) -> None:
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert feed.live
        await asyncio.sleep(0.02)
    assert recorder.gaps == 0


async def test_start_without_mongodb_fails_in_time() -> None:
    store = Store.open("mongodb://127.0.0.1:1/")
    feed = ChangeFeed(store, open_seconds=0.3)

    with pytest.raises(StoreUnavailableError):
        await feed.start()
    assert not feed.live
    await store.close()


async def test_start_with_a_wrong_password_says_so_at_once(mongo: EmbeddedMongo) -> None:
    store = Store.open(mongo.uri.replace("opencaas:", "opencaas:not"))

    with pytest.raises(StoreError) as caught:
        await ChangeFeed(store).start()
    assert caught.value.details["code"] == 18
    await store.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """A MongoDB of the test's own, to do things to."""
    with EmbeddedMongo(tmp_path) as mongo:
        yield mongo


@pytest.fixture
async def own_store(own: EmbeddedMongo) -> AsyncIterator[Store]:
    opened = Store.open(own.uri)
    yield opened
    await opened.close()


@pytest.fixture
async def own_feed(own_store: Store) -> AsyncIterator[ChangeFeed]:
    opened = ChangeFeed(own_store)
    await opened.start()
    yield opened
    await opened.stop()


def _insert(uri: str, number: int) -> None:
    """Write without the store, as another server would."""
    with MongoClient[Document](uri) as client:
        client["shop"]["things"].insert_one({"_id": number})


def _kill(mongo: EmbeddedMongo) -> None:
    assert mongo.pid is not None
    process = psutil.Process(mongo.pid)
    process.kill()
    psutil.wait_procs([process], timeout=PATIENCE)


@pytest.mark.parametrize("end", [EmbeddedMongo.stop, _kill], ids=["stopped", "killed"])
async def test_no_change_is_lost_over_a_restart(
    own: EmbeddedMongo, own_feed: ChangeFeed, end: Callable[[EmbeddedMongo], None]
) -> None:
    heard = Recorder()
    own_feed.subscribe(heard.hear, on_gap=heard.gap)
    _insert(own.uri, 1)
    await _until(lambda: heard.ids("shop") == [1])

    for number in (2, 4):
        end(own)
        await _until(lambda: not own_feed.live)
        _insert(own.start(), number)  # the event loop stands still: written before the feed can be back
        _insert(own.uri, number + 1)
        await _until(lambda: own_feed.live)

    await _until(lambda: len(heard.ids("shop")) >= 5)
    assert heard.ids("shop") == [1, 2, 3, 4, 5]
    assert heard.gaps == 0


async def test_no_change_is_lost_over_a_restart_before_the_first(own: EmbeddedMongo, own_feed: ChangeFeed) -> None:
    """A stream that has delivered nothing has no token yet."""
    heard = Recorder()
    own_feed.subscribe(heard.hear, on_gap=heard.gap)
    _insert(own.uri, 1)
    own.stop()
    _insert(own.start(), 2)

    await _until(lambda: heard.ids("shop") == [1, 2])
    assert heard.gaps == 0


async def test_long_absence_is_survived(own: EmbeddedMongo, own_feed: ChangeFeed) -> None:
    """Longer than the driver's own patience, so that the feed itself has to come back."""
    heard = Recorder()
    own_feed.subscribe(heard.hear, on_gap=heard.gap)
    _insert(own.uri, 1)
    await _until(lambda: heard.ids("shop") == [1])
    own.stop()
    await asyncio.sleep(4)
    _insert(own.start(), 2)

    await _until(lambda: heard.ids("shop") == [1, 2])
    await _until(lambda: own_feed.live)
    assert heard.gaps == 0


@pytest.mark.parametrize("away", [0, 4], ids=["short", "longer than the driver waits"])
async def test_feed_is_live_again_when_all_was_told_and_not_before(
    own: EmbeddedMongo, own_feed: ChangeFeed, away: float
) -> None:
    told: list[tuple[int, bool]] = []
    own_feed.subscribe(
        lambda event: told.append((event.document_id, own_feed.live)),
        collections=lambda database, _: database == "shop",
    )
    _insert(own.uri, -1)
    await _until(lambda: told == [(-1, True)])

    own.stop()
    await _until(lambda: not own_feed.live)
    await asyncio.sleep(away)
    own.start()  # the event loop stands still
    for number in range(250):
        _insert(own.uri, number)
    await _until(lambda: own_feed.live)

    assert told[1:] == [(number, False) for number in range(250)]


async def test_feed_becomes_live_again_while_others_write_without_a_break(
    own: EmbeddedMongo, own_feed: ChangeFeed
) -> None:
    own.stop()
    await _until(lambda: not own_feed.live)
    own.start()
    done = threading.Event()

    def write() -> None:
        with MongoClient[Document](own.uri) as client:
            while not done.wait(0.002):
                client["shop"]["things"].insert_one({})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        await _until(lambda: own_feed.live)
    finally:
        done.set()
        await asyncio.to_thread(writer.join)


async def test_lost_history_is_told_as_a_gap(own: EmbeddedMongo, own_feed: ChangeFeed, tmp_path: Path) -> None:
    """A database put back from elsewhere knows nothing of the token."""
    heard = Recorder()
    gaps: list[bool] = []
    own_feed.subscribe(heard.hear, on_gap=lambda: gaps.append(own_feed.live))
    _insert(own.uri, 1)
    await _until(lambda: heard.ids("shop") == [1])
    own.stop()
    shutil.rmtree(tmp_path / "mongodb")
    _insert(own.start(), 2)

    await _until(lambda: bool(gaps))
    await _until(lambda: own_feed.live)
    assert gaps == [False]  # listeners clear up before anybody may rely on the feed again
    _insert(own.uri, 3)
    await _until(lambda: 3 in heard.ids("shop"))


async def test_useless_token_is_told_as_a_gap(
    own: EmbeddedMongo, own_feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Recorder()
    own_feed.subscribe(heard.hear, on_gap=heard.gap)
    opened, tries = own_feed._opened, []

    async def with_useless_token(driver: Any) -> Any:
        tries.append(driver)
        if not own_feed._gap:
            own_feed._position = {"resume_after": {"_data": "8264A5"}}
        return await opened(driver)

    monkeypatch.setattr(own_feed, "_opened", with_useless_token)
    own.stop()
    await _until(lambda: bool(tries))  # the driver has given up, and the feed itself tries to come back
    _insert(own.start(), 1)

    await _until(lambda: heard.gaps == 1)
    await _until(lambda: own_feed.live)
    _insert(own.uri, 2)
    await _until(lambda: 2 in heard.ids("shop"))


async def test_hanging_mongodb_is_not_live(own: EmbeddedMongo, own_feed: ChangeFeed) -> None:
    assert own.pid is not None
    heard = Recorder()
    own_feed.subscribe(heard.hear, on_gap=heard.gap)
    os.kill(own.pid, signal.SIGSTOP)
    try:
        await _until(lambda: not own_feed.live)
    finally:
        os.kill(own.pid, signal.SIGCONT)
    _insert(own.uri, 1)

    await _until(lambda: heard.ids("shop") == [1])
    await _until(lambda: own_feed.live)


async def test_stop_while_mongodb_hangs_is_prompt(own: EmbeddedMongo, own_feed: ChangeFeed) -> None:
    assert own.pid is not None
    os.kill(own.pid, signal.SIGSTOP)
    try:
        with Stopwatch() as watch:
            await own_feed.stop()
    finally:
        os.kill(own.pid, signal.SIGCONT)

    assert watch.seconds < 5


async def test_stop_while_mongodb_is_away_is_prompt(own: EmbeddedMongo, own_feed: ChangeFeed) -> None:
    own.stop()
    await _until(lambda: not own_feed.live)
    with Stopwatch() as watch:
        await own_feed.stop()

    assert watch.seconds < 5
