"""Traces leave a running server where an address for them is set; without one nothing of OpenTelemetry is there."""

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from opencaas.tracing import TracingError, open_tracing
from tests.live import StartError, environment, eventually, live_server

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

_IMPORTS = """
import sys
import opencaas.worker, opencaas.server_commands
from opencaas.asgi import Services, create_app
from opencaas.settings import Settings
settings = Settings()
services = Services.open(settings, uri="mongodb://127.0.0.1:1", admin_password="x")
create_app(services, settings)
assert not [name for name in sys.modules if name.startswith("opentelemetry")], "imported"
print("nothing")
"""


class Receiver:
    """An OTLP receiver: keeps the spans that are posted to it."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.paths: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.take(self.path, ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, path: str, request: ExportTraceServiceRequest) -> None:
        self.paths.add(path)
        for resource in request.resource_spans:
            self.services |= {
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            }
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.mark.parametrize("variable", ["OPENCAAS_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_spans_of_a_server_reach_the_receiver(tmp_path: Path, receiver: Receiver, variable: str) -> None:
    env = {variable: receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_SERVICE_NAME": f"caas-{variable}"}
    with live_server(tmp_path / "data", env=env) as server:
        response = httpx.get(
            f"{server.url}/acme/notes?securetoken=",
            auth=server.admin,
            headers={"traceparent": f"00-{_TRACE}-{'1' * 16}-01"},
        )
        assert 401 == response.status_code
        httpx.put(f"{server.url}/acme", auth=server.admin, headers={"traceparent": f"00-{_TRACE}-{'2' * 16}-01"})
        assert eventually(lambda: receiver.named("PUT /{database}"))
        assert 0 == server.stop()
        lines = [json.loads(line) for line in server.log if line.startswith("{")]

    assert {"/v1/traces"} == receiver.paths
    assert {f"caas-{variable}"} == receiver.services
    (put,) = receiver.named("PUT /{database}")
    assert (_TRACE, "2" * 16) == (put.trace_id.hex(), put.parent_span_id.hex())
    (handle,) = [span for span in receiver.named("handle") if span.parent_span_id == put.span_id]
    assert [span for span in receiver.spans if span.parent_span_id == handle.span_id]
    assert {_TRACE} == {line["trace"] for line in lines if line.get("method") == "PUT"}


def test_spans_that_are_left_are_sent_at_the_end(tmp_path: Path, receiver: Receiver) -> None:
    env = {"OPENCAAS_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "60000"}
    with live_server(tmp_path / "data", env=env) as server:
        httpx.get(f"{server.url}/_logic/live")
        assert 0 == server.stop()

    assert receiver.named("GET /_logic/live")


def test_a_receiver_that_is_away_harms_nobody(tmp_path: Path) -> None:
    env = {"OPENCAAS_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with live_server(tmp_path / "data", env=env) as server:
        assert {200} == {httpx.get(f"{server.url}/_logic/live").status_code for _ in range(20)}
        assert 0 == server.stop()


def test_without_an_address_nothing_of_opentelemetry_is_imported() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORTS],
        env={name: value for name, value in environment().items() if not name.startswith("OTEL_")},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert "nothing\n" == ran.stdout, ran.stderr


def test_without_an_address_there_are_no_traces() -> None:
    assert open_tracing(None) is None
    assert open_tracing("") is None


def test_the_extra_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opencaas.spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(TracingError, match="not installed") as caught:
        open_tracing("http://127.0.0.1:4318")

    assert "opencaas[otel]" in (caught.value.hint or "")


def test_a_server_without_the_extra_says_so_and_does_not_start(tmp_path: Path) -> None:
    broken = tmp_path / "path" / "opentelemetry"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ModuleNotFoundError('no', name='opentelemetry')\n", encoding="utf-8")
    env = {"OPENCAAS_OTLP_ENDPOINT": "http://127.0.0.1:4318", "PYTHONPATH": str(broken.parent)}

    with pytest.raises(StartError) as caught, live_server(tmp_path / "data", env=env):
        pass

    assert "opencaas[otel]" in caught.value.log
    assert "Traceback" not in caught.value.log
