"""Whether requests are traced: with an address for spans, and with the extra ``opencaas[otel]`` installed.

Nothing of OpenTelemetry is imported unless an address is set.
"""

import importlib
from typing import Protocol

from starlette.types import Scope

from content_core.errors import ServiceError
from content_core.observe import Record

__all__ = ["Tracing", "TracingError", "open_tracing"]


class TracingError(ServiceError):
    """Traces are wanted, but what makes them is not installed."""

    code = "OC703"
    status = 500


class Tracing(Protocol):
    """Makes a span of each request."""

    def begin(self, scope: Scope, request_id: str) -> Record:
        """Open the span of a request."""
        ...

    def end(self, scope: Scope, record: Record, status: int, seconds: float, size: int) -> None:
        """Close it (:data:`opencaas.request_log.Finished`)."""
        ...

    def close(self) -> None:
        """Send what is left, and end; this may wait for the receiver of spans."""
        ...


def open_tracing(endpoint: str | None) -> Tracing | None:
    """Open what makes spans, if an address for them is set.

    Raises:
        TracingError: it is, but OpenTelemetry is not installed.
    """
    if not endpoint:
        return None
    try:
        spans = importlib.import_module("opencaas.spans")
    except ImportError as error:
        raise TracingError(
            f"traces are to be sent, but {error.name or 'OpenTelemetry'} is not installed",
            hint="pip install 'opencaas[otel]', or leave the address of the receiver out",
        ) from error
    tracing: Tracing = spans.open_spans(endpoint)
    return tracing
