"""The log of the embedded ``mongod``: kept small, and asked why a start failed."""

import json
from pathlib import Path
from typing import Final

__all__ = ["read_reason", "rotate"]

_LARGEST: Final = 10 * 1024 * 1024
_BAD: Final = {"E": 1, "F": 2}


def rotate(log: Path) -> None:
    """Put a large log aside before a start, in the place of the one put aside before."""
    if log.exists() and log.stat().st_size > _LARGEST:
        log.replace(log.with_name(f"{log.name}.1"))


def read_reason(log: Path, offset: int, output: Path) -> str | None:
    """Say why a ``mongod`` ended: the worst entry of its log since ``offset``, else what it printed.

    Args:
        log: the log file, one JSON object a line.
        offset: where this run's entries begin.
        output: what the program printed before it had a log.
    """
    worst, reason = 0, None
    for line in _text(log, offset).splitlines():
        entry = _entry(line)
        weight = _BAD.get(str(entry.get("s")), 0)
        if weight > worst:
            worst, reason = weight, _sentence(entry)
    if reason is None:
        printed = [line for line in _text(output, 0).splitlines() if line.strip()]
        reason = printed[0].strip() if printed else None
    return reason


def _entry(line: str) -> dict[str, object]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _sentence(entry: dict[str, object]) -> str:
    attributes = entry.get("attr")
    error = attributes.get("error") if isinstance(attributes, dict) else None
    return f"{entry.get('msg')}: {error}" if error else str(entry.get("msg"))


def _text(path: Path, offset: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(1_000_000).decode(errors="replace")
    except OSError:
        return ""
