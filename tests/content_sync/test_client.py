"""The client of sync jobs: what it repeats, what it gives up on, and what it never says."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.errors import AnswerError, MissingError, RefusedError, SyncError, UnreachableError
from content_sync.info import read_info
from content_sync.job import SyncOptions, run_sync
from content_sync.retry import Retrying, passing_status
from opencaas.apikeys_client import KeyClient
from opencaas.deploy import DefinitionClient
from tests.content_sync.flaky import TROUBLES, flaky_proxy
from tests.content_sync.projects import Place, ValueSource, bare, gid, medium, pages
from tests.live import LiveServer, live_server

STUBBORN = Retrying(attempts=15, first_delay=0.005, longest_delay=0.02)
QUICK = Retrying(attempts=3, first_delay=0.005, longest_delay=0.01)
SECRET = "a-key-that-nobody-sees"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("client") / "data") as running:
        yield running


@pytest.fixture
def place(server: LiveServer) -> Place:
    return Place.on(server)


def open_client(place: Place, server: str = "", **options: Any) -> SyncClient:
    chosen: dict[str, Any] = {"api_key": place.key, "retrying": QUICK} | options
    return SyncClient(server or place.url, tenant=place.tenant, project=place.project, **chosen)


@pytest.fixture
async def client(place: Place) -> AsyncIterator[SyncClient]:
    async with open_client(place) as opened:
        yield opened


async def answering(*answers: bytes) -> tuple[asyncio.Server, str, list[float]]:
    """Start a server that gives these answers in turn, the last one again and again; and when it was asked."""
    asked: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        answer = answers[min(len(asked), len(answers) - 1)]
        asked.append(time.monotonic())
        writer.write(answer)
        writer.close()

    started = await asyncio.start_server(serve, "127.0.0.1", 0)
    return started, f"http://127.0.0.1:{started.sockets[0].getsockname()[1]}", asked


def answer(status: int, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


# patience


@pytest.mark.parametrize("seed", range(3))
async def test_a_job_gets_through_every_kind_of_trouble(place: Place, seed: int) -> None:
    """Also where a write was carried out and its answer lost: it is simply done again."""
    documents, file = medium(1000, b"x" * 300_000)
    source = ValueSource({"preview": [*pages(60), *documents]}, {"preview": [file]})
    async with flaky_proxy(place.url, seed=seed) as proxy, open_client(place, proxy.url, retrying=STUBBORN) as client:
        options = SyncOptions(mode="total", bulk_documents=5)
        report = await run_sync(source, client, BucketDelivery(client, public_url=place.url), options)

    assert report.complete, report
    assert set(TROUBLES) == set(proxy.troubles)
    assert len(proxy.troubles) == report.repeated
    stored = place.stored()
    assert bare(pages(60)).items() <= bare(stored).items()
    assert 122 == len(stored)
    assert {file.file_id: 300_000} == {key: value["length"] for key, value in place.files().items()}


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_passing_trouble_is_waited_out(place: Place, status: int) -> None:
    listening, url, asked = await answering(answer(status), answer(200, body="{}"))
    async with listening, open_client(place, url) as client:
        assert await client.get("/x") == {}

    assert (2, 1) == (len(asked), client.repeated)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 501])
async def test_a_refusal_is_final(place: Place, status: int) -> None:
    listening, url, asked = await answering(answer(status, body='{"message":"the reason"}'))
    async with listening, open_client(place, url) as client:
        with pytest.raises(RefusedError, match="the reason") as caught:
            await client.get("/x")

    assert (1, status) == (len(asked), caught.value.answered)
    assert isinstance(caught.value, MissingError) is (status == 404)


async def test_trouble_that_stays_ends_the_patience(place: Place) -> None:
    listening, url, asked = await answering(answer(503))
    async with listening, open_client(place, url) as client:
        with pytest.raises(RefusedError) as caught:
            await client.put("/x", {})

    assert (3, 503) == (len(asked), caught.value.answered)


async def test_retry_after_is_honoured(place: Place) -> None:
    listening, url, asked = await answering(answer(429, "Retry-After: 1"), answer(200, body="{}"))
    async with listening, open_client(place, url) as client:
        await client.get("/x")

    assert asked[1] - asked[0] >= 1


def test_delays_grow_and_end() -> None:
    retrying = Retrying(first_delay=1, longest_delay=8, longest_wait=60)

    for attempt, whole in ((1, 1), (2, 2), (3, 4), (4, 8), (9, 8), (2000, 8)):
        assert whole / 2 <= retrying.delay(attempt) <= whole


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("7", 7, 7),
        ("9999999", 60, 60),
        ("soon", 0.5, 1),
        ("-3", 0.5, 1),
        ("", 0.5, 1),
    ],
)
def test_retry_after_is_read_and_bounded(text: str, least: float, most: float) -> None:
    retrying = Retrying(first_delay=1, longest_wait=60)

    assert least <= retrying.delay(1, httpx.Response(429, headers={"retry-after": text})) <= most


@pytest.mark.parametrize(("seconds", "least", "most"), [(30, 28, 30), (-86_400, 0, 0), (9_000, 60, 60)])
def test_retry_after_may_be_a_date(seconds: int, least: float, most: float) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    retrying = Retrying(first_delay=1, longest_wait=60)

    assert least <= retrying.delay(1, httpx.Response(429, headers={"retry-after": date})) <= most


def test_which_statuses_pass() -> None:
    assert [408, 429, 500, 502, 503, 504] == [status for status in range(200, 505) if passing_status(status)]


# what is said


async def test_the_key_is_in_no_message(place: Place) -> None:
    listening, url, _ = await answering(answer(401))
    async with listening, open_client(place, url, api_key=SECRET) as client:
        with pytest.raises(RefusedError) as refused:
            await client.get("/x")
    async with open_client(place, "http://127.0.0.1:9", api_key=SECRET) as client:
        with pytest.raises(UnreachableError) as unreachable:
            await client.get("/x")
    with pytest.raises(SyncError) as broken:
        open_client(place, api_key=f"{SECRET}\n")

    for caught in (refused, unreachable, broken):
        assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.details} {caught.value.hint}"
    assert SECRET not in repr(client) + str(vars(client))


@pytest.mark.parametrize("key", [f"{SECRET} ", f" {SECRET}", f"{SECRET}\t", f"a\x01{SECRET}", f"a\n{SECRET}", "", " "])
def test_a_key_that_no_header_can_carry_is_refused_and_not_told(key: str) -> None:
    """Libraries would quote the whole header."""
    for opening in (
        lambda: SyncClient("http://127.0.0.1:9", api_key=key, tenant="t", project="p"),
        lambda: DefinitionClient("http://127.0.0.1:9", key, "t"),
        lambda: KeyClient("http://127.0.0.1:9", "t", api_key=key),
    ):
        with pytest.raises(SyncError, match="the API key") as caught:
            opening()
        assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.details} {caught.value.hint}"


async def test_a_redirection_is_told_and_not_followed(place: Place) -> None:
    listening, url, asked = await answering(answer(301, "Location: https://caas.example/x?y=z"))
    async with listening, open_client(place, url) as client:
        with pytest.raises(RefusedError) as refused:
            await client.get("/x")
    assert 1 == len(asked)
    assert "https://caas.example/x" in str(refused.value.hint)


async def test_a_silent_server_is_told_with_the_time(place: Place) -> None:
    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the client gives up
        writer.close()
        await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        async with open_client(place, url, timeout=0.2, retrying=Retrying(attempts=1)) as client:
            with pytest.raises(UnreachableError, match=r"silent for 0\.2 seconds"):
                await client.get("/x")
        await ended.wait()


def test_certificates_that_cannot_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bundle.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bundle.pem"))
    with pytest.raises(SyncError, match="certificates") as broken:
        SyncClient("https://127.0.0.1:9", api_key="k", tenant="t", project="p")
    assert "SSL_CERT_FILE" in str(broken.value.hint)


@pytest.mark.parametrize("name", [".", ".."])
def test_names_that_lead_elsewhere_are_no_addresses(place: Place, name: str) -> None:
    with pytest.raises(SyncError, match="no names"):
        open_client(place).path("bucket.files", name)


@pytest.mark.parametrize("body", ["{}", "[1]", "[{}]", '{"_size": null}'])
async def test_info_of_what_is_no_caas_server(place: Place, body: str) -> None:
    listening, url, _ = await answering(answer(200, body=body))
    async with listening, open_client(place, url) as client:
        with pytest.raises(AnswerError):
            await read_info(client, project=place.project)


@pytest.mark.parametrize("address", ["", "localhost", "ftp://localhost", "http://"])
async def test_what_is_no_address_is_said_so(place: Place, address: str) -> None:
    with pytest.raises(SyncError, match="is no server address"):
        SyncClient(address, api_key="k", tenant=place.tenant, project=place.project)


@pytest.mark.parametrize("body", ["<html>", "3", '{"a": 1}', '[{"a": 1}]'])
async def test_what_is_no_caas_server_is_said_so(place: Place, body: str) -> None:
    listening, url, _ = await answering(answer(200, body=body))
    async with listening, open_client(place, url) as client:
        with pytest.raises(AnswerError):
            [each async for each in client.list_ids("c")]


# reading and writing


async def test_ids_are_listed_once_each_whatever_their_number(client: SyncClient, place: Place) -> None:
    collection = client.collection("preview")
    place.request("PUT", f"/{collection}", {})
    documents = [{"_id": f"{number:04}", "n": number} for number in range(300)]
    await client.bulk_post(collection, [*documents, {"n": "without an id of its own"}])

    assert documents == [each async for each in client.list_ids(collection, ("n",))]
    assert documents[17:200] == [
        each async for each in client.list_ids(collection, ("n",), first="0017", before="0200")
    ]
    assert [] == [each async for each in client.list_ids(collection, condition={"n": -1})]


async def test_bulk_writes_tell_of_each_failure(client: SyncClient, place: Place) -> None:
    collection = client.collection("preview")
    place.request("PUT", f"/{collection}", {})
    place.request("PUT", f"/{collection}/_indexes/once", {"keys": {"n": 1}, "ops": {"unique": True}})
    await client.bulk_post(collection, [{"_id": "a", "n": 1}, {"_id": "b", "n": 2}])

    outcome = await client.bulk_post(collection, [{"_id": "a", "n": 5}, {"_id": "c", "n": 2}, b'{"_id":"d","n":4}'])

    assert (1, 1, [1]) == (outcome.inserted, outcome.replaced, list(outcome.failed))
    assert 409 == outcome.failed[1].status
    assert 2 == await client.bulk_delete(collection, {"n": {"$gt": 3}})


async def test_files_bring_their_digests_back(client: SyncClient, place: Place) -> None:
    _, file = medium(5, b"five")
    bucket = client.bucket("preview")
    assert {} == await client.file_digests(bucket)
    place.request("PUT", f"/{bucket}", {})

    await client.upload(bucket, file)

    assert {gid(5): file.digest} == await client.file_digests(bucket)
    assert "text/plain" == place.files()[gid(5)]["metadata"]["contentType"]
    assert (True, False) == (await client.delete_file(bucket, gid(5)), await client.delete_file(bucket, gid(5)))


async def test_a_dry_run_sends_nothing_that_writes(place: Place) -> None:
    _, file = medium(5, b"five")
    listening, url, asked = await answering(answer(500))
    async with listening, open_client(place, url, dry_run=True) as client:
        await client.put("/x", {})
        await client.post("/x", {})
        await client.patch("/x", {})
        await client.upload("b.files", file)
        assert await client.delete("/x")
        assert 2 == (await client.bulk_post("c", [{}, {}])).inserted

    assert [] == asked
