"""Uploads that are not what they should be, over a socket: the right status, nothing lost, nothing left behind."""

import asyncio
import base64
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from content_core.store import ChangeFeed, Store
from content_core.store.embedded import EmbeddedMongo
from rest_compat import RestSettings
from tests.buckets import FILES, expire_notes, left_over
from tests.patience import PATIENCE
from tests.rest_compat.serving import make_app, serving
from tests.rest_compat.test_files import PNG, form, shown, upload

BIG: Final = 3_000_000
NO_FILE: Final = "This request does not contain any binary file"
END: Final = b"\r\n--X--\r\n"

Begin = Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def part(name: str, body: bytes = b"", filename: str | None = None, *headers: bytes) -> bytes:
    """Write one part of a body whose boundary is X."""
    named = f'; filename="{filename}"' if filename is not None else ""
    head = [f'Content-Disposition: form-data; name="{name}"{named}'.encode(), *headers]
    return b"--X\r\n" + b"\r\n".join(head) + b"\r\n\r\n" + body


def whole(*parts: bytes) -> bytes:
    return b"\r\n".join(parts) + END


async def until(look: Callable[[], Awaitable[Any]], *, wanted: bool) -> None:
    """Wait until there is something to be seen, or nothing any more."""
    async with asyncio.timeout(PATIENCE):
        while bool(await look()) is not wanted:  # noqa: ASYNC110  # MongoDB has no event for it
            await asyncio.sleep(0.02)


async def send(
    remote: httpx.AsyncClient, path: str, body: Any, content_type: str = "multipart/form-data; boundary=X"
) -> httpx.Response:
    return await remote.post(path, content=body, headers={"Content-Type": content_type})


LIMITED: Final = RestSettings(max_file_bytes=4_000_000, max_file_metadata_bytes=1000, max_upload_parts=4)


@pytest.fixture
def settings() -> RestSettings:
    return LIMITED


@pytest.fixture
def begin(remote: httpx.AsyncClient) -> Begin:
    """Begin a request on a connection of one's own."""

    async def begin_request(path: str, body: bytes, length: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = urlsplit(str(remote.base_url))
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        login = base64.b64encode(b"admin:correct horse").decode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\nContent-Length: {length}\r\n"
            "Content-Type: multipart/form-data; boundary=X\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        return reader, writer

    return begin_request


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (whole(part("metadata", b"{}")), NO_FILE),
        (whole(part("file", PNG)), NO_FILE),
        (whole(part("file", PNG, "")), NO_FILE),
        (whole(part("metadata", b"{"), part("file", PNG, "a")), "the metadata is no JSON"),
        (whole(part("metadata", b"[1]"), part("file", PNG, "a")), "must be a JSON object"),
        (whole(part("metadata", b"5"), part("file", PNG, "a")), "must be a JSON object"),
        (whole(part("metadata", b"\xff\xfe"), part("file", PNG, "a")), "not encoded as UTF-8"),
        (whole(part("metadata", b'{"$set":{"a":1}}'), part("file", PNG, "a")), "update operator"),
        (whole(part("metadata", b'{"filename":""}'), part("file", PNG, "a")), "'filename'"),
        (whole(part("metadata", b'{"contentType":"a b"}'), part("file", PNG, "a")), "'contentType'"),
        (whole(part("file", PNG, "a"), part("metadata", b"{")), "the metadata is no JSON"),
        (part("file", PNG, "a"), "ends before its last boundary"),
        (part("file", PNG, "a") + b"\r\n--X", "ends before its last boundary"),
        (b"", "ends before its last boundary"),
        (PNG, "is no multipart/form-data"),
        (b"--Y\r\n\r\n", "is no multipart/form-data"),
        (b"--X\r\n\r\nx" + END, "has no name"),
        (b"--X\r\nContent-Disposition: form-data\r\n\r\nx" + END, "has no name"),
        (b"--X\r\nbroken\r\n\r\nx" + END, "is no multipart/form-data"),
        (b"--X\r\n" + b"a: b\r\n" * 50 + b"\r\nx" + END, "is no multipart/form-data"),
        (whole(*[part(f"p{number}") for number in range(5)]), "too many parts"),
    ],
)
async def test_broken_multipart_is_400(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, body: bytes, message: str
) -> None:
    response = await send(remote, bucket, body)
    assert 400 == response.status_code, response.text
    assert message in response.json()["message"]
    assert [] == await left_over(store, tenant)
    assert 0 == await store.count(tenant, FILES, {})


