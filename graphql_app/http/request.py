"""From an HTTP request to a GraphQL request: its application, its form, its size, its members."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Any

from content_core.errors import BodyTooLargeError, IllegalNameError, RequestError
from content_core.extended_json import parse_json
from content_core.names import AppKey
from graphql_app.http.negotiation import BodyForm, read_body_form

__all__ = ["Address", "GraphQLRequest", "parse_request", "read_body"]


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


async def read_body(chunks: AsyncIterable[bytes], *, declared: str | None, limit: int) -> bytes:
    """Read a body up to a limit; not a byte of one that says itself that it is longer.

    Raises:
        BodyTooLargeError: it is longer.
    """
    error = BodyTooLargeError(f"Bad request: the body is larger than {limit} bytes")
    if declared and declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise error
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise error
    return bytes(body)


def parse_request(body: bytes, content_type: str | None) -> GraphQLRequest:
    """Read a body in either form; an operation name or variables of a wrong type are ignored.

    Raises:
        RequestError: another media type, no JSON, no query.
    """
    form = read_body_form(content_type)
    if form is None:
        raise RequestError("Bad request: Content-Type must be either application/graphql or application/json")
    if form is BodyForm.RAW:
        return GraphQLRequest(_decode(body), None, {})
    members = parse_json(body)
    query = members.get("query") if isinstance(members, dict) else None
    if not isinstance(query, str):
        raise RequestError("Query cannot be null")
    name = members.get("operationName")
    variables = members.get("variables")
    return GraphQLRequest(
        query,
        name if isinstance(name, str) and name else None,
        variables if isinstance(variables, dict) else {},
    )


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError("Bad request: the body is not UTF-8") from error
