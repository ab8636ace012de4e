"""Why a database field has no value: the errors that planning and running its query can meet."""

from content_core.errors import ServiceError, StoreError
from graphql_app.schema.errors import FieldError

__all__ = ["EmptyRelationError", "FetchError"]

_DATABASE_TEXT = 100
"""Texts of the database are cut: they may quote whole filters."""


class FetchError(FieldError):
    """The query of a field cannot be built or was refused; siblings are unaffected.

    Args:
        message: the cause, in a form that clients may see.
        code: the code of the service error behind it, if there is one.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def of(cls, error: ServiceError) -> "FetchError":
        """Wrap a service error."""
        text = error.message[:_DATABASE_TEXT] if isinstance(error, StoreError) else error.message
        return cls(text, code=error.code)


class EmptyRelationError(Exception):
    """A ``$fk`` that a field's query depends on is null: the field is empty without asking the database."""
