"""Where the bytes of media go, and under which address documents name them: the seam between a job and its target.

Two targets implement it: ``bucket_delivery`` (file buckets of the server) and ``s3`` (an S3 bucket, behind a CDN or by
itself). A job opens one, delivers every file of the source, and prunes what is left over once all went well.
"""

from collections.abc import Container
from typing import Protocol, Self

from content_sync.errors import SyncError
from content_sync.model import MediaFile, State

__all__ = ["Delivery", "DeliveryError"]


class DeliveryError(SyncError):
    """The bytes of a medium cannot be brought to where they belong."""

    code = "OC820"
    status = 502


class Delivery(Protocol):
    """A place for the bytes of media; open it with ``async with``. Calls may be in flight together."""

    @property
    def name(self) -> str:
        """What reports call it; no credentials in it."""

    async def __aenter__(self) -> Self:
        """Connect; nothing can be delivered before."""

    async def __aexit__(self, *problem: object) -> None:
        """Close every connection."""

    def key(self, file: MediaFile, state: State) -> str:
        """The name of a file at its place: what ``prune`` is told to keep.

        Raises:
            DeliveryError: it can have none there.
        """

    def url(self, file: MediaFile, state: State) -> str:
        """The address that documents name.

        Raises:
            DeliveryError: it can have none there.
        """

    def seo_route(self, file: MediaFile) -> str | None:
        """The path that consumers append to a domain of their own; ``None`` where no path leads to the file."""

    async def deliver(self, file: MediaFile, state: State) -> bool:
        """Bring a file to its place; False if it is there already, byte for byte.

        Raises:
            DeliveryError: it could not be sent, also not by trying again.
        """

    async def prune(self, state: State, keep: Container[str]) -> int:
        """Remove what earlier jobs sent and no document names any more; gives the number of files.

        Files that something else than a job put there stay, and so do those of resolutions that merely lost their tag.
        To be called only after every file of the state was delivered by the same object.

        Args:
            state: whose files are meant.
            keep: the keys of the files that documents name.
        """
