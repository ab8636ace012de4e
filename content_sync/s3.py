"""Delivery into an S3 bucket, reached through a CDN or by its REST address; also MinIO and others that speak S3.

Keys, headers and addresses are those of CaaS Connect. Credentials come from where the AWS tools look for them
(environment, profile, role) or from the caller, and appear in no message.
"""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self
from urllib.parse import quote, unquote

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from content_sync.delivery import DeliveryError
from content_sync.measured_bytes import CHANGED, MeasuredBytes
from content_sync.media_paths import checked_path, medium_of, url_path
from content_sync.model import MediaFile, State

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

__all__ = ["S3Delivery", "S3Place"]

_CACHING: Final[dict[State, str]] = {"release": "public, max-age=300, s-maxage=900", "preview": "private, no-cache"}
_DIGEST: Final = "opencaas-digest"
_MEDIUM: Final = "opencaas-medium"
_RESOLUTION: Final = "opencaas-resolution"
_MAX_BYTES: Final = 5 * 1024**3
"""The most that S3 takes as one object in one request."""
_MAX_KEY_BYTES: Final = 1024
_PAGE: Final = 1000
"""The most keys that S3 lists, or deletes, at once."""

# Botocore logs whole requests at debug level, with what signs them.
logging.getLogger("botocore").setLevel(logging.WARNING)
logging.getLogger("aiobotocore").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """Where in S3 media go, and how they are reached.

    Attributes:
        bucket: its name.
        region: its region; without one what the AWS configuration says.
        endpoint_url: the server of MinIO and others; AWS's own without one.
        prefix: what keys begin with, before the project.
        cdn_domain: the domain of the CDN in front of the bucket, or its whole address; the bucket's own without one.
        profile: the profile of the AWS configuration.
        access_key: the id of an access key, if it shall not come from the AWS configuration.
        secret_key: its secret.
        cache_control: the header of released media.
    """

    bucket: str
    region: str | None = None
    endpoint_url: str | None = None
    prefix: str = ""
    cdn_domain: str | None = None
    profile: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    cache_control: str = _CACHING["release"]


