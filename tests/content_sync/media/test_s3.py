import asyncio
import hashlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from content_sync.delivery import DeliveryError
from content_sync.model import MediaFile
from content_sync.s3 import S3Delivery, S3Place
from tests.content_sync.media.conftest import BUCKET
from tests.content_sync.media.samples import GID, OTHER, PROJECT, media_file

RIDGE = media_file(b"the ridge")


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket as any other client sees it."""

    client: httpx.Client

    def fetch(self, key: str) -> httpx.Response:
        return self.client.get(f"/{key}").raise_for_status()

    def headers(self, key: str) -> httpx.Headers:
        # moto shows nobody headers alone without credentials
        with self.client.stream("GET", f"/{key}") as found:
            return found.raise_for_status().headers

    def store(self, key: str, data: bytes) -> None:
        self.client.put(f"/{key}", content=data).raise_for_status()

    def keys(self) -> list[str]:
        text = self.client.get("", params={"list-type": "2"}).raise_for_status().text
        return [part.partition("</Key>")[0] for part in text.split("<Key>")[1:]]


@pytest.fixture
def bucket(s3: str) -> Iterator[Bucket]:
    with httpx.Client(base_url=f"{s3}/{BUCKET}", timeout=30) as client:
        yield Bucket(client)


async def test_a_preview_file_lies_below_preview(delivery: S3Delivery, bucket: Bucket) -> None:
    assert await delivery.deliver(RIDGE, "preview") is True

    assert bucket.keys() == [f"{PROJECT}/preview/Photos/ridge.jpg"]
    found = bucket.fetch(f"{PROJECT}/preview/Photos/ridge.jpg")
    assert found.content == b"the ridge"
    assert found.headers["content-type"] == "image/jpeg"
    assert found.headers["cache-control"] == "private, no-cache"


async def test_a_released_file_is_public_for_a_while(delivery: S3Delivery, bucket: Bucket) -> None:
    await delivery.deliver(RIDGE, "release")

    found = bucket.fetch(f"{PROJECT}/Photos/ridge.jpg")
    assert found.headers["content-type"] == "image/jpeg"
    assert found.headers["cache-control"] == "public, max-age=300, s-maxage=900"


async def test_an_object_knows_digest_medium_and_resolution(delivery: S3Delivery, bucket: Bucket) -> None:
    await delivery.deliver(replace(RIDGE, resolution="16x9_ä"), "release")

    headers = bucket.headers(f"{PROJECT}/Photos/ridge.jpg")
    assert headers["x-amz-meta-opencaas-digest"] == RIDGE.digest
    assert headers["x-amz-meta-opencaas-medium"] == GID
    assert headers["x-amz-meta-opencaas-resolution"] == "16x9_%C3%A4"


async def test_the_cache_control_of_release_can_be_another(place: S3Place, bucket: Bucket) -> None:
    async with S3Delivery(replace(place, cache_control="public, max-age=60"), project=PROJECT) as delivery:
        await delivery.deliver(RIDGE, "release")
        await delivery.deliver(RIDGE, "preview")

    assert bucket.headers(f"{PROJECT}/Photos/ridge.jpg")["cache-control"] == "public, max-age=60"
    assert bucket.headers(f"{PROJECT}/preview/Photos/ridge.jpg")["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("prefix", ["site/media", "/site/media/", "site//media"])
async def test_a_prefix_comes_first(place: S3Place, bucket: Bucket, prefix: str) -> None:
    async with S3Delivery(replace(place, prefix=prefix), project=PROJECT) as delivery:
        await delivery.deliver(RIDGE, "release")
        url = delivery.url(RIDGE, "release")

    assert bucket.keys() == [f"site/media/{PROJECT}/Photos/ridge.jpg"]
    assert urlsplit(url).path == f"/{BUCKET}/site/media/{PROJECT}/Photos/ridge.jpg"


@pytest.mark.parametrize(
    ("change", "name", "expected"),
    [
        ({"cdn_domain": "my-domain.tld"}, BUCKET, "https://my-domain.tld"),
        ({"cdn_domain": "my-domain.tld/"}, BUCKET, "https://my-domain.tld"),
        ({"cdn_domain": "http://localhost:8080/media"}, BUCKET, "http://localhost:8080/media"),
    ],
)
async def test_a_cdn_domain_begins_the_address(
    place: S3Place, change: dict[str, Any], name: str, expected: str
) -> None:
    async with S3Delivery(replace(place, **change), project=PROJECT) as delivery:
        assert delivery.url(RIDGE, "preview") == f"{expected}/{PROJECT}/preview/Photos/ridge.jpg"
        assert delivery.url(RIDGE, "release") == f"{expected}/{PROJECT}/Photos/ridge.jpg"


@pytest.mark.parametrize(
    ("name", "region", "expected"),
    [
        ("my-bucket", "eu-central-1", "https://my-bucket.s3.eu-central-1.amazonaws.com"),
        ("media.example.org", "eu-central-1", "https://s3.eu-central-1.amazonaws.com/media.example.org"),
        ("my-bucket", "cn-north-1", "https://my-bucket.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
async def test_a_rest_address_is_that_of_the_bucket(
    s3: str, monkeypatch: pytest.MonkeyPatch, name: str, region: str, expected: str
) -> None:
    """The address of AWS itself; the requests go to the server of the tests, as the AWS configuration says."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    async with httpx.AsyncClient(base_url=s3) as client:
        await client.put(f"/{name}")

    async with S3Delivery(S3Place(bucket=name, region=region), project=PROJECT) as delivery:
        assert delivery.url(RIDGE, "preview") == f"{expected}/{PROJECT}/preview/Photos/ridge.jpg"


