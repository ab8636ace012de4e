"""What kind of bytes a file has: what was said of it, what its first bytes show, what its name says. Pure."""

import mimetypes
import re
from typing import Final

import puremagic
from puremagic import PureError

__all__ = ["HEAD_BYTES", "OCTET_STREAM", "detect", "is_media_type", "runs_in_browsers"]

OCTET_STREAM: Final = "application/octet-stream"

HEAD_BYTES: Final = 4096
"""How many of the first bytes are looked at."""

_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}"
    r"(?:\s*;\s*[A-Za-z0-9!#$&^_.+-]{1,100}=(?:[A-Za-z0-9!#$&'*^_.+-]{1,100}|\"[\x20-\x21\x23-\x5b\x5d-\x7e]{0,200}\"))*"
)
_RUN: Final = re.compile(
    r"text/(?:html|xml|xsl|javascript|ecmascript)|image/svg\+xml|application/(?:xml|xhtml\+xml|javascript|ecmascript)"
    r"|[^/]+/[^/]+\+xml|multipart/.*"
)
_SURE: Final = 0.3
"""The confidence from which on the first bytes tell; below, two or three bytes happen to look like something."""

_ARCHIVE: Final = "application/zip"


def is_media_type(text: str) -> bool:
    """Say whether a text can stand in the header ``Content-Type``."""
    return _MEDIA_TYPE.fullmatch(text) is not None


def runs_in_browsers(media_type: str) -> bool:
    """Say whether a browser runs what it finds in a file of this type."""
    return _RUN.fullmatch(media_type.partition(";")[0].strip().lower()) is not None


def detect(*, head: bytes, filename: str, part_type: str) -> str:
    """Find the type of a file.

    Args:
        head: its first bytes.
        filename: its name.
        part_type: what the client said of the part, if it said something.
    """
    said = part_type.strip()
    if is_media_type(said) and said.partition(";")[0].strip().lower() != OCTET_STREAM:
        return said
    named = mimetypes.guess_type(filename, strict=False)[0] or ""
    return _by_magic(head[:HEAD_BYTES], named) or named or OCTET_STREAM


def _by_magic(head: bytes, named: str) -> str:
    """Find what the first bytes show; of several things that they may be, the one that the name says."""
    try:
        found = puremagic.magic_string(head)
    except (PureError, ValueError):
        return ""
    matches = [match for match in found if is_media_type(match.mime_type)]
    if any(match.mime_type == named for match in matches):
        return named
    best = max((match.confidence for match in matches), default=0.0)
    if best < _SURE:
        return ""
    types: list[str] = list(dict.fromkeys(match.mime_type for match in matches if match.confidence == best))
    if len(types) == 1:
        return types[0]
    # Documents of many programs are archives, or XML; which, the name says, and without one it is just that.
    return named or (_ARCHIVE if head.startswith(b"PK") else types[0])
