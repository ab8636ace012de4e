"""What the parent process tells a worker, through a pipe: command lines and environments can be read by others."""

from dataclasses import asdict, dataclass
from typing import Any

import orjson

__all__ = ["Orders"]


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker needs to know.

    Attributes:
        parent: process id of the supervisor.
        socket_fd: the listening socket, inherited.
        ready_fd: write end of a pipe; one byte says that requests are answered.
        board_fd: the memory in which all workers keep their figures, inherited.
        place: which slot of it is this worker's.
        uri: the MongoDB to use.
        admin_password: password of the admin user.
        token_secret: what signs security tokens.
        settings: field values of :class:`Settings`, secrets in clear.
    """

    parent: int
    socket_fd: int
    ready_fd: int
    board_fd: int
    place: int
    uri: str
    admin_password: str
    token_secret: str
    settings: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Write the orders as JSON."""
        return orjson.dumps(asdict(self), default=str)

    @classmethod
    def from_bytes(cls, text: bytes) -> "Orders":
        """Read what :meth:`to_bytes` wrote."""
        return cls(**orjson.loads(text))
