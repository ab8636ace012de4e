"""``limit``, ``skip`` and ``sort`` as the database takes them: defaults, bounds and refusals."""

from typing import Any

from graphql_app.query.errors import FetchError
from graphql_app.schema.mappings import Limits

__all__ = ["read_limit", "read_skip", "read_sort"]

_LARGEST = 2**31 - 1


def read_limit(value: Any, limits: Limits) -> int:
    """Give the limit: none or null is the default, 0 and less is the maximum.

    Raises:
        FetchError: above the maximum, or no whole number.
    """
    if value is None:
        return min(limits.default_limit, limits.max_limit)
    number = _read_whole(value, "limit")
    if number > limits.max_limit:
        raise FetchError(f"Query variable cannot be greater than {limits.max_limit}")
    return number if number > 0 else limits.max_limit


def read_skip(value: Any) -> int:
    """Give the number of documents to leave out; none or null is 0.

    Raises:
        FetchError: negative, beyond 32 bits, or no whole number.
    """
    if value is None:
        return 0
    number = _read_whole(value, "skip")
    if number < 0:
        raise FetchError("skip cannot be negative")
    if number > _LARGEST:
        raise FetchError(f"skip cannot be greater than {_LARGEST}")
    return number


def read_sort(value: Any) -> tuple[tuple[str, Any], ...]:
    """Give the sort keys in their order; null is no order.

    Raises:
        FetchError: no document, or a direction that is neither 1, -1 nor a ``$meta`` document.
    """
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise FetchError("sort must be a document")
    return tuple((key, _read_direction(key, direction)) for key, direction in value.items())


def _read_direction(key: str, direction: Any) -> Any:
    if not key:
        raise FetchError("sort cannot name an empty field")
    if isinstance(direction, dict):
        return direction
    if not isinstance(direction, bool) and isinstance(direction, int | float) and direction in {1, -1}:
        return int(direction)
    raise FetchError(f"the direction of sort by '{key}' must be 1 or -1")


def _read_whole(value: Any, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise FetchError(f"{name} must be a whole number")
