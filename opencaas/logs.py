"""How events are shown: text on a terminal, one JSON object a line elsewhere, on standard error.

Standard output belongs to what commands print (``ready <url>``, a schema, a report).
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal

import orjson
import structlog
from structlog.types import EventDict, Processor

from content_core import observe

__all__ = ["RequestLines", "configure_logging"]

_STDERR: Final = 2
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
_OWN_LINES: Final = frozenset({"exception", "stack"})
_REQUESTS: Final = "opencaas.request"


def configure_logging(*, level: str, form: Literal["auto", "json", "text"]) -> "RequestLines":
    """Route structlog and the standard library's loggers to one handler.

    Args:
        level: least severe level shown: debug, info, warning or error.
        form: ``auto`` is text on a terminal and JSON elsewhere.

    Returns:
        Where the lines of requests go, in the same form.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_request,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    last: list[Processor] = (
        [_printable, structlog.dev.ConsoleRenderer()] if text else [structlog.processors.format_exc_info, _json]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # The request log below says what these two would, without query strings (which may hold tokens).
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("pymongo", "httpx", "httpcore", "asyncio", "uvicorn.error"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return RequestLines(level=root.level, direct=not text)


class RequestLines:
    """Where the line of each request goes.

    Args:
        level: least severe level that is shown.
        direct: whether lines are written as JSON without a detour, which takes a tenth of the time; else they go where
            all events go.
    """

    def __init__(self, *, level: int = logging.DEBUG, direct: bool = False) -> None:
        self._level = level
        self._direct = direct

    def write(self, level: int, fields: Mapping[str, Any]) -> None:
        """Write a line before this returns; where nobody can read it any more, it is dropped.

        Args:
            level: of :mod:`logging`.
            fields: ``event`` among them; ``timestamp`` is a datetime.
        """
        if level < self._level:
            return
        if self._direct:
            _write_line({**fields, "logger": _REQUESTS, "level": logging.getLevelName(level).lower()})
        else:
            told = {name: value for name, value in fields.items() if name != "timestamp"}
            structlog.stdlib.get_logger(_REQUESTS).log(level, **told)


def _write_line(fields: dict[str, Any]) -> None:
    try:
        line = orjson.dumps(fields, default=str, option=_OPTIONS)
    except orjson.JSONEncodeError:  # half of a pair of surrogates in a name
        line = (json.dumps(fields, default=str) + "\n").encode()
    try:
        while line:
            line = line[os.write(_STDERR, line) :]
    except OSError:  # a closed terminal must not end requests
        return


def _add_request(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Say which request an event belongs to."""
    record = observe.current()
    if record is not None:
        event.setdefault("request", record.id)
    return event


def _printable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Keep control characters of what clients sent away from the terminal."""
    for name, value in event.items():
        if isinstance(value, str) and name not in _OWN_LINES and not value.isprintable():
            event[name] = "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in value)
    return event


def _json(_logger: object, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
