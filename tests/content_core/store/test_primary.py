"""Waiting for a primary: word of one comes at once, and nobody waits for longer than it is worth."""

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from pymongo import MongoClient

from content_core.errors import StoreUnavailableError
from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from content_core.store.primary import PrimaryWatch


def change(*, before: bool, now: bool) -> Any:
    """Make the event that the driver tells when a primary comes or goes."""
    return SimpleNamespace(
        previous_description=SimpleNamespace(has_writable_server=lambda: before),
        new_description=SimpleNamespace(has_writable_server=lambda: now),
    )


FOUND, LOST, STILL_NONE = (
    change(before=False, now=True),
    change(before=True, now=False),
    change(before=False, now=False),
)


async def test_a_client_that_looks_for_its_first_primary_has_lost_none() -> None:
    watch = PrimaryWatch()

    watch.description_changed(STILL_NONE)

    assert not watch.absent
    await watch.wait()


async def test_whoever_waits_hears_of_a_new_primary_at_once_from_any_thread() -> None:
    watch = PrimaryWatch()
    watch.description_changed(LOST)
    waiting = asyncio.gather(*(watch.wait() for _ in range(100)))
    await asyncio.sleep(0.05)
    assert watch.absent

    found = time.monotonic()
    threading.Thread(target=watch.description_changed, args=(FOUND,)).start()
    await waiting

    assert not watch.absent
    assert time.monotonic() - found < 0.3


async def test_patience_is_counted_from_the_loss_and_not_from_the_request() -> None:
    watch = PrimaryWatch()
    watch.patience = 0.3
    watch.description_changed(LOST)
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        await watch.wait()
    assert 0.25 < time.monotonic() - began < 1

    watch.description_changed(STILL_NONE)  # nothing new: the loss is as old as it was
    began = time.monotonic()
    for _ in range(50):
        with pytest.raises(StoreUnavailableError) as caught:
            await watch.wait()
    assert time.monotonic() - began < 0.1
    assert (503, 5) == (caught.value.status, caught.value.retry_after)


async def test_a_closed_client_lets_go() -> None:
    watch = PrimaryWatch()
    watch.description_changed(LOST)
    waiting = asyncio.ensure_future(watch.wait())
    await asyncio.sleep(0)

    watch.closed(SimpleNamespace())  # type: ignore[arg-type]

    await asyncio.wait_for(waiting, 1)


def test_the_driver_tells_of_a_real_primary(mongo: EmbeddedMongo) -> None:
    watch = PrimaryWatch()
    watch.description_changed(LOST)

    with MongoClient[dict[str, Any]](mongo.uri, event_listeners=[watch]) as client:
        client.admin.command("ping")
        deadline = time.monotonic() + 5
        while watch.absent and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not watch.absent


@pytest.mark.parametrize(("options", "patience"), [("", 15.0), ("&serverSelectionTimeoutMS=700", 0.7)])
async def test_the_store_waits_as_long_as_its_driver(mongo: EmbeddedMongo, options: str, patience: float) -> None:
    store = Store.open(mongo.uri + options)

    assert patience == store._primary.patience
    await store.await_primary()
    await store.close()
