"""Multipart bodies taken apart, however they arrive."""

from collections.abc import AsyncIterator
from typing import Final

import pytest

from rest_compat.multipart import Part, PartEvent, is_multipart, read_parts
from rest_compat.request import Request, parse_request

BODY: Final = (
    b'--X\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"a": 1}\r\n'
    b'--X\r\ncontent-disposition: form-data; name="f"; filename="\xc3\xbc.bin"\r\nContent-Type: image/png\r\n\r\n'
    b"\r\n--\r\n--x\r\n--\x00\xff-bytes-\r\n-\r\n"
    b"\r\n--X--\r\n"
)
FILE: Final = b"\r\n--\r\n--x\r\n--\x00\xff-bytes-\r\n-\r\n"


def request(content_type: str) -> Request:
    headers = [(b"content-type", content_type.encode()), (b"host", b"x")]
    return parse_request({"method": "POST", "path": "/", "query_string": b"", "headers": headers})


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read(body: bytes, size: int) -> list[PartEvent]:
    asked = request("multipart/form-data; boundary=X")
    pieces = in_pieces(body, size)
    found = read_parts(asked, pieces, max_bytes=10_000, max_parts=5, idle_seconds=5)
    return [event async for event in found]


@pytest.mark.parametrize("size", [*range(1, 40), 10_000])
async def test_every_way_of_arriving_gives_the_same_parts(size: int) -> None:
    parts: list[tuple[Part, bytes]] = []
    for event in await read(BODY, size):
        if isinstance(event, Part):
            parts.append((event, b""))
        elif event is not None:
            parts[-1] = (parts[-1][0], parts[-1][1] + event)
    assert [
        (Part("metadata", None, ""), b'{"a": 1}'),
        (Part("f", "ü.bin", "image/png"), FILE),
    ] == parts


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("multipart/form-data; boundary=X", True),
        ("Multipart/Form-Data;boundary=X", True),
        ("multipart/form-data", True),
        ("multipart/mixed", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_is_multipart(content_type: str, *, expected: bool) -> None:
    assert expected is is_multipart(request(content_type))
