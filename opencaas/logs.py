"""How events are shown: text on a terminal, one JSON object a line elsewhere, on standard error.

Standard output belongs to what commands print (``ready <url>``, a schema, a report).
"""

import logging
import sys
from typing import Literal

import orjson
import structlog
from structlog.types import EventDict, Processor

__all__ = ["configure_logging"]


def configure_logging(*, level: str, form: Literal["auto", "json", "text"]) -> None:
    """Route structlog and the standard library's loggers to one handler.

    Args:
        level: least severe level shown: debug, info, warning or error.
        form: ``auto`` is text on a terminal and JSON elsewhere.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    last: list[Processor] = [structlog.dev.ConsoleRenderer()] if text else [structlog.processors.format_exc_info, _json]
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


def _json(_logger: object, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
