"""File buckets of a real server: what is sent, what is not, what goes."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import httpx
import psutil
import pytest

from content_core.names import STATES, files_bucket
from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.errors import RefusedError
from content_sync.retry import Retrying
from tests.content_sync.media.samples import GID, OTHER, media_file
from tests.content_sync.projects import Place
from tests.live import LiveServer, live_server

RIDGE = media_file(b"the ridge")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("media") / "data") as running:
        yield running


@pytest.fixture
def place(server: LiveServer) -> Place:
    found = Place.on(server)
    for state in STATES:
        found.request("PUT", f"/{files_bucket(found.project, state)}")
    return found


@pytest.fixture
async def client(place: Place) -> AsyncIterator[SyncClient]:
    async with connected(place) as opened:
        yield opened


def connected(place: Place, *, dry_run: bool = False) -> SyncClient:
    return SyncClient(
        place.url, api_key=place.key, tenant=place.tenant, project=place.project, dry_run=dry_run,
        retrying=Retrying(attempts=2, first_delay=0.01),
    )  # fmt: skip


async def test_a_file_arrives_with_what_is_known_of_it(client: SyncClient, place: Place) -> None:
    async with BucketDelivery(client) as delivery:
        assert await delivery.deliver(RIDGE, "preview") is True

    stored = place.files("preview")[f"{GID}.ORIGINAL"]
    assert stored["filename"] == "ridge.jpg"
    assert stored["length"] == 9
    assert stored["metadata"]["contentType"] == "image/jpeg"
    assert stored["metadata"]["sha256"] == RIDGE.digest
    assert place.files("release") == {}


async def test_the_address_is_that_of_the_binary(client: SyncClient, place: Place) -> None:
    file = media_file(b"a map", language="de_DE", path="Pläne/Karte.png", content_type="image/png")
    async with BucketDelivery(client) as delivery:
        await delivery.deliver(file, "release")
        url = delivery.url(file, "release")

    assert url == f"{place.url}/{place.tenant}/{place.project}.release.files/{GID}.de_DE.ORIGINAL/binary"
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {place.key}"}) as reader:
        found = await reader.get(url)
    assert found.content == b"a map"
    assert found.headers["content-type"] == "image/png"


@pytest.mark.parametrize("base", ["https://caas.example.org", "https://caas.example.org/"])
async def test_documents_can_name_a_public_address(client: SyncClient, place: Place, base: str) -> None:
    delivery = BucketDelivery(client, public_url=base)

    expected = f"https://caas.example.org/{place.tenant}/{place.project}.preview.files/{GID}.ORIGINAL/binary"
    assert delivery.url(RIDGE, "preview") == expected
    assert delivery.seo_route(RIDGE) is None


async def test_an_unchanged_file_is_not_sent_again(client: SyncClient) -> None:
    def refuse() -> BinaryIO:
        raise AssertionError("opened")

    async with BucketDelivery(client) as first:
        await first.deliver(RIDGE, "preview")
        assert await first.deliver(replace(RIDGE, open=refuse), "preview") is False
    async with BucketDelivery(client) as second:
        assert await second.deliver(replace(RIDGE, open=refuse), "preview") is False
        assert await second.deliver(RIDGE, "release") is True


async def test_a_changed_file_is_sent(client: SyncClient, place: Place) -> None:
    async with BucketDelivery(client) as first:
        await first.deliver(RIDGE, "preview")

    async with BucketDelivery(client) as second:
        assert await second.deliver(media_file(b"another ridge"), "preview") is True

    assert place.files()[f"{GID}.ORIGINAL"]["length"] == 13


async def test_many_files_are_in_flight_together(client: SyncClient, place: Place) -> None:
    files = [media_file(bytes([number]) * 1000, resolution=f"R{number}") for number in range(120)]

    async with BucketDelivery(client) as delivery:
        assert all(await asyncio.gather(*(delivery.deliver(file, "preview") for file in files)))
    async with BucketDelivery(client) as delivery:
        assert not any(await asyncio.gather(*(delivery.deliver(file, "preview") for file in files)))

    assert len(place.files()) == 120


async def test_prune_leaves_what_is_kept(client: SyncClient, place: Place) -> None:
    gone = [media_file(b"gone", gid=OTHER, resolution=f"R{number}") for number in range(120)]
    async with BucketDelivery(client) as delivery:
        for file in (RIDGE, *gone):
            await delivery.deliver(file, "preview")
        await delivery.deliver(RIDGE, "release")

        assert await delivery.prune("preview", {delivery.key(RIDGE, "preview")}) == 120
        assert await delivery.prune("preview", {delivery.key(RIDGE, "preview")}) == 0

    assert list(place.files("preview")) == list(place.files("release")) == [f"{GID}.ORIGINAL"]


async def test_prune_leaves_what_others_put_there(client: SyncClient, place: Place) -> None:
    bucket = f"{place.url}/{place.tenant}/{files_bucket(place.project, 'preview')}"
    async with httpx.AsyncClient(auth=place.admin) as editor:
        for name, metadata in (("plain", "{}"), ("odd", '{"sha256": "what?"}')):
            stored = await editor.put(f"{bucket}/{name}", files={"file": b"by hand"}, data={"metadata": metadata})
            assert stored.is_success

    async with BucketDelivery(client) as delivery:
        assert await delivery.prune("preview", set()) == 0

    assert sorted(place.files()) == ["odd", "plain"]


async def test_prune_spares_a_resolution_that_lost_its_tag(client: SyncClient, place: Place) -> None:
    async with BucketDelivery(client) as before:
        for file in (RIDGE, media_file(resolution="S"), media_file(gid=OTHER, resolution="S")):
            await before.deliver(file, "release")

    async with BucketDelivery(client, spared=frozenset({"S"})) as after:
        await after.deliver(RIDGE, "release")
        assert await after.prune("release", {after.key(RIDGE, "release")}) == 1

    assert sorted(place.files("release")) == sorted([f"{GID}.ORIGINAL", f"{GID}.S"])


async def test_a_dry_run_changes_nothing(client: SyncClient, place: Place) -> None:
    async with BucketDelivery(client) as real:
        await real.deliver(RIDGE, "preview")
        await real.deliver(media_file(gid=OTHER), "preview")

    async with connected(place, dry_run=True) as dry:
        delivery = BucketDelivery(dry)
        assert await delivery.deliver(RIDGE, "preview") is False
        assert await delivery.deliver(media_file(b"changed"), "preview") is True
        assert await delivery.prune("preview", {f"{GID}.ORIGINAL"}) == 1

    assert len(place.files()) == 2


async def test_a_bucket_that_is_not_there_is_empty(client: SyncClient, place: Place) -> None:
    bucket = f"/{files_bucket(place.project, 'release')}"
    version = place.request("GET", f"{bucket}/_meta")["_etag"]["$oid"]
    async with httpx.AsyncClient(auth=place.admin, base_url=f"{place.url}/{place.tenant}") as admin:
        assert (await admin.delete(bucket, headers={"if-match": version})).is_success

    async with BucketDelivery(client) as delivery:
        assert await delivery.prune("release", set()) == 0
        with pytest.raises(RefusedError):
            await delivery.deliver(RIDGE, "release")


async def test_a_large_file_is_streamed(client: SyncClient, place: Place, tmp_path: Path) -> None:
    """128 MiB pass through a few MB of the job's memory."""
    size, block = 128 * 1024 * 1024, bytes(1024 * 1024)
    path, digest = tmp_path / "large.mp4", hashlib.sha256()
    with path.open("wb") as target:
        for _ in range(size // len(block)):
            target.write(block)
            digest.update(block)
    film = replace(
        media_file(path="Films/large.mp4", resolution=None, content_type="video/mp4"),
        open=lambda: path.open("rb"), size=size, digest=digest.hexdigest(),
    )  # fmt: skip
    process, peak = psutil.Process(), 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, process.memory_info().rss)
            await asyncio.sleep(0.005)

    async with BucketDelivery(client) as delivery:
        await delivery.deliver(RIDGE, "release")
        before = process.memory_info().rss
        watching = asyncio.create_task(watch())
        await delivery.deliver(film, "release")
        watching.cancel()

    assert place.files("release")[GID]["length"] == size
    assert peak - before < 32 * 1024 * 1024
