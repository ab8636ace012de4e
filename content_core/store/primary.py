"""Whether there is a primary, as the driver sees it: what comes meanwhile waits for one, within bounds.

After the death of a primary the others take some ten seconds to elect one. Requests wait that long on the event loop,
where they cost nothing: in the driver each would hold a thread, and those behind them would not even begin to wait.
Once there has been none for longer, nobody waits any more, however many come.
"""

import asyncio
import time
from typing import Any, Final, Protocol

from content_core.errors import StoreUnavailableError

__all__ = ["PrimaryWatch"]

_MESSAGE: Final = "MongoDB cannot be reached, or is about to elect a primary"
_LOOK_SECONDS: Final = 0.05


class Topology(Protocol):
    """What the driver knows of the replica set; its clients have more."""

    @property
    def topology_description(self) -> Any:
        """The members as they were last heard of; another object whenever something has changed."""
        ...


class PrimaryWatch:
    """Looks at what a client knows, and lets the event loop wait.

    A listener of the driver would hear of changes up to a second late, and closing the client would take half a second.

    Attributes:
        patience: seconds without a primary for which it is worth waiting.
    """

    def __init__(self, client: Topology, *, patience: float) -> None:
        self.patience = patience
        self._client = client
        self._healthy: Any = None  # the last description with a primary: looking at the same one again is free
        self._lost_since: float | None = None
        self._closed = False

    @property
    def absent(self) -> bool:
        """Whether there was a primary and is none now; False of a client that was never used, or is closed."""
        description = self._client.topology_description
        if description is self._healthy:
            return False
        if description.has_writable_server():
            self._healthy = description
            self._lost_since = None
            return False
        if self._healthy is None or self._closed:
            return False
        if self._lost_since is None:
            self._lost_since = time.monotonic()
        return True

    async def wait(self) -> None:
        """Wait until there is a primary again.

        Raises:
            StoreUnavailableError: there has been none for too long.
        """
        while self.absent:
            since = self._lost_since or time.monotonic()
            if time.monotonic() - since >= self.patience:
                raise StoreUnavailableError(_MESSAGE)
            await asyncio.sleep(_LOOK_SECONDS)

    def close(self) -> None:
        """Let go of those who wait: the client is closed, and will say so."""
        self._closed = True
