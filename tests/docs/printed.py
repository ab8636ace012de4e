"""Compares what a page prints with what a server answered; ``…`` in print stands for what varies or is left out.

Inside a text it stands for any characters, as an element of a list for any elements, as a member of an object for any
further members.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["differences", "http_differences"]

ELLIPSIS: Final = "…"


def differences(printed: Any, seen: Any, path: str = "$") -> Iterator[str]:
    """Tell where an answer is not as printed; nothing if it is."""
    match printed, seen:
        case str(), str() if ELLIPSIS in printed:
            if not _covers(printed, seen):
                yield f"{path}: printed {printed!r}, seen {seen!r}"
        case dict(), dict():
            yield from _object_differences(printed, seen, path)
        case list(), list():
            yield from _list_differences(printed, seen, path)
        case _ if printed == ELLIPSIS:
            return
        case _ if isinstance(printed, bool) is not isinstance(seen, bool) or printed != seen:
            yield f"{path}: printed {printed!r}, seen {seen!r}"


def http_differences(printed: str, seen: str) -> Iterator[str]:
    """Compare an HTTP answer: the status line, the headers that are printed, the body.

    Args:
        printed: the block of the page.
        seen: what ``curl -i`` wrote.
    """
    printed_head, _, printed_body = printed.strip().partition("\n\n")
    seen_head, _, seen_body = seen.replace("\r\n", "\n").strip().partition("\n\n")
    printed_status, *printed_headers = printed_head.split("\n")
    seen_status, *seen_headers = seen_head.split("\n")
    if printed_status != seen_status:
        yield f"printed {printed_status!r}, seen {seen_status!r}"
    headers = dict(_read_header(line) for line in seen_headers)
    for name, value in map(_read_header, printed_headers):
        if name not in headers or not _covers(value, headers[name]):
            yield f"header {name}: printed {value!r}, seen {headers.get(name)!r}"
    yield from differences(_read_body(printed_body), _read_body(seen_body))


def _object_differences(printed: dict[str, Any], seen: dict[str, Any], path: str) -> Iterator[str]:
    for name, value in printed.items():
        if name in seen:
            yield from differences(value, seen[name], f"{path}.{name}")
        elif name != ELLIPSIS:
            yield f"{path}.{name}: printed, not seen"
    if ELLIPSIS not in printed:
        yield from (f"{path}.{name}: seen, not printed" for name in seen if name not in printed)


def _list_differences(printed: list[Any], seen: list[Any], path: str) -> Iterator[str]:
    if ELLIPSIS not in printed:
        if len(printed) != len(seen):
            yield f"{path}: printed {len(printed)} elements, seen {len(seen)}"
        for place, (left, right) in enumerate(zip(printed, seen, strict=False)):
            yield from differences(left, right, f"{path}[{place}]")
        return
    gap = printed.index(ELLIPSIS)
    before, after = printed[:gap], printed[gap + 1 :]
    if len(seen) < len(before) + len(after):
        yield f"{path}: printed at least {len(before) + len(after)} elements, seen {len(seen)}"
        return
    yield from _list_differences(before, seen[: len(before)], path)
    yield from _list_differences(after, seen[len(seen) - len(after) :], f"{path}[-{len(after)}:]")


def _covers(printed: str, seen: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in printed.split(ELLIPSIS))
    return re.fullmatch(pattern, seen, re.DOTALL) is not None


def _read_header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _read_body(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()