async def test_the_region_comes_from_the_aws_configuration(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    async with S3Delivery(S3Place(bucket=BUCKET), project=PROJECT) as delivery:
        assert delivery.url(RIDGE, "release").startswith(f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/")


async def test_the_address_leads_to_the_bytes(delivery: S3Delivery) -> None:
    file = media_file(b"a map", path="Karten & Pläne/Höhe 50%+ #1?.png", content_type="image/png")

    await delivery.deliver(file, "preview")

    async with httpx.AsyncClient() as client:
        assert (await client.get(delivery.url(file, "preview"))).content == b"a map"


async def test_the_seo_route_has_no_project_and_no_state(delivery: S3Delivery) -> None:
    assert delivery.seo_route(RIDGE) == "/Photos/ridge.jpg"
    assert delivery.seo_route(media_file(path="Pläne/a b.jpg")) == "/Pl%C3%A4ne/a%20b.jpg"


async def test_an_unchanged_file_is_not_sent_again(place: S3Place, bucket: Bucket) -> None:
    async with S3Delivery(place, project=PROJECT) as first:
        await first.deliver(RIDGE, "preview")

    def refuse() -> io.BytesIO:
        raise AssertionError("opened")

    async with S3Delivery(place, project=PROJECT) as second:
        assert await second.deliver(replace(RIDGE, open=refuse), "preview") is False


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(media_file(b"the rigde"), id="other bytes of the same length"),
        pytest.param(replace(RIDGE, content_type="image/pjpeg"), id="another type"),
    ],
)
async def test_a_changed_file_is_sent(delivery: S3Delivery, bucket: Bucket, changed: MediaFile) -> None:
    await delivery.deliver(RIDGE, "preview")

    assert await delivery.deliver(changed, "preview") is True

    found = bucket.fetch(f"{PROJECT}/preview/Photos/ridge.jpg")
    with changed.open() as stream:
        assert found.content == stream.read()
    assert found.headers["content-type"] == changed.content_type


async def test_many_files_are_in_flight_together(place: S3Place, bucket: Bucket) -> None:
    files = [media_file(bytes([number]) * 1000, path=f"Photos/{number}.jpg") for number in range(60)]

    async with S3Delivery(place, project=PROJECT, parallel=8) as delivery:
        sent = await asyncio.gather(*(delivery.deliver(file, "release") for file in files))
        again = await asyncio.gather(*(delivery.deliver(file, "release") for file in files))

    assert all(sent)
    assert not any(again)
    assert len(bucket.keys()) == 60


async def test_prune_leaves_what_is_kept(delivery: S3Delivery, bucket: Bucket) -> None:
    kept, gone = RIDGE, media_file(path="Photos/gone.jpg", gid=OTHER)
    for file in (kept, gone):
        for state in ("preview", "release"):
            await delivery.deliver(file, state)

    assert await delivery.prune("release", {delivery.key(kept, "release")}) == 1

    assert bucket.keys() == [
        f"{PROJECT}/Photos/ridge.jpg", f"{PROJECT}/preview/Photos/gone.jpg", f"{PROJECT}/preview/Photos/ridge.jpg",
    ]  # fmt: skip
    assert await delivery.prune("preview", {delivery.key(kept, "preview")}) == 1
    assert bucket.keys() == [f"{PROJECT}/Photos/ridge.jpg", f"{PROJECT}/preview/Photos/ridge.jpg"]


