"""Spans by OpenTelemetry: one per request, per stage and per database call. Imported only where traces are wanted."""

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from content_core.observe import Record
from opencaas.request_log import loggable_path

__all__ = ["Spans", "open_spans"]

_HEADERS: Final = frozenset({b"traceparent", b"tracestate"})
_FACTS: Final = {
    "app": "opencaas.app",
    "operation": "graphql.operation.name",
    "query": "opencaas.query",
    "principal": "opencaas.principal",
    "cache": "opencaas.cache",
    "compiled": "opencaas.compiled",
    "incident": "opencaas.incident",
}


def open_spans(endpoint: str) -> "Spans":
    """Send spans to an OTLP receiver over HTTP, in the background.

    Args:
        endpoint: its base address; ``/v1/traces`` is appended. Headers, sampler, the service's name and more are read
            by OpenTelemetry from its own variables (``OTEL_…``).
    """
    return Spans(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))


class Spans:
    """Makes a span of each request (:class:`opencaas.tracing.Tracing`).

    Args:
        processor: where finished spans go.
    """

    def __init__(self, processor: SpanProcessor) -> None:
        self._provider = TracerProvider(
            # OpenTelemetry's own variables, OTEL_SERVICE_NAME among them, go before this.
            resource=Resource({"service.name": "opencaas"}).merge(OTELResourceDetector().detect()),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("opencaas")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, scope: Scope, request_id: str) -> Record:
        """Open the span of a request, below the one that its ``traceparent`` names, if it names one."""
        carrier = {str(name, "ascii"): str(value, "latin-1") for name, value in scope["headers"] if name in _HEADERS}
        method = scope.get("method", "GET")
        span = self._tracer.start_span(method, context=self._propagator.extract(carrier), kind=SpanKind.SERVER)
        return _TracedRecord(request_id, self._tracer, span)

    def end(self, scope: Scope, record: Record, status: int, seconds: float, size: int) -> None:
        """Close the span of a request."""
        del seconds
        if isinstance(record, _TracedRecord):
            record.finish(scope, status, size)

    def close(self) -> None:
        """Send what is left, and end."""
        self._provider.shutdown()


class _TracedRecord(Record):
    """A record whose stages and database calls are spans, too."""

    __slots__ = ("_span", "_tracer", "stage_span")

    def __init__(self, request_id: str, tracer: Tracer, span: Span) -> None:
        super().__init__(request_id)
        self._tracer = tracer
        self._span = span
        self.stage_span: Span | None = None
        context = span.get_span_context()
        self.facts["trace"] = f"{context.trace_id:032x}"

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Measure a stage, as a span."""
        return _TracedStage(self, name, super().stage(name))

    def open_span(self, name: str) -> Span:
        """Open a span below that of the request."""
        return self._tracer.start_span(name, context=set_span_in_context(self._span))

    def called(self, command: str, seconds: float, *, namespace: str, documents: int, failed: bool) -> None:
        """Take one database call, as a span below the stage that it belongs to."""
        super().called(command, seconds, namespace=namespace, documents=documents, failed=failed)
        ended = time.time_ns()
        database, _, collection = namespace.partition(".")
        span = self._tracer.start_span(
            f"{command} {namespace}",
            context=set_span_in_context(self.stage_span or self._span),
            kind=SpanKind.CLIENT,
            start_time=ended - int(seconds * 1e9),
            attributes={
                "db.system.name": "mongodb",
                "db.operation.name": command,
                "db.namespace": database,
                "db.collection.name": collection,
                "db.response.returned_rows": documents,
            },
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    def finish(self, scope: Scope, status: int, size: int) -> None:
        """Say what became of the request, and end its span."""
        facts, span = self.facts, self._span
        method, template = scope.get("method", "GET"), facts.get("template", "")
        span.update_name(f"{method} {template}".rstrip())
        span.set_attributes(
            {
                "http.request.method": method,
                "http.route": template,
                "http.response.status_code": status,
                "http.response.body.size": size,
                "url.path": loggable_path(scope["path"]),
                "url.scheme": scope.get("scheme", "http"),
                "opencaas.request": self.id,
            }
        )
        span.set_attributes({_FACTS[name]: fact for name, fact in facts.items() if name in _FACTS and fact is not None})
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


class _TracedStage:
    """A stage and its span."""

    __slots__ = ("_name", "_record", "_span", "_stage")

    def __init__(self, record: _TracedRecord, name: str, stage: AbstractContextManager[None]) -> None:
        self._record = record
        self._name = name
        self._stage = stage
        self._span: Span | None = None

    def __enter__(self) -> None:
        self._span = self._record.stage_span = self._record.open_span(self._name)
        self._stage.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stage.__exit__(kind, error, traceback)
        self._record.stage_span = None
        if self._span is not None:
            if kind is not None:
                self._span.set_status(Status(StatusCode.ERROR, kind.__name__))
            self._span.end()
