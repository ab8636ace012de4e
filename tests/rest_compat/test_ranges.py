"""Ranges of bytes, read from headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_core.errors import RangeNotSatisfiableError
from rest_compat.ranges import ByteRange, parse_range
from rest_compat.request import Request, parse_request


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return parse_request({"method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"x"), *raw]})


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_range_is_the_slice_that_it_names(length: int, first: int, last: int) -> None:
    data = bytes(range(length))
    for text, expected in ((f"bytes={first}-{last}", data[first : last + 1]), (f"bytes={first}-", data[first:])):
        try:
            found = parse_range(request(range=text), length=length, version="v")
        except RangeNotSatisfiableError:
            assert expected == b""
            continue
        if found is None:
            assert last < first
        else:
            assert expected == data[found.start : found.stop]


@given(st.integers(1, 50), st.integers(1, 60))
def test_suffix_is_the_end(length: int, count: int) -> None:
    found = parse_range(request(range=f"bytes=-{count}"), length=length, version="v")
    assert ByteRange(max(length - count, 0), length) == found


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20))
def test_anything_else_is_the_whole_or_416(text: str) -> None:
    try:
        found = parse_range(request(range=text), length=10, version="v")
    except RangeNotSatisfiableError:
        return
    assert found is None or 0 <= found.start < found.stop <= 10


@pytest.mark.parametrize(("known", "part"), [("v", True), ('"v"', True), ('W/"v"', False), ("w", False)])
def test_if_range(known: str, *, part: bool) -> None:
    found = parse_range(request(range="bytes=0-1", if_range=known), length=10, version="v")
    assert part is (found is not None)
