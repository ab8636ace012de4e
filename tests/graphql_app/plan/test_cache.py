from graphql import build_schema

from graphql_app.plan import Operations, PlanCache, parse_operations

SCHEMA = build_schema("type Query { a: String }")


def operations() -> Operations:
    return parse_operations(SCHEMA, "{ a }", max_tokens=10, max_errors=1)


def test_what_was_put_is_found_by_its_exact_text() -> None:
    cache, kept = PlanCache(entries=2, length=100), operations()

    cache.put("{ a }", kept)

    assert cache.get("{ a }") is kept
    assert cache.get("{a}") is None


def test_the_longest_unused_entry_goes_first() -> None:
    cache = PlanCache(entries=2, length=100)
    for text in ("1", "2"):
        cache.put(text, operations())
    cache.get("1")

    cache.put("3", operations())

    assert [cache.get(text) is not None for text in ("1", "2", "3")] == [True, False, True]


def test_the_length_of_all_texts_is_bounded() -> None:
    cache = PlanCache(entries=100, length=10)
    for text in ("aaaa", "bbbb", "cccc"):
        cache.put(text, operations())

    assert len(cache) == 2
    assert cache.get("aaaa") is None


def test_a_text_that_is_too_long_is_not_kept() -> None:
    cache = PlanCache(entries=100, length=10)

    cache.put("x" * 11, operations())

    assert len(cache) == 0


def test_putting_twice_counts_once() -> None:
    cache = PlanCache(entries=100, length=10)
    for _ in range(5):
        cache.put("aaaaa", operations())
    cache.put("bbbbb", operations())

    assert len(cache) == 2
