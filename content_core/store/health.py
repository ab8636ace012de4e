"""How MongoDB is: whether anybody answers, and whether there is a primary."""

import asyncio
import time
from typing import Any, Final

from pymongo import ReadPreference

from content_core.errors import StoreError
from content_core.store.driver_errors import translated
from content_core.store.drivers import PyMongoDriver
from content_core.store.values import StoreHealth

__all__ = ["ask_health"]

_SECONDS: Final = 1.8
_ANYONE: Final = ReadPreference.PRIMARY_PREFERRED
_POLL_SECONDS: Final = 0.02
_ABANDONED: Final[set[asyncio.Future[dict[str, Any] | None]]] = set()
"""Questions that nobody waits for any more; the event loop alone would not keep them."""


async def ask_health(driver: PyMongoDriver) -> StoreHealth:
    """Ask the primary, or another member if there is none; answers within 2 seconds, and never raises StoreError.

    A client that is just getting to know the members may meet one that is no primary first: then it looks for the
    primary for the time that is left.
    """
    deadline = time.monotonic() + _SECONDS
    asking = asyncio.ensure_future(_say_hello(driver))
    # PyMongo may miss a cancellation (4.20 on Python 3.11), so whoever asks does not wait for it to take effect.
    try:
        await asyncio.wait({asking}, timeout=_SECONDS)
    finally:
        if not asking.done():
            asking.cancel()
            _ABANDONED.add(asking)
            asking.add_done_callback(_ABANDONED.discard)
    hello = asking.result() if asking.done() else None
    if hello is None:
        return StoreHealth(reachable=False, primary=False)
    if hello.get("isWritablePrimary"):
        return StoreHealth(reachable=True, primary=True)
    while not (primary := driver.client.topology_description.has_writable_server()):
        if time.monotonic() > deadline or not _still_looking(driver):
            break
        await asyncio.sleep(_POLL_SECONDS)
    return StoreHealth(reachable=True, primary=primary)


async def _say_hello(driver: PyMongoDriver) -> dict[str, Any] | None:
    """Give what a member says of itself, None if nobody answers."""
    try:
        with translated():
            hello: dict[str, Any] = await driver.client.admin.command("hello", read_preference=_ANYONE)
    except StoreError:
        return None
    return hello


def _still_looking(driver: PyMongoDriver) -> bool:
    """Say whether a member has not been heard of, well or ill, since the client was opened."""
    members = driver.client.topology_description.server_descriptions().values()
    return any(member.server_type_name == "Unknown" and member.error is None for member in members)
