"""Change streams for watchers: one stream of MongoDB for all who watch the same, resumed by token, bounded.

Carried by PyMongo's async client, whose streams are open when ``watch`` returns and hold no thread while they wait.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Final

from content_core import observe
from content_core.errors import StoreUnavailableError, TooManyWatchersError
from content_core.store.drivers import PyMongoDriver
from content_core.store.store import Store
from content_core.store.upstream import ANSWER_MS, AWAIT_MS, Ending, StreamSource, Upstream, Watcher

__all__ = ["ChangeStreams"]

_SPARE_CONNECTIONS: Final = 8
_SELECTION_MS: Final = 2_000
_PATIENCE: Final = 0.25


class ChangeStreams:
    """All watched change streams of a process. Belongs to one event loop.

    Args:
        store: whose changes.
        max_streams: different streams at most; each is a cursor of MongoDB and a connection to it.
        max_watchers: watchers at most, of all streams.
        max_watchers_per_stream: watchers of one stream at most.
        resume_seconds: how long a stream whose MongoDB is away is tried again; then its watchers are ended.
    """

    def __init__(
        self,
        store: Store,
        *,
        max_streams: int = 100,
        max_watchers: int = 5_000,
        max_watchers_per_stream: int = 2_000,
        resume_seconds: float = 60.0,
    ) -> None:
        self._store = store
        self._max_streams = max_streams
        self._max_watchers = max_watchers
        self._max_watchers_per_stream = max_watchers_per_stream
        self._resume_seconds = resume_seconds
        self._driver: PyMongoDriver | None = None
        self._upstreams: dict[bytes, Upstream] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def streams(self) -> int:
        """How many streams of MongoDB are open."""
        return len(self._upstreams)

    @property
    def watchers(self) -> int:
        """How many watch, those included whose stream is just being opened."""
        return sum(upstream.expected for upstream in self._upstreams.values())

    async def join(self, source: StreamSource, watcher: Watcher) -> Callable[[], None]:
        """Let a watcher see every change from now on, and none that was acknowledged before.

        Args:
            source: what to watch.
            watcher: hears of it. When it hears that the stream has ended, it has left.

        Returns:
            A function by which the watcher leaves; calling it twice is fine.

        Raises:
            TooManyWatchersError: a bound is reached.
            QueryRefusedError: MongoDB does not take the stages.
            StoreError: MongoDB is away, or has no change streams because it is no replica set.
        """
        upstream = self._find(source)
        upstream.expected += 1
        observe.gauge("change_stream_watchers", 1)
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                upstream.expected -= 1
                observe.gauge("change_stream_watchers", -1)
                upstream.remove(watcher)
                if not upstream.expected:
                    self._drop(upstream)

        try:
            await upstream.add(watcher)
        except BaseException:
            leave()
            raise
        return leave

    def end_all(self) -> None:
        """Tell every watcher that the server stops, and take no more of them."""
        self._stopped = True
        for upstream in tuple(self._upstreams.values()):
            self._drop(upstream)
            upstream.end(Ending.STOPPED)

    async def stop(self) -> None:
        """Close every stream."""
        self.end_all()
        while self._closing:
            await asyncio.wait(self._closing)
        if self._driver is not None:
            await self._driver.close()
            self._driver = None

    def _find(self, source: StreamSource) -> Upstream:
        """Give the stream of a source, a new one if there is none."""
        if self._stopped:
            raise StoreUnavailableError("the server is about to stop")
        if self.watchers >= self._max_watchers:
            raise TooManyWatchersError(f"the server has {self._max_watchers} watchers, and takes no more")
        upstream = self._upstreams.get(source.key)
        if upstream is None:
            return self._open(source)
        if upstream.expected >= self._max_watchers_per_stream:
            raise TooManyWatchersError(
                f"the change stream has {self._max_watchers_per_stream} watchers, and takes no more"
            )
        return upstream

    def _open(self, source: StreamSource) -> Upstream:
        if len(self._upstreams) >= self._max_streams:
            raise TooManyWatchersError(
                f"the server follows {self._max_streams} different change streams, and takes no more"
            )
        if self._driver is None:
            self._driver = self._store.open_client(
                maxPoolSize=self._max_streams + _SPARE_CONNECTIONS,
                serverSelectionTimeoutMS=_SELECTION_MS,
                socketTimeoutMS=AWAIT_MS + ANSWER_MS,
            )
        upstream = Upstream(self._driver, source, resume_seconds=self._resume_seconds, on_end=self._drop)
        # A context of its own: the stream outlives the request that opens it.
        upstream.task = asyncio.create_task(upstream.run(), name="watched change stream", context=Context())
        self._upstreams[source.key] = upstream
        observe.gauge("change_stream_upstreams", 1)
        return upstream

    def _drop(self, upstream: Upstream) -> None:
        """Forget a stream: the next watcher of its source begins a new one."""
        if self._upstreams.get(upstream.source.key) is not upstream:
            return
        del self._upstreams[upstream.source.key]
        observe.gauge("change_stream_upstreams", -1)
        if upstream.task is not None:
            closing = asyncio.create_task(_ended(upstream.task), context=Context())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


async def _ended(task: "asyncio.Task[None]") -> None:
    """End a task; called by the task itself, in the end, it has nothing to do."""
    # More than once: a cancellation that meets the end of a wait_for is lost (Python 3.11; seen in the driver), and on
    # the way out the driver says goodbye to a server that may hang.
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_PATIENCE)
