"""The change feed: one cluster-wide change stream per process, resumed by token, fanned out to whoever listens.

It is carried by PyMongo's async client, whose streams are open when ``watch`` returns (events in between are not lost)
and hold no thread while they wait.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bson import Timestamp
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from content_core import observe
from content_core.documents import Document
from content_core.errors import StoreUnavailableError
from content_core.store.driver_errors import server_code, translate
from content_core.store.drivers import PyMongoDriver
from content_core.store.store import Store

__all__ = ["HISTORY_LOST", "ChangeEvent", "ChangeFeed", "present"]

_log = logging.getLogger(__name__)

_OPERATIONS: Final = ("insert", "update", "replace", "delete", "drop", "rename", "dropDatabase")
_PIPELINE: Final[list[Document]] = [
    {"$match": {"operationType": {"$in": list(_OPERATIONS)}}},
    # Documents stay where they are: who listens reads what it needs, and a large one cannot break the stream.
    {"$project": {"_id": 1, "operationType": 1, "ns": 1, "to": 1, "documentKey": 1, "clusterTime": 1}},
]
_AWAIT_MS: Final = 1_000
_ANSWER_MS: Final = 5_000
"""How long past the awaiting MongoDB may take to answer before it counts as gone."""

HISTORY_LOST: Final = frozenset({9, 15, 136, 260, 280, 286, 40576, 40585, 40615, 40649})
"""Server codes after which the stream cannot be continued: history rolled over, or a token that means nothing here."""

_HOPELESS: Final = frozenset({13, 18, 40573})
"""Server codes that no waiting mends: no right, wrong password, no replica set."""

_STUBBORN: Final = 5
"""After so many refusals in a row of the same position it is given up as well, whatever the code."""

_PATIENCE: Final = 0.25
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
_BREATHE_AFTER: Final = 100

Listener: TypeAlias = Callable[["ChangeEvent"], None]


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """That something changed. A rename is told twice: with the old name and with the new one.

    Args:
        operation: insert, update, replace, delete, drop, rename or dropDatabase.
        database: where.
        collection: where; empty for dropDatabase.
        document_id: the document's ``_id``; None where the operation is not about one.
    """

    operation: str
    database: str
    collection: str
    document_id: Any


@dataclass(frozen=True, slots=True, eq=False)
class _Subscription:
    listener: Listener
    collections: Callable[[str, str], bool] | None
    on_gap: Callable[[], None] | None

    def wants(self, event: ChangeEvent) -> bool:
        return self.collections is None or not event.collection or self.collections(event.database, event.collection)


class ChangeFeed:
    """The changes of all databases as a stream of small events.

    Args:
        store: whose changes.
        open_seconds: how long :meth:`start` tries.
    """

    def __init__(self, store: Store, *, open_seconds: float = 15) -> None:
        self._store = store
        self._open_seconds = open_seconds
        self._subscriptions: list[_Subscription] = []
        self._position: Mapping[str, Any] | None = None
        self._gap = False
        self._refusals = 0
        self._live = False
        self._interrupted = False
        self._backlog_ends: Timestamp | None = None
        self._driver: PyMongoDriver | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def live(self) -> bool:
        """Whether the listeners know of every change so far.

        False until open, whenever MongoDB is away, and then until what happened meanwhile has been told.
        """
        return self._live

    def subscribe(
        self,
        listener: Listener,
        *,
        collections: Callable[[str, str], bool] | None = None,
        on_gap: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        """Listen to changes.

        Args:
            listener: called on the event loop with each event, in order; it must not block. What it raises is logged.
            collections: which (database, collection) matter, None for all. A dropped database reaches everybody.
            on_gap: called when events were lost, so that what was built on them can be built anew; at that time
                the stream is open again, so what is read from now on misses nothing.

        Returns:
            A function that ends the subscription.
        """
        subscription = _Subscription(listener, collections, on_gap)
        self._subscriptions.append(subscription)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscriptions.remove(subscription)

        return unsubscribe

    async def start(self) -> None:
        """Open the stream; every change that happens after this returns reaches the listeners.

        Raises:
            StoreUnavailableError: MongoDB could not be reached, or has no change streams (it is no replica set).
        """
        if self._task is not None:
            return
        self._driver = self._store.open_client(
            maxPoolSize=4,
            serverSelectionTimeoutMS=2_000,
            socketTimeoutMS=_AWAIT_MS + _ANSWER_MS,
            event_listeners=[_FailureListener(self._down)],
        )
        opened = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(self._driver, opened), name="change feed")
        try:
            async with asyncio.timeout(self._open_seconds):
                await opened
        except TimeoutError:
            await self.stop()
            raise StoreUnavailableError("The change stream of MongoDB could not be opened in time") from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the stream. A later start begins anew, without what happened in between."""
        task, driver = self._task, self._driver
        self._task = self._driver = None
        self._live = self._gap = False
        self._position = self._backlog_ends = None
        if task is not None:
            # More than once: a cancellation that meets the end of a wait_for is lost (Python 3.11; seen in the driver),
            # and on the way out the driver says goodbye to a server that may hang.
            while not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_PATIENCE)
        if driver is not None:
            await driver.close()

    def _down(self) -> None:
        self._interrupted = True
        self._backlog_ends = None
        if self._live:
            self._live = False
            observe.count("change_feed_interruptions")
            _log.warning("The change stream is interrupted; it will be resumed")

    async def _run(self, driver: PyMongoDriver, opened: "asyncio.Future[None]") -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                stream = await self._opened(driver)
                async with stream:
                    pause = _FIRST_PAUSE
                    if not opened.done():
                        opened.set_result(None)
                    await self._follow(driver, stream)
            except OperationFailure as error:
                if not opened.done() and server_code(error) in _HOPELESS:
                    opened.set_exception(translate(error))
                    return
                self._note(error)
            except PyMongoError as error:
                _log.debug("The change stream is away: %s", type(error).__name__)
            except Exception:  # noqa: BLE001 - the edge of the task: nobody else would hear of it
                _log.exception("The change stream failed in a way that nobody thought of")
            self._down()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _opened(self, driver: PyMongoDriver) -> "AsyncChangeStream[Document]":
        """Open the stream where it left off; without a position from now on, and then everybody is told of the gap."""
        anew = self._position is None
        if self._position is None:
            # Named explicitly: the stream has no token before its first batch, and may be interrupted before that.
            self._position = _now(await driver.client.admin.command("hello"))
        stream = await driver.client.watch(_PIPELINE, max_await_time_ms=_AWAIT_MS, **self._position)
        if self._gap:
            self._gap = False
            observe.count("change_feed_gaps")
            for subscription in tuple(self._subscriptions):
                if subscription.on_gap is not None:
                    with _logged():
                        subscription.on_gap()
        # One that begins anew has missed nothing, or all have been told that it has.
        self._live = anew
        return stream

    async def _follow(self, driver: PyMongoDriver, stream: "AsyncChangeStream[Document]") -> None:
        in_a_row = 0
        while stream.alive:
            self._interrupted = False
            change = await stream.try_next()
            self._refusals = 0
            if change is not None:
                for event in _events(change):
                    self._tell(event)
            if stream.resume_token is not None:
                self._position = {"resume_after": stream.resume_token}
            if not self._live:
                self._live = await self._caught_up(driver, change)
            in_a_row = in_a_row + 1 if change is not None else 0
            if in_a_row % _BREATHE_AFTER == _BREATHE_AFTER - 1:
                await asyncio.sleep(0)

    async def _caught_up(self, driver: PyMongoDriver, change: Document | None) -> bool:
        """Tell whether what happened during an interruption has been told: nothing more came, or something newer.

        The answer to the very call that was interrupted does not count: it may be empty whatever happened.
        """
        if change is None:
            return not self._interrupted
        if self._backlog_ends is None:
            self._backlog_ends = present(await driver.client.admin.command("hello"))
        return self._backlog_ends is None or change["clusterTime"] > self._backlog_ends

    def _note(self, error: OperationFailure) -> None:
        """Give the position up where the server says that it is of no use, or keeps refusing it."""
        self._refusals += 1
        if server_code(error) in HISTORY_LOST or self._refusals >= _STUBBORN:
            _log.warning("The change stream cannot be resumed (code %s); it begins anew", server_code(error))
            self._position = None
            self._gap = True
            self._refusals = 0

    def _tell(self, event: ChangeEvent) -> None:
        for subscription in tuple(self._subscriptions):
            with _logged():
                if subscription.wants(event):
                    subscription.listener(event)


