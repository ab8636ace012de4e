"""Lines are whole, in the chosen form, and hold nothing that a terminal or a log reader would stumble over."""

import io
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from opencaas.logs import RequestLines, configure_logging
from tests.live import LiveServer, live_server

_WHEN = datetime(2026, 6, 1, 8, 30, 0, 841607, tzinfo=UTC)
_LINE = {"timestamp": _WHEN, "event": "request", "method": "GET", "path": "/x"}


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    structlog.reset_defaults()


def _written(capfd: pytest.CaptureFixture[str], lines: RequestLines, **fields: Any) -> str:
    lines.write(logging.INFO, {**_LINE, **fields})
    return capfd.readouterr().err


def test_a_json_line_has_the_fields_and_ends(capfd: pytest.CaptureFixture[str]) -> None:
    written = _written(capfd, configure_logging(level="info", form="json"), stages={"read": 0.25})

    assert written.endswith("}\n")
    assert {
        "timestamp": "2026-06-01T08:30:00.841607Z",
        "event": "request",
        "method": "GET",
        "path": "/x",
        "stages": {"read": 0.25},
        "logger": "opencaas.request",
        "level": "info",
    } == json.loads(written)


@pytest.mark.parametrize("path", ["/a\nb", "/a\r\n{}", "/a\x1b[31m", "/a\x00", '/"quoted"', "/ü😀", "/\ud800"])
def test_a_json_line_is_one_line_whatever_the_path(capfd: pytest.CaptureFixture[str], path: str) -> None:
    written = _written(capfd, configure_logging(level="info", form="json"), path=path)

    assert 1 == written.count("\n")
    assert "\x1b" not in written
    assert path == json.loads(written)["path"]


@pytest.mark.parametrize("path", ["/a\nb", "/a\r\nb", "/a\x1b[31mb", "/a\x07"])
def test_a_text_line_keeps_control_characters_from_the_terminal(capfd: pytest.CaptureFixture[str], path: str) -> None:
    written = _written(capfd, configure_logging(level="info", form="text"), path=path)

    assert 1 == written.count("\n")
    assert ascii(path)[1:-1] in written


def test_a_text_event_keeps_control_characters_from_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="info", form="text")

    logging.getLogger("rest_compat.app").warning("cut off: %s", "a\n\x1b[31mb")

    written = capsys.readouterr().err
    assert 1 == written.count("\n")
    assert "\x1b[31m" not in written


def test_a_text_line_is_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    written = _written(capfd, configure_logging(level="info", form="text"))

    assert not written.startswith("{")
    assert "request" in written
    assert "/x" in written


def test_below_the_level_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    lines = configure_logging(level="warning", form="json")
    lines.write(logging.INFO, _LINE)
    lines.write(logging.ERROR, _LINE)

    assert ["error"] == [json.loads(line)["level"] for line in capfd.readouterr().err.splitlines()]


def test_long_lines_through_a_full_pipe_arrive_whole() -> None:
    program = (
        "import logging; from opencaas.logs import configure_logging\n"
        "lines = configure_logging(level='info', form='json')\n"
        "for n in range(20): lines.write(logging.INFO, {'n': n, 'text': 'x' * 50_000})"
    )
    ran = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, check=True, timeout=60)

    assert list(range(20)) == [json.loads(line)["n"] for line in ran.stderr.splitlines()]


def test_a_reader_that_went_away_harms_nobody() -> None:
    program = (
        "import logging, os; from opencaas.logs import configure_logging\n"
        "lines = configure_logging(level='info', form='json')\n"
        "reader, writer = os.pipe(); os.dup2(writer, 2); os.close(reader)\n"
        "lines.write(logging.INFO, {'n': 1}); print('alive')"
    )
    ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, timeout=60)

    assert b"alive\n" == ran.stdout


def test_a_terminal_gets_text_and_others_json() -> None:
    program = (
        "import logging; from datetime import UTC, datetime; from opencaas.logs import configure_logging\n"
        "configure_logging(level='info', form='auto').write("
        "logging.INFO, {'timestamp': datetime.now(UTC), 'event': 'request', 'path': '/x'})"
    )
    terminal, side = pty.openpty()
    subprocess.run([sys.executable, "-c", program], stderr=side, check=True, timeout=60)
    os.close(side)
    with io.FileIO(terminal) as screen:
        shown = screen.read(4096)
    piped = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, check=True, timeout=60).stderr

    assert shown is not None
    assert b"/x" in shown
    assert not shown.startswith(b"{")
    assert "/x" == json.loads(piped)["path"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("logs") / "data") as running:
        yield running


