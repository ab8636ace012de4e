"""The bytes of files over a socket: whole, in parts, and safe to look at."""

import asyncio
import base64
import os
import zlib
from typing import Final

import httpx
import pytest

from content_core.store import Store, chunks_of
from opencaas.compression import Compression
from rest_compat.binaries import disposition
from tests.buckets import FILES
from tests.patience import PATIENCE
from tests.rest_compat.serving import serving
from tests.rest_compat.test_files import PNG, form, upload

SIZE: Final = 2_600_000
"""Two batches of the store."""


async def test_binary_has_the_documented_headers(remote: httpx.AsyncClient, bucket: str) -> None:
    stored = await upload(remote, bucket, metadata={"filename": "logo.png"})
    for method in ("GET", "HEAD"):
        response = await remote.request(method, f"{bucket}/a/binary")
        assert 200 == response.status_code
        assert {
            "content-type": "image/png",
            "content-length": str(len(PNG)),
            "content-disposition": 'inline; filename="logo.png"',
            "content-transfer-encoding": "binary",
            "accept-ranges": "bytes",
            "etag": stored.headers["etag"],
            "x-content-type-options": "nosniff",
        }.items() <= dict(response.headers).items()
        assert "content-security-policy" not in response.headers
        assert (PNG if method == "GET" else b"") == response.content


async def test_version_that_is_known_is_304(remote: httpx.AsyncClient, bucket: str) -> None:
    etag = (await upload(remote, bucket)).headers["etag"]
    for known in (etag, f'"{etag}"', f'W/"{etag}"', f"0123456789abcdef01234567, {etag}"):
        response = await remote.get(f"{bucket}/a/binary", headers={"If-None-Match": known})
        assert (304, b"", etag) == (response.status_code, response.content, response.headers["etag"])
    assert 200 == (await remote.get(f"{bucket}/a/binary", headers={"If-None-Match": "x"})).status_code


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=261119-261120", 261_119, 261_121),
        ("bytes=2599999-", SIZE - 1, SIZE),
        ("bytes=-500", SIZE - 500, SIZE),
        ("bytes=-9999999", 0, SIZE),
        ("bytes=5-99999999", 5, SIZE),
        ("Bytes = 7 - 9", 7, 10),
    ],
)
async def test_single_range_is_206(remote: httpx.AsyncClient, bucket: str, wanted: str, start: int, stop: int) -> None:
    data = os.urandom(SIZE)
    await upload(remote, bucket, data=data)
    response = await remote.get(f"{bucket}/a/binary", headers={"Range": wanted})
    assert 206 == response.status_code
    assert f"bytes {start}-{stop - 1}/{SIZE}" == response.headers["content-range"]
    assert str(stop - start) == response.headers["content-length"]
    assert data[start:stop] == response.content
    head = await remote.head(f"{bucket}/a/binary", headers={"Range": wanted})
    assert (206, response.headers["content-range"]) == (head.status_code, head.headers["content-range"])


@pytest.mark.parametrize("wanted", ["bytes=300-", "bytes=264-", "bytes=-0", "bytes=264-300"])
async def test_range_outside_the_file_is_416(remote: httpx.AsyncClient, bucket: str, wanted: str) -> None:
    await upload(remote, bucket)
    response = await remote.get(f"{bucket}/a/binary", headers={"Range": wanted})
    assert (416, f"bytes */{len(PNG)}") == (response.status_code, response.headers["content-range"])
    assert (416, "Range Not Satisfiable") == tuple(response.json().values())[:2]


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,3-4", "bytes=x-y", "bytes=5-2", "bytes=-", "lines=0-1", "bytes", "", "bytes=0x1-2", "bytes=²-"],
)
async def test_other_ranges_give_the_whole_file(remote: httpx.AsyncClient, bucket: str, wanted: str) -> None:
    await upload(remote, bucket)
    response = await remote.get(f"{bucket}/a/binary", headers=[(b"Range", wanted.encode())])
    assert (200, PNG) == (response.status_code, response.content)
    assert "content-range" not in response.headers


async def test_if_range_takes_the_part_of_the_same_version_only(remote: httpx.AsyncClient, bucket: str) -> None:
    etag = (await upload(remote, bucket)).headers["etag"]
    for known, status in ((etag, 206), (f'"{etag}"', 206), (f'W/"{etag}"', 200), ("x", 200), ("", 200)):
        response = await remote.get(f"{bucket}/a/binary", headers={"Range": "bytes=0-1", "If-Range": known})
        assert status == response.status_code, known


async def test_part_of_an_empty_file(remote: httpx.AsyncClient, bucket: str) -> None:
    await upload(remote, bucket, data=b"")
    response = await remote.get(f"{bucket}/a/binary")
    assert (200, b"", "0") == (response.status_code, response.content, response.headers["content-length"])
    assert 416 == (await remote.get(f"{bucket}/a/binary", headers={"Range": "bytes=0-"})).status_code


async def test_range_reads_only_the_chunks_that_hold_it(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str
) -> None:
    data = os.urandom(SIZE)
    await upload(remote, bucket, data=data)
    await store.delete_many(tenant, chunks_of(FILES), filter={"n": {"$ne": 2}})
    response = await remote.get(f"{bucket}/a/binary", headers={"Range": "bytes=522240-783359"})
    assert data[522_240:783_360] == response.content


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html", "TEXT/HTML; charset=utf-8", "image/svg+xml", "application/xhtml+xml", "text/xml",
        "application/xml", "application/rss+xml", "text/javascript",
    ],
)  # fmt: skip
async def test_types_that_a_browser_runs_are_boxed_in(
    remote: httpx.AsyncClient, bucket: str, content_type: str
) -> None:
    await upload(remote, bucket, data=b"<script>alert(1)</script>", metadata={"contentType": content_type})
    response = await remote.get(f"{bucket}/a/binary")
    assert content_type == response.headers["content-type"]
    assert "nosniff" == response.headers["x-content-type-options"]
    assert "sandbox" == response.headers["content-security-policy"]