@pytest.mark.parametrize(
    ("content_type", "status", "message"),
    [
        ("multipart/form-data", 400, "no boundary"),
        ("multipart/form-data; boundary=", 400, "no boundary"),
        ('multipart/form-data; boundary=""', 400, "no boundary"),
        (f"multipart/form-data; boundary={'x' * 300}", 400, "boundary cannot be one"),
        ("multipart/form-data; boundary=Y", 400, "is no multipart/form-data"),
        ("multipart/mixed; boundary=X", 415, "must be multipart/form-data"),
        ("application/json", 415, "must be multipart/form-data"),
        ("image/png", 415, "must be multipart/form-data"),
        ("", 415, "must be multipart/form-data"),
    ],
)
async def test_other_types_of_bodies(
    remote: httpx.AsyncClient, bucket: str, content_type: str, status: int, message: str
) -> None:
    response = await send(remote, bucket, whole(part("file", PNG, "a")), content_type)
    assert (status, True) == (response.status_code, message in response.json()["message"]), response.text


async def test_put_and_patch_take_their_own_types_only(remote: httpx.AsyncClient, bucket: str) -> None:
    await upload(remote, bucket)
    before = await shown(remote, bucket)
    path = f"{bucket}/a"
    assert 415 == (await remote.put(path, content=PNG, headers={"Content-Type": "image/png"})).status_code
    assert 415 == (await remote.patch(path, data={"a": "b"})).status_code
    response = await remote.patch(path, **form())
    assert (400, True) == (response.status_code, "PATCH takes metadata" in response.json()["message"])
    compressed = await remote.put(path, **form(), headers={"Content-Encoding": "gzip"})
    assert 415 == compressed.status_code
    assert before == await shown(remote, bucket)


async def test_other_parts_are_ignored(remote: httpx.AsyncClient, bucket: str) -> None:
    body = whole(
        part("note", b"x"), part("picture", PNG, "a.png"), part("file", b"second", "b.txt"), part("metadata", b"{a:1}")
    )
    location = (await send(remote, bucket, body)).headers["location"]
    assert PNG == (await remote.get(location + "/binary")).content
    file = (await remote.get(location)).json()
    assert ("a.png", 1) == (file["filename"], file["metadata"]["a"])


async def test_names_of_files_in_old_spellings(remote: httpx.AsyncClient, bucket: str) -> None:
    for disposition, expected in (
        ("form-data; name=f; filename=plain.png", "plain.png"),
        ("form-data; name=f; filename*=UTF-8''%C3%BC.png", "ü.png"),
        ('form-data; name=f; filename="C:\\\\pictures\\\\a.png"', "a.png"),
        ('form-data; name=f; filename="a;b.png"', "a;b.png"),
    ):
        body = b"--X\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\nx" + END
        response = await send(remote, bucket, body)
        assert 201 == response.status_code, response.text
        assert expected == (await remote.get(response.headers["location"])).json()["filename"]


@pytest.mark.parametrize(
    ("file", "metadata"), [(4_000_001, 10), (10, 1001), (4_500_000, 10), (6_000_000, 10), (10, 2_000_000)]
)
async def test_more_than_the_limit_is_413(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, file: int, metadata: int
) -> None:
    await upload(remote, bucket)
    text = b'{"a":"' + b"x" * (metadata - 8) + b'"}'
    body = whole(part("metadata", text), part("file", bytes(file), "a"))

    async def pieces() -> Any:  # without a length, so that the limit is found on the way
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for content in (body, pieces()):
        response = await remote.put(
            f"{bucket}/a", content=content, headers={"Content-Type": "multipart/form-data; boundary=X"}
        )
        assert 413 == response.status_code
        assert "over the limit" in response.json()["message"]
    assert PNG == (await remote.get(f"{bucket}/a/binary")).content
    assert [] == await left_over(store, tenant)