def _line(server: LiveServer, request: str) -> dict[str, Any]:
    from tests.live import eventually

    def find() -> dict[str, Any] | None:
        found = [json.loads(line) for line in server.log if request in line]
        return found[0] if found else None

    line: dict[str, Any] = eventually(find)
    return line


def test_a_request_through_the_whole_server(server: LiveServer) -> None:
    httpx.put(f"{server.url}/acme", auth=server.admin)
    httpx.put(f"{server.url}/acme/notes", auth=server.admin)
    httpx.put(f"{server.url}/acme/notes/one", auth=server.admin, json={"a": 1})
    response = httpx.get(f"{server.url}/acme/notes/one", auth=server.admin, headers={"x-request-id": "whole-server"})

    line = _line(server, "whole-server")

    assert "whole-server" == response.headers["x-request-id"]
    assert ("DOCUMENT", "/{database}/{collection}/{id}", "admin") == (
        line["route"],
        line["template"],
        line["principal"],
    )
    assert ["access", "handle"] == list(line["stages"])
    assert line["calls"] >= 1
    assert 1 == line["documents"]
    assert len(response.content) == line["bytes"]


def test_secrets_stay_out_of_the_log(server: LiveServer) -> None:
    key = "5a1f5e6e-1111-4222-8333-944455556666"
    permissions = [{"url": "/", "permissionMode": "PREFIX", "methods": ["GET", "PUT"]}]
    body = {"_id": key, "key": key, "name": "logs", "permissions": permissions}
    made = httpx.put(f"{server.url}/acme/apikeys/{key}", auth=server.admin, json=body)
    bearer = {"authorization": f"Bearer {key}"}
    token = httpx.get(f"{server.url}/_logic/securetoken?tenant=acme", headers=bearer).json()["securetoken"]
    read = httpx.get(f"{server.url}/acme/notes?securetoken={token}", headers={"x-request-id": "by-token"})
    httpx.get(f"{server.url}/acme/notes", headers=bearer | {"x-request-id": "by-key"})
    httpx.get(f"{server.url}/acme/apikeys%2F{key}", headers=bearer)
    httpx.get(f"{server.url}/acme/apikeys%252F{key}", headers=bearer)
    httpx.get(f"{server.url}/acme/notes", headers=bearer | {"cookie": f"securetoken={token}", "x-request-id": "last"})

    principal = _line(server, "by-key")["principal"]
    log = "".join(server.log)

    assert (201, 200) == (made.status_code, read.status_code)
    assert principal == _line(server, "by-token")["principal"]
    assert _line(server, "last")
    assert len(principal) == 16
    for secret in (key, token, server.admin[1], key.split("-", maxsplit=1)[0]):
        assert secret not in log


def test_an_incident_is_found_by_the_number_that_the_client_gets(tmp_path: Path) -> None:
    from content_core import observe
    from rest_compat.errors import render_unexpected

    record = observe.Record("r")
    token = observe.begin(record)
    try:
        reply = render_unexpected(RuntimeError("private"))
    finally:
        observe.end(token)

    assert reply.body is not None
    assert record.facts["incident"] in json.loads(reply.body)["message"]
    assert b"private" not in reply.body


def test_line_breaks_of_a_client_make_no_lines(server: LiveServer) -> None:
    httpx.get(f"{server.url}/acme/no%0Ates%0D%0A%7B%22event%22%3A%22forged%22%7D", auth=server.admin)
    httpx.get(f"{server.url}/acme/notes", auth=server.admin, headers={"x-request-id": "after"})
    assert _line(server, "after")

    assert all(isinstance(json.loads(line), dict) for line in server.log)
    assert "forged" not in [json.loads(line)["event"] for line in server.log]


def test_probes_are_not_logged(server: LiveServer) -> None:
    for path in ("live", "ready", "healthcheck"):
        httpx.get(f"{server.url}/_logic/{path}", headers={"x-request-id": f"probe-{path}"})
    httpx.get(f"{server.url}/acme/notes", auth=server.admin, headers={"x-request-id": "after-probes"})
    assert _line(server, "after-probes")

    assert not [line for line in server.log if "probe-" in line and "after" not in line]
