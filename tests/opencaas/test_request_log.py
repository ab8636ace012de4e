"""The request log says what happened and never what is secret."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
import pytest
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from content_core import observe
from opencaas.logs import RequestLines
from opencaas.request_log import RequestLog, loggable_path


class _Kept(RequestLines):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[int, Mapping[str, Any]]] = []

    def write(self, level: int, fields: Mapping[str, Any]) -> None:
        self.lines.append((level, fields))


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    match scope["path"]:
        case "/broken":
            raise RuntimeError("broken")
        case "/gone":
            return
        case "/busy":
            observe.note(route="COLLECTION", principal="k1", database="acme", cache=None)
            with observe.stage("read"):
                record = observe.current()
                assert record is not None
                record.called("find", 0.25, namespace="acme.x", documents=3, failed=False)
        case "/health":
            observe.note(route="HEALTH")
    status = int(scope["query_string"] or 202)
    await PlainTextResponse("fine", status_code=status)(scope, receive, send)


async def _ask(path: str, *, method: str = "GET", **headers: str) -> tuple[httpx.Response, int, Mapping[str, Any]]:
    kept = _Kept()
    transport = httpx.ASGITransport(RequestLog(_app, lines=kept), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://caas") as client:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await client.request(method, path, headers=sent)
    (only,) = kept.lines
    return response, *only


async def test_one_line_says_method_path_status_size_and_time() -> None:
    _, level, line = await _ask("/acme/x")

    assert ("GET", "/acme/x", 202, 4) == (line["method"], line["path"], line["status"], line["bytes"])
    assert isinstance(line["ms"], float)
    assert logging.INFO == level


async def test_line_says_what_rooms_noted_and_where_the_time_went() -> None:
    _, _, line = await _ask("/busy")

    assert ("COLLECTION", "k1") == (line["route"], line["principal"])
    assert ["read"] == list(line["stages"])
    assert (1, 250.0, 3) == (line["calls"], line["db_ms"], line["documents"])
    assert not {"database", "cache"} & line.keys()


async def test_query_string_is_left_out() -> None:
    _, _, line = await _ask("/acme/x?202")

    assert "?" not in str(line)
    assert "/acme/x" == line["path"]


async def test_failure_is_masked_and_found_by_the_number_that_the_client_gets() -> None:
    response, level, line = await _ask("/broken")

    assert (500, 500, logging.ERROR) == (response.status_code, line["status"], level)
    assert line["incident"] in response.json()["message"]
    assert "broken" not in response.text
    assert line["request"] == response.headers["x-request-id"]


async def test_no_answer_to_a_client_that_went_away_is_no_failure_of_the_server() -> None:
    kept = _Kept()
    scope = {"type": "http", "method": "PUT", "path": "/gone", "headers": [], "query_string": b""}

    await RequestLog(_app, lines=kept)(scope, _nothing, _drop)

    assert 499 == kept.lines[0][1]["status"]


async def test_body_of_head_is_not_counted() -> None:
    _, _, line = await _ask("/acme/x", method="HEAD")

    assert 0 == line["bytes"]


@pytest.mark.parametrize(("status", "level"), [(200, logging.DEBUG), (503, logging.ERROR), (404, logging.INFO)])
async def test_probes_that_succeed_are_logged_at_debug_only(status: int, level: int) -> None:
    _, written, _ = await _ask(f"/health?{status}")

    assert level == written


async def test_client_gets_the_id_of_its_request() -> None:
    response, _, line = await _ask("/acme/x")

    assert line["request"] == response.headers["x-request-id"]


async def test_two_requests_have_two_ids() -> None:
    first, second = [(await _ask("/acme/x"))[2]["request"] for _ in range(2)]

    assert first != second


@pytest.mark.parametrize("sent", ["a", "Root=1-67891233-abcdef012345678912345678", "x" * 128, "a/b+c@d:e.f_g"])
async def test_sane_id_of_the_client_is_taken(sent: str) -> None:
    response, _, line = await _ask("/acme/x", X_Request_Id=sent)

    assert sent == line["request"] == response.headers["x-request-id"]


@pytest.mark.parametrize("sent", ["", "x" * 129, "a b", 'a"b', "a;b", "{a}", "é"])
async def test_other_ids_of_the_client_are_replaced(sent: str) -> None:
    kept = _Kept()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/acme/x",
        "query_string": b"",
        "headers": [(b"x-request-id", sent.encode())],
    }

    await RequestLog(_app, lines=kept)(scope, _nothing, _drop)

    assert sent != kept.lines[0][1]["request"]
    assert 16 == len(kept.lines[0][1]["request"])


@pytest.mark.parametrize("header", [b"a\r\nx-evil: 1", b"a\nb", b"a\x00b", b"a\x1b[31m"])
async def test_line_breaks_in_an_id_reach_neither_log_nor_answer(header: bytes) -> None:
    kept, sent = _Kept(), []
    scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": [(b"x-request-id", header)]}

    async def send(message: Message) -> None:
        sent.append(message)

    await RequestLog(_app, lines=kept)(scope, _nothing, send)

    (returned,) = [value for name, value in sent[0]["headers"] if name == b"x-request-id"]
    assert returned.isalnum()
    assert kept.lines[0][1]["request"].encode() == returned


async def test_websocket_has_a_line_with_how_it_was_closed() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "abc"})
        await send({"type": "websocket.close", "code": 4000})

    kept, sent = _Kept(), []

    async def send(message: Message) -> None:
        sent.append(message)

    await RequestLog(app, lines=kept)({"type": "websocket", "path": "/a/_streams/x", "headers": []}, _nothing, send)

    line = kept.lines[0][1]
    assert ("websocket", 101, 4000, 3) == (line["event"], line["status"], line["close"], line["bytes"])
    assert [(b"x-request-id", line["request"].encode())] == sent[0]["headers"]


@pytest.mark.parametrize(("kind", "counted"), [("http", [1, -1]), ("websocket", [0, 0])])
async def test_requests_are_in_flight_until_they_are_answered(kind: str, counted: list[int]) -> None:
    class Sink:
        told: ClassVar[list[float]] = []

        def count(self, name: str, n: float, labels: dict[str, str]) -> None: ...

        def duration(self, name: str, seconds: float, labels: dict[str, str]) -> None: ...

        def gauge(self, name: str, delta: float, labels: dict[str, str]) -> None:
            assert "http_requests_in_flight" == name
            self.told.append(delta)

    sink = Sink()
    observe.install(sink)
    try:
        scope = {"type": kind, "method": "GET", "path": "/gone", "headers": []}
        await RequestLog(_app, lines=_Kept())(scope, _nothing, _drop)
    finally:
        observe.install(None)

    assert counted == sink.told[-2:]


async def test_other_scopes_pass() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    kept = _Kept()
    await RequestLog(app, lines=kept)({"type": "lifespan"}, _nothing, _drop)

    assert (["lifespan"], []) == (seen, kept.lines)


async def test_events_between_belong_to_their_request(capsys: pytest.CaptureFixture[str]) -> None:
    from opencaas.logs import configure_logging

    root = logging.getLogger()
    before = (root.level, root.handlers[:])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        logging.getLogger("rest_compat.errors").error("unexpected error, incident %s", scope["path"][1:])

    try:
        configure_logging(level="info", form="json")
        log = RequestLog(app, lines=_Kept())
        scopes: list[Scope] = [
            {"type": "http", "method": "GET", "path": f"/{name}", "headers": [(b"x-request-id", name.encode())]}
            for name in ("one", "two")
        ]
        await asyncio.gather(*(log(scope, _nothing, _drop) for scope in scopes))
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        structlog.reset_defaults()

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {"unexpected error, incident one": "one", "unexpected error, incident two": "two"} == {
        line["event"]: line["request"] for line in lines
    }


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/acme/apikeys/1e0909b7", "/acme/apikeys/…"),
        ("/caas_admin/apikeys/1e0909b7/x", "/caas_admin/apikeys/…"),
        ("/acme//apikeys//1e0909b7", "/acme//apikeys//…"),
        ("/acme/APIKEYS/1e0909b7", "/acme/APIKEYS/…"),
        ("/acme/apikeys%2F1e0909b7", "/acme/apikeys%…"),
        ("/acme/apikeys", "/acme/apikeys"),
        ("/acme/apikeys/", "/acme/apikeys/"),
        ("/acme/p.preview.content/x", "/acme/p.preview.content/x"),
    ],
)
def test_keys_in_paths_are_cut_off(path: str, shown: str) -> None:
    assert shown == loggable_path(path)


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _drop(message: Message) -> None:
    del message