class S3Delivery:
    """Delivers into S3; open it with ``async with``.

    Args:
        place: where the media go.
        project: the project's GID, the first segment of every key.
        spared: resolutions whose binaries stay although no document lists them, because they only lost their tag.
        dry_run: compare, but send and delete nothing.
        parallel: the most requests in flight.
        page: how many keys are listed and deleted at once.
        attempts: how often a request is tried before it counts as failed.
        seconds: how long the other side may be silent.
    """

    def __init__(
        self,
        place: S3Place,
        *,
        project: str,
        spared: frozenset[str] = frozenset(),
        dry_run: bool = False,
        parallel: int = 16,
        page: int = _PAGE,
        attempts: int = 5,
        seconds: float = 60,
    ) -> None:
        self._place = place
        self._project = project
        self._spared = spared
        self._dry_run = dry_run
        self._parallel = parallel
        self._page = page
        self._attempts = attempts
        self._seconds = seconds
        self._slots = asyncio.Semaphore(parallel)
        self._prefix = "".join(f"{segment}/" for segment in place.prefix.split("/") if segment)
        self._media: set[str] = set()
        self._taken: dict[int, int] = {}  # keys and files as hashes, since a project may have very many
        self._stack = AsyncExitStack()
        self._client: S3Client | None = None
        self._base = ""

    @property
    def name(self) -> str:
        """The bucket, and the server if it is not AWS."""
        server = f" at {self._place.endpoint_url}" if self._place.endpoint_url else ""
        return f"the S3 bucket {self._place.bucket}{server}"

    async def __aenter__(self) -> Self:
        """Connect, and see that the bucket is there.

        Raises:
            DeliveryError: it is not, or the credentials do not open it.
        """
        config = AioConfig(
            max_pool_connections=self._parallel,
            connect_timeout=min(self._seconds, 10),
            read_timeout=self._seconds,
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            # The digest of the bytes is a signed header, so that they need not be read once more for the signature.
            s3={"payload_signing_enabled": False},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        place = self._place
        if any(segment in {".", ".."} for segment in self._prefix.split("/")) or not self._prefix.isprintable():
            raise DeliveryError(f"{self._place.prefix!r} is no prefix that an address can have")
        try:
            session = get_session()
            if place.profile:
                session.set_config_variable("profile", place.profile)
            context = session.create_client(
                "s3", region_name=place.region, endpoint_url=place.endpoint_url, config=config,
                aws_access_key_id=place.access_key, aws_secret_access_key=place.secret_key,
            )  # fmt: skip
            self._client = await self._stack.enter_async_context(context)
            self._base = self._read_base(self._client.meta.region_name)
            await self._client.head_bucket(Bucket=place.bucket)
        except (BotoCoreError, ClientError, ValueError) as problem:
            await self._stack.aclose()
            raise self._error("cannot be used", problem) from problem
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_problem: object) -> None:
        """Close every connection."""
        self._client = None
        await self._stack.aclose()

    def key(self, file: MediaFile, state: State) -> str:
        """``[<prefix>/]<project GID>[/preview]/<path>``.

        Raises:
            DeliveryError: the path cannot be part of a key.
        """
        path = checked_path(file)
        if state == "release" and path.startswith("preview/"):
            raise DeliveryError(
                f"{file.file_id}: {path!r} would lie among the media of the preview state",
                hint="give the media folder 'preview' another name",
            )
        key = f"{self._root(state)}{path}"
        if len(key.encode()) > _MAX_KEY_BYTES:
            raise DeliveryError(f"{file.file_id}: a key of S3 has no more than {_MAX_KEY_BYTES} bytes: {path!r}")
        return key

    def url(self, file: MediaFile, state: State) -> str:
        """The address at the CDN, or the bucket's own.

        Raises:
            DeliveryError: the path cannot be part of a key.
        """
        return f"{self._base}/{url_path(self.key(file, state))}"

    def seo_route(self, file: MediaFile) -> str | None:
        """The path without project and state, as it stands in a URL."""
        return f"/{url_path(checked_path(file))}"

    async def deliver(self, file: MediaFile, state: State) -> bool:
        """Send a file, unless the object has its bytes and headers already.

        Raises:
            DeliveryError: it cannot be sent, or another medium has the same path.
        """
        key = self.key(file, state)
        if not (file.content_type.isascii() and file.content_type.isprintable()):
            raise DeliveryError(f"{file.file_id}: {file.content_type!r} is no media type")
        if self._taken.setdefault(hash(key), hash(file.file_id)) != hash(file.file_id):
            raise DeliveryError(
                f"{file.file_id}: another medium has the path {file.path!r}",
                hint="give one of the two another file name",
            )
        self._media.add(medium_of(file))
        if file.size > _MAX_BYTES:
            raise DeliveryError(f"{file.file_id}: S3 takes no more than {_MAX_BYTES} bytes at once")
        caching = _CACHING["preview"] if state == "preview" else self._place.cache_control
        metadata = {
            _DIGEST: file.digest,
            _MEDIUM: medium_of(file),
            _RESOLUTION: quote(file.resolution or ""),
        }
        async with self._slots:
            try:
                if await self._holds(key, file, caching, metadata):
                    return False
                if self._dry_run:
                    return True
                with await asyncio.to_thread(file.open) as stream:
                    await self._put(key, file, stream, caching, metadata)
            except (BotoCoreError, ClientError) as problem:
                raise self._error(f"did not take {key}", problem) from problem
            except OSError as problem:
                reason = problem.strerror or str(problem) or type(problem).__name__
                raise DeliveryError(f"{file.file_id}: its bytes cannot be read: {reason}") from problem
        return True

    async def _put(self, key: str, file: MediaFile, stream: BinaryIO, caching: str, metadata: dict[str, str]) -> None:
        body: Any = MeasuredBytes(stream, size=file.size, digest=file.digest)
        try:
            await self._opened.put_object(
                Bucket=self._place.bucket,
                Key=key,
                Body=body,
                ContentLength=file.size,
                ContentType=file.content_type,
                CacheControl=caching,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(file.digest)).decode(),
                Metadata=metadata,
            )
        except (BotoCoreError, ClientError) as problem:
            if body.changed:
                raise OSError(CHANGED) from problem
            raise

    async def prune(self, state: State, keep: Container[str]) -> int:
        """Delete objects of the project and the state that jobs sent and that are not to be kept.

        Raises:
            DeliveryError: they cannot be listed or deleted.
        """
        deleted = 0
        try:
            async for keys in self._listed(state):
                unknown = [key for key in keys if key not in keep]
                ours = await asyncio.gather(*(self._is_stale(key) for key in unknown))
                stale = [key for key, mine in zip(unknown, ours, strict=True) if mine]
                await self._delete(stale)
                deleted += len(stale)
        except (BotoCoreError, ClientError) as problem:
            raise self._error("cannot be cleaned up", problem) from problem
        return deleted

    @property
    def _opened(self) -> "S3Client":
        if self._client is None:
            raise DeliveryError("the delivery into S3 is not open")
        return self._client

    def _root(self, state: State) -> str:
        return f"{self._prefix}{self._project}/{'preview/' if state == 'preview' else ''}"

    def _read_base(self, region: str | None) -> str:
        """The address that keys are appended to."""
        place = self._place
        if place.cdn_domain:
            domain = place.cdn_domain.rstrip("/")
            return domain if "://" in domain else f"https://{domain}"
        if place.endpoint_url:
            return f"{place.endpoint_url.rstrip('/')}/{place.bucket}"
        if not region or region == "aws-global":
            raise DeliveryError("the region of the S3 bucket is not known", hint="name it, or a domain of a CDN")
        domain = f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
        # A dot in the name of a bucket would make it a domain that no certificate of AWS covers.
        return f"https://{domain}/{place.bucket}" if "." in place.bucket else f"https://{place.bucket}.{domain}"

    async def _holds(self, key: str, file: MediaFile, caching: str, metadata: dict[str, str]) -> bool:
        try:
            known = await self._opened.head_object(Bucket=self._place.bucket, Key=key)
        except ClientError as problem:
            if _status(problem) == 404:
                return False
            raise
        return (
            known["ContentLength"] == file.size
            and known.get("ContentType") == file.content_type
            and known.get("CacheControl") == caching
            and _lowered(known["Metadata"]) == metadata
        )

    async def _listed(self, state: State) -> AsyncIterator[list[str]]:
        """List the keys of a state, a page at a time; those of preview lie below those of release."""
        pages = self._opened.get_paginator("list_objects_v2").paginate(
            Bucket=self._place.bucket, Prefix=self._root(state), PaginationConfig={"PageSize": self._page}
        )
        others = self._root("preview")
        async for page in pages:
            keys = [found["Key"] for found in page.get("Contents", [])]
            yield [key for key in keys if state == "preview" or not key.startswith(others)]

    async def _is_stale(self, key: str) -> bool:
        """Whether a job sent an object, and for a medium or a resolution that is gone."""
        async with self._slots:
            try:
                known = await self._opened.head_object(Bucket=self._place.bucket, Key=key)
            except ClientError as problem:
                if _status(problem) == 404:
                    return False
                raise
        metadata = _lowered(known["Metadata"])
        if _DIGEST not in metadata:
            return False
        return not (metadata.get(_MEDIUM) in self._media and unquote(metadata.get(_RESOLUTION, "")) in self._spared)

    async def _delete(self, keys: Sequence[str]) -> None:
        """Delete a page of keys."""
        if not keys or self._dry_run:
            return
        answer = await self._opened.delete_objects(
            Bucket=self._place.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
        if refused := answer.get("Errors"):
            first = refused[0]
            reason = f"{first.get('Key')}: {first.get('Code')}"
            raise DeliveryError(f"{self.name} does not delete {len(refused)} objects, the first is {reason}")

    def _error(self, what: str, problem: Exception) -> DeliveryError:
        """Say what went wrong in words that hold no credentials: botocore's messages may."""
        if isinstance(problem, ClientError):
            code = str(problem.response.get("Error", {}).get("Code", "")) or str(_status(problem))
        else:
            code = type(problem).__name__
        return DeliveryError(f"{self.name} {what}: {code}", details={"reason": code}, hint=_HINTS.get(code))


_HINTS: Final = {
    "404": "create the bucket, or name another one",
    "NoSuchBucket": "create the bucket, or name another one",
    "403": "the credentials need s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject",
    "AccessDenied": "the credentials need s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject",
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile",
    "EndpointConnectionError": "look at the address of the endpoint, and whether it is reached from here",
    "NoRegionError": "name the region",
    "ParamValidationError": "look at the name of the bucket",
    "ProfileNotFound": "name a profile of the AWS configuration",
    "SSLError": "look at the certificate of the endpoint; AWS_CA_BUNDLE names authorities of your own",
    "ValueError": "look at the address of the endpoint and at the region",
}


def _lowered(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata as they were written; some servers give their names back in capitals."""
    return {name.lower(): value for name, value in metadata.items()}


def _status(problem: ClientError) -> int:
    return int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
