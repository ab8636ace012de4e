"""A small balancer in front of the servers: in turn to those that say that they are ready, HTTP and WebSockets.

It does what balancers of that kind do and no more: connections are kept alive on both sides, a server that refuses the
connection is passed over, and a request that has been sent is never sent again. So what a server loses is lost.
"""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import aiohttp
from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, TCPConnector, WSMsgType, web

from tests.patience import PATIENCE

__all__ = ["Balancer", "running_balancer"]

HOST: Final = "127.0.0.1"
_PROBE_TIMEOUT: Final = ClientTimeout(total=3)
_REQUEST_TIMEOUT: Final = ClientTimeout(total=120)
_LARGEST_BODY: Final = 64 * 1024 * 1024
_HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
)


class Balancer:
    """Passes requests on.

    Args:
        servers: base addresses.
        probe_seconds: how often each is asked whether it is ready.

    Attributes:
        port: where it listens; set by :meth:`serving`.
        ready: which servers get requests. While none is ready all get them, so that clients hear why.
        failures: requests that broke on their way, as (server, what happened).
    """

    def __init__(self, servers: Sequence[str], *, port: int = 0, probe_seconds: float = 0.25) -> None:
        self._servers = tuple(servers)
        self._probe_seconds = probe_seconds
        self._turns = itertools.count()
        self._session: ClientSession
        self.port = port
        self.ready: frozenset[str] = frozenset()
        self.failures: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://{HOST}:{self.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen, once every server was asked."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        async with ClientSession(connector=TCPConnector(limit=0), auto_decompress=False) as self._session:
            await self._probe_all()
            probing = asyncio.create_task(self._probe())
            await runner.setup()
            site = web.TCPSite(runner, HOST, self.port)
            await site.start()
            self.port = runner.addresses[0][1]
            try:
                yield
            finally:
                probing.cancel()
                await asyncio.wait({probing})
                await runner.cleanup()

    async def _probe(self) -> None:
        while True:
            await asyncio.sleep(self._probe_seconds)
            await self._probe_all()

    async def _probe_all(self) -> None:
        answers = await asyncio.gather(*(self._is_ready(server) for server in self._servers))
        self.ready = frozenset(itertools.compress(self._servers, answers))

    async def _is_ready(self, server: str) -> bool:
        try:
            async with self._session.get(f"{server}/_logic/ready", timeout=_PROBE_TIMEOUT) as response:
                return response.status == 200
        except (ClientError, TimeoutError):
            return False

    def _candidates(self) -> list[str]:
        """Give the servers to try, the one whose turn it is first."""
        servers = [server for server in self._servers if server in self.ready] or list(self._servers)
        turn = next(self._turns) % len(servers)
        return servers[turn:] + servers[:turn]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._pass_socket(request)
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP]
        body = await request.read()
        for server in self._candidates():
            sent = self._session.request(
                request.method,
                f"{server}{request.raw_path}",
                headers=headers,
                data=body or None,
                allow_redirects=False,
                # As the client asked: it may not read what is compressed.
                skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
                timeout=_REQUEST_TIMEOUT,
            )
            try:
                async with sent as answer:
                    return await _pass_back(request, answer)
            except ClientConnectorError:
                self.ready -= {server}  # nothing was sent: the next one may have it
            except (ClientError, TimeoutError) as error:
                self.failures.append((server, f"{request.method} {request.path}: {error!r}"))
                return web.Response(status=502, text="the server did not answer\n")
        return web.Response(status=503, text="no server can be reached\n", headers={"Retry-After": "1"})

    async def _pass_socket(self, request: web.Request) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in ("Authorization", "Cookie") if name in request.headers}
        for server in self._candidates():
            try:
                async with self._session.ws_connect(f"{server}{request.raw_path}", headers=headers) as upstream:
                    client = web.WebSocketResponse()
                    await client.prepare(request)
                    await _pass_messages(client, upstream)
                    return client
            except ClientConnectorError:
                self.ready -= {server}
            except aiohttp.WSServerHandshakeError as error:
                return web.Response(status=error.status)
        return web.Response(status=503, text="no server can be reached\n", headers={"Retry-After": "1"})


async def _pass_back(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    for name, value in answer.headers.items():
        if name.lower() not in _HOP_BY_HOP:
            response.headers.add(name, value)
    response.content_length = answer.content_length
    await response.prepare(request)
    async for part in answer.content.iter_any():
        await response.write(part)
    await response.write_eof()
    return response


async def _pass_messages(client: web.WebSocketResponse, upstream: "aiohttp.ClientWebSocketResponse[Any]") -> None:
    """Pass on what the server says, until one of the two ends it; what watchers send is of no interest to anybody."""
    leaving = asyncio.create_task(client.receive())
    try:
        while True:
            hearing = asyncio.ensure_future(upstream.receive())
            await asyncio.wait({hearing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                hearing.cancel()
                return
            message = hearing.result()
            if message.type is not WSMsgType.TEXT:
                code = message.data if message.type is WSMsgType.CLOSE else 1011
                await client.close(code=code, message=str(message.extra or "").encode())
                return
            await client.send_str(message.data)
    finally:
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving


@contextmanager
def running_balancer(servers: Sequence[str], *, port: int = 0) -> Iterator[Balancer]:
    """Run a balancer in a thread of its own."""
    balancer = Balancer(servers, port=port)
    loop = asyncio.new_event_loop()
    started, stopped = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with balancer.serving():
            started.set()
            await stopped.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="balancer")
    thread.start()
    if not started.wait(PATIENCE):
        raise TimeoutError("the balancer did not start")
    try:
        yield balancer
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(30)
        loop.close()