async def test_prune_leaves_other_projects_and_what_others_put_there(place: S3Place, bucket: Bucket) -> None:
    bucket.store(f"{PROJECT}/by-hand.txt", b"mine")
    async with S3Delivery(place, project=OTHER) as other:
        await other.deliver(RIDGE, "release")

    async with S3Delivery(place, project=PROJECT) as delivery:
        assert await delivery.prune("release", set()) == 0

    assert bucket.keys() == [f"{OTHER}/Photos/ridge.jpg", f"{PROJECT}/by-hand.txt"]


async def test_prune_goes_through_all_pages(place: S3Place, bucket: Bucket) -> None:
    files = [media_file(b"x", path=f"Photos/{number}.jpg") for number in range(50)]
    async with S3Delivery(place, project=PROJECT, page=20) as delivery:
        await asyncio.gather(*(delivery.deliver(file, "preview") for file in files))

        assert await delivery.prune("preview", {delivery.key(files[7], "preview")}) == 49

    assert bucket.keys() == [f"{PROJECT}/preview/Photos/7.jpg"]


async def test_prune_spares_a_resolution_that_lost_its_tag(place: S3Place, bucket: Bucket) -> None:
    small = media_file(b"small", resolution="S", path="Photos/ridge_S.jpg")
    gone = media_file(b"small", gid=OTHER, resolution="S", path="Photos/gone_S.jpg")
    async with S3Delivery(place, project=PROJECT) as before:
        for file in (RIDGE, small, gone):
            await before.deliver(file, "release")

    async with S3Delivery(place, project=PROJECT, spared=frozenset({"S"})) as after:
        await after.deliver(RIDGE, "release")
        assert await after.prune("release", {after.key(RIDGE, "release")}) == 1

    assert bucket.keys() == [f"{PROJECT}/Photos/ridge.jpg", f"{PROJECT}/Photos/ridge_S.jpg"]


@pytest.mark.parametrize("path", ["../secret.jpg", "Photos//ridge.jpg", "/ridge.jpg", "Photos/a\nb.jpg", "./a", ""])
async def test_a_path_that_leads_elsewhere_is_refused(delivery: S3Delivery, path: str) -> None:
    with pytest.raises(DeliveryError, match="no path"):
        await delivery.deliver(media_file(path=path), "release")


@pytest.mark.parametrize("prefix", ["../a", "a/./b", "a\nb"])
async def test_a_prefix_that_leads_elsewhere_is_refused(place: S3Place, prefix: str) -> None:
    with pytest.raises(DeliveryError, match="prefix"):
        async with S3Delivery(replace(place, prefix=prefix), project=PROJECT):
            pass


@pytest.mark.parametrize("kind", ["image/jpeg\r\nx-evil: 1", "image/jpég"])
async def test_a_type_that_is_none_is_told(delivery: S3Delivery, bucket: Bucket, kind: str) -> None:
    with pytest.raises(DeliveryError, match="no media type"):
        await delivery.deliver(replace(RIDGE, content_type=kind), "release")
    assert bucket.keys() == []


async def test_a_released_folder_preview_is_refused(delivery: S3Delivery) -> None:
    file = media_file(path="preview/ridge.jpg")

    with pytest.raises(DeliveryError, match="preview"):
        await delivery.deliver(file, "release")
    assert await delivery.deliver(file, "preview") is True


async def test_a_key_that_is_too_long_is_refused(delivery: S3Delivery) -> None:
    with pytest.raises(DeliveryError, match="1024"):
        delivery.key(media_file(path="ä" * 500 + ".jpg"), "release")


async def test_bytes_that_cannot_be_read_are_told(delivery: S3Delivery, bucket: Bucket) -> None:
    def fails() -> io.BytesIO:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(DeliveryError, match="cannot be read: No such file"):
        await delivery.deliver(replace(RIDGE, open=fails), "release")
    assert bucket.keys() == []


