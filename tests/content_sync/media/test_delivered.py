"""Whole jobs over HTTP: what documents say of media is what is found at their addresses, in S3 and in file buckets."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from PIL import Image

from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.delivery import Delivery
from content_sync.job import SyncOptions, run_sync
from content_sync.model import Document, MediaFile
from content_sync.picture_source import PictureSource
from content_sync.renditions import RenditionStore
from content_sync.report import SyncReport
from content_sync.resolutions import PictureResolution, Resolutions
from content_sync.s3 import S3Delivery, S3Place
from tests.content_sync.media.samples import GID, OTHER, media_document, media_file, picture
from tests.content_sync.projects import Place, ValueSource, bare
from tests.live import LiveServer, live_server

EVERY = (PictureResolution(name="ORIGINAL"), PictureResolution(name="16x9_S", width=48, height=27, smart_cropping=True))
TAGGED = (*EVERY, PictureResolution(name="Teaser", width=64, tagged=True))
LANGUAGES = ("en_GB", "de_DE")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("delivered") / "data") as running:
        yield running


@pytest.fixture
def target(server: LiveServer) -> Place:
    return Place.on(server)


def project() -> tuple[list[Document], list[MediaFile]]:
    """A picture for all languages, and a file for each."""
    documents = [
        *(media_document(language=language, resolutionsMetaData={"ORIGINAL": {"width": 320, "height": 200}})
          for language in LANGUAGES),
        *(media_document(OTHER, kind="FILE", language=language, url="", fileMetaData=None) for language in LANGUAGES),
    ]  # fmt: skip
    files = [
        media_file(picture()),
        *(media_file(language.encode(), gid=OTHER, resolution=None, language=language, path="Lists/packing.pdf",
                     content_type="application/pdf") for language in LANGUAGES),
    ]  # fmt: skip
    return documents, files


async def run(
    target: Place,
    delivery: Delivery,
    client: SyncClient,
    renditions: Path,
    *,
    content: tuple[list[Document], list[MediaFile]],
    resolutions: Sequence[PictureResolution] = EVERY,
) -> SyncReport:
    documents, files = content
    source = ValueSource({"preview": documents, "release": documents}, files={"preview": files, "release": files})
    pictures = PictureSource(source, store=RenditionStore(renditions), resolutions=Resolutions(tuple(resolutions)))
    return await run_sync(pictures, client, delivery, SyncOptions(mode="total"))


def client_of(target: Place) -> SyncClient:
    return SyncClient(target.url, api_key=target.key, tenant=target.tenant, project=target.project)


async def fetch(target: Place, url: str) -> bytes:
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {target.key}"} if target.url in url else {}) as web:
        found = await web.get(url)
    assert found.status_code == 200
    return found.content


@pytest.mark.parametrize("where", ["s3", "buckets"])
async def test_addresses_lead_to_the_bytes(where: str, target: Place, place: S3Place, tmp_path: Path) -> None:
    async with (
        client_of(target) as client,
        S3Delivery(place, project=target.project) if where == "s3" else BucketDelivery(client) as delivery,
    ):
        report = await run(target, delivery, client, tmp_path, content=project())
        assert report.complete, report

        for state in ("preview", "release"):
            stored = target.stored(state)
            english, german = (stored[f"{GID}.{language}"]["resolutionsMetaData"] for language in LANGUAGES)
            assert english == german
            assert list(english) == ["ORIGINAL", "16x9_S"]
            for entry, size in zip(english.values(), ((320, 200), (48, 27)), strict=True):
                data = await fetch(target, entry["url"])
                assert len(data) == entry["fileSize"]
                assert Image.open(io.BytesIO(data)).size == (entry["width"], entry["height"]) == size
            for language in LANGUAGES:
                assert await fetch(target, stored[f"{OTHER}.{language}"]["url"]) == language.encode()


async def test_keys_and_routes_in_s3(target: Place, place: S3Place, tmp_path: Path) -> None:
    async with client_of(target) as client, S3Delivery(place, project=target.project) as delivery:
        await run(target, delivery, client, tmp_path, content=project())

    preview, release = (target.stored(state)[f"{GID}.en_GB"]["resolutionsMetaData"] for state in ("preview", "release"))
    base = f"{place.endpoint_url}/{place.bucket}/{target.project}"
    assert preview["16x9_S"]["url"] == f"{base}/preview/Photos/ridge_16x9_S.jpg"
    assert release["16x9_S"]["url"] == f"{base}/Photos/ridge_16x9_S.jpg"
    assert preview["16x9_S"]["seoRoute"] == release["16x9_S"]["seoRoute"] == "/Photos/ridge_16x9_S.jpg"
    assert target.stored()[f"{OTHER}.de_DE"]["url"] == f"{base}/preview/Lists/de_DE/packing.pdf"


async def test_tags_choose_what_is_transferred_and_listed(target: Place, tmp_path: Path) -> None:
    async with client_of(target) as client:
        await run(target, BucketDelivery(client), client, tmp_path, content=project())
        spared = Resolutions(TAGGED).untagged
        delivery = BucketDelivery(client, spared=spared)
        report = await run(target, delivery, client, tmp_path, content=project(), resolutions=TAGGED)

    assert report.complete, report
    assert list(target.stored()[f"{GID}.en_GB"]["resolutionsMetaData"]) == ["Teaser"]
    kept = {f"{GID}.ORIGINAL", f"{GID}.16x9_S", f"{GID}.Teaser"}
    assert kept == {name for name in target.files() if name.startswith(GID)}


@pytest.mark.parametrize("where", ["s3", "buckets"])
async def test_a_second_job_sends_no_bytes_and_the_same_documents(
    where: str, target: Place, place: S3Place, tmp_path: Path
) -> None:
    async with client_of(target) as client:
        reports, seen = [], []
        for _ in range(2):
            async with (
                S3Delivery(place, project=target.project) if where == "s3" else BucketDelivery(client) as delivery
            ):
                reports.append(await run(target, delivery, client, tmp_path, content=project()))
            seen.append(bare(target.stored()))

    assert [state.files_sent for report in reports for state in report.states.values()] == [4, 4, 0, 0]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("where", ["s3", "buckets"])
async def test_binaries_go_with_their_medium(where: str, target: Place, place: S3Place, tmp_path: Path) -> None:
    documents, files = project()
    rest = (
        [each for each in documents if each["identifier"] == OTHER],
        [each for each in files if each.resolution is None],
    )
    async with (
        client_of(target) as client,
        S3Delivery(place, project=target.project) if where == "s3" else BucketDelivery(client) as first,
    ):
        await run(target, first, client, tmp_path, content=(documents, files))
        gone = target.stored()[f"{GID}.en_GB"]["resolutionsMetaData"]["16x9_S"]["url"]
    async with (
        client_of(target) as client,
        S3Delivery(place, project=target.project) if where == "s3" else BucketDelivery(client) as second,
    ):
        report = await run(target, second, client, tmp_path, content=rest)

    assert [state.files_deleted for state in report.states.values()] == [2, 2]
    async with httpx.AsyncClient(
        headers={"authorization": f"Bearer {target.key}"} if where == "buckets" else {}
    ) as web:
        assert (await web.get(gone)).status_code in {403, 404}


async def test_a_bad_picture_is_reported_and_stands_alone(target: Place, tmp_path: Path) -> None:
    documents, files = project()
    files[0] = media_file(b"no picture")
    async with client_of(target) as client:
        report = await run(target, BucketDelivery(client), client, tmp_path, content=(documents, files))

    assert any("no picture of a format" in skipped.why for skipped in report.skipped)
    assert list(target.stored()[f"{GID}.en_GB"]["resolutionsMetaData"]) == ["ORIGINAL"]
    assert target.files()[f"{GID}.ORIGINAL"]["length"] == 10
