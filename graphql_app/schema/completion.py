"""Fits stored values to the declared type of a field where graphql-core would do it otherwise.

Its own five scalars cannot be given other rules, so their stored values are converted here, before it sees them; and
its rule for lists takes any iterable, even a document.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import GraphQLList, GraphQLNonNull, GraphQLOutputType, is_specified_scalar_type

from graphql_app.schema.errors import FieldError, ListExpectedError
from graphql_app.schema.scalar_output import OUTPUT

__all__ = ["Completer", "build_completer"]

Completer: TypeAlias = Callable[[Any], Any]


def build_completer(type_: GraphQLOutputType) -> Completer | None:
    """Make the function that fits a value that is not null to a type; None if nothing is to be done.

    Raises (the function): FieldError. Inside lists the error takes the place of the element, where graphql-core
    raises it with the element's path.
    """
    if isinstance(type_, GraphQLNonNull):
        return build_completer(type_.of_type)
    if isinstance(type_, GraphQLList):
        return _list_completer(build_completer(type_.of_type))
    return OUTPUT[type_.name] if is_specified_scalar_type(type_) else None


def _list_completer(complete: Completer | None) -> Completer:
    def complete_list(value: Any) -> Any:
        if not isinstance(value, list):
            raise ListExpectedError
        return value if complete is None else [_complete_element(complete, element) for element in value]

    return complete_list


def _complete_element(complete: Completer, element: Any) -> Any:
    try:
        return element if element is None else complete(element)
    except FieldError as error:
        return error
