"""What the interface needs of a WebSocket beyond ASGI: ready-made frames that need no waiting, and an end in any case.

ASGI's own ``send`` encodes each message anew for each connection and waits for readers who do not read. The server
(``opencaas.sockets``) therefore offers this extension in the scope.
"""

from typing import Final, Protocol

from websockets.frames import Frame, Opcode

__all__ = ["FRAMES", "FrameWriter", "text_frame"]

FRAMES: Final = "opencaas.frames"
"""The name of the extension: ``scope["extensions"][FRAMES]`` is a :class:`FrameWriter`."""


class FrameWriter(Protocol):
    """Writes to an accepted WebSocket; nothing happens once it is closed. Never waits."""

    @property
    def waiting(self) -> int:
        """Bytes that were written and that the system has not taken yet, because the client does not read."""
        ...

    def write(self, frame: bytes) -> None:
        """Send a whole frame. The bytes are kept, not copied."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Say why it is over (RFC 6455, 7.4) and close; also when the client reads nothing."""
        ...


def text_frame(payload: bytes) -> bytes:
    """Make the frame of a text message, the same for every client."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)
