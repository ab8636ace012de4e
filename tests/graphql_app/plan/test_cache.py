import gc
import tracemalloc
import weakref

from graphql import GraphQLError, Token, build_schema

from graphql_app.plan import BoundedCache, Operations, PlanCache, parse_operations

SCHEMA = build_schema("type Query { q: T } type T { a: String }")


def operations(text: str = "{ q { a } }") -> Operations:
    return parse_operations(SCHEMA, text, max_tokens=10_000, max_errors=1)


def caches(*, entries: int = 100, length: int = 1_000_000) -> tuple[PlanCache, PlanCache]:
    """Give the caches of two applications, which share what may be kept."""
    shared = BoundedCache[Operations](entries=entries, length=length)
    return PlanCache(shared), PlanCache(shared)


class Compiled:
    def __init__(self, *, fields: int) -> None:
        self.count = 1
        self.fields = fields


def test_what_was_put_is_found_by_its_exact_text() -> None:
    cache, _ = caches()
    kept = operations()

    cache.put("{ q { a } }", kept)

    assert cache.get("{ q { a } }") is kept
    assert cache.get("{q{a}}") is None


def test_applications_do_not_find_what_belongs_to_each_other() -> None:
    one, other = caches()

    one.put("{ q { a } }", operations())

    assert other.get("{ q { a } }") is None


def test_the_longest_unused_goes_first_whichever_application_it_belongs_to() -> None:
    one, other = caches(entries=2)
    one.put("1", operations())
    other.put("2", operations())
    one.get("1")

    other.put("3", operations())

    assert one.get("1") is not None
    assert (other.get("2"), other.get("3") is not None) == (None, True)


def test_what_all_applications_keep_is_bounded_in_size() -> None:
    one, other = caches(length=25_000)
    for text in "abc":
        one.put(text, operations())
        other.put(text, operations())

    kept = [cache.get(text) is not None for text in "abc" for cache in (one, other)]
    assert kept == [False, False, False, True, True, True]


def test_what_is_too_large_is_not_kept_and_drives_nothing_out() -> None:
    cache, _ = caches(length=50_000)
    cache.put("small", operations())

    cache.put("large", operations("{ q { " + "a " * 1_000 + "} }"))

    assert cache.get("large") is None
    assert cache.get("small") is not None


def test_programs_count_from_when_they_are_compiled() -> None:
    cache, _ = caches(length=90_000)
    first, second = operations(), operations()
    cache.put("1", first)
    cache.put("2", second)

    second.programs[None] = Compiled(fields=50)
    cache.put("2", second)

    assert cache.get("1") is None
    assert cache.get("2") is second


def test_what_grew_too_large_is_let_go() -> None:
    cache, _ = caches(length=100_000)
    kept = operations()
    cache.put("1", kept)

    kept.programs[None] = Compiled(fields=500)
    cache.put("1", kept)

    assert cache.get("1") is None


def test_putting_twice_counts_once() -> None:
    cache, _ = caches(length=25_000)
    for _ in range(5):
        cache.put("1", operations())
    cache.put("2", operations())

    assert cache.get("1") is not None


def test_a_closed_cache_lets_go_of_its_own_and_keeps_nothing_new() -> None:
    one, other = caches(length=25_000)
    one.put("{ q { a } }", operations())
    other.put("{ q { a } }", operations())

    one.close()
    one.put("late", operations())

    assert (one.get("{ q { a } }"), one.get("late")) == (None, None)
    assert other.get("{ q { a } }") is not None
    for text in "12":
        other.put(text, operations())
    assert other.get("{ q { a } }") is not None, "what was let go of still counts"


def test_the_memory_of_documents_is_close_to_what_they_are_said_to_take() -> None:
    texts = ["{ q { " + "a " * number + "} }" for number in range(500, 530)]
    operations(texts[0])
    shared = BoundedCache[Operations](entries=100, length=5_000_000)
    cache = PlanCache(shared)
    tracemalloc.start()

    for text in texts:
        cache.put(text, operations(text))

    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    kept = sum(cache.get(text) is not None for text in texts)
    assert 5 <= kept < len(texts)
    assert 3_000_000 < taken < 7_500_000


def test_kept_documents_still_tell_where_their_parts_stand() -> None:
    cache, _ = caches()
    text = "query Ask {\n  q { a }\n}"
    cache.put(text, operations(text))

    kept = cache.get(text)

    assert kept is not None
    assert kept.text == text
    field = kept.named["Ask"].selection_set.selections[0]
    assert [(place.line, place.column) for place in GraphQLError("no", field).locations or ()] == [(2, 3)]


def test_kept_documents_do_not_keep_their_tokens() -> None:
    gc.collect()
    before = _count_tokens()
    cache, _ = caches()
    for number in range(20):
        text = f"{{ q {{ ...F x{number}: a }} }} fragment F on T {{ a }}"
        cache.put(text, operations(text))

    gc.collect()

    assert _count_tokens() - before <= 0


def _count_tokens() -> int:
    return sum(type(thing) is Token for thing in gc.get_objects())


def test_programs_that_were_let_go_do_not_pile_up() -> None:
    cache, _ = caches(length=200_000)
    gone: list[weakref.ref[Compiled]] = []
    gc.disable()
    try:
        for number in range(40):
            kept = operations()
            cache.put(str(number), kept)
            program = Compiled(fields=20)
            program.__dict__["itself"] = program
            gone.append(weakref.ref(program))
            kept.programs[None] = program
            del program
            cache.put(str(number), kept)
    finally:
        gc.enable()

    assert 0 < sum(program() is not None for program in gone) < 12
