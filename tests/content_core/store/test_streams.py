"""Watched change streams on a real MongoDB: shared, resumed after interruptions, and ended where they cannot be."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient

from content_core.documents import Document
from content_core.errors import QueryRefusedError, StoreError, StoreUnavailableError, TooManyWatchersError
from content_core.store import ChangeStreams, Ending, Store, StreamSource
from content_core.store.embedded import EmbeddedMongo
from tests.patience import PATIENCE, Stopwatch

STAGES: tuple[Document, ...] = ({"$project": {"documentKey": 1, "operationType": 1}},)


@dataclass(eq=False)
class Heard:
    """A watcher that keeps what it hears."""

    frames: list[bytes] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)

    def tell(self, frame: bytes) -> None:
        self.frames.append(frame)

    def end(self, ending: Ending) -> None:
        self.endings.append(ending)

    @property
    def ids(self) -> list[int]:
        return [int(frame) for frame in self.frames]


def source(database: str = "shop", stages: tuple[Document, ...] = STAGES, form: str = "") -> StreamSource:
    return StreamSource(
        database=database,
        collection="things",
        stages=stages,
        form=form,
        render=lambda change: str(change.get("documentKey", {}).get("_id", -1)).encode(),
    )


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event to set
            await asyncio.sleep(0.01)


def insert(uri: str, *numbers: int) -> None:
    """Write without the store, as another server would."""
    with MongoClient[Document](uri) as client:
        for number in numbers:
            client["shop"]["things"].insert_one({"_id": number})


def kill(mongo: EmbeddedMongo) -> None:
    assert mongo.pid is not None
    process = psutil.Process(mongo.pid)
    process.kill()
    psutil.wait_procs([process], timeout=PATIENCE)


@pytest.fixture
async def streams(store: Store) -> AsyncIterator[ChangeStreams]:
    opened = ChangeStreams(store)
    yield opened
    await opened.stop()


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
async def own_streams(own_store: Store) -> AsyncIterator[ChangeStreams]:
    opened = ChangeStreams(own_store)
    yield opened
    await opened.stop()


async def test_change_right_after_joining_is_told(store: Store, streams: ChangeStreams, database: str) -> None:
    for number in range(5):
        heard = Heard()
        leave = await streams.join(source(database), heard)
        await store.insert(database, "things", {"_id": number})
        await until(lambda heard=heard: bool(heard.frames))  # type: ignore[misc]

        assert [number] == heard.ids
        leave()
    assert (0, 0) == (streams.watchers, streams.streams)


async def test_who_joins_later_does_not_hear_what_was_acknowledged_before(
    store: Store, streams: ChangeStreams, database: str
) -> None:
    first = Heard()
    await streams.join(source(database), first)
    for number in range(100):
        await store.insert(database, "things", {"_id": number})
        if number % 10 == 9:
            later = Heard()
            await streams.join(source(database), later)
            await store.insert(database, "things", {"_id": -number})
            await until(lambda later=later: bool(later.frames))  # type: ignore[misc]
            assert -number == later.ids[0]
    await until(lambda: len(first.frames) == 110)

    assert 1 == streams.streams


async def test_same_stages_share_and_others_do_not(streams: ChangeStreams, database: str) -> None:
    for each in (source(database), source(database), source(database, form="EXTENDED"), source(database, ())):
        await streams.join(each, Heard())

    assert (3, 4) == (streams.streams, streams.watchers)


async def test_many_who_join_at_once_open_one_stream(store: Store, streams: ChangeStreams, database: str) -> None:
    watchers = [Heard() for _ in range(30)]
    await asyncio.gather(*(streams.join(source(database), each) for each in watchers))
    await store.insert(database, "things", {"_id": 1})
    await until(lambda: all(each.frames for each in watchers))

    assert (1, 30) == (streams.streams, streams.watchers)
    assert all(each.frames[0] is watchers[0].frames[0] for each in watchers), "rendered once"


async def test_leaving_while_others_join_leaves_them_alone(store: Store, streams: ChangeStreams, database: str) -> None:
    first, second = Heard(), Heard()
    joining = asyncio.create_task(streams.join(source(database), first))
    await asyncio.sleep(0)
    other = asyncio.create_task(streams.join(source(database), second))
    await asyncio.sleep(0)
    joining.cancel()
    await other
    await store.insert(database, "things", {"_id": 1})
    await until(lambda: bool(second.frames))

    assert ([], 1) == (first.frames, streams.watchers)


@pytest.mark.parametrize("stage", [{"$group": {"_id": 1}}, {"$nonsense": 1}, {"$match": {"$nonsense": 1}}])
async def test_stages_that_mongodb_refuses_are_told_to_who_joins(
    streams: ChangeStreams, database: str, stage: Document
) -> None:
    for _ in range(2):
        with pytest.raises(QueryRefusedError, match=r"\$"):
            await streams.join(source(database, (stage,)), Heard())

    assert (0, 0) == (streams.watchers, streams.streams)


async def test_stages_that_bson_cannot_hold_are_refused(streams: ChangeStreams, database: str) -> None:
    with pytest.raises(QueryRefusedError):
        await streams.join(source(database, ({"$match": {"n": 2**70}},)), Heard())


async def test_stage_that_takes_the_token_away_ends_the_stream(
    store: Store, streams: ChangeStreams, database: str
) -> None:
    """Whatever takes it away in a manner that cannot be seen beforehand."""
    heard = Heard()
    await streams.join(source(database, ({"$replaceWith": {"documentKey": "$documentKey"}},)), heard)
    await store.insert(database, "things", {"_id": 1})
    await until(lambda: bool(heard.endings))

    assert [Ending.LOST] == heard.endings
    assert 0 == streams.streams


async def test_stage_that_fails_for_an_event_ends_the_stream(
    store: Store, streams: ChangeStreams, database: str
) -> None:
    heard = Heard()
    stages = ({"$addFields": {"x": {"$divide": [1, "$fullDocument.n"]}}},)
    await streams.join(source(database, stages), heard)
    await store.insert(database, "things", {"_id": 1, "n": 1})
    await store.insert(database, "things", {"_id": 2, "n": 0})
    await until(lambda: bool(heard.endings))

    assert ([1], [Ending.LOST]) == (heard.ids, heard.endings)


@pytest.mark.parametrize("how", ["drop", "rename", "drop database"])
async def test_end_of_the_collection_ends_the_stream(
    store: Store, streams: ChangeStreams, database: str, how: str
) -> None:
    heard = Heard()
    await streams.join(source(database), heard)
    await store.insert(database, "things", {"_id": 1})
    if how == "drop":
        await store.drop_collection(database, "things")
    elif how == "rename":
        await store._driver.client[database]["things"].rename("others")
    else:
        await store.drop_database(database)
    await until(lambda: bool(heard.endings))

    assert b"1" == heard.frames[0]
    assert ([Ending.GONE], 0) == (heard.endings, streams.streams)


async def test_watcher_that_fails_does_not_harm_the_others(store: Store, streams: ChangeStreams, database: str) -> None:
    class Failing(Heard):
        def end(self, ending: Ending) -> None:
            raise ValueError(ending)

    failing, heard = Failing(), Heard()
    for watcher in (failing, heard):
        await streams.join(source(database), watcher)
    await store.drop_database(database)
    streams.end_all()

    assert [Ending.STOPPED] == heard.endings


async def test_bounds(store: Store, database: str) -> None:
    streams = ChangeStreams(store, max_streams=2, max_watchers=3, max_watchers_per_stream=2)
    try:
        leave = await streams.join(source(database), Heard())
        await streams.join(source(database), Heard())
        with pytest.raises(TooManyWatchersError, match="the change stream has 2 watchers"):
            await streams.join(source(database), Heard())
        leave()
        leave()
        await streams.join(source(database, ()), Heard())
        with pytest.raises(TooManyWatchersError, match="follows 2 different change streams"):
            await streams.join(source(database, form="x"), Heard())
        await streams.join(source(database, ()), Heard())
        with pytest.raises(TooManyWatchersError, match="has 3 watchers"):
            await streams.join(source(database, ()), Heard())
    finally:
        await streams.stop()


async def test_nobody_joins_after_the_end(streams: ChangeStreams, database: str) -> None:
    heard = Heard()
    await streams.join(source(database), heard)
    streams.end_all()

    assert [Ending.STOPPED] == heard.endings
    with pytest.raises(StoreUnavailableError):
        await streams.join(source(database), Heard())


@pytest.mark.parametrize("end", [EmbeddedMongo.stop, kill], ids=["stopped", "killed"])
async def test_nothing_is_missed_or_doubled_over_restarts(
    own: EmbeddedMongo, own_streams: ChangeStreams, end: Callable[[EmbeddedMongo], None]
) -> None:
    heard = Heard()
    await own_streams.join(source(), heard)
    insert(own.uri, 1)
    await until(lambda: heard.ids == [1])
    for number in (2, 4):
        end(own)
        insert(own.start(), number, number + 1)  # the event loop stands still: written before the stream can be back
        await until(lambda number=number: len(heard.ids) > number)  # type: ignore[misc]

    assert ([1, 2, 3, 4, 5], []) == (heard.ids, heard.endings)


async def test_absence_before_the_first_event_is_survived(own: EmbeddedMongo, own_streams: ChangeStreams) -> None:
    heard = Heard()
    await own_streams.join(source(), heard)
    own.stop()
    await asyncio.sleep(4)  # longer than the driver's own patience
    insert(own.start(), 1, 2)
    await until(lambda: len(heard.ids) == 2)

    assert ([1, 2], []) == (heard.ids, heard.endings)


async def test_who_joins_while_mongodb_is_away_is_told_so(own: EmbeddedMongo, own_streams: ChangeStreams) -> None:
    heard = Heard()
    await own_streams.join(source(), heard)
    own.stop()
    for wanted in (source(), source(form="another")):
        with Stopwatch() as watch, pytest.raises(StoreUnavailableError):
            await own_streams.join(wanted, Heard())
        assert watch.seconds < 5
    insert(own.start(), 1)
    await until(lambda: heard.ids == [1])

    assert (1, 1) == (own_streams.watchers, own_streams.streams)


async def test_hanging_mongodb_is_survived(own: EmbeddedMongo, own_streams: ChangeStreams) -> None:
    assert own.pid is not None
    heard = Heard()
    await own_streams.join(source(), heard)
    insert(own.uri, 1)
    os.kill(own.pid, signal.SIGSTOP)
    await asyncio.sleep(8)  # past the time that an answer may take
    os.kill(own.pid, signal.SIGCONT)
    insert(own.uri, 2)
    await until(lambda: len(heard.ids) == 2)

    assert ([1, 2], []) == (heard.ids, heard.endings)


async def test_lost_history_ends_the_stream(own: EmbeddedMongo, own_streams: ChangeStreams, tmp_path: Path) -> None:
    """A database put back from elsewhere knows nothing of the token."""
    heard = Heard()
    await own_streams.join(source(), heard)
    insert(own.uri, 1)
    await until(lambda: heard.ids == [1])
    own.stop()
    shutil.rmtree(tmp_path / "mongodb")
    insert(own.start(), 2)
    await until(lambda: bool(heard.endings))

    assert ([1], [Ending.LOST], 0) == (heard.ids, heard.endings, own_streams.streams)


async def test_absence_that_is_too_long_ends_the_stream(own: EmbeddedMongo, own_store: Store) -> None:
    streams = ChangeStreams(own_store, resume_seconds=1)
    heard = Heard()
    try:
        await streams.join(source(), heard)
        own.stop()
        await until(lambda: bool(heard.endings))
        own.start()

        assert [Ending.LOST] == heard.endings
        await streams.join(source(), heard)
        insert(own.uri, 1)
        await until(lambda: heard.ids == [1])
    finally:
        await streams.stop()


async def test_stop_while_mongodb_hangs_is_prompt(own: EmbeddedMongo, own_streams: ChangeStreams) -> None:
    assert own.pid is not None
    heard = Heard()
    for form in ("a", "b", "c"):
        await own_streams.join(source(form=form), heard)
    os.kill(own.pid, signal.SIGSTOP)
    try:
        with Stopwatch() as watch:
            await own_streams.stop()
    finally:
        os.kill(own.pid, signal.SIGCONT)

    assert watch.seconds < 5
    assert [Ending.STOPPED] * 3 == heard.endings


def test_errors_are_those_of_the_store() -> None:
    assert issubclass(TooManyWatchersError, StoreError)
    assert 503 == TooManyWatchersError.status
