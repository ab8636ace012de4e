"""One change stream of MongoDB that many watch: opened, followed, resumed by token, and ended with a reason."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Final, Protocol

import bson
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from content_core import observe
from content_core.documents import Document
from content_core.errors import QueryRefusedError, StoreError, StoreUnavailableError
from content_core.store.driver_errors import server_code, translate
from content_core.store.drivers import PyMongoDriver
from content_core.store.feed import HISTORY_LOST, present

__all__ = ["ANSWER_MS", "AWAIT_MS", "Ending", "StreamSource", "Upstream", "Watcher"]

_log = logging.getLogger(__name__)

AWAIT_MS: Final = 1_000
"""How long MongoDB waits for a change before it answers that there is none."""

ANSWER_MS: Final = 5_000
"""How long past that it may take to answer before it counts as gone."""

_LARGEST_EVENT: Final = 16_000_000
"""Bytes; MongoDB 6.0.5 fails on an event over 16 MiB + 16 KiB, which an update of a large document can make."""

_NOT_IN_STREAMS: Final = frozenset({20, 280, 40324})
"""Server codes for stages that MongoDB knows but does not take in a change stream, or does not know."""

_FATAL: Final = HISTORY_LOST | _NOT_IN_STREAMS | {13, 18, 10334, 40573}
"""Server codes that no waiting mends."""

_STUBBORN: Final = 5
"""After so many refusals in a row of the same position it is given up, whatever the code."""

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_BREATHE_AFTER: Final = 250
"""Watchers told in a row before others get their turn on the event loop."""

_IN_THREAD_FROM: Final = 128 * 1024
"""Bytes of an event from which on it is rendered in a thread, so that the event loop stays free."""

_OF_TIME: Final = "82"
"""How the resume token of an event begins; 16 digits follow, which are its cluster time (keystring of a timestamp)."""

_TIME_DIGITS: Final = 18
_ANY_TIME: Final = "~"


class Ending(Enum):
    """Why a watched stream ended."""

    GONE = "gone"
    """The collection was dropped or renamed, or its database was dropped."""
    LOST = "lost"
    """It cannot be continued: what happened meanwhile is not known any more, or MongoDB is away for too long."""
    STOPPED = "stopped"
    """The server stops."""


class Watcher(Protocol):
    """Who is told. Both are called on the event loop and must not block."""

    def tell(self, frame: bytes) -> None:
        """Take one event, in order, rendered by the source."""

    def end(self, ending: Ending) -> None:
        """Take notice that no more events come."""


@dataclass(frozen=True, slots=False, kw_only=True)
class StreamSource:
    """What is watched.

    Args:
        database: the database.
        collection: the collection.
        stages: the pipeline behind MongoDB's own first stage.
        form: what tells renderings apart.
        render: makes of an event what watchers get. It may be called in a thread.
    """

    database: str
    collection: str
    stages: tuple[Document, ...]
    form: str
    render: Callable[[Document], bytes] = field(compare=False)

    @cached_property
    def key(self) -> bytes:
        """Two sources of the same key are the same stream.

        Raises:
            QueryRefusedError: the stages hold what BSON cannot.
        """
        whole = {"in": [self.database, self.collection, self.form], "stages": list(self.stages)}
        try:
            return bson.encode(whole)
        except (bson.errors.BSONError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise QueryRefusedError(f"the stages cannot be sent to MongoDB: {error}") from error


class Upstream:
    """A stream and its watchers. :meth:`run` is its life.

    Args:
        driver: the client that carries it.
        source: what is watched.
        resume_seconds: how long it is tried again while MongoDB is away.
        on_end: called when it ends by itself, before the watchers are told.

    Attributes:
        expected: how many watch or are about to; kept by the owner.
        task: what runs it; kept by the owner.
    """

    def __init__(
        self,
        driver: PyMongoDriver,
        source: StreamSource,
        *,
        resume_seconds: float,
        on_end: Callable[["Upstream"], None],
    ) -> None:
        self.source = source
        self.expected = 0
        self.task: asyncio.Task[None] | None = None
        self._client = driver.client
        self._resume_seconds = resume_seconds
        self._on_end = on_end
        self._watchers: dict[Watcher, str] = {}
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended: Ending | None = None
        self._position: Any = None
        self._seen = 0.0
        self._refusals = 0
        self._decoding: CodecOptions[Document] = self._client.codec_options

    async def add(self, watcher: Watcher) -> None:
        """Let a watcher see what happens from now on.

        Raises:
            StoreError: the stream could not be opened, or has ended.
        """
        since = ""
        if not self._opened.done():
            await asyncio.shield(self._opened)
        else:
            self._opened.result()
            since = await self._present()
        if self._ended is not None:
            raise StoreUnavailableError("the change stream has just ended")
        self._watchers[watcher] = since

    def remove(self, watcher: Watcher) -> None:
        """Let a watcher go."""
        self._watchers.pop(watcher, None)

    def end(self, ending: Ending) -> None:
        """Tell the watchers that nothing more comes."""
        self._ended = ending
        for watcher in tuple(self._watchers):
            try:
                watcher.end(ending)
            except Exception:  # noqa: BLE001 - the others have to hear of it as well
                _log.exception("A watcher failed at the end of its change stream")
        self._watchers.clear()

    async def run(self) -> None:
        """Open the stream and follow it until it ends."""
        try:
            ending = await self._follow()
        except StoreError as error:
            self._fail(error)
            return
        except Exception:  # noqa: BLE001 - the edge of the task: nobody else would hear of it
            _log.exception("A watched change stream failed in a way that nobody thought of")
            ending = Ending.LOST
            self._fail(StoreError("the change stream could not be opened"))
        self._on_end(self)
        self.end(ending)

    def _fail(self, error: StoreError) -> None:
        """Tell those who wait for the opening that there is none."""
        if not self._opened.done():
            self._on_end(self)
            self._opened.set_exception(error)
            self._opened.exception()  # whoever waited may have gone

    async def _follow(self) -> Ending:
        """Follow the stream, over interruptions.

        Raises:
            StoreError: it could not be opened in the first place.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                async with await self._open() as stream:
                    pause = _FIRST_PAUSE
                    if not self._opened.done():
                        self._opened.set_result(None)
                    await self._pass_on(stream)
                    return Ending.GONE
            except PyMongoError as error:
                if not self._opened.done():
                    raise _refusal(error) from error
                if self._is_over(error):
                    return Ending.LOST
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _open(self) -> "AsyncChangeStream[RawBSONDocument]":
        raw = self._decoding.with_options(document_class=RawBSONDocument)
        collection = self._client[self.source.database].get_collection(self.source.collection, codec_options=raw)
        stream = await collection.watch(
            [*self.source.stages, *_LAST_STAGES],
            full_document="updateLookup",
            max_await_time_ms=AWAIT_MS,
            resume_after=self._position,
        )
        self._position = stream.resume_token or self._position
        self._seen = time.monotonic()
        return stream  # type: ignore[return-value]  # the driver's types do not follow the codec options

    async def _pass_on(self, stream: "AsyncChangeStream[RawBSONDocument]") -> None:
        """Tell the watchers what happens, until MongoDB closes the stream because the collection is gone."""
        while stream.alive:
            change = await stream.try_next()
            self._refusals = 0
            self._seen = time.monotonic()
            if change is not None:
                await self._tell(change)
            self._position = stream.resume_token or self._position

    async def _tell(self, change: RawBSONDocument) -> None:
        if len(change.raw) < _IN_THREAD_FROM:
            frame = self._render(change)
        else:
            frame = await asyncio.to_thread(self._render, change)
        moment = _moment(change)
        told = 0
        for place, (watcher, since) in enumerate(tuple(self._watchers.items()), 1):
            if since < moment and watcher in self._watchers:
                watcher.tell(frame)
                told += 1
            if place % _BREATHE_AFTER == 0:
                await asyncio.sleep(0)
        observe.count("change_stream_events", told)

    def _render(self, change: RawBSONDocument) -> bytes:
        return self.source.render(bson.decode(change.raw, self._decoding))

    def _is_over(self, error: PyMongoError) -> bool:
        """Say whether there is no point in trying again."""
        if isinstance(error, OperationFailure):
            self._refusals += 1
            if server_code(error) in _FATAL or self._refusals >= _STUBBORN:
                _log.warning("A watched change stream cannot be resumed (code %s)", server_code(error))
                return True
        if time.monotonic() - self._seen > self._resume_seconds:
            _log.warning("MongoDB has been away for too long; the watchers of a change stream are sent away")
            return True
        return False

    async def _present(self) -> str:
        """Give the present as a resume token would begin that names it; what happened until then is the past."""
        try:
            point = present(await self._client.admin.command("hello"))
        except PyMongoError as error:
            raise translate(error) from error
        return f"{_OF_TIME}{point.time:08X}{point.inc:08X}" if point else ""


