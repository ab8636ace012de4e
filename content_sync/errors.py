"""What can go wrong between a sync job and the server; details that a person needs, never a key."""

from typing import Any

from content_core.errors import ServiceError

__all__ = ["AnswerError", "MissingError", "RefusedError", "SyncError", "UnreachableError"]


class SyncError(ServiceError):
    """A sync job cannot go on."""

    code = "OC800"
    status = 500


class UnreachableError(SyncError):
    """The server could not be reached, also not by trying again."""

    code = "OC801"
    status = 502


class RefusedError(SyncError):
    """The server refused a request.

    Args:
        message: one sentence with the server's own words.
        answered: the status of its answer.
        hint: what to do about it.
    """

    code = "OC802"
    status = 502

    def __init__(self, message: str, *, answered: int, hint: str | None = None) -> None:
        details: dict[str, Any] = {"answered": answered}
        super().__init__(message, details=details, hint=hint)
        self.answered = answered


class MissingError(RefusedError):
    """The server knows no such resource."""

    code = "OC803"
    status = 404


class AnswerError(SyncError):
    """What answers is no CaaS server."""

    code = "OC804"
    status = 502
