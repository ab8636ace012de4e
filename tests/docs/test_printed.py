"""The comparison of printed and seen answers can fail: otherwise the tests of the pages would prove nothing."""

from typing import Any

import pytest

from tests.docs.printed import differences, http_differences

ANSWER = 'HTTP/1.1 200 OK\r\nDate: now\r\nETag: 0a1b\r\n\r\n{"a": 1}'


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ({"a": [1, "x"]}, {"a": [1, "x"]}),
        ({"a": "http://…/binary"}, {"a": "http://h/x/binary"}),
        ({"a": 1, "…": "…"}, {"a": 1, "b": 2}),
        ({"a": "…"}, {"a": {"b": 2}}),
        ([1, "…", 4], [1, 2, 3, 4]),
        ([1, "…"], [1]),
        (3, 3.0),
    ],
    ids=["equal", "text", "members", "value", "middle", "end", "number"],
)
def test_answer_that_is_as_printed_has_no_differences(printed: Any, seen: Any) -> None:
    assert [] == list(differences(printed, seen))


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({}, {"a": 1}),
        ({"a": "http://…/binary"}, {"a": "http://h/x"}),
        ([1], [1, 2]),
        ([1, "…", 4], [1, 2, 3]),
        ([1, "…", 4], [1]),
        (True, 1),
        (None, False),
    ],
    ids=["value", "missing", "further", "text", "longer", "end", "short", "boolean", "null"],
)
def test_other_answer_has_differences(printed: Any, seen: Any) -> None:
    assert [] != list(differences(printed, seen))


def test_printed_headers_are_compared_and_others_are_not() -> None:
    assert [] == list(http_differences('HTTP/1.1 200 OK\netag: …\n\n{"a": 1}', ANSWER))


@pytest.mark.parametrize(
    "printed",
    [
        'HTTP/1.1 201 Created\n\n{"a": 1}',
        'HTTP/1.1 200 OK\nlocation: …\n\n{"a": 1}',
        'HTTP/1.1 200 OK\netag: ff\n\n{"a": 1}',
        'HTTP/1.1 200 OK\n\n{"a": 2}',
        "HTTP/1.1 200 OK",
    ],
    ids=["status", "no-header", "other-header", "other-body", "no-body"],
)
def test_other_http_answer_has_differences(printed: str) -> None:
    assert [] != list(http_differences(printed, ANSWER))
