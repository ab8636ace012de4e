"""Which bytes of a file a request wants (RFC 9110, 14). Pure."""

import re
from dataclasses import dataclass
from typing import Final

from content_core.errors import RangeNotSatisfiableError
from rest_compat.request import Request

__all__ = ["ByteRange", "parse_range"]

_ONE: Final = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From the first byte to the one behind the last."""

    start: int
    stop: int


def parse_range(request: Request, *, length: int, version: str) -> ByteRange | None:
    """Read the header ``Range``; None for the whole file, also if it asks for several ranges or cannot be read.

    Args:
        request: the request.
        length: how many bytes the file has.
        version: its version: with another one in ``If-Range`` the whole file is wanted.

    Raises:
        RangeNotSatisfiableError: the file has no such bytes.
    """
    found = _ONE.fullmatch(request.headers.get("range", "").strip())
    if found is None or not _same_version(request, version):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        start, stop = max(length - int(last), 0), length
    else:
        start, stop = int(first), min(int(last) + 1, length) if last else length
        if last and int(last) < start:
            return None
    if start >= stop:
        raise RangeNotSatisfiableError(f"the file has {length} bytes, none of them in the range")
    return ByteRange(start, stop)


def _same_version(request: Request, version: str) -> bool:
    wanted = request.headers.get("if-range")
    return wanted is None or (bool(version) and wanted.strip().strip('"') == version)
