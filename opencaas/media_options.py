"""The options of sync commands that say where the bytes of media go, and what comes of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import click

from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.delivery import Delivery
from content_sync.model import Source
from content_sync.picture_source import PictureSource
from content_sync.pictures import PictureLimits
from content_sync.renditions import RenditionStore
from content_sync.resolutions import Resolutions, read_resolutions
from content_sync.s3 import S3Delivery, S3Place
from schema_gen.errors import NotAnExportError
from schema_gen.export.findings import FindingLog

__all__ = ["MediaOptions", "media_options"]

_RENDITIONS: Final = "~/.cache/opencaas/renditions"
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(slots=True, kw_only=True)
class MediaOptions:
    """What ``media_options`` adds to a command; its parameters have these names."""

    media: Literal["buckets", "s3"]
    public_url: str | None
    s3_bucket: str | None
    s3_region: str | None
    s3_endpoint_url: str | None
    s3_prefix: str
    s3_profile: str | None
    s3_cache_control: str | None
    cdn_domain: str | None
    renditions: Path
    max_rendition_bytes: int
    max_picture_pixels: int

    def __post_init__(self) -> None:
        """Check that the options go together.

        Raises:
            UsageError: they do not.
        """
        s3_only = {
            "--s3-bucket": self.s3_bucket, "--s3-region": self.s3_region, "--s3-endpoint-url": self.s3_endpoint_url,
            "--s3-prefix": self.s3_prefix, "--s3-profile": self.s3_profile,
            "--s3-cache-control": self.s3_cache_control, "--cdn-domain": self.cdn_domain,
        }  # fmt: skip
        given = [name for name, value in s3_only.items() if value]
        if self.media == "s3" and not self.s3_bucket:
            raise click.UsageError("--media s3 needs --s3-bucket")
        if self.media == "s3" and self.public_url:
            raise click.UsageError("--public-url goes with --media buckets; for S3 it is --cdn-domain")
        if self.media == "buckets" and given:
            raise click.UsageError(f"{', '.join(given)}: only with --media s3")

    def around(self, source: Source, path: Path) -> "MediaSource":
        """Put a source whose pictures have the resolutions of the project around another one.

        Args:
            source: the source.
            path: where it was read.
        """
        try:
            resolutions = read_resolutions(path, findings=FindingLog())  # the source reports what is wrong with them
        except NotAnExportError:
            resolutions = None
        store = RenditionStore(self.renditions.expanduser(), max_bytes=self.max_rendition_bytes)
        limits = PictureLimits(pixels=self.max_picture_pixels)
        pictures = PictureSource(source, store=store, resolutions=resolutions, limits=limits)
        return MediaSource(pictures, store, resolutions or Resolutions())

    def delivery(self, client: SyncClient, source: "MediaSource") -> Delivery:
        """Choose where media go; the result is opened with ``async with``."""
        spared = source.resolutions.untagged
        if self.media == "buckets":
            return BucketDelivery(client, public_url=self.public_url, spared=spared)
        more = {} if self.s3_cache_control is None else {"cache_control": self.s3_cache_control}
        place = S3Place(
            bucket=str(self.s3_bucket),
            region=self.s3_region,
            endpoint_url=self.s3_endpoint_url,
            prefix=self.s3_prefix,
            cdn_domain=self.cdn_domain,
            profile=self.s3_profile,
            **more,
        )
        return S3Delivery(place, project=client.project, spared=spared, dry_run=client.dry_run)


@dataclass(frozen=True, slots=True)
class MediaSource:
    """A source with its pictures, and what belongs to it.

    Attributes:
        pictures: the source for a job.
        store: where its pictures are kept; trimmed at the end.
        resolutions: those of the project.
    """

    pictures: PictureSource
    store: RenditionStore
    resolutions: Resolutions


def media_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of :class:`MediaOptions` to a command."""
    decorators: Sequence[_Decorator] = (
        click.option(
            "--media", type=click.Choice(["buckets", "s3"]), default="buckets", show_default=True,
            help="Where the bytes of media go: file buckets of the server, or an S3 bucket.",
        ),
        click.option(
            "--public-url", metavar="URL", help="Base URL of the server in addresses of media, if it is not --server.",
        ),
        click.option("--s3-bucket", envvar="OPENCAAS_S3_BUCKET", show_envvar=True, metavar="NAME", help="S3 bucket."),
        click.option("--s3-region", metavar="NAME", help="Its region; without it what the AWS configuration says."),
        click.option("--s3-endpoint-url", metavar="URL", help="S3 server that is not AWS, such as MinIO."),
        click.option("--s3-prefix", default="", metavar="PATH", help="What keys begin with, before the project."),
        click.option("--s3-profile", metavar="NAME", help="Profile of the AWS configuration with the credentials."),
        click.option(
            "--s3-cache-control", metavar="TEXT",
            help="Cache-Control of released media in S3; without it 'public, max-age=300, s-maxage=900'.",
        ),
        click.option("--cdn-domain", metavar="DOMAIN", help="Domain of the CDN in front of the S3 bucket."),
        click.option(
            "--renditions", type=click.Path(file_okay=False, path_type=Path), envvar="OPENCAAS_RENDITIONS",
            show_envvar=True, default=_RENDITIONS, show_default=True,
            help="Directory that keeps pictures made from originals, so that each is made once.",
        ),
        click.option(
            "--max-rendition-bytes", type=click.IntRange(min=0), default=2 * 1024**3, show_default=True,
            help="What is left of it at the end of a job.",
        ),
        click.option(
            "--max-picture-pixels", type=click.IntRange(min=1), default=PictureLimits().pixels, show_default=True,
            help="Larger pictures are not scaled; transparent ones count twice, JPEGs may have four times as many.",
        ),
    )  # fmt: skip
    for decorator in reversed(decorators):
        command = decorator(command)
    return command