class _FailureListener(CommandListener):
    """Tells at once when the stream's own commands fail; the driver resumes quietly, which may take a while."""

    def __init__(self, down: Callable[[], None]) -> None:
        self._down = down

    def started(self, event: CommandStartedEvent) -> None:
        """Of no interest."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Of no interest."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Report it."""
        if event.command_name in {"getMore", "aggregate"}:
            self._down()


def _now(hello: Document) -> dict[str, Any]:
    """Name the present as a stream's beginning; the last change before it may be told once more."""
    point = present(hello)
    return {"start_at_operation_time": point} if point else {}


def present(hello: Document) -> Timestamp | None:
    """Find the present in a server's greeting.

    Of a replica set it is the point up to which a majority has everything: nothing older can become visible later.
    ``operationTime``, which a mongos gives, is missing for the first half second of a replica set's life.
    """
    return hello.get("lastWrite", {}).get("majorityOpTime", {}).get("ts") or hello.get("operationTime")


def _events(change: Document) -> Iterator[ChangeEvent]:
    key = change.get("documentKey")
    document_id = key.get("_id") if key else None
    for place in (change["ns"], change.get("to")):
        if place:
            yield ChangeEvent(change["operationType"], place["db"], place.get("coll", ""), document_id)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Keep one listener's failure from the others and from the stream."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever a listener raises, the others go on
        _log.exception("A listener of the change feed failed")
