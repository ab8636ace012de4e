"""How a worker tells its parent that it answers, or why it does not: one report through a pipe."""

import contextlib
import os
from typing import Final

import orjson

from content_core.errors import ServiceError

__all__ = ["ServerStartError", "read_report", "report_failure", "report_ready"]

_READY: Final = b"{}"
_MOST: Final = 65_536


class ServerStartError(ServiceError):
    """The server could not start: the port is taken, or a worker gave up."""

    code = "OC701"
    status = 500


def report_ready(pipe: int) -> None:
    """Say that requests are answered, and close the pipe; a parent that replaced a worker does not listen."""
    with contextlib.suppress(BrokenPipeError):
        os.write(pipe, _READY)
    os.close(pipe)


def report_failure(pipe: int, error: ServiceError) -> None:
    """Say why requests will not be answered, and close the pipe."""
    with contextlib.suppress(BrokenPipeError):
        os.write(pipe, orjson.dumps({"message": error.message, "hint": error.hint}))
    os.close(pipe)


def read_report(pipe: int) -> None:
    """Read a worker's report.

    Raises:
        ServerStartError: the worker said why it cannot start, or ended without a word.
    """
    report = os.read(pipe, _MOST)
    if report == _READY:
        return
    if not report:
        raise ServerStartError("a server process ended while starting", hint="the log above says why")
    reason = orjson.loads(report)
    raise ServerStartError(f"the server cannot start: {reason['message']}", hint=reason["hint"])
