import pytest

from graphql_app.query.statistics import LoaderStatistics
from graphql_app.schema.mappings import AggregationMapping, DatabaseMapping, LoaderOptions, QueryMapping

NAMES = ["loadCount", "batchLoadCount", "batchInvokeCount", "cacheHitCount"]


def mapping(field: str = "f", *, size: int = 0, caching: bool = False, batching: bool = True) -> QueryMapping:
    options = LoaderOptions(batching=batching, caching=caching, max_batch_size=size)
    return QueryMapping("T", field, "acme", "things", loader=options)


def count(mapping: DatabaseMapping, keys: list[int], *, level: int = 2) -> LoaderStatistics:
    statistics = LoaderStatistics()
    for key in keys:
        statistics.count(mapping, str(key).encode(), level=level)
    return statistics


SIXTEEN_TO_EIGHT = [n // 2 for n in range(16)]


@pytest.mark.parametrize(
    ("options", "keys", "expected"),
    [
        (mapping(size=2, caching=True), SIXTEEN_TO_EIGHT, [16, 8, 4, 8]),
        (mapping(size=2), SIXTEEN_TO_EIGHT, [16, 16, 8, 0]),
        (mapping(size=4), SIXTEEN_TO_EIGHT, [16, 16, 4, 0]),
        (mapping(), SIXTEEN_TO_EIGHT, [16, 16, 1, 0]),
        (mapping(size=2, caching=True, batching=False), SIXTEEN_TO_EIGHT, [0, 0, 0, 0]),
        (mapping(size=2, caching=True), [1, 1, 2], [3, 2, 1, 1]),
        (mapping(size=2), [1, 1, 2], [3, 3, 2, 0]),
        (mapping(size=2), [], [0, 0, 0, 0]),
    ],
)
def test_numbers_are_those_of_the_options(options: QueryMapping, keys: list[int], expected: list[int]) -> None:
    rendered = count(options, keys).render()

    assert [rendered[name] for name in NAMES] == expected


def test_aggregations_are_not_counted() -> None:
    options = LoaderOptions(batching=True, caching=True)
    aggregation = AggregationMapping("T", "f", "acme", "things", stages=(), reads=frozenset(), loader=options)

    assert count(aggregation, [1, 1]).render()["loadCount"] == 0


def test_levels_and_fields_are_batches_of_their_own_and_levels_share_a_cache() -> None:
    statistics = LoaderStatistics()
    cached = mapping(caching=True)
    for field, level, key in [(cached, 1, b"a"), (cached, 2, b"a"), (cached, 2, b"b"), (mapping("g"), 2, b"a")]:
        statistics.count(field, key, level=level)

    rendered = statistics.render()

    assert [rendered[name] for name in NAMES] == [4, 3, 3, 1]


def test_failures_are_counted_by_load_and_by_batch() -> None:
    statistics = count(mapping(size=2, caching=True), [1, 1, 2, 3, 4])
    for key in (b"1", b"2", b"nobody"):
        statistics.fail(key)

    assert statistics.render() == {
        "loadCount": 5,
        "loadErrorCount": 2,
        "loadErrorRatio": 0.4,
        "batchInvokeCount": 2,
        "batchLoadCount": 4,
        "batchLoadRatio": 0.8,
        "batchLoadExceptionCount": 1,
        "batchLoadExceptionRatio": 0.2,
        "cacheHitCount": 1,
        "cacheHitRatio": 0.2,
    }
