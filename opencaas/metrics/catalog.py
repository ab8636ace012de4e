"""Every figure that rooms tell, with what it means: the help texts of ``/_metrics``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["CATALOG", "Figure", "FigureKind"]

FigureKind: TypeAlias = Literal["count", "gauge", "duration"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        kind: how it is told; see ``content_core/observe.py``.
        labels: the names of its labels.
        help: what it means, in a sentence.
    """

    kind: FigureKind
    labels: tuple[str, ...]
    help: str


CATALOG: Final[Mapping[str, Figure]] = {
    "http_requests_in_flight": Figure("gauge", (), "Requests that are being answered."),
    "http_response_bytes": Figure("count", (), "Bytes of bodies sent, compressed if they were."),
    "graphql_operation_duration": Figure(
        "duration",
        ("app", "operation", "query", "status"),
        "GraphQL operations: application, operation name, root fields with selections, status of the answer.",
    ),
    "graphql_plan_cache": Figure("count", ("result",), "Queries whose text was known already (hit) or not (miss)."),
    "graphql_executions": Figure("count", ("way",), "Operations answered by a compiled function, or by graphql-core."),
    "graphql_activation": Figure("duration", (), "Building a version of an application."),
    "definition_changes": Figure("count", ("outcome",), "Application definitions that came, changed or went."),
    "change_feed_interruptions": Figure("count", (), "Times that the change feed was lost and had to be resumed."),
    "change_feed_gaps": Figure("count", (), "Times that it could not be resumed, and events were lost."),
    "workers_ready": Figure("gauge", (), "Workers that are ready for requests."),
    "workers_following": Figure("gauge", (), "Workers whose change feed is up; the others remember nothing."),
    "workers_with_primary": Figure("gauge", (), "Workers that reach MongoDB and see a primary."),
    "sync_completed_timestamp_seconds": Figure(
        "gauge",
        ("tenant", "project", "state"),
        "When a sync job last brought all content of a project, in seconds since 1970; the same on every server.",
    ),
    "change_stream_watchers": Figure("gauge", (), "Open WebSockets of change streams."),
    "change_stream_upstreams": Figure("gauge", (), "Change streams of MongoDB behind the watchers."),
    "change_stream_events": Figure("count", (), "Events sent to watchers."),
    "change_stream_closed": Figure("count", ("reason",), "WebSockets that the server closed, by reason."),
    "database_command_duration": Figure("duration", ("command", "outcome"), "Commands that MongoDB answered, by name."),
    "database_documents": Figure("count", (), "Documents that MongoDB gave."),
    "database_connections": Figure("gauge", (), "Open connections to MongoDB."),
    "database_connections_in_use": Figure("gauge", (), "Connections to MongoDB that a command is using."),
    "database_checkout_duration": Figure("duration", (), "Waiting for a free connection to MongoDB."),
    "database_checkout_failures": Figure("count", ("reason",), "Waits for a connection that ended without one."),
    "event_loop_lag": Figure("duration", (), "How late the event loop gets to what is due, four times a second."),
    "figures_dropped": Figure("count", (), "Figures that found no room; OPENCAAS_METRICS_LEVEL asks for too many."),
}
"""By the name under which rooms tell it; ``/_metrics`` puts ``opencaas_`` before and the unit behind."""
