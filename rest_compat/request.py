"""A request as a value: path segments, query, headers, credentials. Pure; the body is read later, if at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from content_core.access import Credentials
from content_core.errors import IllegalNameError, RequestError

__all__ = ["Page", "Request", "parse_path", "parse_request"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for.

    Args:
        method: the HTTP method.
        segments: the path, split at slashes and then decoded.
        problem: why the path or the query cannot be answered, if so; told only to those who may know.
        query: the parameters, each with its values in order.
        headers: the headers with names in lower case; repeated ones joined.
        credentials: what was shown at the door.
        base_url: scheme and host as the client wrote them.
    """

    method: str
    segments: tuple[str, ...]
    problem: RequestError | None
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    credentials: Credentials = field(repr=False)
    base_url: str

    @property
    def tenant(self) -> str | None:
        """The first segment, whose API keys count; None for the root."""
        return self.segments[0] if self.segments else None

    @property
    def reads(self) -> bool:
        """Whether this is a GET, or a HEAD, which is a GET without its body."""
        return self.method in {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted; numbers begin with 1."""

    number: int
    size: int

    @property
    def skip(self) -> int:
        """How many elements lie before the page."""
        return (self.number - 1) * self.size

    def cut(self, elements: Sequence[_T]) -> Sequence[_T]:
        """Cut the page out of a list that is at hand."""
        return elements[self.skip : self.skip + self.size]


def parse_request(scope: Mapping[str, Any]) -> Request:
    """Read an ASGI HTTP scope."""
    raw_headers: list[tuple[bytes, bytes]] = list(scope["headers"])
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
    segments, problem = parse_path(raw_path.partition(b"?")[0])
    query, query_problem = _parse_query(scope["query_string"])
    return Request(
        method=scope["method"],
        segments=segments,
        problem=problem or query_problem,
        query=query,
        headers=headers,
        credentials=Credentials.read(query_string=scope["query_string"], headers=raw_headers),
        base_url=f"{scope.get('scheme', 'http')}://{headers['host']}" if headers.get("host") else "",
    )


def parse_path(raw: bytes) -> tuple[tuple[str, ...], RequestError | None]:
    """Split a raw path at its slashes, then decode each segment once.

    One trailing slash is dropped. What could mean another path to somebody else (doubled slashes, dot segments, bytes
    that are no UTF-8) comes back as a problem beside the segments that can be read.
    """
    parts = raw.split(b"/")
    problem: RequestError | None = None
    if parts[0] or len(parts) < 2:
        return (), RequestError("the address is not an absolute path")
    parts = parts[1:-1] if not parts[-1] else parts[1:]
    segments = []
    for part in parts:
        try:
            segment = unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            problem = problem or IllegalNameError("the path is not encoded as UTF-8")
            continue
        if segment in {"", ".", ".."}:
            problem = problem or RequestError("the path holds an empty segment, '.' or '..'")
        else:
            segments.append(segment)
    return tuple(segments), problem


def _parse_query(query_string: bytes) -> tuple[Mapping[str, tuple[str, ...]], RequestError | None]:
    text = query_string.decode("latin-1")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        return {}, RequestError("the query is not encoded as UTF-8")
    query: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        query[name] = (*query.get(name, ()), value)
    return query, None
