"""What the driver tells of its commands and connections, passed on to ``content_core.observe``.

The driver calls these listeners in the thread of the operation, which carries the context of the request.
"""

from collections.abc import Mapping
from typing import Any, Final

from pymongo import monitoring

from content_core import observe

__all__ = ["CommandWatch", "ConnectionWatch"]

_BATCHES: Final = ("firstBatch", "nextBatch")
_LOGINS: Final = frozenset({"authenticate", "saslStart", "saslContinue"})
"""What the driver does by itself when it opens a connection; no request asked for it."""
_READING: Final = frozenset({"aggregate", "find", "getMore"})


class CommandWatch(monitoring.CommandListener):
    """Counts database calls, for the request at hand and for the process; neither documents nor values are kept."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Of no interest: what has ended knows how long it took."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Take a command that MongoDB carried out."""
        documents, namespace = 0, event.database_name
        cursor = event.reply.get("cursor")
        if event.command_name in _READING and isinstance(cursor, Mapping):
            documents, namespace = _count_documents(cursor), cursor.get("ns", namespace)
        self._take(event, namespace, documents=documents, failed=False)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Take one that failed."""
        self._take(event, event.database_name, documents=0, failed=True)

    def _take(
        self,
        event: monitoring.CommandSucceededEvent | monitoring.CommandFailedEvent,
        namespace: str,
        *,
        documents: int,
        failed: bool,
    ) -> None:
        seconds = event.duration_micros / 1_000_000
        observe.duration(
            "database_command_duration", seconds, command=event.command_name, outcome="failed" if failed else "done"
        )
        if documents:
            observe.count("database_documents", documents)
        record = observe.current()
        if record is not None and event.command_name not in _LOGINS:
            record.called(event.command_name, seconds, namespace=namespace, documents=documents, failed=failed)


class ConnectionWatch(monitoring.ConnectionPoolListener):
    """Counts connections, those in use, and how long operations wait for one."""

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None:  # noqa: ARG002 - the driver's signature
        """One more."""
        observe.gauge("database_connections", 1)

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None:  # noqa: ARG002 - the driver's signature
        """One less."""
        observe.gauge("database_connections", -1)

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:
        """An operation has a connection."""
        observe.gauge("database_connections_in_use", 1)
        observe.duration("database_checkout_duration", event.duration or 0.0)

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:  # noqa: ARG002 - the driver's signature
        """It gave the connection back."""
        observe.gauge("database_connections_in_use", -1)

    def connection_check_out_failed(self, event: monitoring.ConnectionCheckOutFailedEvent) -> None:
        """An operation got none: in time, at all, or because the pool was closed."""
        observe.count("database_checkout_failures", reason=event.reason)

    def connection_check_out_started(self, event: monitoring.ConnectionCheckOutStartedEvent) -> None:
        """Of no interest: what has ended knows how long it took."""

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None:
        """Of no interest."""

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        """Of no interest."""

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None:
        """Of no interest."""

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        """Of no interest: connections are told of one by one."""

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None:
        """Of no interest: connections are told of one by one."""


def _count_documents(cursor: Mapping[str, Any]) -> int:
    return sum(len(cursor[batch]) for batch in _BATCHES if batch in cursor)
