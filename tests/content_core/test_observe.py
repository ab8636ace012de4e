"""Rooms tell what happens; a request's record and the process's sink keep it."""

import asyncio
import threading
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest

from content_core import observe
from content_core.observe import Record


class _Kept:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, float, dict[str, str]]] = []

    def count(self, name: str, n: float, labels: dict[str, str]) -> None:
        self.told.append(("count", name, n, labels))

    def gauge(self, name: str, delta: float, labels: dict[str, str]) -> None:
        self.told.append(("gauge", name, delta, labels))

    def duration(self, name: str, seconds: float, labels: dict[str, str]) -> None:
        self.told.append(("duration", name, seconds, labels))


@pytest.fixture
def record() -> Iterator[Record]:
    record = Record("r1")
    token = observe.begin(record)
    yield record
    observe.end(token)


def test_without_anything_installed_calls_do_nothing() -> None:
    with observe.stage("plan"):
        observe.note(app="a")
        observe.count("c", result="hit")
        observe.gauge("g", 1)
        observe.duration("d", 0.5)

    assert observe.current() is None


def test_stages_of_a_name_add_up(record: Record) -> None:
    for _ in range(2):
        with observe.stage("read"):
            pass
    with observe.stage("shape"):
        pass

    assert ["read", "shape"] == list(record.stages)
    assert all(seconds >= 0 for seconds in record.stages.values())


def test_stage_that_fails_counts(record: Record) -> None:
    with pytest.raises(ValueError, match="x"), observe.stage("plan"):
        raise ValueError("x")

    assert "plan" in record.stages


def test_later_notes_replace_earlier_ones(record: Record) -> None:
    observe.note(cache="miss", app="a")
    observe.note(cache="hit")

    assert {"cache": "hit", "app": "a"} == record.facts


async def test_tasks_and_threads_of_a_request_share_its_record(record: Record) -> None:
    async def task() -> None:
        observe.note(task=True)

    def thread() -> None:
        observe.note(thread=True)

    await asyncio.create_task(task())
    worker = threading.Thread(target=copy_context().run, args=(thread,))
    worker.start()
    worker.join()

    assert {"task": True, "thread": True} == record.facts


async def test_requests_at_the_same_time_have_records_of_their_own() -> None:
    async def request(name: str) -> dict[str, Any]:
        record = Record(name)
        token = observe.begin(record)
        observe.note(name=name)
        await asyncio.sleep(0)
        observe.note(again=name)
        observe.end(token)
        return record.facts

    first, second = await asyncio.gather(request("a"), request("b"))

    assert {"name": "a", "again": "a"} == first
    assert {"name": "b", "again": "b"} == second


def test_installed_sink_hears_figures_until_it_is_removed() -> None:
    kept = _Kept()
    observe.install(kept)
    observe.count("c", result="hit")
    observe.gauge("g", -1)
    observe.duration("d", 0.5, kind="x")
    observe.install(None)
    observe.count("c")

    assert [
        ("count", "c", 1, {"result": "hit"}),
        ("gauge", "g", -1, {}),
        ("duration", "d", 0.5, {"kind": "x"}),
    ] == kept.told


def test_database_calls_are_counted_with_what_they_read(record: Record) -> None:
    record.called("find", 0.25, namespace="t.c", documents=3, failed=False)
    record.called("insert", 0.5, namespace="t", documents=0, failed=True)

    assert [0.25, 0.5] == record.calls
    assert [3] == record.documents
