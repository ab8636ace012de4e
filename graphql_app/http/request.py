"""From an HTTP request to a GraphQL request: its application, its form, its size, its members."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from content_core.errors import BodyTooLargeError, IllegalNameError, RequestError
from content_core.extended_json import parse_json
from content_core.names import AppKey
from graphql_app.http.negotiation import BodyForm, read_body_form

__all__ = ["Address", "GraphQLRequest", "parse_query_string", "parse_request", "read_body"]

_MEMBERS: Final = (
    ("operationName", str | None, "a string"),
    ("variables", dict | None, "an object"),
    ("extensions", dict | None, "an object"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """What a path names.

    Attributes:
        tenant: whose keys open it; None where the path names none.
        key: the application; None if no application can have this path.
        segments: the whole path.
    """

    tenant: str | None
    key: AppKey | None
    segments: tuple[str, ...]

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, path: str) -> "Address":
        """Read a decoded path that begins with ``/graphql``; both forms of addresses are the same."""
        segments = tuple(segment for segment in path.split("/") if segment)
        try:
            key = AppKey.from_segments(segments[1:])
        except IllegalNameError:
            tenant = segments[1].partition("___")[0] if len(segments) > 1 else ""
            return cls(tenant or None, None, segments)
        return cls(key.tenant, key, segments)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What is asked: the text, which of its operations, and the values of its variables."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]


async def read_body(
    next_part: Callable[[], Awaitable[tuple[bytes, bool]]], *, declared: str | None, limit: int
) -> bytes:
    """Read a body up to a limit; not a byte of one that says itself that it is longer.

    Args:
        next_part: gives the next part of the body, and whether there are more.
        declared: how long the client says it is.
        limit: how long it may be.

    Raises:
        BodyTooLargeError: it is longer.
    """
    if declared and declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    body, more = await next_part()
    if more:
        parts = bytearray(body)
        while more and len(parts) <= limit:
            part, more = await next_part()
            parts += part
        body = bytes(parts)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def parse_request(body: bytes, content_type: str | None, *, strict: bool = False) -> GraphQLRequest:
    """Read a body in either form.

    Args:
        body: the bytes.
        content_type: its media type.
        strict: refuse members of a wrong type, as GraphQL over HTTP has it; the original ignores them.

    Raises:
        RequestError: another media type, no JSON, no query, or a member of a wrong type.
    """
    form = read_body_form(content_type)
    if form is None:
        raise RequestError("Bad request: Content-Type must be either application/graphql or application/json")
    if form is BodyForm.RAW:
        return GraphQLRequest(_decode(body), None, {})
    members = parse_json(body)
    return _read_members(members if isinstance(members, dict) else {}, strict=strict)


def parse_query_string(parameters: Mapping[str, str]) -> GraphQLRequest:
    """Read a request that is all in its address: GraphQL over HTTP, requests by GET.

    Raises:
        RequestError: no query, variables or extensions that are no JSON object.
    """
    members: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            members[name] = parse_json(parameters[name])
    return _read_members(members, strict=True)


def _read_members(members: Mapping[str, Any], *, strict: bool) -> GraphQLRequest:
    query = members.get("query")
    if not isinstance(query, str):
        raise RequestError("Query cannot be null")
    if strict:
        for member, kind, name in _MEMBERS:
            if not isinstance(members.get(member), kind):
                raise RequestError(f"Bad request: {member} must be {name}")
    operation, variables = members.get("operationName"), members.get("variables")
    return GraphQLRequest(
        query,
        operation if isinstance(operation, str) and operation else None,
        variables if isinstance(variables, dict) else {},
    )


def _too_large(limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"Bad request: the body is larger than {limit} bytes")


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError("Bad request: the body is not UTF-8") from error
