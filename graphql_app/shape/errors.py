"""Errors as clients see them: message, locations, path, and the classification that clients test."""

import logging
import uuid
from typing import Any

from graphql import GraphQLError

from content_core import observe
from content_core.documents import Json
from content_core.errors import ServiceError
from graphql_app.plan.types import PlanRefusedError
from graphql_app.query.errors import FetchError
from graphql_app.schema.errors import FieldError, describe_error, render_path

__all__ = ["render_field_error", "render_incident", "render_refusal", "render_service_error"]

_log = logging.getLogger(__name__)

_MESSAGE = 2_000
"""A message may quote the request; it is cut where it stops helping."""

_NULL_TEXT = "Cannot return null for non-nullable field"
_FETCHING = "DataFetchingException"


def render_refusal(refused: PlanRefusedError) -> list[Json]:
    """Render the errors of an operation that does not run."""
    return [_refused(error, refused.refusal.value) for error in refused.errors]


def render_service_error(message: str, *, code: str | None = None, located: bool = True) -> Json:
    """Render an error of the service itself, which has no place in the operation.

    Args:
        message: the text.
        code: the code of the service error, if there is one.
        located: give an empty list of locations; time limits give none.
    """
    entry: dict[str, Json] = {"message": message[:_MESSAGE]}
    if located:
        entry["locations"] = []
    return entry | {"extensions": _extensions("ExecutionAborted", code)}


def render_incident(error: BaseException) -> Json:
    """Log what nobody thought of and give clients the number under which it stands in the log."""
    incident = _log_incident(error)
    entry = render_service_error(f"Runtime Error: internal error, incident {incident}", code=ServiceError.code)
    entry["extensions"]["incident"] = incident
    return entry


def render_field_error(error: GraphQLError) -> Json:
    """Render an error of execution with its path."""
    cause = error.original_error
    path = list(error.path or ())
    if isinstance(cause, FieldError):
        code = cause.code if isinstance(cause, FetchError) else None
        entry = _entry(describe_error(error), cause.classification, error, code)
    elif isinstance(cause, ServiceError):
        entry = _entry(FetchError(cause.message).describe(path), _FETCHING, error, cause.code)
    elif isinstance(cause, TypeError) and str(cause).startswith(_NULL_TEXT):
        entry = _entry(error.message, "NullValueInNonNullableField", error)
    elif cause is None or isinstance(cause, GraphQLError):
        entry = _entry(error.message, _FETCHING, error)
    else:
        incident = _log_incident(cause)
        message = f"Exception while fetching data ({render_path(path)}) : internal error, incident {incident}"
        entry = _entry(message, _FETCHING, error, ServiceError.code)
        entry["extensions"]["incident"] = incident
    entry["path"] = path
    return entry


def _refused(error: GraphQLError, classification: str) -> Json:
    entry = _entry(error.message, classification, error)
    entry["extensions"] |= error.extensions or {}
    return entry


def _entry(message: str, classification: str, error: GraphQLError, code: str | None = None) -> dict[str, Any]:
    locations = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return {
        "message": message[:_MESSAGE],
        "locations": locations,
        "extensions": _extensions(classification, code),
    }


def _extensions(classification: str, code: str | None) -> dict[str, Json]:
    return {"classification": classification} | ({"code": code} if code else {})


def _log_incident(error: BaseException) -> str:
    incident = uuid.uuid4().hex[:12]
    observe.note(incident=incident)
    _log.error("unexpected error, incident %s", incident, exc_info=error)
    return incident
