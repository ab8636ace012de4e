"""The request log says what happened and never what is secret."""

import httpx
import pytest
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from opencaas.request_log import RequestLog, loggable_path


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/broken":
        raise RuntimeError("broken")
    await PlainTextResponse("fine", status_code=202)(scope, receive, send)


async def _logged(path: str) -> dict[str, object]:
    transport = httpx.ASGITransport(RequestLog(_app), raise_app_exceptions=False)
    with structlog.testing.capture_logs() as entries:
        async with httpx.AsyncClient(transport=transport, base_url="http://caas") as client:
            await client.get(path)
    assert 1 == len(entries)
    return dict(entries[0])


async def test_one_line_says_method_path_status_size_and_time() -> None:
    entry = await _logged("/acme/x")

    assert ("GET", "/acme/x", 202, 4) == (entry["method"], entry["path"], entry["status"], entry["bytes"])
    assert isinstance(entry["ms"], float)


async def test_query_string_is_left_out() -> None:
    assert "token" not in str(await _logged("/acme/x?securetoken=token"))


async def test_failure_counts_as_500() -> None:
    assert 500 == (await _logged("/broken"))["status"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/acme/apikeys/1e0909b7", "/acme/apikeys/…"),
        ("/caas_admin/apikeys/1e0909b7/x", "/caas_admin/apikeys/…"),
        ("/acme/apikeys", "/acme/apikeys"),
        ("/acme/p.preview.content/x", "/acme/p.preview.content/x"),
    ],
)
def test_keys_in_paths_are_cut_off(path: str, shown: str) -> None:
    assert shown == loggable_path(path)