async def test_limits_themselves_are_allowed(remote: httpx.AsyncClient, bucket: str) -> None:
    text = '{"a":"' + "x" * 992 + '"}'
    response = await remote.post(bucket, **form(bytes(4_000_000), text))
    assert 201 == response.status_code, response.text


@pytest.mark.parametrize("settings", [replace(LIMITED, upload_idle_seconds=0.5)], ids=["impatient"])
@pytest.mark.parametrize("size", [10, BIG])
async def test_client_that_stops_sending_is_408(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, begin: Begin, size: int
) -> None:
    reader, writer = await begin(bucket, part("file", os.urandom(size), "a"), size + 1_000)
    answer = await asyncio.wait_for(reader.read(5_000), PATIENCE)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"nothing of the body came" in answer
    writer.close()
    assert [] == await left_over(store, tenant)
    assert 0 == await store.count(tenant, FILES, {})


@pytest.mark.parametrize("size", [0, 10, BIG])
@pytest.mark.parametrize("how", ["close", "abort", "half"])
async def test_client_that_goes_away_leaves_nothing(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, begin: Begin, size: int, how: str
) -> None:
    await upload(remote, bucket)
    body = part("metadata", b'{"_id":"a"}') + b"\r\n" + part("file", os.urandom(size), "a")
    reader, writer = await begin(bucket, body, len(body) + 10_000)
    if size == BIG:
        await until(lambda: left_over(store, tenant), wanted=True)
    match how:
        case "close":
            writer.close()
        case "abort":
            writer.transport.abort()
        case _:
            writer.write_eof()
            await asyncio.wait_for(reader.read(), PATIENCE)
            writer.close()

    await until(lambda: left_over(store, tenant), wanted=False)
    assert PNG == (await remote.get(f"{bucket}/a/binary")).content


async def test_refusals_come_before_the_bytes(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str, begin: Begin
) -> None:
    """What can be told at once is told at once, and not when 200 MB have been sent."""
    for path, status in ((f"/{tenant}/none.files", 404), (f"{bucket}?id_type=odd", 400), (f"{bucket}?filter=x", 400)):
        reader, writer = await begin(path, part("file", b"", "a"), 3_000_000)
        answer = await asyncio.wait_for(reader.read(5_000), PATIENCE)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        writer.close()


async def test_mongodb_killed_in_the_middle_is_500_and_nothing_is_lost(tmp_path: Path) -> None:
    quick = "/?serverSelectionTimeoutMS=2000&"
    with EmbeddedMongo(tmp_path / "data") as mongo:
        store = Store.open(mongo.uri.replace("/?", quick))
        feed = ChangeFeed(store)
        app = await make_app(store, feed)
        async with serving(app) as remote:
            await remote.put("/acme")
            await remote.put(f"/acme/{FILES}")
            await upload(remote, f"/acme/{FILES}")

            async def pieces() -> Any:
                yield part("file", os.urandom(BIG), "b")
                assert mongo.pid is not None
                os.kill(mongo.pid, signal.SIGKILL)
                yield os.urandom(BIG) + END

            response = await remote.put(
                f"/acme/{FILES}/a", content=pieces(), headers={"Content-Type": "multipart/form-data; boundary=X"}
            )
            assert 500 == response.status_code
            assert "MongoDB" in response.json()["message"]
        await store.close()
    with EmbeddedMongo(tmp_path / "data") as mongo:
        store = Store.open(mongo.uri)
        async with serving(await make_app(store, ChangeFeed(store))) as remote:
            assert PNG == (await remote.get(f"/acme/{FILES}/a/binary")).content
            await expire_notes(store, "acme")
            await upload(remote, f"/acme/{FILES}", "b")
        assert [] == await left_over(store, "acme")
        await store.close()
