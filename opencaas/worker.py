"""One server process: reads its orders from standard input, serves on the socket that it inherited.

Started by ``opencaas.supervisor`` as ``python -m opencaas.worker``.
"""

import gc
import signal
import socket
import sys

import uvicorn

from content_core.errors import ServiceError
from content_core.store.child_process import die_with_parent
from opencaas.asgi import Services, create_app
from opencaas.logs import configure_logging
from opencaas.orders import Orders
from opencaas.readiness import report_failure, report_ready
from opencaas.settings import Settings

__all__ = ["main"]


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready_fd: int) -> None:
        super().__init__(config)
        self._ready_fd = ready_fd

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _calm_collector()
        report_ready(self._ready_fd)


def _calm_collector() -> None:
    """Let the garbage collector leave alone what lives as long as the process: modules, schemas, connections.

    An answer is made of thousands of objects that go as soon as it is sent; by default each few hundred of them make
    the collector look at all that is there, which was a third of a large query's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def main() -> None:
    """Serve until SIGTERM."""
    orders = Orders.from_bytes(sys.stdin.buffer.read())
    if not die_with_parent(orders.parent, signal.SIGKILL):
        sys.exit(1)
    settings = Settings(**orders.settings)
    configure_logging(level=settings.log_level, form=settings.log_format)

    def start_failed(error: ServiceError) -> None:
        report_failure(orders.ready_fd, error)

    try:
        services = Services.open(
            settings, uri=orders.uri, admin_password=orders.admin_password, token_secret=orders.token_secret
        )
    except ServiceError as error:
        start_failed(error)
        sys.exit(3)
    config = uvicorn.Config(
        create_app(services, settings, start_failed=start_failed),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(1, round(settings.grace_seconds)),
    )
    server = _Server(config, orders.ready_fd)
    server.run(sockets=[socket.socket(fileno=orders.socket_fd)])


if __name__ == "__main__":
    main()
