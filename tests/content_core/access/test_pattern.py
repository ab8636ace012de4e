"""Patterns of permissions: the same answers as Python's own engine, and no pattern that takes long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_core.access.pattern import MAX_PATTERN, MAX_TEXT, PatternError, compile_pattern

atoms = st.sampled_from(["a", "b", "/", ".", "[ab]", "[^a]", "[a-c]", "\\d", "\\W", "\\.", "-"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda options: "(" + "|".join(options) + ")"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "{0}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(patterns, st.text("abc/.1-\n", max_size=8))
def test_pattern_answers_as_python_does(pattern: str, text: str) -> None:
    assert bool(re.fullmatch(pattern, text, re.ASCII)) == compile_pattern(pattern).matches(text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("^/content/.*$", "/content/x", True),
        ("^/a$|^/b$", "/b", True),
        ("/content", "/content/x", False),
        ("/shop\\.(preview|release)\\.content(/.*)?", "/shop.release.content/1", True),
        ("/[^/]+", "/a/b", False),
        ("/a{2,3}", "/aaaa", False),
        ("/[\\w-]+", "/a-b_1", True),
        ("", "", True),
        ("/ü+", "/üü", True),
        ("/[à-ü]", "/é", True),
    ],
)
def test_pattern_covers_whole_text(pattern: str, text: str, expected: bool) -> None:
    assert expected is compile_pattern(pattern).matches(text)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a", "a)", "[a", "[]", "*a", "a**", "a++", "a{2", "a{x}", "a{3,2}", "a{1001}", "{", "a\\", "\\1", "\\b",
        "\\p{L}", "[]a]",
        "(?=a)", "(?!a)", "(?<=a)b", "(?i)a", "(?P<n>a)", "(?>a)", "a^b", "a$b", "(^a)", "(a$)", "[b-a]", "[\\w-z]",
        "[a[b]]", "[a&&b]", "(" * 60 + ")" * 60, "a" * (MAX_PATTERN + 1), "((a{99}){99}){99}",
        "((((){999}){999}){999}){999}",
    ],
)  # fmt: skip
def test_what_cannot_be_matched_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*.*.*.*.*.*.*.*)*c", "(.?){900}b", "((a?){20}){20}b"])
def test_patterns_that_explode_elsewhere_just_answer(pattern: str) -> None:
    assert not compile_pattern(pattern).matches("a" * MAX_TEXT)


def test_text_over_the_limit_matches_nothing() -> None:
    pattern = compile_pattern(".*")

    assert (pattern.matches("a" * MAX_TEXT), pattern.matches("a" * (MAX_TEXT + 1))) == (True, False)
