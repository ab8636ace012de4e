"""Spans of requests, stages and database calls, kept by the SDK's own exporter for tests."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from content_core import observe
from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from content_core.store.monitoring import CommandWatch
from opencaas.request_log import RequestLog
from opencaas.spans import Spans
from tests.opencaas.test_request_log import _Kept

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_PARENT = "00f067aa0ba902b7"


class Traced:
    """An application below the request log, and the spans that it made."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.spans = Spans(SimpleSpanProcessor(self.exporter))
        self.lines = _Kept()
        self.app = RequestLog(_app, lines=self.lines, begin=self.spans.begin, finished=self.spans.end)

    async def ask(self, path: str, **headers: str) -> dict[str, ReadableSpan]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://caas"
        ) as client:
            await client.get(path, headers=headers)
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def traced() -> Iterator[Traced]:
    made = Traced()
    yield made
    made.spans.close()


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    observe.note(route="DOCUMENT", template="/{database}/{collection}/{id}", principal="k1", cache=None)
    match scope["path"]:
        case "/acme/broken":
            with observe.stage("read"):
                raise RuntimeError("something private")
        case "/acme/calls":
            record = observe.current()
            assert record is not None
            with observe.stage("read"):
                await asyncio.sleep(0)
                record.called("find", 0.01, namespace="acme.notes", documents=3, failed=False)
            record.called("insert", 0.01, namespace="acme", documents=0, failed=True)
    await PlainTextResponse("fine")(scope, receive, send)


async def test_a_request_is_a_span_with_its_route_and_without_its_query(traced: Traced) -> None:
    spans = await traced.ask("/acme/notes/one?securetoken=secret")

    (span,) = spans.values()
    assert ("GET /{database}/{collection}/{id}", SpanKind.SERVER) == (span.name, span.kind)
    assert span.attributes is not None
    assert {
        "http.request.method": "GET",
        "http.route": "/{database}/{collection}/{id}",
        "http.response.status_code": 200,
        "http.response.body.size": 4,
        "url.path": "/acme/notes/one",
        "url.scheme": "http",
        "opencaas.principal": "k1",
        "opencaas.request": traced.lines.lines[0][1]["request"],
    } == dict(span.attributes)
    assert "secret" not in span.to_json()


async def test_stages_and_database_calls_lie_below_their_request(traced: Traced) -> None:
    spans = await traced.ask("/acme/calls")

    request, read, find = (spans[name] for name in ("GET /{database}/{collection}/{id}", "read", "find acme.notes"))
    assert read.parent is not None
    assert find.parent is not None
    assert read.parent.span_id == request.context.span_id
    assert find.parent.span_id == read.context.span_id
    assert find.attributes is not None
    assert {
        "db.system.name": "mongodb",
        "db.operation.name": "find",
        "db.namespace": "acme",
        "db.collection.name": "notes",
        "db.response.returned_rows": 3,
    } == dict(find.attributes)
    assert find.end_time is not None
    assert find.start_time is not None
    assert 10_000_000 == find.end_time - find.start_time
    insert = spans["insert acme"]
    assert insert.parent is not None
    assert (request.context.span_id, StatusCode.ERROR) == (insert.parent.span_id, insert.status.status_code)


async def test_the_callers_trace_goes_on(traced: Traced) -> None:
    spans = await traced.ask("/acme/x", traceparent=f"00-{_TRACE}-{_PARENT}-01")

    (span,) = spans.values()
    assert span.parent is not None
    assert (int(_TRACE, 16), int(_PARENT, 16)) == (span.context.trace_id, span.parent.span_id)
    assert _TRACE == traced.lines.lines[0][1]["trace"]


async def test_what_the_caller_does_not_want_traced_is_not(traced: Traced) -> None:
    assert {} == await traced.ask("/acme/calls", traceparent=f"00-{_TRACE}-{_PARENT}-00")
    assert ["read"] == list(traced.lines.lines[0][1]["stages"])


@pytest.mark.parametrize("header", ["", "x", f"00-{'0' * 32}-{_PARENT}-01", f"ff-{_TRACE}-{_PARENT}-01", "00-é"])
async def test_malformed_traceparent_begins_a_trace_of_its_own(traced: Traced, header: str) -> None:
    scope = {
        "type": "http", "method": "GET", "path": "/acme/x", "query_string": b"",
        "headers": [(b"traceparent", header.encode())],
    }  # fmt: skip
    record = traced.spans.begin(scope, "r")
    traced.spans.end(scope, record, 200, 0.1, 0)

    (span,) = traced.exporter.get_finished_spans()
    assert span.parent is None
    assert span.context.trace_id != int(_TRACE, 16)


async def test_failures_are_marked_without_their_text(traced: Traced) -> None:
    spans = await traced.ask("/acme/broken")

    assert {StatusCode.ERROR} == {span.status.status_code for span in spans.values()}
    assert "private" not in "".join(span.to_json() for span in spans.values())


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_calls_of_both_drivers_lie_below_the_stage_that_made_them(
    traced: Traced, mongo: EmbeddedMongo, driver: str
) -> None:
    store = Store.open(mongo.uri, driver=driver, event_listeners=[CommandWatch()])  # type: ignore[arg-type]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    record = traced.spans.begin(scope, "r")
    token = observe.begin(record)
    try:
        await store.insert("spans", driver, {"_id": 1})
        with observe.stage("read"):
            await store.get("spans", driver, 1)
    finally:
        observe.end(token)
        traced.spans.end(scope, record, 200, 0.1, 0)
        await store.drop_database("spans")
        await store.close()

    spans = {span.name: span for span in traced.exporter.get_finished_spans()}
    find = spans[f"find spans.{driver}"]
    assert find.parent is not None
    assert find.parent.span_id == spans["read"].context.span_id
    assert (2, [1]) == (len(record.calls), record.documents)
