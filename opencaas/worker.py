"""One server process: reads its orders from standard input, serves on the socket that it inherited.

Started by ``opencaas.supervisor`` as ``python -m opencaas.worker``.
"""

import gc
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final

import uvicorn

from content_core.errors import ServiceError
from content_core.store.child_process import die_with_parent
from opencaas.asgi import Services, create_app
from opencaas.logs import configure_logging
from opencaas.metrics.board import Board
from opencaas.monitoring import Surroundings
from opencaas.orders import Orders
from opencaas.readiness import report_failure, report_ready
from opencaas.settings import Settings
from opencaas.sockets import LARGEST_MESSAGE, PING_SECONDS, SocketProtocol

__all__ = ["main"]


_OPEN_FILES: Final = 65_536
"""What is asked for where the system allows more: each WebSocket is a file, and many systems begin with 1 024."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready_fd: int, *, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready_fd = ready_fd
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _calm_collector()
        report_ready(self._ready_fd)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()  # watchers hear why, before uvicorn closes their connections in its own words
        await super().shutdown(sockets)


def _calm_collector() -> None:
    """Let the garbage collector leave alone what lives as long as the process: modules, schemas, connections.

    An answer is made of thousands of objects that go as soon as it is sent; by default each few hundred of them make
    the collector look at all that is there, which was a third of a large query's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> None:
    """Serve until SIGTERM."""
    orders = Orders.from_bytes(sys.stdin.buffer.read())
    if not die_with_parent(orders.parent, signal.SIGKILL):
        sys.exit(1)
    settings = Settings(**orders.settings)
    _raise_file_limit()
    lines = configure_logging(level=settings.log_level, form=settings.log_format)
    surroundings = Surroundings(Board.open(orders.board_fd), orders.place, lines)

    def start_failed(error: ServiceError) -> None:
        report_failure(orders.ready_fd, error)

    try:
        services = Services.open(
            settings, uri=orders.uri, admin_password=orders.admin_password, token_secret=orders.token_secret
        )
        app = create_app(services, settings, start_failed=start_failed, surroundings=surroundings)
    except ServiceError as error:
        start_failed(error)
        sys.exit(3)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws=SocketProtocol,
        ws_max_size=LARGEST_MESSAGE,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # frames are made once for all
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=max(1, round(settings.grace_seconds)),
    )
    server = _Server(config, orders.ready_fd, stopping=services.upstreams.end_all)
    server.run(sockets=[socket.socket(fileno=orders.socket_fd)])


if __name__ == "__main__":
    main()
