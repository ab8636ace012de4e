"""Reading bodies that come in parts."""

from collections.abc import Awaitable, Callable, Iterator

import pytest

from content_core.errors import BodyTooLargeError
from graphql_app.http.request import read_body


def _given(parts: Iterator[bytes]) -> Callable[[], Awaitable[tuple[bytes, bool]]]:
    """Give parts one after the other; there seem to be more of them for ever, until one is empty."""

    async def next_part() -> tuple[bytes, bool]:
        part = next(parts)
        return part, bool(part)

    return next_part


async def test_the_parts_of_a_body_are_put_together() -> None:
    assert await read_body(_given(iter([b"{ a", b" b", b" }", b""])), declared=None, limit=7) == b"{ a b }"


async def test_a_body_may_be_empty() -> None:
    assert await read_body(_given(iter([b""])), declared="0", limit=7) == b""


async def test_nothing_is_read_beyond_the_limit() -> None:
    parts = iter([b"1234", b"5678", b"9", b""])

    with pytest.raises(BodyTooLargeError, match="larger than 7 bytes"):
        await read_body(_given(parts), declared=None, limit=7)

    assert list(parts) == [b"9", b""]


async def test_not_a_byte_is_read_of_what_says_that_it_is_too_long() -> None:
    parts = iter([b"1234"])

    with pytest.raises(BodyTooLargeError):
        await read_body(_given(parts), declared="8", limit=7)

    assert list(parts) == [b"1234"]