@pytest.mark.parametrize("changed", [b"", b"the", b"another o", b"the other ridge"])
async def test_bytes_that_change_on_their_way_are_told(place: S3Place, bucket: Bucket, changed: bytes) -> None:
    async with S3Delivery(place, project=PROJECT, attempts=1) as delivery:
        with pytest.raises(DeliveryError, match="changed it"):
            await delivery.deliver(replace(RIDGE, open=lambda: io.BytesIO(changed)), "release")
    assert bucket.keys() == []


async def test_two_media_with_one_path_are_told(delivery: S3Delivery) -> None:
    await delivery.deliver(RIDGE, "preview")
    await delivery.deliver(RIDGE, "release")

    with pytest.raises(DeliveryError, match="another medium has the path"):
        await delivery.deliver(media_file(b"other", gid=OTHER), "preview")
    assert await delivery.deliver(RIDGE, "preview") is False


async def test_a_dry_run_compares_and_changes_nothing(place: S3Place, bucket: Bucket) -> None:
    old, new = media_file(b"old", path="Photos/old.jpg"), media_file(b"new", path="Photos/new.jpg")
    async with S3Delivery(place, project=PROJECT) as real:
        await real.deliver(old, "release")
        await real.deliver(RIDGE, "release")

    async with S3Delivery(place, project=PROJECT, dry_run=True) as dry:
        assert await dry.deliver(RIDGE, "release") is False
        assert await dry.deliver(new, "release") is True
        assert await dry.prune("release", {dry.key(file, "release") for file in (RIDGE, new)}) == 1

    assert bucket.keys() == [f"{PROJECT}/Photos/old.jpg", f"{PROJECT}/Photos/ridge.jpg"]


async def test_a_bucket_that_is_not_there_is_named(place: S3Place) -> None:
    with pytest.raises(DeliveryError, match=r"nowhere at .* cannot be used: 404") as caught:
        await S3Delivery(replace(place, bucket="nowhere"), project=PROJECT).__aenter__()

    assert caught.value.hint == "create the bucket, or name another one"


async def test_a_server_that_is_away_is_named(place: S3Place) -> None:
    away = replace(place, endpoint_url="http://127.0.0.1:1")

    with pytest.raises(DeliveryError, match="EndpointConnectionError"):
        await S3Delivery(away, project=PROJECT, attempts=1).__aenter__()


async def test_missing_credentials_are_told(place: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(DeliveryError, match="NoCredentialsError") as caught:
        await S3Delivery(place, project=PROJECT).__aenter__()

    assert "AWS_ACCESS_KEY_ID" in str(caught.value.hint)


async def test_credentials_can_be_given(place: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    given = replace(place, access_key="AKIAGIVEN", secret_key="a-given-secret")

    async with S3Delivery(given, project=PROJECT) as delivery:
        assert await delivery.deliver(RIDGE, "release") is True


async def test_credentials_appear_nowhere(place: S3Place, caplog: pytest.LogCaptureFixture) -> None:
    given = replace(place, access_key="AKIAGIVEN", secret_key="a-given-secret", bucket="nowhere")
    delivery = S3Delivery(given, project=PROJECT)

    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as caught:
        await delivery.__aenter__()

    for text in (caplog.text, str(caught.value), repr(caught.value.details), repr(given), delivery.name):
        assert "a-given-secret" not in text
        assert "a-secret-of-tests" not in text
        assert "AKIA" not in text


async def test_a_large_file_is_streamed(delivery: S3Delivery, bucket: Bucket, tmp_path: Any) -> None:
    """128 MiB pass through a few MB of memory."""
    size, block = 128 * 1024 * 1024, bytes(1024 * 1024)
    path = tmp_path / "large.mp4"
    digest = hashlib.sha256()
    with path.open("wb") as target:
        for _ in range(size // len(block)):
            target.write(block)
            digest.update(block)
    file = replace(
        media_file(path="Films/large.mp4", resolution=None, content_type="video/mp4"),
        open=lambda: path.open("rb"), size=size, digest=digest.hexdigest(),
    )  # fmt: skip
    process, peak = psutil.Process(), 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, process.memory_info().rss)
            await asyncio.sleep(0.005)

    await delivery.deliver(RIDGE, "release")
    before = process.memory_info().rss
    watching = asyncio.create_task(watch())
    await delivery.deliver(file, "release")
    watching.cancel()

    assert bucket.headers(f"{PROJECT}/Films/large.mp4")["content-length"] == str(size)
    assert peak - before < 32 * 1024 * 1024
