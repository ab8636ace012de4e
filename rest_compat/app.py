"""The REST interface as an ASGI application: the order of checks in plain sight.

Method known, OPTIONS, authentication, path and authorisation, names, method of the resource; then the handler checks
parameters, existence and body, and runs.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import ClientDisconnect
from starlette.requests import Request as Connection
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from content_core import observe
from content_core.access import AccessControl, KeyStore, Principal
from content_core.access.permissions import METHODS as KNOWN_METHODS
from content_core.errors import (
    BodyTooLargeError,
    MethodNotAllowedError,
    NotFoundError,
    NotSupportedError,
    RequestError,
    ServiceError,
    StoreError,
)
from content_core.hooks import DefinitionHook
from content_core.store import ChangeFeed, ChangeStreams, Store
from rest_compat.body import check_body_headers
from rest_compat.call import Call
from rest_compat.cors import answer_headers, preflight_headers
from rest_compat.errors import render_error, render_unexpected
from rest_compat.logic import TokenEndpoints
from rest_compat.metadata import Properties
from rest_compat.openapi import Description
from rest_compat.reply import Reply
from rest_compat.request import Request, parse_request
from rest_compat.resources import METHODS, Kind, Resource, check_names, read_resource
from rest_compat.route_names import note_resource
from rest_compat.routes import build_routes
from rest_compat.settings import RestSettings
from rest_compat.streams import Streams, watch
from rest_compat.validation import Validation
from rest_compat.watcher import Watcher

__all__ = ["create_app"]

_log = logging.getLogger(__name__)

_WITH_PROPERTIES = frozenset({Kind.DB, Kind.COLLECTION, Kind.FILES_BUCKET, Kind.SCHEMA_STORE})
_WITH_SCHEMAS = frozenset({Kind.DB, Kind.SCHEMA_STORE, Kind.SCHEMA})


def create_app(
    *,
    store: Store,
    access: AccessControl,
    keys: KeyStore,
    definitions: DefinitionHook,
    settings: RestSettings,
    feed: ChangeFeed | None = None,
    upstreams: ChangeStreams | None = None,
) -> ASGIApp:
    """Make the application; it answers whole paths, wherever it is mounted.

    With a change feed it remembers which collections there are, and their properties; with streams besides, change
    streams can be watched.
    """
    return _RestApp(
        store=store,
        access=access,
        keys=keys,
        definitions=definitions,
        settings=settings,
        feed=feed,
        upstreams=upstreams,
    )


class _RestApp:
    def __init__(
        self,
        *,
        store: Store,
        access: AccessControl,
        keys: KeyStore,
        definitions: DefinitionHook,
        settings: RestSettings,
        feed: ChangeFeed | None,
        upstreams: ChangeStreams | None,
    ) -> None:
        self._store = store
        self._access = access
        self._settings = settings
        self._tokens = TokenEndpoints(access, settings)
        self._description = Description(access)
        self._properties = Properties(store, feed)
        self._validation = Validation(store, feed)
        self._routes = build_routes(
            store=store,
            access=access,
            keys=keys,
            definitions=definitions,
            properties=self._properties,
            validation=self._validation,
            settings=settings,
        )
        self._streams: Streams | None = None
        if feed is not None and upstreams is not None:
            self._streams = Streams(
                store=store,
                access=access,
                properties=self._properties,
                feed=feed,
                upstreams=upstreams,
                settings=settings,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        request = parse_request(scope)
        connection = Connection(scope, receive)
        try:
            reply = await self._answer(request, self._body_reader(request, connection), connection.stream)
        except ServiceError as error:
            reply = render_error(error, request, realm=self._settings.realm)
        except ClientDisconnect:
            return  # half a body came, and nobody is left to answer
        except Exception as error:  # noqa: BLE001  # the edge: whatever it is, it is masked and logged
            reply = render_unexpected(error)
        try:
            await self._response(reply, request)(scope, receive, send)
        except (StoreError, ClientDisconnect) as error:
            # The head is out. All that is left is to close the connection: so clients know that bytes are missing.
            _log.warning("an answer was cut off: %s", error)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request for a WebSocket as a GET, with an ordinary answer where it is refused."""
        request = parse_request({**scope, "method": "GET", "scheme": scope["scheme"].replace("ws", "http")})
        await receive()
        try:
            watcher = await self._open_stream(request, scope)
        except ServiceError as error:
            reply = render_error(error, request, realm=self._settings.realm)
        except Exception as error:  # noqa: BLE001  # the edge: whatever it is, it is masked and logged
            reply = render_unexpected(error)
        else:
            await watch(watcher, receive, send)
            return
        await self._response(reply, request)(scope, receive, send)

    async def _open_stream(self, request: Request, scope: Scope) -> Watcher:
        since = self._streams.generation if self._streams is not None else 0
        resource = read_resource(request.segments)
        note_resource(resource)
        await self._store.await_primary()
        principal = await self._check_access(request, resource, websocket=True)
        if resource.kind is not Kind.CHANGE_STREAM:
            raise RequestError("only change streams are watched over a WebSocket")
        if self._streams is None:
            raise NotSupportedError("this server has no change streams")
        call = Call(request, resource, principal, _no_body)
        return await self._streams.open(call, scope, since=since)

    async def _answer(
        self, request: Request, read_body: Callable[[], Awaitable[bytes]], pieces: Callable[[], AsyncIterator[bytes]]
    ) -> Reply:
        resource = read_resource(request.segments)
        note_resource(resource)
        if request.method not in KNOWN_METHODS:
            raise MethodNotAllowedError(f"method {request.method} not allowed")
        if request.method == "OPTIONS":
            return Reply(status=200, headers=preflight_headers(METHODS[resource.kind]))
        await self._store.await_primary()
        if reply := await self._tokens.answer(request) or await self._description.answer(request):
            return reply
        with observe.stage("access"):
            principal = await self._check_access(request, resource)
        method = "GET" if request.reads else request.method
        if method not in METHODS[resource.kind]:
            raise MethodNotAllowedError(f"method {request.method} not allowed")
        handler = self._routes.get((resource.kind, method))
        if handler is None:
            raise NotFoundError("resource does not exist")
        try:
            with observe.stage("handle"):
                return await handler(Call(request, resource, principal, read_body, pieces))
        finally:
            if not request.reads and resource.kind in _WITH_PROPERTIES:
                self._properties.forget(resource.database)
            if not request.reads and resource.kind in _WITH_SCHEMAS:
                self._validation.forget()

    async def _check_access(self, request: Request, resource: Resource, *, websocket: bool = False) -> Principal:
        principal = await self._access.authenticate(request.credentials, tenant=request.tenant)
        if request.problem is not None:
            raise request.problem
        self._access.authorize_path(principal, method=request.method, segments=request.segments, websocket=websocket)
        check_names(resource, request.method)
        return principal

    def _body_reader(self, request: Request, connection: Connection) -> Callable[[], Awaitable[bytes]]:
        limit = self._settings.max_body_bytes

        async def read_body() -> bytes:
            check_body_headers(request, max_bytes=limit)
            body = bytearray()
            with observe.stage("body"):
                async for part in connection.stream():
                    body += part
                    if len(body) > limit:
                        raise BodyTooLargeError(f"the body is over the limit of {limit} bytes")
            return bytes(body)

        return read_body

    def _response(self, reply: Reply, request: Request) -> Response:
        headers = {**answer_headers(request.headers.get("origin"), self._settings.allowed_origins), **reply.headers}
        if request.segments[:1] == ("_logic",):
            headers.setdefault("Cache-Control", "no-store")
        if reply.pieces is not None:
            return StreamingResponse(reply.pieces, status_code=reply.status, headers=headers)
        if reply.body is None:
            return Response(status_code=reply.status, headers=headers)
        # With HEAD, too: the server leaves the body out, and the headers are those of GET.
        return Response(reply.body, status_code=reply.status, headers=headers, media_type=reply.media_type or None)


async def _no_body() -> bytes:
    return b""
