"""Change streams: what a request to ``/<database>/<collection>/_streams/<uri>`` watches, and for how long."""

from typing import Final, NoReturn

from starlette.types import Receive, Scope, Send

from content_core import observe
from content_core.access import AccessControl
from content_core.errors import (
    MethodNotAllowedError,
    NotFoundError,
    NotSupportedError,
    PipelineMalformedError,
    QueryRefusedError,
    RequestError,
)
from content_core.store import ChangeFeed, ChangeStreams, Store, StreamSource
from rest_compat.call import Call
from rest_compat.metadata import Properties
from rest_compat.pipeline_variables import read_avars
from rest_compat.query import parse_query
from rest_compat.settings import RestSettings
from rest_compat.stream_definitions import fill_definition, find_definition
from rest_compat.stream_events import event_renderer
from rest_compat.stream_guard import WatcherGuard
from rest_compat.watcher import Watcher
from rest_compat.websocket import FRAMES, FrameWriter

__all__ = ["Streams", "refuse_plain_request", "watch"]

_GONE: Final = "websocket.disconnect"


class Streams:
    """Opens change streams for WebSockets.

    Args:
        store: where definitions are.
        access: weighs rights.
        properties: the metadata of collections.
        feed: tells when definitions and keys change.
        upstreams: the streams of MongoDB.
        settings: limits.
    """

    def __init__(
        self,
        *,
        store: Store,
        access: AccessControl,
        properties: Properties,
        feed: ChangeFeed,
        upstreams: ChangeStreams,
        settings: RestSettings,
    ) -> None:
        self._properties = properties
        self._upstreams = upstreams
        self._settings = settings
        self._guard = WatcherGuard(store, access, feed)

    @property
    def generation(self) -> int:
        """Grows with every change of keys and definitions: read before the caller is asked who they are."""
        return self._guard.generation

    async def open(self, call: Call, scope: Scope, *, since: int) -> Watcher:
        """Begin to watch what a request names.

        Args:
            call: the request; it may pass.
            scope: its ASGI scope.
            since: :attr:`generation` before the caller was asked who they are.

        Returns:
            The watcher; events wait until it begins.

        Raises:
            NotFoundError: there is no such collection, or no such stream.
            RequestError: ``avars`` is no JSON object, or a variable is not bound.
            PipelineRefusedError: the definition is not one that can run.
            TooManyWatchersError: a bound is reached.
            StoreError: MongoDB is away, or has no change streams.
        """
        resource, request = call.resource, call.request
        mode = parse_query(request, self._settings).json_mode
        variables = read_avars(request)
        properties = await self._properties.of_collection(resource.database, resource.collection)
        definition = find_definition(properties, resource.document)
        if definition is None:
            raise NotFoundError(f"change stream '{resource.document}' does not exist")
        watcher = Watcher(
            frames=_frames(scope),
            queue_bytes=self._settings.watcher_queue_bytes,
            principal=call.principal,
            segments=request.segments,
            database=resource.database,
            collection=resource.collection,
            uri=resource.document,
            definition=definition,
        )
        source = StreamSource(
            database=resource.database,
            collection=resource.collection,
            stages=fill_definition(definition, variables, max_regex_length=self._settings.max_regex_length),
            form=mode,
            render=event_renderer(mode),
        )
        await self._join(source, watcher, since)
        return watcher

    async def _join(self, source: StreamSource, watcher: Watcher, since: int) -> None:
        try:
            leave_upstream = await self._upstreams.join(source, watcher)
        except QueryRefusedError as error:
            raise PipelineMalformedError(error.message, location="pipeline") from error

        def leave() -> None:
            leave_upstream()
            self._guard.remove(watcher)

        watcher.leave = leave
        self._guard.add(watcher, since=since)


async def watch(watcher: Watcher, receive: Receive, send: Send) -> None:
    """Accept the WebSocket and keep it until one of both sides ends it; what the client sends is of no interest."""
    try:
        await send({"type": "websocket.accept"})
        watcher.begin()
        while (message := await receive())["type"] != _GONE:
            pass
        observe.note(close=message.get("code"))
    finally:
        watcher.leave()


async def refuse_plain_request(call: Call) -> NoReturn:
    """Refuse a request that does not ask for a WebSocket.

    Raises:
        MethodNotAllowedError: it is a HEAD, which makes no sense here.
        RequestError: it is a GET.
    """
    if call.request.method == "HEAD":
        raise MethodNotAllowedError("method HEAD not allowed")
    raise RequestError("a change stream is watched over a WebSocket: the request has no 'Upgrade: websocket'")


def _frames(scope: Scope) -> FrameWriter:
    frames: FrameWriter | None = scope.get("extensions", {}).get(FRAMES)
    if frames is None:
        raise NotSupportedError("this server cannot send frames of a change stream")
    return frames
