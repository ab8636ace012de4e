"""Whether there is a primary, as the driver sees it: what comes meanwhile waits for one, within bounds.

After the death of a primary the others take some ten seconds to elect one. Requests wait that long on the event loop,
where they cost nothing: in the driver each would hold a thread, and those behind them would not even begin to wait.
Once there has been none for longer, nobody waits any more, however many come.
"""

import asyncio
import time
from typing import Final

from pymongo.monitoring import (
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)

from content_core.errors import StoreUnavailableError

__all__ = ["PrimaryWatch"]

_MESSAGE: Final = "MongoDB cannot be reached, or is about to elect a primary"
_AT_MOST: Final = 0.5
"""Seconds between two looks at the clock: word of a primary comes at once."""


class PrimaryWatch(TopologyListener):
    """Hears from a client of the driver, in whichever thread, and lets the event loop wait.

    Attributes:
        patience: seconds without a primary for which it is worth waiting.
    """

    def __init__(self) -> None:
        self.patience = 15.0
        self._lost_since: float | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def absent(self) -> bool:
        """Whether there was a primary and is none now; False of a client that was never used."""
        return self._lost_since is not None

    async def wait(self) -> None:
        """Wait until there is a primary again.

        Raises:
            StoreUnavailableError: there has been none for too long.
        """
        while (lost := self._lost_since) is not None:
            left = lost + self.patience - time.monotonic()
            if left <= 0:
                raise StoreUnavailableError(_MESSAGE)
            word = asyncio.get_running_loop().create_future()
            self._waiting.add(word)
            try:
                await asyncio.wait({word}, timeout=min(left, _AT_MOST))
            finally:
                self._waiting.discard(word)

    def opened(self, event: TopologyOpenedEvent) -> None:
        """Of no interest."""

    def closed(self, _event: TopologyClosedEvent) -> None:
        """Let go of those who wait: the client is closed, and will say so."""
        self._lost_since = None
        self._wake()

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """Note whether there is a primary; a client that is still looking for one has lost none."""
        if event.new_description.has_writable_server():
            self._lost_since = None
            self._wake()
        elif self._lost_since is None and event.previous_description.has_writable_server():
            self._lost_since = time.monotonic()

    def _wake(self) -> None:
        for word in tuple(self._waiting):
            word.get_loop().call_soon_threadsafe(_set, word)


def _set(word: "asyncio.Future[None]") -> None:
    if not word.done():
        word.set_result(None)
