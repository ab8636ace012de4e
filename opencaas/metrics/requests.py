"""From the record of a finished request to the figures about it."""

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from starlette.types import Scope

from content_core.observe import Record
from opencaas.metrics.recorder import OTHER, Recorder

__all__ = ["Level", "RequestFigures"]

Level: TypeAlias = Literal["root", "database", "collection"]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestFigures:
    """Hears of each finished request (:data:`opencaas.request_log.Finished`).

    Args:
        recorder: where figures go.
        level: how finely timers are told apart.
        exists: says whether there is a database (with an empty collection), or a collection.
    """

    def __init__(
        self, recorder: Recorder, *, level: Level = "root", exists: Callable[[str, str], bool] = lambda *_: False
    ) -> None:
        self._recorder = recorder
        self._level = level
        self._exists = exists

    def __call__(self, scope: Scope, record: Record, status: int, seconds: float, size: int) -> None:
        """Take one request; a WebSocket is as long as it is open and has no timer."""
        if scope["type"] != "http":
            return
        facts = record.facts
        method = scope["method"] if scope["method"] in _METHODS else OTHER
        labels: tuple[str, ...] = (facts.get("route", OTHER), method, str(status))
        if self._level != "root":
            labels += self._place(facts.get("database", ""), facts.get("collection", ""))
        self._recorder.request(labels, seconds)
        self._recorder.count("http_response_bytes", size, {})
        if "operation" in facts:  # which is noted of valid operations of existing applications only
            told = {
                "app": facts.get("app", ""),
                "operation": facts["operation"] or "",
                "query": facts.get("query") or "",
                "status": str(status),
            }
            self._recorder.duration("graphql_operation_duration", seconds, told)

    def _place(self, database: str, collection: str) -> tuple[str, ...]:
        """Name the place of a request as far as figures go; what does not exist has no name."""
        if database and not self._exists(database, ""):
            database, collection = OTHER, ""
        if self._level == "database":
            return (database,)
        if collection and not self._exists(database, collection):
            collection = OTHER
        return (database, collection)
