"""Errors of single fields: raised without a place, told with the place that the executor found for them."""

from collections.abc import Sequence

from graphql import GraphQLError

__all__ = [
    "FieldError",
    "ListExpectedError",
    "SerializationError",
    "UnresolvedTypeError",
    "describe_error",
    "render_path",
]


def render_path(path: Sequence[str | int]) -> str:
    """Write a response path the way error texts show it: ``/mechanics[0]/jobs``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f"/{key}" for key in path)


class FieldError(Exception):
    """A field has no value; the rest of the response stands.

    The class attribute ``template`` is the text that clients see, with ``{path}`` and ``{cause}`` to be filled.
    """

    template = "Exception while fetching data ({path}) : {cause}"
    classification = "DataFetchingException"

    def describe(self, path: Sequence[str | int]) -> str:
        """Tell the error together with its place in the response."""
        return self.template.format(path=render_path(path), cause=self)


class SerializationError(FieldError):
    """A stored value does not fit the scalar or enum that the field declares."""

    template = "Can't serialize value ({path}) : {cause}"


class ListExpectedError(FieldError):
    """The field declares a list and the stored value is none."""

    template = "Can't resolve value ({path}) : type mismatch error, expected type LIST"


class UnresolvedTypeError(FieldError):
    """No predicate of a ``$typeResolver`` holds for a value.

    Args:
        abstract_type: the union or interface.
        coordinate: the field that gave the value, ``Type.field``.
    """

    template = "Can't resolve '{path}'. {cause}"

    def __init__(self, abstract_type: str, coordinate: str) -> None:
        super().__init__(
            f"Abstract type '{abstract_type}' must resolve to an Object type at runtime for field '{coordinate}'. "
            f"Could not determine the exact type of '{abstract_type}'"
        )


def describe_error(error: GraphQLError) -> str:
    """Give the text of an execution error as clients see it."""
    cause = error.original_error
    return cause.describe(error.path or ()) if isinstance(cause, FieldError) else error.message
