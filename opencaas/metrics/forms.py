"""The two forms of the figures: Prometheus text and JSON (rest-api 11.2)."""

import contextlib
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final, TypeVar

import orjson
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    UntypedMetricFamily,
)
from prometheus_client.registry import Collector

from opencaas.metrics.catalog import CATALOG
from opencaas.metrics.figures import ALL, Figures, TimerKey
from opencaas.metrics.recorder import Labels
from opencaas.metrics.timers import BOUNDS, Timer

__all__ = ["JSON_TYPE", "TEXT_TYPE", "render_json", "render_text"]

_T = TypeVar("_T")

TEXT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
JSON_TYPE: Final = "application/json"

_PREFIX: Final = "opencaas_"
_TIMERS: Final = "http_response_timers_"
_TIMER_LABELS: Final = ("database", "collection", "type", "method")
_EDGES: Final = (*(str(bound) for bound in BOUNDS), "+Inf")
_FORMAT: Final = "3.0.0"
"""The version of the JSON form, that of the library whose form it is."""

_RATES: Final = ("m15_rate", "m1_rate", "m5_rate", "mean_rate")
_STATISTIC_HELP: Final = {
    "count": "Requests since the start.",
    **dict.fromkeys(_RATES, "Requests per second."),
    "mean_rate": "Requests per second since the start.",
}
_DURATION_HELP: Final = "Milliseconds from a request to the end of its answer, over the last five to ten minutes: {}."


def render_text(figures: Figures, database: str = ALL, collection: str = ALL) -> bytes:
    """Write the text form; that of one database or collection has the timers alone."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(figures, database, collection))
    return generate_latest(registry)


def render_json(figures: Figures, database: str = ALL, collection: str = ALL) -> bytes:
    """Write the JSON form; that of one database or collection has the timers alone."""
    whole = database == ALL
    body: dict[str, Any] = {
        "version": _FORMAT,
        "gauges": {_key(name): {"value": value} for name, value in figures.gauges.items()} if whole else {},
        "counters": {_key(name): {"count": value} for name, value in figures.counts.items()} if whole else {},
        "histograms": {_key(name): _summary(sums) for name, sums in figures.durations.items()} if whole else {},
        "meters": {},
        "timers": {
            ".".join(part for part in (key.type, key.method, key.code) if part): {
                **{name: round(value, 6) for name, value in timer.statistics(uptime=figures.uptime).items()},
                "duration_units": "milliseconds",
                "rate_units": "calls/second",
            }
            for key, timer in figures.timers(database, collection).items()
        },
    }
    return orjson.dumps(body)


class _Families(Collector):
    """The figures as Prometheus's own library wants them."""

    def __init__(self, figures: Figures, database: str, collection: str) -> None:
        self._figures = figures
        self._place = (database, collection)

    def collect(self) -> Iterator[Metric]:
        timers = self._figures.timers(*self._place)
        yield from _timer_families(timers, self._place, self._figures.uptime)
        if self._place == (ALL, ALL):
            yield _request_histogram(timers)
            yield from _told_families(self._figures)
            yield from _server_families(self._figures)
            yield from _process_families(self._figures.processes)


def _timer_families(timers: Mapping[TimerKey, Timer], place: tuple[str, str], uptime: float) -> Iterator[Metric]:
    """One family per statistic. They are untyped: what these names say is older than Prometheus's rules for names."""
    statistics = {key: timer.statistics(uptime=uptime) for key, timer in timers.items()}
    for name in Timer().statistics(uptime=uptime):
        text = _STATISTIC_HELP.get(name) or _DURATION_HELP.format(name)
        family = UntypedMetricFamily(_TIMERS + name, text)
        for key, values in statistics.items():
            labels = dict(zip(_TIMER_LABELS, (*place, key.type, key.method), strict=True))
            family.add_sample(family.name, labels | ({"code": key.code} if key.code else {}), values[name])
        yield family


def _request_histogram(timers: Mapping[TimerKey, Timer]) -> Metric:
    family = HistogramMetricFamily(
        f"{_PREFIX}http_request_duration_seconds",
        "Time from a request to the end of its answer, by type of resource, method and class of status.",
        labels=("type", "method", "code"),
    )
    for key, timer in timers.items():
        if key.code.endswith("xx"):
            family.add_metric((key.type, key.method, key.code), _cumulated(timer.coarse), timer.total)
    return family


def _told_families(figures: Figures) -> Iterator[Metric]:
    """What rooms told, and a zero for what has no labels and was not told yet."""
    for name, figure in CATALOG.items():
        match figure.kind:
            case "count":
                counter = CounterMetricFamily(_PREFIX + name, figure.help, labels=figure.labels)
                for labels, value in _rows(figures.counts, name, figure.labels, 0.0):
                    counter.add_metric(labels, value)
                yield counter
            case "gauge":
                gauge = GaugeMetricFamily(_PREFIX + name, figure.help, labels=figure.labels)
                for labels, value in _rows(figures.gauges, name, figure.labels, 0.0):
                    gauge.add_metric(labels, value)
                yield gauge
            case "duration":
                histogram = HistogramMetricFamily(f"{_PREFIX}{name}_seconds", figure.help, labels=figure.labels)
                for labels, sums in _rows(figures.durations, name, figure.labels, [0.0] * (len(BOUNDS) + 2)):
                    histogram.add_metric(labels, _cumulated(sums[1:]), sums[0])
                yield histogram


def _rows(
    told: Mapping[tuple[str, Labels], _T], name: str, labels: tuple[str, ...], nothing: _T
) -> Iterator[tuple[tuple[str, ...], _T]]:
    rows = [
        (tuple(dict(pairs).get(label, "") for label in labels), value)
        for (told_name, pairs), value in told.items()
        if told_name == name
    ]
    yield from sorted(rows, key=lambda row: row[0]) or ([] if labels else [((), nothing)])


def _server_families(figures: Figures) -> Iterator[Metric]:
    yield InfoMetricFamily(
        f"{_PREFIX}build",
        "Versions.",
        value={"version": version("opencaas"), "python": platform.python_version(), "pymongo": version("pymongo")},
    )
    yield GaugeMetricFamily(f"{_PREFIX}workers", "Processes that answer requests.", value=len(figures.processes))
    yield GaugeMetricFamily(
        f"{_PREFIX}start_time_seconds", "When the server was started, since 1970.", value=figures.started
    )


def _process_families(processes: Mapping[int, int]) -> Iterator[Metric]:
    """Processor time, memory and open files of each worker that lives."""
    families: dict[str, Metric] = {}
    for place, pid in sorted(processes.items()):
        # One that ends meanwhile has half of its files, which the collector does not expect.
        with contextlib.suppress(OSError, LookupError, ValueError, UnboundLocalError):
            for found in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    family.add_sample(sample.name, {"worker": str(place)}, sample.value)
    yield from families.values()


def _cumulated(buckets: list[float]) -> list[tuple[str, float]]:
    total, rows = 0.0, []
    for edge, number in zip(_EDGES, buckets, strict=True):
        total += number
        rows.append((edge, total))
    return rows


def _key(told: tuple[str, Labels]) -> str:
    name, labels = told
    text = ",".join(f'{label}="{value}"' for label, value in labels)
    return f"{_PREFIX}{name}{{{text}}}" if text else _PREFIX + name


def _summary(sums: list[float]) -> dict[str, float]:
    number = sum(sums[1:])
    return {"count": number, "sum": sums[0], "mean": sums[0] / number if number else 0.0}
