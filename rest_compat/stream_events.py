"""What watchers see of a change: the four members of an event, as one text frame for all of them."""

import logging
from collections.abc import Callable
from typing import Any, Final

from content_core.documents import Document
from content_core.errors import RequestError
from content_core.json_modes import JsonMode, write
from rest_compat.websocket import text_frame

__all__ = ["event_frame", "event_renderer"]

_log = logging.getLogger(__name__)

_MEMBERS: Final = ("fullDocument", "documentKey", "updateDescription", "operationType")
_LARGE: Final = ("fullDocument", "updateDescription")
_TRUNCATED: Final = "truncatedArrays"


def event_renderer(mode: JsonMode) -> Callable[[Document], bytes]:
    """Give the function that turns MongoDB's events into frames."""
    return lambda change: event_frame(change, mode)


def event_frame(change: Document, mode: JsonMode = "default") -> bytes:
    """Write an event as a frame.

    Members that are null or missing are left out; so are the resume token and whatever else MongoDB tells. An event
    whose document cannot be written as JSON (it is nested too deeply) is told without it.
    """
    event = {name: change[name] for name in _MEMBERS if change.get(name) is not None}
    description = event.get("updateDescription")
    if isinstance(description, dict):
        event["updateDescription"] = _described(description)
    try:
        return text_frame(write(event, mode))
    except RequestError as error:
        _log.warning("an event is told without its document: %s", error.message)
        return text_frame(write({name: value for name, value in event.items() if name not in _LARGE}, mode))


def _described(description: dict[str, Any]) -> dict[str, Any]:
    """Leave out what older servers did not tell, unless it says something: arrays that became shorter."""
    return {name: value for name, value in description.items() if name != _TRUNCATED or value}
