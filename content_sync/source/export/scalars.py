"""Single values of an export as JSON: numbers, dates, switches; whatever cannot be one is told apart by ``None``."""

import math
import re
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element, tostring

__all__ = ["parse_date", "parse_number", "parse_switch", "text_of", "xml_of"]

_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
_INT64: Final = range(-(2**63), 2**63)
_SWITCHES: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


def text_of(node: Element) -> str:
    """The text of a value: as it stands where it is only text, else with its inner elements as XML."""
    if not len(node):
        return node.text or ""
    return xml_of(node)


def xml_of(node: Element) -> str:
    """What is inside of an element, as XML."""
    inner = [tostring(child, encoding="unicode") for child in node]  # with the text behind each
    return "".join([node.text or "", *inner])


def parse_number(text: str) -> int | float | None:
    """Read a number; integers stay integral as long as they can be stored."""
    trimmed = text.strip()
    if _INTEGER.fullmatch(trimmed) and int(trimmed) in _INT64:
        return int(trimmed)
    try:
        number = float(trimmed.replace(",", ".")) if trimmed.count(",") == 1 and "." not in trimmed else float(trimmed)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def parse_switch(text: str) -> bool | None:
    """Read a boolean."""
    return _SWITCHES.get(text.strip().lower())


def parse_date(text: str) -> str | None:
    """Read an ISO date, with or without a time, or milliseconds since 1970; a time without a zone counts as UTC."""
    trimmed = text.strip()
    try:
        if re.fullmatch(r"-?\d{9,14}", trimmed):
            moment = datetime.fromtimestamp(int(trimmed) / 1000, UTC)
        else:
            moment = datetime.fromisoformat(trimmed)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
