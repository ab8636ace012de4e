"""The one edge where errors become answers of the REST interface."""

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from content_core import observe
from content_core.errors import DefinitionError, ServiceError, StoreError, UnauthenticatedError
from content_core.extended_json import dumps
from rest_compat.reply import Reply
from rest_compat.request import Request

__all__ = ["render_error", "render_unexpected"]

_log = logging.getLogger(__name__)

_DESCRIPTIONS: Final[Mapping[int, str]] = {413: "Request Too Long", 416: "Range Not Satisfiable"}
_TOO_MUCH: Final = "the query or the write takes more memory than MongoDB allows"
_OF_MONGODB: Final[Mapping[int, tuple[int, str]]] = {
    13: (403, "MongoDB does not allow the server to do this"),
    66: (403, "an immutable field cannot be changed"),
    146: (400, _TOO_MUCH),
    292: (400, _TOO_MUCH),
    10334: (400, "a document would be larger than the 16 MiB that MongoDB stores"),
    112: (409, "another write to the same document was faster"),
    13297: (409, "a database exists whose name differs from this one in upper and lower case only"),
}
"""Answers of MongoDB that are neither refusals of a query nor the server's fault: status and message."""


def render_error(error: ServiceError, request: Request, *, realm: str) -> Reply:
    """Turn an error into an answer."""
    if isinstance(error, UnauthenticatedError):
        return _render_challenge(request, realm)
    if isinstance(error, DefinitionError):
        return _render_definition_error(error)
    status, message = error.status, error.message
    extra: dict[str, Any] = {}
    if isinstance(error, StoreError):
        status, message = _OF_MONGODB.get(error.details.get("code", 0), (status, message))
        extra = {"exception": error.details.get("codeName", type(error).__name__), "exception message": message}
    elif "line" in error.details:
        extra = {"exception": "JsonParseException", "exception message": message}
    if error.hint:
        message = f"{message}; {error.hint}"
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None and status >= 500 else {}
    return _render(status, message, extra, headers)


def render_unexpected(error: Exception) -> Reply:
    """Turn an error that should not have happened into an answer that says nothing but where to look."""
    incident = uuid.uuid4().hex[:12]
    observe.note(incident=incident)
    _log.error("unexpected error, incident %s", incident, exc_info=error)
    return _render(500, f"Internal error; the server's log knows it as incident {incident}", {})


def _render(status: int, message: str, extra: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    body = {
        "http status code": status,
        "http status description": _DESCRIPTIONS.get(status) or HTTPStatus(status).phrase,
        "message": message.replace('"', "'").replace("\t", "  "),
        **extra,
    }
    return Reply(status=status, body=dumps(body), headers=headers or {})


def _render_challenge(request: Request, realm: str) -> Reply:
    quiet = "no-auth-challenge" in request.headers or "noauthchallenge" in request.query
    return Reply(status=401, headers={} if quiet else {"WWW-Authenticate": f'Basic realm="{realm}"'})


def _render_definition_error(error: DefinitionError) -> Reply:
    first = error.reasons[0] if error.reasons else error.message
    extra = {"exception message": first, "reasons": list(error.reasons)}
    # "positon" is the original's spelling; clients compare the text.
    place = "" if error.index is None else f" in document at index positon {error.index}"
    return _render(error.status, f"Wrong GraphQL App definition{place}: {first}", extra)
