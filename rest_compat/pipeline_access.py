"""Whether a principal may run a pipeline: they need a right on every collection that it reads or writes."""

from collections.abc import Iterable, Mapping
from typing import Final, NoReturn

from content_core.access import AccessControl, Principal
from content_core.access.reserved import check_collection, check_database
from content_core.errors import ForbiddenError, IllegalNameError, PipelineRefusedError, ReservedNameError
from content_core.names import ADMIN_DATABASE, APIKEYS, GQL_APPS
from content_core.pipelines import Access, Touch

__all__ = ["check_names", "check_rights"]

_METHODS: Final[Mapping[Access, tuple[str, ...]]] = {
    "read": ("GET",),
    "out": ("PUT", "DELETE"),
    "merge": ("PUT", "PATCH"),
}
"""What a key must allow on the path of a collection, by what happens to it."""

_CHECKED_ELSEWHERE: Final = frozenset({GQL_APPS})
"""Collections whose documents are checked one by one when they are written."""


def check_names(touches: Iterable[Touch], *, database: str) -> None:
    """Refuse collections that no pipeline may touch, whoever runs it.

    Args:
        touches: what the pipeline reads and writes.
        database: where it runs.

    Raises:
        PipelineRefusedError: the collection holds API keys, belongs to MongoDB or to the server, or is written
            through resources of its own only.
    """
    for touch in touches:
        place = touch.database or database
        try:
            check_database(place)
            check_collection(place, touch.collection)
        except (ReservedNameError, IllegalNameError):
            _refuse(touch, place, "which no pipeline may")
        if touch.collection == APIKEYS or place == ADMIN_DATABASE:
            _refuse(touch, place, "which no pipeline may")
        if touch.access != "read" and _is_checked_elsewhere(touch.collection):
            _refuse(touch, place, "which no pipeline may write")


def check_rights(access: AccessControl, principal: Principal, touches: Iterable[Touch], *, database: str) -> None:
    """Refuse a pipeline that reads or writes what its caller may not.

    Args:
        access: weighs rights.
        principal: who asks.
        touches: what the pipeline reads and writes.
        database: where it runs.

    Raises:
        PipelineRefusedError: the caller has not the right on one of the collections.
    """
    for touch in touches:
        place = touch.database or database
        for method in _METHODS[touch.access]:
            try:
                access.authorize_path(principal, method=method, segments=(place, touch.collection))
            except ForbiddenError:
                _refuse(touch, place, f"which takes the right to {method} it")


def _is_checked_elsewhere(collection: str) -> bool:
    return collection in _CHECKED_ELSEWHERE or collection.startswith("_") or collection.endswith(".files")


def _refuse(touch: Touch, place: str, reason: str) -> NoReturn:
    what = f"{touch.stage} at {touch.location} touches collection '{touch.collection[:200]}'"
    where = f" of database '{place[:100]}'" if touch.database else ""
    raise PipelineRefusedError(f"{what}{where}, {reason}", location=touch.location) from None
