"""The whole application in this process, and how many database calls it makes."""

import logging
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, redirect_stderr
from pathlib import Path

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from starlette.types import ASGIApp

from content_core.store import Store
from content_core.store.drivers import DriverName
from opencaas.asgi import Services, create_app
from opencaas.logs import configure_logging
from opencaas.settings import read_settings

__all__ = ["CallCount", "discarded_log", "opened_application"]


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
    services = Services.open(settings, uri=uri, admin_password=secrets.token_hex(16))
    async with AsyncExitStack() as stack:
        if count is not None:  # keys and definitions are still read through the first one
            stack.push_async_callback(services.store.close)
            services.store = Store.open(uri, driver=driver, event_listeners=[count])
        stack.push_async_callback(services.stop)
        await services.start()
        yield create_app(services, settings)


@contextmanager
def discarded_log() -> Iterator[None]:
    """Write the log as a server does, into nothing."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        with redirect_stderr(nowhere):
            configure_logging(level="info", form="json")
        try:
            yield
        finally:
            logging.getLogger().handlers.clear()
