"""Two servers behind a balancer are restarted one after the other under load: no request is lost."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest
import websockets
from pymongo import MongoClient

from content_core.store.embedded import EmbeddedMongo
from tests.cluster.balancer import Balancer, running_balancer
from tests.cluster.bed import DRAIN_SECONDS, Server
from tests.live import eventually
from tests.operations.shop import COLLECTION, KEY, TENANT, make_shop, shop_load
from tests.patience import PATIENCE, Stopwatch
from tests.ports import free_port

pytestmark = pytest.mark.timeout(240)

_ADMIN: Final = ("admin", "correct horse")
_LOADS: Final = 3


@pytest.fixture(scope="module")
def both(mongo: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    directory = tmp_path_factory.mktemp("servers")
    environment = {
        "OPENCAAS_MONGODB_URI": mongo.uri,
        "OPENCAAS_ADMIN_PASSWORD": _ADMIN[1],
        "OPENCAAS_TOKEN_SECRET": "the secret of the tokens",
        "OPENCAAS_DRAIN_SECONDS": str(DRAIN_SECONDS),
    }
    servers = [Server(f"server-{n}", free_port(), n + 1, directory / f"server-{n}", environment) for n in range(2)]
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.callback(server.close)
            server.start()
        make_shop(servers[0].url, _ADMIN)
        yield servers
    with MongoClient[dict[str, Any]](mongo.uri) as client:
        client.drop_database(TENANT)


@pytest.fixture
def servers(both: list[Server]) -> list[Server]:
    """Both servers, running, whatever the test before did to them."""
    for server in both:
        if not server.running:
            server.start()
    return both


@pytest.fixture
def balancer(servers: list[Server]) -> Iterator[Balancer]:
    with running_balancer([server.url for server in servers]) as running:
        yield running


@dataclass(slots=True)
class Follower:
    """A client that watches, and comes back whenever its WebSocket is closed, as clients are told to."""

    url: str
    heard: set[str] = field(default_factory=set)
    codes: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    open: bool = False
    stopped: bool = False

    async def run(self) -> None:
        """Watch until stopped."""
        address = f"{self.url.replace('http', 'ws')}{COLLECTION}/_streams/crud"
        while not self.stopped:
            try:
                async with websockets.connect(
                    address, additional_headers={"Authorization": f"Bearer {KEY}"}, ping_interval=None
                ) as socket:
                    self.open = True
                    await self._listen(socket)
            except websockets.ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd is not None else 1006)
            except (OSError, websockets.InvalidHandshake) as error:
                self.failures.append(repr(error))
            self.open = False

    async def _listen(self, socket: websockets.ClientConnection) -> None:
        while not self.stopped:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    self.heard.add(json.loads(await socket.recv())["documentKey"]["_id"])


def restart(servers: list[Server], balancer: Balancer) -> list[int | None]:
    """Restart one after the other, each when the one before gets requests again."""
    statuses = []
    for server in servers:
        statuses.append(server.stop())
        server.start()
        assert eventually(lambda url=server.url: url in balancer.ready)
        time.sleep(1)
    return statuses


def test_a_rolling_restart_under_load_loses_no_request(servers: list[Server], balancer: Balancer) -> None:
    loads = [shop_load(balancer.url, _ADMIN, prefix=f"load-{n}-", watchers=0) for n in range(_LOADS)]
    followers = [Follower(balancer.url) for _ in range(4)]

    async def keep_on() -> None:
        await asyncio.gather(*(load.run() for load in loads), *(follower.run() for follower in followers))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, keep_on())
        try:
            assert eventually(lambda: all(follower.open for follower in followers))
            time.sleep(2)
            statuses = restart(servers, balancer)
            assert eventually(lambda: all(follower.open for follower in followers))
            with httpx.Client(base_url=balancer.url, auth=_ADMIN) as client:
                client.put(f"{COLLECTION}/the-last", json={"writer": 9}).raise_for_status()
            assert eventually(lambda: all("the-last" in follower.heard for follower in followers))
        finally:
            for load in loads:
                load.stopped = True
            for follower in followers:
                follower.stopped = True
        running.result(PATIENCE)

    assert [0, 0] == statuses
    assert [] == balancer.failures
    asked = {"read", "graphql", "write"}
    answers = [answer for load in loads for answer in load.answers if answer.what in asked]
    assert [] == [answer for answer in answers if not answer.good]
    assert len(answers) > 100
    with httpx.Client(base_url=balancer.url, auth=_ADMIN, timeout=30) as client:
        size = client.get(f"{COLLECTION}/_size").json()["_size"]
    assert size == sum(len(load.acknowledged) for load in loads) + 1

    # Every WebSocket was closed with "going away", and found the other server at its next attempt.
    assert [] == [failure for follower in followers for failure in follower.failures]
    codes = [code for follower in followers for code in follower.codes]
    assert len(codes) >= len(followers)
    assert {1001} == set(codes)


def test_connections_kept_alive_are_told_to_end_while_the_server_drains(servers: list[Server]) -> None:
    server = servers[0]
    with httpx.Client(base_url=server.url, auth=_ADMIN, timeout=PATIENCE) as client:
        assert "connection" not in client.get(COLLECTION).headers
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert server.live is not None
        log = server.live.log
        assert eventually(lambda: any('"draining"' in line for line in log))
        with server.live.held():
            assert 503 == httpx.get(f"{server.url}/_logic/ready").status_code
            answers = [client.get(COLLECTION), client.put(f"{COLLECTION}/late", json={}), client.get("/_logic/live")]

        assert [200, 201, 200] == [answer.status_code for answer in answers]
        assert ["close"] * 3 == [answer.headers["connection"] for answer in answers]
        stopping.join(PATIENCE)
        with pytest.raises(httpx.ConnectError):
            client.get(COLLECTION)


def test_new_connections_are_refused_and_not_left_waiting_once_the_drain_is_over(servers: list[Server]) -> None:
    server = servers[0]
    refused: list[float] = []

    def knock() -> None:
        while not refused:
            with Stopwatch() as watch:
                try:
                    httpx.get(f"{server.url}/_logic/live")
                except httpx.ConnectError:
                    refused.append(watch.seconds)
                except httpx.TransportError:
                    continue  # cut off in the very moment of the end

    knocking = threading.Thread(target=knock)
    knocking.start()
    assert 0 == server.stop()
    knocking.join(PATIENCE)

    assert [True] == [waited < 1 for waited in refused]


def test_idle_connections_live_longer_than_those_of_balancers(servers: list[Server]) -> None:
    with httpx.Client(base_url=servers[0].url, limits=httpx.Limits(keepalive_expiry=60)) as client:
        first = client.get("/_logic/live").extensions["network_stream"].get_extra_info("client_addr")
        time.sleep(7)  # past the five seconds that the HTTP server would keep it by itself
        second = client.get("/_logic/live").extensions["network_stream"].get_extra_info("client_addr")

    assert first == second
