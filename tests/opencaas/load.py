"""Everything that clients do, all at once, with a record of what they were answered and told."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import httpx
import websockets
from websockets.asyncio.client import ClientConnection

from tests.patience import Stopwatch

__all__ = ["Answer", "Load", "Watch"]

_PAUSE: Final = 0.02
_PROBE_PAUSE: Final = 0.1
_PATIENCE: Final = 60.0

Ask: TypeAlias = Callable[[], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request.

    Attributes:
        what: the kind of request.
        status: its status; 0 if the connection broke.
        body: the body as text.
        took: seconds.
        began: when it was sent, by the load's watch.
        retry_after: what ``Retry-After`` said.
    """

    what: str
    status: int
    body: str
    took: float
    began: float
    retry_after: str | None = None

    @property
    def good(self) -> bool:
        """Whether the request did what it should."""
        return self.status in {200, 201}


@dataclass(slots=True)
class Watch:
    """What one WebSocket has heard: the ids of new documents, in order; and how it was closed by the server, if so."""

    heard: list[str] = field(default_factory=list)
    closed: int | None = None


@dataclass(slots=True, kw_only=True)
class Load:
    """Reads, writes, GraphQL queries, probes and watchers against a server, until it is told to stop.

    Args:
        url: the server.
        collection: path of the collection that is written and watched.
        graphql: path of an application, and what is asked there.
        auth: user and password of the admin.
        key: an API key that may watch.
        watchers: how many WebSockets watch.
        writers: how many clients write new documents, each under names of its own.
        prefix: what the names of documents begin with, where another load has been before.
        watch: measures while the load runs, without the time in which this process was put aside.
    """

    url: str
    collection: str
    graphql: tuple[str, str]
    auth: tuple[str, str]
    key: str
    watchers: int = 6
    writers: int = 3
    prefix: str = ""
    answers: list[Answer] = field(default_factory=list)
    attempted: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    watches: list[Watch] = field(default_factory=list)
    stopped: bool = False
    watch: Stopwatch = field(default_factory=Stopwatch)

    async def run(self) -> None:
        """Run until stopped, and then until all watchers have heard of all that was acknowledged."""
        with self.watch:
            await self._run()

    async def _run(self) -> None:
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            client = await stack.enter_async_context(self._client())
            for _ in range(self.watchers):
                watch = Watch()
                group.create_task(_listen(await stack.enter_async_context(self._connect()), watch))
                self.watches.append(watch)
            path, query = self.graphql
            asks: dict[str, tuple[Ask, float]] = {
                "read": (lambda: client.get(f"{self.collection}?pagesize=5"), _PAUSE),
                "graphql": (lambda: client.post(path, json={"query": query}), _PAUSE),
                "health": (lambda: client.get("/_logic/healthcheck"), _PROBE_PAUSE),
                "ready": (lambda: client.get("/_logic/ready"), _PROBE_PAUSE),
            }
            busy = [group.create_task(self._repeat(what, *ask)) for what, ask in asks.items()]
            busy += [group.create_task(self._write(client, number)) for number in range(self.writers)]
            await asyncio.wait(busy)
            await self._until_told()
            await stack.aclose()

    def seen(self, what: str) -> list[Answer]:
        """Give the answers to one kind of request, in order."""
        return [answer for answer in self.answers if answer.what == what]

    def changes(self, what: str) -> list[int]:
        """Give the statuses of one kind of request, each as often as it began anew."""
        statuses: list[int] = []
        for answer in self.seen(what):
            if statuses[-1:] != [answer.status]:
                statuses.append(answer.status)
        return statuses

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, auth=self.auth, timeout=_PATIENCE)

    def _connect(self) -> websockets.connect:
        address = f"{self.url.replace('http', 'ws')}{self.collection}/_streams/crud"
        return websockets.connect(
            address, additional_headers={"Authorization": f"Bearer {self.key}"}, compression=None, ping_interval=None
        )

    async def _ask(self, what: str, ask: Ask) -> Answer:
        began = self.watch.seconds
        try:
            response = await ask()
        except httpx.TransportError as error:
            answer = Answer(what, 0, repr(error), self.watch.seconds - began, began)
        else:
            took, wait = self.watch.seconds - began, response.headers.get("retry-after")
            answer = Answer(what, response.status_code, response.text, took, began, wait)
        self.answers.append(answer)
        return answer

    async def _repeat(self, what: str, ask: Ask, pause: float) -> None:
        while not self.stopped:
            await self._ask(what, ask)
            await asyncio.sleep(pause)

    async def _write(self, client: httpx.AsyncClient, writer: int) -> None:
        """Write one new document after the other; one that was answered with an error may be stored or not."""
        number = 0
        while not self.stopped:
            document_id = f"{self.prefix}w{writer}-{number:05}"
            number += 1
            self.attempted.add(document_id)
            body: Any = {"writer": writer, "number": number}
            answer = await self._ask("write", lambda name=document_id, b=body: self._put(client, name, b))  # type: ignore[misc]
            if answer.status in {200, 201}:
                self.acknowledged.add(document_id)
            await asyncio.sleep(_PAUSE)

    async def _put(self, client: httpx.AsyncClient, name: str, body: Any) -> httpx.Response:
        return await client.put(f"{self.collection}/{name}", json=body)

    async def _until_told(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not all(self.acknowledged <= set(watch.heard) for watch in self.watches):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)


async def _listen(socket: ClientConnection, watch: Watch) -> None:
    try:
        while True:
            change = json.loads(await socket.recv())
            watch.heard.append(change["documentKey"]["_id"])
    except websockets.ConnectionClosed as closed:
        if closed.rcvd is not None and not closed.rcvd_then_sent:
            return  # we closed, and the server answered
        watch.closed = closed.rcvd.code if closed.rcvd is not None else 1006
