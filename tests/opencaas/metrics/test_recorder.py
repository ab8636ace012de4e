"""Figures find their row; labels stay few."""

import threading
from collections.abc import Iterator

import pytest

from opencaas.metrics.board import Board
from opencaas.metrics.figures import Figures
from opencaas.metrics.recorder import OTHER, Recorder


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board.create(2)
    yield made
    made.close()


def test_counters_add_up_over_processes(board: Board) -> None:
    for place in range(2):
        recorder = Recorder(board.attach(place))
        recorder.count("c", 2, {"result": "hit"})
        recorder.count("c", 1, {"result": "miss"})

    counts = Figures.read(board).counts
    assert (4, 2) == (counts["c", (("result", "hit"),)], counts["c", (("result", "miss"),)])


def test_gauges_go_up_and_down(board: Board) -> None:
    recorder = Recorder(board.attach(0))
    for delta in (1, 1, -1):
        recorder.gauge("g", delta, {})

    assert {("g", ()): 1.0} == Figures.read(board).gauges


def test_durations_are_counted_in_buckets(board: Board) -> None:
    recorder = Recorder(board.attach(0))
    for seconds in (0.001, 0.004, 60.0):
        recorder.duration("d", seconds, {})

    sums = Figures.read(board).durations["d", ()]
    assert sums[0] == pytest.approx(60.005)
    assert [1, 0, 1] == sums[1:4]
    assert 1 == sums[-1]


def test_who_comes_after_a_dead_process_goes_on_counting_with_nothing_open(board: Board) -> None:
    first = Recorder(board.attach(0))
    first.count("c", 3, {})
    first.gauge("g", 3, {})
    first.duration("d", 1, {})
    first.request(("COLLECTION", "GET", "200"), 0.1)

    second = Recorder(board.attach(0))
    second.count("c", 1, {})
    second.gauge("g", 1, {})
    second.duration("d", 1, {})
    second.request(("COLLECTION", "GET", "200"), 0.1)

    figures = Figures.read(board)
    assert 4 == figures.counts["c", ()]
    assert 1 == figures.gauges["g", ()]
    assert 2 == sum(figures.durations["d", ()][1:])
    assert {2} == {timer.count for timer in figures.timers().values()}


def test_gauges_of_a_process_that_is_gone_do_not_count_and_its_counters_do(board: Board) -> None:
    recorder = Recorder(board.attach(0))
    recorder.gauge("g", 3, {})
    recorder.count("c", 3, {})
    other = Recorder(board.attach(1))
    other.gauge("g", 1, {})
    board.doubles[4096 // 8] = 2**22 + 1  # no process can have this number

    figures = Figures.read(board)
    assert (1, 3, [1]) == (figures.gauges["g", ()], figures.counts["c", ()], list(figures.processes))


def test_labels_beyond_the_bound_are_counted_together(board: Board) -> None:
    recorder = Recorder(board.attach(0), most={"d": 3})
    for number in range(50):
        recorder.duration("d", 0.1, {"app": "a", "operation": f"o{number}"})

    durations = Figures.read(board).durations
    assert 4 == len(durations)
    assert 47 == sum(durations["d", (("app", OTHER), ("operation", OTHER))][1:])


def test_labels_that_a_client_invents_take_no_memory_either(board: Board) -> None:
    recorder = Recorder(board.attach(0), most={"d": 3})
    for number in range(1000):
        recorder.duration("d", 0.1, {"operation": f"o{number}"})

    assert len(recorder._places) <= 5


def test_timers_beyond_the_bound_keep_type_method_and_status(board: Board) -> None:
    recorder = Recorder(board.attach(0), most={"http": 2})
    for number in range(10):
        recorder.request(("COLLECTION", "GET", "200", f"db{number}", "c"), 0.1)
    recorder.request(("DOCUMENT", "PUT", "201", "db0", "c"), 0.1)

    figures = Figures.read(board)
    assert ["COLLECTION", "DOCUMENT"] == sorted({key.type for key in figures.timers()})
    assert 10 == next(timer for key, timer in figures.timers().items() if key.code == "200").count
    assert 1 == next(iter(figures.timers("db1").values())).count
    assert {} == figures.timers("db9")


def test_a_full_slot_is_no_failure_but_told() -> None:
    board = Board.create(1, slot_bytes=4096)
    try:
        recorder = Recorder(board.attach(0))
        for number in range(200):
            recorder.count("c", 1, {"n": str(number)})
            recorder.request(("COLLECTION", "GET", "200"), 0.1)
            recorder.gauge("g", 1, {"n": str(number)})
        counts = Figures.read(board).counts
        assert counts["figures_dropped", ()] > 100
    finally:
        board.close()


def test_threads_lose_nothing(board: Board) -> None:
    recorder = Recorder(board.attach(0))

    def tell() -> None:
        for _ in range(20_000):
            recorder.count("c", 1, {})

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 80_000 == Figures.read(board).counts["c", ()]
