"""HTTP as bytes on a socket, for what no client library would send."""

import contextlib
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.patience import PATIENCE

__all__ = ["Answer", "exchange"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: of the first answer; None where the connection was closed without any.
        text: everything that was received.
    """

    status: int | None
    text: str


def exchange(url: str, request: bytes, *, patience: float = 0.1) -> Answer:
    """Send bytes and read until the server closes.

    Args:
        url: the server.
        request: the bytes.
        patience: how long the server may think, in seconds, until it is told that nothing more will come; an answer
            that is not there by then is lost.
    """
    address = urlsplit(url)
    assert address.hostname is not None
    received = b""
    with (
        socket.create_connection((address.hostname, address.port or 80), timeout=PATIENCE) as connection,
        contextlib.suppress(BrokenPipeError, ConnectionResetError),  # refused before everything was sent
    ):
        connection.sendall(request)
        connection.settimeout(patience)
        while part := _receive(connection):
            received += part
    return Answer(_status(received), received.decode("latin-1"))


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except TimeoutError:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(PATIENCE)
        return connection.recv(65536)


def _status(received: bytes) -> int | None:
    line = received.partition(b"\r\n")[0].split(b" ")
    return int(line[1]) if len(line) > 1 and line[0].startswith(b"HTTP/") else None
