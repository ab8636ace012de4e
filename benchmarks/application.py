"""The whole application in this process, and how many database calls it makes."""

import logging
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from starlette.types import ASGIApp

from content_core.store import Store
from content_core.store.drivers import DriverName
from opencaas.asgi import Services, create_app
from opencaas.logs import RequestLines, configure_logging
from opencaas.metrics.board import Board
from opencaas.monitoring import Surroundings
from opencaas.settings import read_settings

__all__ = ["CallCount", "discarded_log", "opened_application"]

_STDERR: Final = 2


class CallCount(CommandListener):
    """Counts the reads that go to MongoDB."""

    def __init__(self) -> None:
        self.calls = 0

    def started(self, event: CommandStartedEvent) -> None:
        """Count what reads."""
        self.calls += event.command_name in {"find", "aggregate", "getMore"}

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Of no interest."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Of no interest."""


@asynccontextmanager
async def opened_application(
    uri: str, *, driver: DriverName = "motor", count: CallCount | None = None
) -> AsyncIterator[ASGIApp]:
    """Start the application as a server process does, without the server.

    Args:
        uri: the MongoDB.
        driver: what carries its reads.
        count: hears of the reads that GraphQL requests make; listening costs time.
    """
    settings = read_settings(store_driver=driver)
    surroundings = Surroundings(Board.create(1), 0, RequestLines(level=logging.INFO, direct=True))
    services = Services.open(settings, uri=uri, admin_password=secrets.token_hex(16))
    async with AsyncExitStack() as stack:
        if count is not None:  # keys and definitions are still read through the first one
            stack.push_async_callback(services.store.close)
            services.store = Store.open(uri, driver=driver, event_listeners=[count])
        stack.push_async_callback(services.stop)
        await services.start()
        yield create_app(services, settings, surroundings=surroundings)


@contextmanager
def discarded_log() -> Iterator[None]:
    """Write the log as a server does, into nothing, as everything else that goes to standard error meanwhile."""
    kept = os.dup(_STDERR)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        configure_logging(level="info", form="json")
        yield
    finally:
        logging.getLogger().handlers.clear()
        os.dup2(kept, _STDERR)
        os.close(kept)
