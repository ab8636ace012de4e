"""One line per request: who asked for what, how it ended, where the time went. Never a key, a token or a body."""

import asyncio
import logging
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from content_core import observe
from content_core.names import APIKEYS
from content_core.observe import Record
from opencaas.logs import RequestLines
from rest_compat.errors import render_unexpected

__all__ = ["Finished", "RequestLog", "loggable_path", "request_id"]

_ID: Final = re.compile(rb"[A-Za-z0-9._:=+/@-]{1,128}")
_ID_HEADER: Final = b"x-request-id"
_AFTER_KEYS: Final = re.compile(rf"{APIKEYS}\W+", re.IGNORECASE)
_QUIET: Final = frozenset({"HEALTH", "METRICS"})
"""Types of what probes and scrapers ask all the time: their successes are logged at level debug."""

_GONE: Final = 499
"""The status of a request whose client went away before there was an answer; nobody has seen it."""

Finished = Callable[[Scope, Record, int, float, int], None]
"""Hears of each answer: scope, record, status, seconds, bytes of its body."""


class RequestLog:
    """ASGI middleware around everything else.

    It gives each request a record (:mod:`content_core.observe`) and an id, which the client gets as ``X-Request-Id``;
    one that the client sends is taken if it could stand in a log.

    The line leaves out the query string (it may hold a token) and what follows ``apikeys`` in a path (the id of a key
    is the key).

    Args:
        app: what answers.
        lines: where the lines go.
        begin: makes a request's record from its scope and id.
        finished: who else wants to hear of answers.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        lines: RequestLines | None = None,
        begin: Callable[[Scope, str], Record] = lambda _scope, name: Record(name),
        finished: Finished = lambda *_: None,
    ) -> None:
        self._app = app
        self._lines = lines or RequestLines()
        self._begin = begin
        self._finished = finished

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        if scope["type"] == "http":
            await self._answer(scope, receive, _Answer(send, with_body=scope["method"] != "HEAD"))
        elif scope["type"] == "websocket":
            await self._answer(scope, receive, _Conversation(send))
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, watch: "_Watch") -> None:
        record = self._begin(scope, request_id(scope))
        watch.request = record.id.encode()
        token = observe.begin(record)
        open_now = 1 if scope["type"] == "http" else 0  # WebSockets stay open, and are counted elsewhere
        observe.gauge("http_requests_in_flight", open_now)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if watch.status != _GONE or scope["type"] != "http":
                raise
            # The rooms have edges of their own; this is for what has none.
            reply = render_unexpected(error)
            await Response(reply.body, reply.status, media_type=reply.media_type)(scope, receive, watch)
        except asyncio.CancelledError:
            watch.broken()
            raise
        finally:
            seconds = time.perf_counter() - started
            observe.gauge("http_requests_in_flight", -open_now)
            observe.end(token)
            self._write(scope, record, watch, seconds)
            self._finished(scope, record, watch.status, seconds, watch.size)

    def _write(self, scope: Scope, record: Record, watch: "_Watch", seconds: float) -> None:
        facts = record.facts
        line: dict[str, Any] = {
            "timestamp": datetime.now(UTC),
            "event": watch.event,
            "request": record.id,
            "method": scope.get("method", "GET"),
            "path": loggable_path(scope["path"]),
            "status": watch.status,
            "bytes": watch.size,
            "ms": round(seconds * 1000, 2),
        }
        line |= {name: fact for name, fact in facts.items() if fact is not None and name not in _NOT_LOGGED}
        if record.stages:
            line["stages"] = {name: round(spent * 1000, 2) for name, spent in record.stages.items()}
        if record.calls:
            line["calls"] = len(record.calls)
            line["db_ms"] = round(sum(record.calls) * 1000, 2)
            line["documents"] = sum(record.documents)
        self._lines.write(_level(watch.status, facts.get("route")), line)


_NOT_LOGGED: Final = frozenset({"database", "collection"})
"""Facts that the path tells already, cut where it has to be."""


class _Watch:
    """Passes an application's messages on to the server and remembers what matters."""

    event = ""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.request = b""
        self.status = _GONE
        self.size = 0

    async def __call__(self, message: Message) -> None:
        raise NotImplementedError

    def broken(self) -> None:
        """Note that the server ended before the answer began."""
        if self.status == _GONE:
            self.status = 500

    def _named(self, message: Message) -> Message:
        return {**message, "headers": [*message.get("headers", ()), (_ID_HEADER, self.request)]}


class _Answer(_Watch):
    event = "request"

    def __init__(self, send: Send, *, with_body: bool) -> None:
        super().__init__(send)
        self._with_body = with_body

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = self._named(message)
        elif message["type"] == "http.response.body" and self._with_body:  # the server drops that of HEAD
            self.size += len(message.get("body", b""))
        await self._send(message)


class _Conversation(_Watch):
    """A WebSocket. Its status is 101 when it was opened, 403 when it was closed before."""

    event = "websocket"

    async def __call__(self, message: Message) -> None:
        match message["type"]:
            case "websocket.accept":
                self.status = 101
                message = self._named(message)
            case "websocket.close" if self.status == _GONE:
                self.status = 403
            case "websocket.close":
                observe.note(close=message.get("code", 1000))
            case "websocket.send":
                self.size += len(message.get("bytes") or message.get("text") or "")
            case "websocket.http.response.start":
                self.status = message["status"]
                message = self._named(message)
            case "websocket.http.response.body":
                self.size += len(message.get("body", b""))
        await self._send(message)


def request_id(scope: Scope) -> str:
    """Take the id that a client sent, if it could stand in a log, or make one."""
    for name, value in scope["headers"]:
        if name == _ID_HEADER:
            if _ID.fullmatch(value):
                return str(value, "ascii")
            break
    return os.urandom(8).hex()


def loggable_path(path: str) -> str:
    """Cut a path after ``apikeys``: what follows is a secret, however the client wrote it."""
    found = _AFTER_KEYS.search(path)
    return path if found is None or found.end() == len(path) else f"{path[: found.end()]}…"


def _level(status: int, route: str | None) -> int:
    if status >= 500:
        return logging.ERROR
    return logging.DEBUG if route in _QUIET and status < 400 else logging.INFO