async def test_type_of_another_program_cannot_break_out_of_its_header(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str
) -> None:
    await upload(remote, bucket)
    for broken in ("text/html\r\nSet-Cookie: a=b", 5, "x", None):
        change = {"$set": {"metadata.contentType": broken, "filename": 'a"\r\nX: y'}}
        await store.update_many(tenant, FILES, filter={}, update=change)
        response = await remote.get(f"{bucket}/a/binary")
        assert "application/octet-stream" == response.headers["content-type"]
        assert "set-cookie" not in response.headers
        assert "x" not in response.headers


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("logo.png", 'inline; filename="logo.png"'),
        ("Übersicht 1.pdf", "inline; filename=\"_bersicht 1.pdf\"; filename*=UTF-8''%C3%9Cbersicht%201.pdf"),
        ('a"b\\c', "inline; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc"),
        ("a\r\nX: y", "inline; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
        ("\ud800", "inline; filename=\"_\"; filename*=UTF-8''%3F"),
    ],
)
def test_disposition(filename: str, expected: str) -> None:
    assert expected == disposition(filename)


async def test_what_is_missing_is_404(remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str) -> None:
    await store.insert(tenant, FILES, {"_id": "bare"})
    for name in ("none", "bare"):
        response = await remote.get(f"{bucket}/{name}/binary")
        assert (404, f"File with ID <{name}> not found") == (response.status_code, response.json()["message"])
    response = await remote.get(f"/{tenant}/none.files/a/binary")
    assert (404, "File Bucket 'none.files' does not exist") == (response.status_code, response.json()["message"])
    await upload(remote, bucket)
    assert 404 == (await remote.get(f"{bucket}/a/binary", params={"filter": '{"length": -1}'})).status_code
    for method in ("PUT", "POST", "PATCH", "DELETE"):
        assert 405 == (await remote.request(method, f"{bucket}/a/binary")).status_code


async def test_file_without_its_bytes_is_500_with_a_reason(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str
) -> None:
    await upload(remote, bucket)
    await store.delete_many(tenant, chunks_of(FILES), filter={"n": 0})
    response = await remote.get(f"{bucket}/a/binary")
    assert 500 == response.status_code
    assert "The bytes of the file are not there" in response.json()["message"]


async def test_file_that_loses_its_bytes_in_the_middle_is_cut_off(
    remote: httpx.AsyncClient, bucket: str, store: Store, tenant: str
) -> None:
    await upload(remote, bucket, data=os.urandom(SIZE))
    await store.delete_many(tenant, chunks_of(FILES), filter={"n": 9})
    with pytest.raises(httpx.RemoteProtocolError):
        await remote.get(f"{bucket}/a/binary")
    assert 200 == (await remote.get(f"{bucket}/a")).status_code


async def test_download_goes_on_while_the_file_is_replaced_or_is_cut_off(
    remote: httpx.AsyncClient, bucket: str
) -> None:
    old, new = b"o" * 20_000_000, b"n" * 20_000_000
    await upload(remote, bucket, data=old)

    async def read() -> bytes | None:
        try:
            return (await remote.get(f"{bucket}/a/binary")).content
        except httpx.RemoteProtocolError:
            return None

    results = await asyncio.gather(upload(remote, bucket, data=new), *(read() for _ in range(6)))
    assert {old, new, None} >= {result for result in results if not isinstance(result, httpx.Response)}
    assert new == await read()


async def test_binaries_are_streamed_and_not_compressed(
    transport: httpx.ASGITransport, remote: httpx.AsyncClient, bucket: str
) -> None:
    text = zlib.decompress(zlib.compress(b"compressible " * 300_000))
    await upload(remote, bucket, data=text, part_type="text/plain")
    sizes: list[int] = []

    async def watched(scope: object, receive: object, send: object) -> None:
        async def note(message: dict[str, object]) -> None:
            body = message.get("body", b"")
            assert isinstance(body, bytes)
            sizes.append(len(body))
            await send(message)  # type: ignore[operator]

        await Compression(transport.app, level=9)(scope, receive, note)  # type: ignore[arg-type]

    async with serving(watched) as client:
        response = await client.get(f"{bucket}/a/binary", headers={"Accept-Encoding": "gzip"})
    assert text == response.content
    assert "content-encoding" not in response.headers
    assert max(sizes) <= 261_120 < len(text)


async def test_client_that_goes_away_stops_the_download(
    remote: httpx.AsyncClient, bucket: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upload(remote, bucket, data=bytes(40_000_000))
    reads: list[int] = []
    read_chunks = type(store.bucket("d", "x.files"))._read_chunks

    async def counted(self: object, file: object, first: int, end: int) -> list[bytes]:
        reads.append(first)
        return await read_chunks(self, file, first, end)  # type: ignore[arg-type]

    monkeypatch.setattr("content_core.store.files.FileBucket._read_chunks", counted)
    reader, writer = await asyncio.open_connection(remote.base_url.host, remote.base_url.port)
    login = base64.b64encode(b"admin:correct horse").decode()
    writer.write(f"GET {bucket}/a/binary HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\n\r\n".encode())
    await reader.readexactly(1000)
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(PATIENCE):
        seen = -1
        while seen != len(reads):
            seen = len(reads)
            await asyncio.sleep(0.5)
    assert len(reads) < 40
    assert PNG == (await remote.get((await remote.post(bucket, **form())).headers["location"] + "/binary")).content
