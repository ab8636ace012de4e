"""The health check: whether MongoDB answers and takes writes."""

from content_core.extended_json import dumps
from content_core.store import Store
from rest_compat.call import Call
from rest_compat.reply import Reply

__all__ = ["Health"]


class Health:
    """The handler for ``/_logic/healthcheck``.

    Args:
        store: whose health it is.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, call: Call) -> Reply:  # noqa: ARG002  # a handler like the others; nothing in the call matters
        """Tell yes or no, and nothing about hosts or errors: anybody may ask."""
        health = await self._store.health()
        checks = {"mongoReachable": health.reachable, "mongoPrimaryAvailable": health.primary}
        return Reply(status=200 if all(checks.values()) else 500, body=dumps(checks))
