"""One open WebSocket that is told of changes, and the ways in which it ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from content_core import observe
from content_core.access import Principal
from content_core.store import Ending
from rest_compat.websocket import FrameWriter

__all__ = ["CHANGED", "FORBIDDEN", "REMOVED", "SLOW", "Closing", "Watcher"]


@dataclass(frozen=True, slots=True)
class Closing:
    """Why the server closes a WebSocket.

    Args:
        code: the number that the client gets (RFC 6455, 7.4.1 and the registry of IANA).
        reason: the words that it gets.
        label: the same for metrics.
    """

    code: int
    reason: str
    label: str


CHANGED: Final = Closing(1012, "the definition of the change stream has changed", "changed")
REMOVED: Final = Closing(1001, "the definition of the change stream is gone", "removed")
FORBIDDEN: Final = Closing(1008, "the API key is gone or does not open this any more", "forbidden")
SLOW: Final = Closing(1013, "the client reads too slowly", "slow")
_OF_STREAM: Final[Mapping[Ending, Closing]] = {
    Ending.GONE: Closing(1001, "the collection or its database was dropped or renamed", "gone"),
    Ending.LOST: Closing(1011, "the change stream cannot be resumed, changes may have been missed", "lost"),
    Ending.STOPPED: Closing(1001, "the server stops", "stopped"),
}


@dataclass(slots=True, kw_only=True, eq=False)
class Watcher:
    """A client that watches a change stream.

    Args:
        frames: writes to its WebSocket.
        queue_bytes: how much may wait there before the client counts as too slow, beside one larger event.
        principal: who watches.
        segments: the path, as permissions are compared with it.
        database: where the stream is defined.
        collection: where the stream is defined.
        uri: the name of the stream.
        definition: the stream as it is defined.
        leave: takes it out of everything that knows it; set once it is in.
    """

    frames: FrameWriter
    queue_bytes: int
    principal: Principal
    segments: tuple[str, ...]
    database: str
    collection: str
    uri: str
    definition: Any
    leave: Callable[[], None] = lambda: None
    _held: list[bytes] | None = None
    _closing: Closing | None = None
    _begun: bool = False
    _large: int = 0  # what may wait beyond queue_bytes, because an event that is larger than that is on its way

    def begin(self) -> None:
        """Send what came while the client was not answered yet; from now on events are sent at once."""
        self._begun = True
        held, self._held = self._held or [], None
        for frame in held:
            self.tell(frame)
        if self._closing is not None:
            self.frames.close(self._closing.code, self._closing.reason)

    def tell(self, frame: bytes) -> None:
        """Send an event, unless too much waits already: ``queue_bytes``, beside one event that is larger."""
        if self._closing is not None:
            return
        if not self._begun:
            self._held = [*(self._held or []), frame]
            return
        waiting = self.frames.waiting
        self._large = min(self._large, waiting)
        large = len(frame) > self.queue_bytes
        if waiting > self.queue_bytes if large else waiting + len(frame) > self.queue_bytes + self._large:
            self.close(SLOW)
            return
        if large:
            self._large = len(frame)
        self.frames.write(frame)

    def end(self, ending: Ending) -> None:
        """Close, because the stream has ended."""
        self.close(_OF_STREAM[ending])

    def close(self, closing: Closing) -> None:
        """Close the WebSocket; the first reason counts."""
        if self._closing is not None:
            return
        self._closing = closing
        self.leave()
        observe.count("change_stream_closed", reason=closing.label)
        if self._begun:
            self.frames.close(closing.code, closing.reason)
