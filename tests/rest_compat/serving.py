"""A REST interface behind a real socket, for tests that say what goes over the wire."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.types import ASGIApp

from content_core.access import AccessControl, KeyStore
from content_core.store import ChangeFeed, Store
from rest_compat import RestSettings, create_app
from tests.patience import PATIENCE
from tests.rest_compat.conftest import Notes

__all__ = ["ADMIN", "make_app", "serving"]

ADMIN = httpx.BasicAuth("admin", "correct horse")


async def make_app(store: Store, feed: ChangeFeed, settings: RestSettings | None = None) -> ASGIApp:
    """Make the interface as one process of a server has it."""
    keys = KeyStore(store)
    await keys.start()
    access = AccessControl(store, feed, admin_user="admin", admin_password="correct horse")
    return create_app(
        store=store, access=access, keys=keys, definitions=Notes(), settings=settings or RestSettings(), feed=feed
    )


@asynccontextmanager
async def serving(app: ASGIApp, auth: httpx.Auth | None = ADMIN) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an application on a free port; gives a client of it, the admin's unless told otherwise."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, http="httptools", lifespan="off", log_config=None))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        async with asyncio.timeout(PATIENCE):
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
        host, port = listening.getsockname()
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", auth=auth, timeout=PATIENCE) as client:
            yield client
        server.should_exit = True
        await running
