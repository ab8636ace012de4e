"""What timers keep, and what they say about it."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencaas.metrics.board import Doubles
from opencaas.metrics.timers import BOUNDS, TIMER_LENGTH, Timer, read_timer, record

_NOW = 10_000.0
_NAMES = "count max mean min p50 p75 p95 p98 p99 p999 stddev m15_rate m1_rate m5_rate mean_rate"


def _row() -> Doubles:
    return memoryview(bytearray(8 * TIMER_LENGTH)).cast("d")


def _timer(durations: list[float], *, now: float = _NOW) -> Timer:
    row = _row()
    for seconds in durations:
        record(row, 0, seconds, now)
    return read_timer(row, now)


def test_statistics_have_the_documented_names() -> None:
    assert _NAMES.split() == list(Timer().statistics(uptime=1))


def test_timer_that_took_nothing_says_zeros() -> None:
    assert {0} == set(Timer().statistics(uptime=1).values())


def test_statistics_of_known_durations() -> None:
    said = _timer([0.001, 0.002, 0.003, 0.010]).statistics(uptime=2)

    assert (4, 1.0, 10.0, 4.0) == (said["count"], said["min"], said["max"], said["mean"])
    assert said["stddev"] == pytest.approx(statistics.pstdev([1, 2, 3, 10]))
    assert said["p50"] == pytest.approx(2, rel=0.13)
    assert said["p75"] == pytest.approx(3, rel=0.13)
    assert {10.0} == {said[name] for name in ("p95", "p98", "p99", "p999")}
    assert 2.0 == said["mean_rate"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(0.000_2, 90), min_size=1, max_size=60), st.lists(st.floats(0.000_2, 90), max_size=60))
def test_percentiles_are_right_within_their_buckets_and_rows_add_up(mine: list[float], theirs: list[float]) -> None:
    together = _timer(mine)
    together.add(_timer(theirs))
    every = sorted([*mine, *theirs])
    said = together.statistics(uptime=1)

    assert len(every) == said["count"] == sum(together.coarse)
    assert said["mean"] == pytest.approx(1000 * statistics.fmean(every))
    assert (1000 * every[0], 1000 * every[-1]) == (said["min"], said["max"])
    for name, share in (("p50", 0.5), ("p75", 0.75), ("p95", 0.95), ("p999", 0.999)):
        exact = 1000 * every[max(0, math.ceil(share * len(every) - 1e-9) - 1)]
        assert exact * 0.999 <= said[name] <= exact * 1.126, name


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 500.0])
def test_durations_outside_all_buckets_count(seconds: float) -> None:
    said = _timer([seconds]).statistics(uptime=1)

    assert (1, 1000 * seconds, 1000 * seconds) == (said["count"], said["max"], said["p99"])


def test_buckets_of_prometheus_count_what_is_at_most_their_bound() -> None:
    timer = _timer([*BOUNDS, BOUNDS[-1] + 1])

    assert [1.0] * (len(BOUNDS) + 1) == timer.coarse


def test_durations_of_ten_minutes_ago_are_forgotten_and_their_number_is_not() -> None:
    row = _row()
    record(row, 0, 5.0, _NOW)
    record(row, 0, 0.001, _NOW + 650)
    said = read_timer(row, _NOW + 650).statistics(uptime=650)

    assert (2, 1.0, 1.0) == (said["count"], said["max"], said["p999"])


def test_durations_of_four_minutes_ago_still_count() -> None:
    row = _row()
    record(row, 0, 5.0, _NOW)
    record(row, 0, 0.001, _NOW + 240)

    assert 5000.0 == read_timer(row, _NOW + 240).statistics(uptime=240)["max"]


def test_a_row_without_requests_goes_quiet() -> None:
    row = _row()
    record(row, 0, 5.0, _NOW)
    said = read_timer(row, _NOW + 36_000).statistics(uptime=36_000)

    assert (1, 0.0, 0.0) == (said["count"], said["max"], said["p50"])
    assert said["m15_rate"] < 1e-9


def test_rates_come_to_the_rate_of_a_steady_load() -> None:
    row, now = _row(), _NOW
    for _ in range(36_000):
        now += 0.1
        record(row, 0, 0.001, now)
    said = read_timer(row, now).statistics(uptime=3600)

    assert said["m1_rate"] == pytest.approx(10, rel=0.02)
    assert said["m5_rate"] == pytest.approx(10, rel=0.02)
    assert said["m15_rate"] == pytest.approx(10, rel=0.03)
    assert 10.0 == said["mean_rate"]


def test_rates_of_two_processes_add_up() -> None:
    one, other = _timer([0.1]), _timer([0.1])
    one.add(other)

    assert one.rates == pytest.approx([2 / 60, 2 / 300, 2 / 900])
