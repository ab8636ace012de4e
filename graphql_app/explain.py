"""What a request did in the database, for those who may know: its calls, MongoDB's plans, what was examined."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from content_core.documents import Document, Json
from content_core.errors import StoreError
from content_core.extended_json import to_json
from content_core.store import FindQuery, Store
from graphql_app.query import AggregateQuery

__all__ = ["CallReport", "Trace", "render_trace"]

_PATIENCE_MS: Final = 10_000
"""How long MongoDB may take to explain one call."""


@dataclass(frozen=True, slots=True)
class CallReport:
    """One database call.

    Attributes:
        fields: the fields that it answers, as ``Type.field``.
        lookups: how many distinct lookups of them were merged into it.
        database: where it went.
        collection: where it went.
        query: what was asked.
        documents: documents that came.
        milliseconds: from asking to having them all.
        plan: MongoDB's own account of the same query, ``executionStats``; empty if it gave none.
    """

    fields: tuple[str, ...]
    lookups: int
    database: str
    collection: str
    query: FindQuery | AggregateQuery
    documents: int
    milliseconds: float
    plan: Mapping[str, Any]


@dataclass(slots=True)
class Trace:
    """Collects the calls of one request; asking MongoDB for its plans runs every query once more."""

    store: Store
    calls: list[CallReport] = field(default_factory=list)

    async def note(
        self,
        place: tuple[str, str],
        query: FindQuery | AggregateQuery,
        *,
        fields: Sequence[str],
        lookups: int,
        documents: Sequence[Document],
        started: float,
    ) -> None:
        """Take a call that was answered just now.

        Args:
            place: database and collection.
            query: what was asked.
            fields: the fields that it answers.
            lookups: how many lookups were merged into it.
            documents: what came.
            started: when it was sent, by :func:`time.perf_counter`.
        """
        spent = (time.perf_counter() - started) * 1000
        try:
            plan = await self.store.explain(place[0], _command(place[1], query), max_time_ms=_PATIENCE_MS)
        except StoreError:
            plan = {}  # what it cannot explain, MongoDB has answered all the same
        report = CallReport(tuple(fields), lookups, *place, query, len(documents), round(spent, 3), plan)
        self.calls.append(report)


def render_trace(trace: Trace, *, compiled: bool) -> Json:
    """Write a trace as JSON.

    Args:
        trace: of a request that has ended.
        compiled: whether a compiled function gave the answer, or graphql-core.
    """
    return {
        "executor": "compiled" if compiled else "graphql-core",
        "calls": [_render_call(call) for call in trace.calls],
    }


def _command(collection: str, query: FindQuery | AggregateQuery) -> Document:
    if isinstance(query, AggregateQuery):
        return {"aggregate": collection, "pipeline": list(query.stages), "cursor": {}}
    command: Document = {"find": collection, "filter": query.filter, "skip": query.skip, "limit": query.limit}
    if query.sort:
        command["sort"] = dict(query.sort)
    if query.projection is not None:
        command["projection"] = dict(query.projection)
    return command


def _render_call(call: CallReport) -> Json:
    command = _command(call.collection, call.query)
    command.pop("cursor", None)
    asked = {name: part for name, part in command.items() if name not in {"find", "aggregate"}}
    stages = list(_stages(call.plan))
    return {
        "fields": list(call.fields),
        "lookups": call.lookups,
        "database": call.database,
        "collection": call.collection,
        "query": to_json(asked),
        "documents": call.documents,
        "milliseconds": call.milliseconds,
        "stages": list(dict.fromkeys(str(stage["stage"]) for stage in stages if "stage" in stage)),
        "indexes": list(dict.fromkeys(str(stage["indexName"]) for stage in stages if "indexName" in stage)),
        "keysExamined": _total(call.plan, "totalKeysExamined"),
        "documentsExamined": _total(call.plan, "totalDocsExamined"),
    }


def _stages(plan: Any) -> Iterator[Mapping[str, Any]]:
    """Give the stages of the winning plans, wherever they stand: a pipeline has one below its cursor."""
    pending = [plan]
    for current in pending:  # grows while it is read
        if isinstance(current, Mapping):
            if "winningPlan" in current:
                yield from _inner_stages(current["winningPlan"])
            pending.extend(part for name, part in current.items() if name != "rejectedPlans")
        elif isinstance(current, list):
            pending.extend(current)


def _inner_stages(plan: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(plan, Mapping):
        if "stage" in plan:
            yield plan
        for name in ("queryPlan", "inputStage", "inputStages", "shards"):
            yield from _inner_stages(plan.get(name))
    elif isinstance(plan, list):
        for each in plan:
            yield from _inner_stages(each)


def _total(plan: Any, name: str) -> int | None:
    """Add up a figure of the parts of a plan; None if it has none."""
    found: list[int] = []
    pending = [plan]
    for current in pending:  # grows while it is read
        if isinstance(current, Mapping):
            if isinstance(current.get(name), int):
                found.append(int(current[name]))
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
    return sum(found) if found else None
