"""Ports of loopback for programs that are told where to listen, and that come back there after they were killed."""

import os
import random
import socket
from collections.abc import Iterator
from typing import Final

__all__ = ["free_port", "free_ports"]

_FIRST: Final = 20_000
_EACH: Final = 1_700
_WORKERS: Final = 4
"""Together they end below 27 100, where the embedded MongoDB looks for a port, and far below what the system hands out
to outgoing connections: one of those could be given the port of a program that is down for a moment."""


def free_ports(number: int) -> list[int]:
    """Choose ports that nobody listens on, and that no other process of the run and no later call will choose."""
    return [next(_ports) for _ in range(number)]


def free_port() -> int:
    """Choose one port as :func:`free_ports` does."""
    return next(_ports)


def _choose() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    first = _FIRST + worker * _EACH
    for port in random.SystemRandom().sample(range(first, first + _EACH), _EACH):
        if _is_free(port):
            yield port
    raise AssertionError(f"no free port from {first} to {first + _EACH}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_ports: Final = _choose()
