"""Answers are compressed for those who ask, small ones and media never, and HEAD says what GET would."""

import zlib
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from opencaas.compression import Compression, choose_coding
from tests.live import LiveServer

LARGE: Final = b'{"text": "' + b"all work and no play " * 1000 + b'"}'
ETAG: Final = "64a51c0de3b1f20f4d7a2002"


def app(body: bytes = LARGE, *, status: int = 200, **headers: str) -> ASGIApp:
    named = {"Content-Type": "application/json", "ETag": ETAG}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(body, status_code=status, headers=named)(scope, receive, send)

    return answer


async def ask(inner: ASGIApp, accepted: str | None = "gzip", *, method: str = "GET", level: int = 1) -> httpx.Response:
    transport = httpx.ASGITransport(Compression(inner, level=level))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://caas", headers={"Accept-Encoding": ""}
    ) as client:
        if accepted is None:
            client.headers.pop("Accept-Encoding")
        else:
            client.headers["Accept-Encoding"] = accepted
        async with client.stream(method, "/") as response:
            response.extensions["raw"] = b"".join([part async for part in response.aiter_raw()])
            return response


def raw(response: httpx.Response) -> bytes:
    body: bytes = response.extensions["raw"]
    return body


@pytest.mark.parametrize(("coding", "bits"), [("gzip", 31), ("deflate", 15)])
async def test_gzip_and_deflate_shrink_an_answer(coding: str, bits: int) -> None:
    response = await ask(app(), coding)

    assert coding == response.headers["content-encoding"]
    assert LARGE == zlib.decompress(raw(response), bits)
    assert len(raw(response)) < len(LARGE) // 10
    assert str(len(raw(response))) == response.headers["content-length"]
    assert (ETAG, "Accept-Encoding") == (response.headers["etag"], response.headers["vary"])


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0.5, identity;q=1"])
async def test_answer_stays_as_it_is_for_others(accepted: str | None) -> None:
    response = await ask(app(), accepted)

    assert (LARGE, None) == (raw(response), response.headers.get("content-encoding"))
    assert "Accept-Encoding" == response.headers["vary"]


@pytest.mark.parametrize(
    ("inner", "why"),
    [
        (app(b"x" * 499), "small"),
        (app(Content_Type="image/png"), "an image"),
        (app(Content_Type="application/octet-stream"), "a file"),
        (app(Content_Type="application/pdf"), "a document"),
        (app(Content_Type="text/event-stream"), "events"),
        (app(Content_Type="text/css", Accept_Ranges="bytes"), "a file whose parts can be asked for"),
        (app(Content_Type="text/css", Content_Range="bytes 0-9/10", status=206), "a part"),
        (app(Content_Encoding="br"), "compressed already"),
        (app(b"", status=204), "nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_small_and_media_answers_are_not_compressed(inner: ASGIApp, why: str) -> None:
    plain, asked = await ask(inner, "identity"), await ask(inner, "gzip")

    assert raw(plain) == raw(asked), why
    assert plain.headers == asked.headers


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8", "application/hal+json", "application/graphql-response+json", "text/html",
        "APPLICATION/JSON", "application/javascript", "image/svg+xml", "application/xml",
    ],
)  # fmt: skip
async def test_text_is_compressed_whatever_it_is_called(content_type: str) -> None:
    assert "gzip" == (await ask(app(Content_Type=content_type))).headers["content-encoding"]


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
@pytest.mark.parametrize("body", [LARGE, b"{}"])
async def test_head_has_the_headers_of_get(accepted: str, body: bytes) -> None:
    get, head = await ask(app(body), accepted), await ask(app(body), accepted, method="HEAD")

    assert get.headers == head.headers
    assert b"" == raw(head)


async def test_not_modified_varies_as_the_answer_would() -> None:
    assert "Origin, Accept-Encoding" == (await ask(app(b"", status=304, Vary="Origin"))).headers["vary"]


async def test_answer_over_the_thread_limit_is_whole() -> None:
    body = LARGE * 20

    assert body == zlib.decompress(raw(await ask(app(body))), 31)


async def test_streamed_answer_passes_in_its_parts() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield LARGE

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(parts(), media_type="application/json")(scope, receive, send)

    response = await ask(answer)

    assert (LARGE * 3, None) == (raw(response), response.headers.get("content-encoding"))


async def test_level_0_switches_it_off() -> None:
    response = await ask(app(), level=0)

    assert (LARGE, False) == (raw(response), "vary" in response.headers)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("deflate, gzip;q=0.5", "deflate"),
        ("x-gzip", "gzip"),
        ("*", "gzip"),
        ("*, gzip;q=0", "deflate"),
        ("GZIP;Q=1", "gzip"),
        ("gzip;q=nonsense", None),
        ("gzip;q=1;q=0", "gzip"),
        (";;,,=", None),
    ],
)
def test_coding_is_chosen_by_weight(accepted: str, coding: Any) -> None:
    assert coding == choose_coding(accepted)


def test_head_has_no_body_on_a_socket(demo: LiveServer) -> None:
    """On one connection: a body that came all the same would be read as the next answer."""
    facts = demo.facts
    path = f"/{facts['tenant']}/{facts['project']}.preview.content?pagesize=100"
    with demo.client(headers={"authorization": f"Bearer {facts['api_key']}"}) as client:
        for accepted in ("gzip", "identity"):
            client.headers["accept-encoding"] = accepted
            head, get = client.head(path), client.get(path)

            assert (200, 200, b"") == (head.status_code, get.status_code, head.content)
            same = ("content-length", "content-encoding", "content-type", "vary")
            assert [head.headers.get(name) for name in same] == [get.headers.get(name) for name in same]
            assert ("gzip" if accepted == "gzip" else None) == get.headers.get("content-encoding")
            assert len(get.json()["_embedded"]["rh:doc"]) == 100
