"""The figures about the condition of a worker follow what probes would be told."""

import asyncio
from collections.abc import Iterator

import pytest

from content_core import observe
from opencaas.health import Condition
from opencaas.metrics.board import Board
from opencaas.metrics.condition import ConditionWatch
from opencaas.metrics.figures import Figures
from opencaas.metrics.recorder import Recorder
from tests.patience import PATIENCE

WELL = Condition(ready=True, following=True, primary=True)


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board.create(1)
    observe.install(Recorder(made.attach(0)))
    yield made
    observe.install(None)
    made.close()


def shown(board: Board) -> tuple[float, float, float]:
    gauges = Figures.read(board).gauges
    ready, following, primary = (gauges[f"workers_{name}", ()] for name in ("ready", "following", "with_primary"))
    return ready, following, primary


async def until(board: Board, wanted: tuple[float, float, float]) -> None:
    async with asyncio.timeout(PATIENCE):
        while shown(board) != wanted:  # noqa: ASYNC110  # figures have no event to set
            await asyncio.sleep(0.01)


async def test_figures_follow_the_condition(board: Board) -> None:
    now = [WELL]

    async def look() -> Condition:
        return now[0]

    watch = ConditionWatch(look, seconds=0.01)
    watch.start()
    await until(board, (1, 1, 1))
    for condition, wanted in (
        (Condition(ready=True, following=False, primary=True), (1, 0, 1)),
        (Condition(ready=False, following=False, primary=False), (0, 0, 0)),
        (WELL, (1, 1, 1)),
    ):
        now[0] = condition
        await until(board, wanted)
    await watch.stop()

    assert (0, 0, 0) == shown(board)


async def test_what_cannot_be_read_is_not_well_and_read_again(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([WELL, None, WELL])

    async def look() -> Condition:
        if (answer := next(answers, WELL)) is None:
            await until(board, (1, 1, 1))
            raise RuntimeError("a mistake of ours")
        return answer

    watch = ConditionWatch(look, seconds=0.2)
    watch.start()
    await until(board, (0, 0, 0))
    await until(board, (1, 1, 1))
    await until(board, (0, 0, 0))
    await until(board, (1, 1, 1))
    await watch.stop()

    assert "could not be read" in caplog.text


async def test_a_worker_that_replaces_another_begins_without_its_condition(board: Board) -> None:
    observe.gauge("workers_ready", 1)
    assert 1 == Figures.read(board).gauges["workers_ready", ()]

    observe.install(Recorder(board.attach(0)))

    assert 0 == Figures.read(board).gauges["workers_ready", ()]
