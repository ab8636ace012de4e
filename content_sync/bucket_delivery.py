"""Delivery into the file buckets of the server itself, through its HTTP interface."""

import asyncio
from collections.abc import Container, Iterator, Sequence
from typing import Final, Self

from content_sync.client import SyncClient
from content_sync.errors import MissingError
from content_sync.media_paths import medium_of
from content_sync.model import MediaFile, State

__all__ = ["BucketDelivery"]

_DELETED_AT_ONCE: Final = 50
"""Their ids stand in the address of a request, which is not to grow beyond what servers take."""


class BucketDelivery:
    """Delivers into file buckets; open it with ``async with``.

    What a bucket holds is listed once, so that files which are there already cost no request.

    Args:
        client: the project on the server; opened and closed by the caller.
        public_url: the base URL that documents name; that of the client without one.
        spared: resolutions whose binaries stay although no document lists them, because they only lost their tag.
    """

    def __init__(
        self, client: SyncClient, *, public_url: str | None = None, spared: frozenset[str] = frozenset()
    ) -> None:
        self._client = client
        self._base = (public_url or client.server).rstrip("/")
        self._spared = tuple(f".{name}" for name in spared)
        self._media: set[str] = set()
        self._known: dict[State, dict[str, bytes | None]] = {}
        self._reading = asyncio.Lock()

    @property
    def name(self) -> str:
        """The buckets of the project."""
        return f"the file buckets of {self._client.project}"

    async def __aenter__(self) -> Self:
        """Nothing to connect: the client is open."""
        return self

    async def __aexit__(self, *_problem: object) -> None:
        """Nothing to close."""

    def key(self, file: MediaFile, state: State) -> str:  # noqa: ARG002 - each state has a bucket of its own
        """The file's id."""
        return file.file_id

    def url(self, file: MediaFile, state: State) -> str:
        """``<base>/<tenant>/<project GID>.<state>.files/<file id>/binary``."""
        return f"{self._base}{self._client.path(self._client.bucket(state), file.file_id)}/binary"

    def seo_route(self, file: MediaFile) -> str | None:  # noqa: ARG002 - as the protocol has it
        """None: files of a bucket are found by id, and no path leads to them."""
        return None

    async def deliver(self, file: MediaFile, state: State) -> bool:
        """Send a file, unless the bucket has its bytes already.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        known = await self._read(state)
        self._media.add(medium_of(file))
        digest = bytes.fromhex(file.digest)
        if known.get(file.file_id) == digest:
            return False
        await self._client.upload(self._client.bucket(state), file)
        known[file.file_id] = digest
        return True

    async def prune(self, state: State, keep: Container[str]) -> int:
        """Delete files of the bucket that jobs sent and that are not to be kept.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        known = await self._read(state)
        stale = [file_id for file_id, digest in known.items() if digest is not None and self._is_stale(file_id, keep)]
        deleted = 0
        for batch in _batches(stale):
            deleted += await self._client.bulk_delete(self._client.bucket(state), {"_id": {"$in": batch}})
            for file_id in batch:
                del known[file_id]
        return deleted

    def _is_stale(self, file_id: str, keep: Container[str]) -> bool:
        if file_id in keep:
            return False
        return not (file_id.endswith(self._spared) and file_id.partition(".")[0] in self._media)

    async def _read(self, state: State) -> dict[str, bytes | None]:
        """The digests of a bucket's files, by id; half the size of what the server writes."""
        async with self._reading:
            if state not in self._known:
                known: dict[str, bytes | None] = {}
                try:
                    async for file_id, digest in self._client.list_digests(self._client.bucket(state)):
                        known[file_id] = _digest(digest)
                except MissingError:
                    known = {}
                self._known[state] = known
            return self._known[state]


def _digest(text: str | None) -> bytes | None:
    """Read a digest; something else that stands in its place is a file that no job sent."""
    try:
        return None if text is None else bytes.fromhex(text)
    except ValueError:
        return None


def _batches(file_ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(file_ids), _DELETED_AT_ONCE):
        yield list(file_ids[start : start + _DELETED_AT_ONCE])
