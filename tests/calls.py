"""Counting the database calls that something makes."""

from dataclasses import dataclass

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

__all__ = ["Call", "CallCounter"]

_READS = frozenset({"find", "aggregate", "getMore"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call that went to MongoDB."""

    command: str
    database: str
    collection: str


class CallCounter(CommandListener):
    """Records the reads (find, aggregate, getMore) of a store: ``Store.open(uri, event_listeners=[counter])``."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def clear(self) -> None:
        """Forget what was recorded."""
        self.calls.clear()

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in _READS:
            key = "collection" if event.command_name == "getMore" else event.command_name
            self.calls.append(Call(event.command_name, event.database_name, str(event.command[key])))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Of no interest."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Of no interest."""
