"""What the rooms tell about the request at hand and about the process; whoever composes them decides what is kept.

Nothing is installed by default, and then every call returns within a fraction of a microsecond.

Stages: ``with observe.stage("read"):`` adds the time inside to the stage of the current request, and is a span of its
own where requests are traced. Stages of one request do not overlap, but that ``body`` is a part of ``handle``. In use::

    access   who asks, and may they                          both rooms
    body     the body arrives and is read                    both rooms
    parse    a query's text becomes a validated operation    graphql_app
    compile  the operation is planned and becomes functions  graphql_app
    read     database calls of a query                       graphql_app
    shape    documents become the bytes of the answer        graphql_app
    handle   the handler of a REST resource                  rest_compat

Facts: ``observe.note(app="acme___news")`` puts members into the request's log line; later ones replace earlier ones.
Never a key, a token, or the value of a variable. In use::

    route, template          type of the resource (COLLECTION, GRAPHQL, ...), and its path without names
    database, collection     what the path names
    principal                ``Principal.key_id``, or "admin"
    app, operation, query    GraphQL: address of the application, name of the operation (at most 100 characters), names
                             of its root fields joined by commas; noted once the operation was found valid
    errors                   GraphQL: errors of fields
    cache                    "hit" or "miss" of the last cache asked
    compiled                 GraphQL: whether a compiled function gave the answer
    incident                 the number under which a client finds its failure in the log

Database calls and the documents that they read are counted below the store; nobody notes them.

Figures of the process, which ``/_metrics`` shows with ``opencaas_`` before their names (counters with ``_total`` behind
them, durations as histograms in ``_seconds``). In use::

    count  graphql_plan_cache      result = hit | miss
    count  graphql_executions      way = compiled | interpreted
    count  definition_changes      outcome = activated | refused | removed
    count  change_stream_events    events sent to watchers
    count  change_stream_closed    reason
    count  change_feed_interruptions  the change feed was lost; it is resumed
    count  change_feed_gaps        it could not be resumed: events were lost
    gauge  workers_ready           1 while requests are welcome
    gauge  workers_following       1 while the change feed is up
    gauge  workers_with_primary    1 while MongoDB answers and has a primary
    gauge  change_stream_watchers  open WebSockets
    gauge  change_stream_upstreams streams of MongoDB behind them
    duration  graphql_activation   building a version of an application

Labels take values from a set that no client can make longer: never an id, a key, or a name out of a request.
"""

import time
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Protocol

__all__ = ["Record", "Sink", "begin", "count", "current", "duration", "end", "gauge", "install", "note", "stage"]


class Sink(Protocol):
    """Keeps the figures of a process. Called from any thread; must not raise."""

    def count(self, name: str, n: float, labels: dict[str, str]) -> None:
        """Add to a counter."""

    def gauge(self, name: str, delta: float, labels: dict[str, str]) -> None:
        """Add to what goes up and down."""

    def duration(self, name: str, seconds: float, labels: dict[str, str]) -> None:
        """Take one duration into a histogram."""


class Record:
    """What is known of one request. Tasks and threads that work for the request share it.

    Attributes:
        id: names the request in logs and to the client.
        facts: what :func:`note` was told.
        stages: seconds by stage.
        calls: seconds of each database call.
        documents: numbers of documents that database calls gave.
    """

    __slots__ = ("calls", "documents", "facts", "id", "stages")

    def __init__(self, request_id: str) -> None:
        self.id = request_id
        self.facts: dict[str, Any] = {}
        self.stages: dict[str, float] = {}
        # Lists, because threads may append to them without a lock.
        self.calls: list[float] = []
        self.documents: list[int] = []

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Measure a stage."""
        return _Stage(self.stages, name)

    def called(self, command: str, seconds: float, *, namespace: str, documents: int, failed: bool) -> None:
        """Take one database call, told in its own thread when it has ended.

        Args:
            command: its name.
            seconds: how long MongoDB took.
            namespace: the database, with the collection where the answer names it.
            documents: how many it gave.
            failed: whether MongoDB refused it, or did not answer.
        """
        del command, namespace, failed
        self.calls.append(seconds)
        if documents:
            self.documents.append(documents)


class _Stage:
    __slots__ = ("_name", "_stages", "_started")

    def __init__(self, stages: dict[str, float], name: str) -> None:
        self._stages = stages
        self._name = name
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        spent = time.perf_counter() - self._started
        stages = self._stages
        stages[self._name] = stages.get(self._name, 0.0) + spent


class _NoStage:
    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        pass


_NO_STAGE = _NoStage()
_record: ContextVar[Record | None] = ContextVar("opencaas_request", default=None)
_sink: Sink | None = None


def install(sink: Sink | None) -> None:
    """Send the figures of this process there from now on; None drops them."""
    global _sink  # noqa: PLW0603 - figures belong to the process, like its memory
    _sink = sink


def begin(record: Record) -> Token[Record | None]:
    """Make a record the current one of this task and of those that it starts."""
    return _record.set(record)


def end(token: Token[Record | None]) -> None:
    """Undo :func:`begin`, in the task that called it."""
    _record.reset(token)


def current() -> Record | None:
    """Give the record of the current request, if there is one."""
    return _record.get()


def stage(name: str) -> AbstractContextManager[None]:
    """Measure a stage of the current request: a context manager, for one use."""
    record = _record.get()
    return _NO_STAGE if record is None else record.stage(name)


def note(**facts: Any) -> None:
    """Note facts of the current request: strings, numbers, booleans; None is left out of the log."""
    record = _record.get()
    if record is not None:
        record.facts.update(facts)


def count(name: str, n: float = 1, **labels: str) -> None:
    """Add to a counter of the process."""
    if _sink is not None:
        _sink.count(name, n, labels)


def gauge(name: str, delta: float, **labels: str) -> None:
    """Add to (or, below zero, take from) what goes up and down: things that are open at the moment."""
    if _sink is not None:
        _sink.gauge(name, delta, labels)


def duration(name: str, seconds: float, **labels: str) -> None:
    """Take one duration into a histogram of the process."""
    if _sink is not None:
        _sink.duration(name, seconds, labels)
