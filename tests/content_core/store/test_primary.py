"""Waiting for a primary: a new one is seen at once, and nobody waits for longer than it is worth."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from content_core.errors import StoreUnavailableError
from content_core.store import FindQuery, Store
from content_core.store.drivers import DriverName
from content_core.store.embedded import EmbeddedMongo
from content_core.store.primary import PrimaryWatch
from tests.patience import PATIENCE, Stopwatch, until


@dataclass(frozen=True, eq=False)
class Description:
    """What the driver knows at one moment."""

    primary: bool

    def has_writable_server(self) -> bool:
        return self.primary


@dataclass
class Members:
    """A client that sees what the test says."""

    topology_description: Description = field(default_factory=lambda: Description(primary=False))

    def elect(self) -> None:
        self.topology_description = Description(primary=True)

    def lose(self) -> None:
        self.topology_description = Description(primary=False)


def bereft(*, patience: float = 15) -> tuple[Members, PrimaryWatch]:
    """Give a watch that has seen a primary, and sees none any more."""
    members = Members()
    members.elect()
    watch = PrimaryWatch(members, patience=patience)
    if watch.absent:
        raise AssertionError("it does not see the primary that is there")
    members.lose()
    return members, watch


async def test_a_client_that_looks_for_its_first_primary_has_lost_none() -> None:
    watch = PrimaryWatch(Members(), patience=15)

    assert not watch.absent
    await watch.wait()


async def test_whoever_waits_sees_a_new_primary_at_once() -> None:
    members, watch = bereft()
    waiting = asyncio.gather(*(watch.wait() for _ in range(100)))
    await asyncio.sleep(0.1)
    assert watch.absent
    assert not waiting.done()

    with Stopwatch() as stopwatch:
        members.elect()
        await waiting

    assert stopwatch.seconds < 0.3
    await watch.wait()


async def test_patience_is_counted_from_the_loss_and_not_from_the_request() -> None:
    members, watch = bereft(patience=0.3)
    began = time.monotonic()
    with Stopwatch() as stopwatch, pytest.raises(StoreUnavailableError):
        await watch.wait()
    assert time.monotonic() - began > 0.25
    assert stopwatch.seconds < 1

    members.lose()  # nothing new: the loss is as old as it was
    with Stopwatch() as stopwatch:
        for _ in range(50):
            with pytest.raises(StoreUnavailableError) as caught:
                await watch.wait()
    assert stopwatch.seconds < 0.3
    assert (500, 5) == (caught.value.status, caught.value.retry_after)

    members.elect()
    await watch.wait()
    watch.patience = PATIENCE
    members.lose()  # this is another loss, and worth waiting for
    waiting = asyncio.ensure_future(watch.wait())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    members.elect()
    await waiting


async def test_a_closed_client_lets_go() -> None:
    _, watch = bereft()
    waiting = asyncio.ensure_future(watch.wait())
    await asyncio.sleep(0)

    watch.close()

    await asyncio.wait_for(waiting, PATIENCE)


async def test_the_driver_knows_a_real_primary(store: Store) -> None:
    await store.find("nothing", "here", FindQuery(filter={}))

    assert not store._primary.absent
    assert store._primary._healthy is not None


@pytest.mark.parametrize(("options", "patience"), [("", 15.0), ("&serverSelectionTimeoutMS=700", 0.7)])
async def test_the_store_waits_as_long_as_its_driver(mongo: EmbeddedMongo, options: str, patience: float) -> None:
    store = Store.open(mongo.uri + options)

    assert patience == store._primary.patience
    await store.await_primary()
    await store.close()


async def test_a_store_that_was_opened_notices_when_the_primary_goes(tmp_path: Path, driver: DriverName) -> None:
    """Before any request: the first one that comes after it waits here, too, and not in a thread."""
    with EmbeddedMongo(tmp_path / "own") as own:
        store = Store.open(f"{own.uri}&serverSelectionTimeoutMS=1000", driver=driver)
        await store.connect()
        assert not store._primary.absent

    async def noticed() -> bool:
        return store._primary.absent

    await until(noticed)
    await asyncio.sleep(1)
    with Stopwatch() as stopwatch:
        results = await asyncio.gather(*(store.await_primary() for _ in range(100)), return_exceptions=True)

    assert stopwatch.seconds < 0.5
    assert {StoreUnavailableError} == {type(result) for result in results}
    await store.close()
