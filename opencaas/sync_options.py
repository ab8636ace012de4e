"""The flags of everything that synchronises content: where from, where to, how, and where media go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from content_core.names import STATES, State
from content_sync.model import Skipped
from content_sync.retry import Retrying
from content_sync.watch import Watching

__all__ = ["S3_FLAGS", "SyncArguments", "content_options", "sync_arguments", "target_options"]

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

S3_FLAGS: Final[Mapping[str, str]] = {
    "s3_bucket": "bucket",
    "s3_region": "region",
    "s3_endpoint_url": "endpoint_url",
    "s3_prefix": "prefix",
    "s3_profile": "profile",
    "cdn_domain": "cdn_domain",
    "cache_control": "cache_control",
}
"""Flag → what it says of the place in S3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncArguments:
    """What a command line says about a sync job."""

    source: Path
    server: str
    api_key: str
    tenant: str
    project: str | None
    states: tuple[State, ...]
    languages: tuple[str, ...]
    dry_run: bool
    watching: Watching | None
    parallel: int
    bulk_documents: int
    bulk_bytes: int
    retrying: Retrying
    timeout: float
    allow_empty: bool
    despite_skipped: bool
    renditions: Path
    rendition_bytes: int
    picture_pixels: int
    source_memory: Path | None
    public_url: str | None
    s3: Mapping[str, str]
    left_out: tuple[Skipped, ...] = ()
    """What was left out of the source before, when it was unpacked."""


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--server``, ``--api-key``, ``--tenant``, ``--project`` and ``--state``."""
    return _decorated(
        command,
        click.option("--server", required=True, metavar="URL", help="Base URL of the server."),
        click.option(
            "--api-key", required=True, envvar="OPENCAAS_API_KEY", show_envvar=True, metavar="KEY",
            help="An API key with all methods on the project's collections and buckets.",
        ),
        click.option("--tenant", required=True, metavar="NAME", help="The tenant (database) of the project."),
        click.option("--project", metavar="GID", help="The project's GID; real exports often don't say it."),
        click.option(
            "--state", "states", type=click.Choice(STATES), multiple=True,
            help="Only this state (repeatable). An export holds one state, and this says which.",
        ),
    )  # fmt: skip


def content_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what only content needs: how it is sent, and where media go."""
    cache, memory = Path("~/.cache/opencaas/renditions"), Path("~/.cache/opencaas/sources")
    return _decorated(
        command,
        click.option(
            "--language", "languages", multiple=True, metavar="LANG",
            help="Only this language, de_DE or DE (repeatable); EN=en_GB says what a language of an export is. "
            "Stale documents of other languages stay.",
        ),
        click.option("--dry-run", is_flag=True, help="Write nothing, and tell what would be done."),
        click.option("--watch", is_flag=True, help="Stay, and send what changes in SOURCE until a signal ends it."),
        click.option(
            "--watch-interval", type=click.FloatRange(0.1), default=1.0, show_default=True, metavar="SECONDS",
            help="With --watch: how often to look.",
        ),
        click.option(
            "--parallel", type=click.IntRange(1, 64), default=4, show_default=True, help="Requests in flight."
        ),
        click.option(
            "--bulk-documents", type=click.IntRange(1, 10_000), default=200, show_default=True,
            help="Documents of one request.",
        ),
        click.option(
            "--bulk-bytes", type=click.IntRange(1024), default=4_000_000, show_default=True,
            help="Bytes of one request; a larger document travels alone.",
        ),
        click.option(
            "--retries", type=click.IntRange(0, 50), default=5, show_default=True,
            help="How often a request is sent again after 408, 429, 5xx and broken connections.",
        ),
        click.option(
            "--timeout", type=click.FloatRange(1), default=60.0, show_default=True, metavar="SECONDS",
            help="How long the server may be silent.",
        ),
        click.option(
            "--allow-empty", is_flag=True,
            help="Delete stale documents also of kinds that SOURCE has none of, such as media."
        ),
        click.option(
            "--despite-skipped", is_flag=True,
            help="Do without what cannot be read, and delete stale documents also if SOURCE left something out.",
        ),
        click.option(
            "--renditions", type=click.Path(path_type=Path, file_okay=False), default=cache, show_default=True,
            help="Where pictures are kept that are made from originals.",
        ),
        click.option(
            "--max-rendition-bytes", type=click.IntRange(0), default=2 * 1024**3, show_default=True,
            help="What is left of them at the end of a job.",
        ),
        click.option(
            "--max-picture-pixels", type=click.IntRange(1), default=40_000_000, show_default=True,
            help="Larger pictures are not scaled; transparent ones count twice, JPEGs may have four times as many.",
        ),
        click.option(
            "--source-memory", type=click.Path(path_type=Path, file_okay=False), default=memory, show_default=True,
            help="Where a smart sync finds what files of SOURCE hold that did not change, instead of reading them.",
        ),
        click.option(
            "--public-url", metavar="URL",
            help="Base URL in the addresses of media in file buckets, where it is not that of --server.",
        ),
        click.option("--s3-bucket", metavar="NAME", help="Send media into this S3 bucket, not into file buckets."),
        click.option("--s3-region", metavar="NAME", help="Its region."),
        click.option("--s3-endpoint-url", metavar="URL", help="Its server, where that is not AWS."),
        click.option("--s3-prefix", metavar="PATH", help="What its keys begin with."),
        click.option("--s3-profile", metavar="NAME", help="The profile of the AWS configuration."),
        click.option("--cdn-domain", metavar="DOMAIN", help="The domain of the CDN in front of the S3 bucket."),
        click.option("--cache-control", metavar="TEXT", help="The header of released media in S3."),
    )  # fmt: skip


def sync_arguments(source: Path, given: Mapping[str, Any]) -> SyncArguments:
    """Read the values of all these flags.

    Raises:
        click.UsageError: they do not fit together.
    """
    s3 = {name: given[flag] for flag, name in S3_FLAGS.items() if given.get(flag)}
    if s3 and "bucket" not in s3:
        raise click.UsageError("media go into S3 only with --s3-bucket")
    if s3 and given.get("public_url"):
        raise click.UsageError("--public-url is for file buckets; media in S3 have --cdn-domain")
    if given["watch"] and given["dry_run"]:
        raise click.UsageError("give either --watch or --dry-run, not both")
    return SyncArguments(
        source=source,
        server=given["server"],
        api_key=given["api_key"],
        tenant=given["tenant"],
        project=given["project"],
        states=tuple(state for state in STATES if state in given["states"]),
        languages=tuple(given["languages"]),
        dry_run=given["dry_run"],
        watching=Watching(interval=given["watch_interval"]) if given["watch"] else None,
        parallel=given["parallel"],
        bulk_documents=given["bulk_documents"],
        bulk_bytes=given["bulk_bytes"],
        retrying=Retrying(attempts=given["retries"] + 1),
        timeout=given["timeout"],
        allow_empty=given["allow_empty"],
        despite_skipped=given["despite_skipped"],
        renditions=given["renditions"].expanduser(),
        rendition_bytes=given["max_rendition_bytes"],
        picture_pixels=given["max_picture_pixels"],
        source_memory=given["source_memory"].expanduser(),
        public_url=given.get("public_url"),
        s3=s3,
    )


def _decorated(command: Callable[..., Any], *decorators: _Decorator) -> Callable[..., Any]:
    ordered: Sequence[_Decorator] = decorators
    for decorator in reversed(ordered):
        command = decorator(command)
    return command
