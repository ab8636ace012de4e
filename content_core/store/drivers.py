"""Opening the drivers: Motor, which the store uses unless told otherwise, and PyMongo's own async client.

Both have nearly the same API; the few differences are evened out here.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final, Literal, Protocol, TypeAlias, overload
from urllib.parse import parse_qs, urlsplit

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)

from content_core.documents import Document
from content_core.errors import StoreError

__all__ = ["Driver", "DriverName", "MotorDriver", "PyMongoDriver", "open_driver"]

DriverName: TypeAlias = Literal["motor", "pymongo"]

_FIXED: Final[dict[str, Any]] = {
    # An acknowledged write is durable, and what was read cannot be rolled back: promises that no URI takes away.
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "retryReads": True,
    "retryWrites": True,
    # Dates before the year 1 and after 9999 are legal in MongoDB; they come as DatetimeMS instead of an exception.
    "datetime_conversion": "DATETIME_AUTO",
    "unicode_decode_error_handler": "replace",
}
_DEFAULTS: Final[dict[str, Any]] = {
    "appname": "opencaas",
    "connectTimeoutMS": 5_000,
    # A hanging member is noticed after these two together.
    "heartbeatFrequencyMS": 2_000,
    # Members elect a new primary after ten seconds without one, and take a moment for it: what was under way when it
    # died is sent again then, and nobody hears of it.
    "serverSelectionTimeoutMS": 15_000,
    "waitQueueTimeoutMS": 10_000,
}

_GOODBYE_SECONDS: Final = 1.0
_GREETING_SECONDS: Final = 0.2


class Driver(Protocol):
    """A client of either kind."""

    @property
    def client(self) -> Any:
        """The driver's own client: ``client[database][collection]`` and so on."""
        ...

    async def aggregate(self, collection: Any, pipeline: Sequence[Document], options: dict[str, Any]) -> list[Document]:
        """Run a pipeline and read its whole result."""
        ...

    async def open_cursor(self, collection: Any, pipeline: Sequence[Document], options: dict[str, Any]) -> Any:
        """Run a pipeline; the cursor has to be closed."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class MotorDriver:
    """Motor: PyMongo's synchronous client on a pool of threads."""

    def __init__(self, uri: str, options: dict[str, Any]) -> None:
        self.client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(uri, **options)

    async def aggregate(self, collection: Any, pipeline: Sequence[Document], options: dict[str, Any]) -> list[Document]:
        """Run a pipeline; Motor gives the cursor at once."""
        documents: list[Document] = await collection.aggregate(pipeline, **options).to_list(None)
        return documents

    async def open_cursor(self, collection: Any, pipeline: Sequence[Document], options: dict[str, Any]) -> Any:
        """Run a pipeline; Motor does so when the first document is read."""
        return collection.aggregate(pipeline, **options)

    async def close(self) -> None:
        """Close; Motor does not wait."""
        self.client.close()


class PyMongoDriver:
    """PyMongo's own async client: no threads, the event loop does the waiting."""

    def __init__(self, uri: str, options: dict[str, Any]) -> None:
        self._greetings = _Greetings()
        listeners = [*options.pop("event_listeners", ()), self._greetings]
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(uri, event_listeners=listeners, **options)

    async def aggregate(self, collection: Any, pipeline: Sequence[Document], options: dict[str, Any]) -> list[Document]:
        """Run a pipeline; PyMongo gives the cursor when the server has answered."""
        cursor = await collection.aggregate(pipeline, **options)
        documents: list[Document] = await cursor.to_list(None)
        return documents

    async def open_cursor(self, collection: Any, pipeline: Sequence[Document], options: dict[str, Any]) -> Any:
        """Run a pipeline; PyMongo gives the cursor when the server has answered."""
        return await collection.aggregate(pipeline, **options)

    async def close(self) -> None:
        """Close and wait for it, but not for a server that hangs."""
        await self._greetings.over()
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self.client.close()
        except TimeoutError:
            # The client was telling the server which sessions end. It has forgotten them now, and only closes.
            await self._greetings.over()
            await self.client.close()


class _Greetings(ServerHeartbeatListener):
    """Knows when the client is connecting to see how a server is.

    A client closed in that very moment leaves the socket to the garbage collector (PyMongo 4.20), which complains.
    """

    def __init__(self) -> None:
        self._under_way: set[Any] = set()
        self._over = asyncio.Event()

    async def over(self) -> None:
        """Wait until no greeting is under way, but not for a server that hangs."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GREETING_SECONDS):
                while self._under_way:
                    self._over.clear()
                    await self._over.wait()

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Note it, unless it goes over a connection that there is."""
        if not event.awaited:
            self._under_way.add(event.connection_id)

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """It is over."""
        self._end(event.connection_id)

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """It is over."""
        self._end(event.connection_id)

    def _end(self, address: Any) -> None:
        self._under_way.discard(address)
        self._over.set()


@overload
def open_driver(uri: str, driver: Literal["pymongo"], **options: Any) -> PyMongoDriver: ...
@overload
def open_driver(uri: str, driver: DriverName, **options: Any) -> Driver: ...
def open_driver(uri: str, driver: DriverName, **options: Any) -> Driver:
    """Open a client; it connects when it is first used.

    Args:
        uri: the MongoDB URI; it may set what is not a promise of ours, such as timeouts.
        driver: which of the two.
        options: defaults of the caller, as the driver names them; they too give way to the URI.

    Raises:
        StoreError: the URI cannot be used. The reason stays out of the message, for it quotes the URI.
    """
    try:
        in_uri = {name.lower() for name in parse_qs(urlsplit(uri).query)}
        defaults = {name: value for name, value in (_DEFAULTS | options).items() if name.lower() not in in_uri}
        everything = defaults | _FIXED
        return MotorDriver(uri, everything) if driver == "motor" else PyMongoDriver(uri, everything)
    except (PyMongoError, ValueError, TypeError):
        raise StoreError(
            "The MongoDB URI cannot be used",
            hint="It has the form mongodb://user:password@host:port/?replicaSet=name; special characters are %-escaped",
        ) from None
