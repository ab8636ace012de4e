"""Rich text: links inside carry their form as JSON, in which references get the addresses that an export lacks."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import orjson

__all__ = ["fill_links"]

_SCRIPT: Final = re.compile(r'(<script type="application/json">)(.*?)(</script>)', re.DOTALL)

AddressOf = Callable[[str, str | None], str]
"""The address of a target by ``fsType`` and identifier."""


def fill_links(text: str, address_of: AddressOf) -> str:
    """Put addresses into the references of all links; what is no such JSON stays as it is, sign for sign."""
    if "<script" not in text:
        return text

    def filled(match: re.Match[str]) -> str:
        try:
            form = orjson.loads(match[2])
        except orjson.JSONDecodeError:
            return match[0]
        if not _fill(form, address_of):
            return match[0]
        written = json.dumps(form, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        return f"{match[1]}{written}{match[3]}"

    return _SCRIPT.sub(filled, text)


def _fill(value: Any, address_of: AddressOf) -> bool:
    """Fill the references in a value; whether there was one without an address that has one now."""
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    changed = False
    for item in inner:
        changed = _fill(item, address_of) or changed
    if isinstance(value, dict) and value.get("url") == "" and "uidType" in value and "remoteProject" not in value:
        value["url"] = address_of(str(value.get("fsType")), value.get("identifier"))
        changed = bool(value["url"]) or changed
    return changed