_SIZES: Final = {
    "$add": [
        {"$cond": [{"$eq": [{"$type": name}, "object"]}, {"$bsonSize": name}, 0]}
        for name in ("$fullDocument", "$updateDescription")
    ]
}
_LAST_STAGES: Final[tuple[Document, ...]] = (
    {"$project": {"fullDocument": 1, "documentKey": 1, "updateDescription": 1, "operationType": 1}},
    {
        "$set": {
            "updateDescription": {"$cond": [{"$gt": [_SIZES, _LARGEST_EVENT]}, "$$REMOVE", "$updateDescription"]},
        }
    },
)
"""Behind the stages of the source: what events are made of, and no event that is larger than MongoDB can send."""


def _moment(change: RawBSONDocument) -> str:
    """Give the beginning of an event's token, which tells when it happened; tokens can be compared as text."""
    token = change["_id"].get("_data")
    known = isinstance(token, str) and token.startswith(_OF_TIME)
    return token[:_TIME_DIGITS] if known else _ANY_TIME


def _refusal(error: PyMongoError) -> StoreError:
    """Say why a stream could not be opened."""
    if server_code(error) in _NOT_IN_STREAMS:
        return QueryRefusedError(f"MongoDB refuses the stages: {_said(error)}")
    return translate(error)


def _said(error: PyMongoError) -> str:
    details = getattr(error, "details", None)
    return str(details.get("errmsg", "")) if isinstance(details, Mapping) else ""
