"""Keeps looking at a local source and says when it changed: by names, times and sizes, without reading any file."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Watching", "changes", "look"]

_SHARE: Final = 20
"""Looking takes at most one part in so many of the time."""

_WHOLE: Final = 1 << 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How patiently a source is watched.

    Attributes:
        interval: seconds between two looks, at least; large trees are looked at less often.
        settle: seconds that nothing may change before a change counts as finished.
        longest: most seconds of waiting for a tree that never comes to rest.
    """

    interval: float = 1.0
    settle: float = 0.5
    longest: float = 30.0


def look(path: Path) -> int:
    """Sum up a file, or a directory with everything below it: another number when something changed.

    A sum, so that neither order nor size of the tree matters; what vanishes meanwhile is left out.
    """
    total = 0
    for name, status in _entries(path):
        known = f"{name}\0{status.st_mtime_ns}\0{status.st_size}\0{status.st_ino}".encode(errors="surrogateescape")
        total += int.from_bytes(hashlib.blake2b(known, digest_size=16).digest())
    return total % _WHOLE


async def changes(path: Path, known: int, watching: Watching) -> AsyncIterator[int]:
    """Yield what ``look`` says whenever it says something new, and the source has come to rest.

    Args:
        path: the source.
        known: what it said before.
        watching: how patiently.
    """
    while True:
        began = time.perf_counter()
        found = await asyncio.to_thread(look, path)
        pause = max(watching.interval, _SHARE * (time.perf_counter() - began))
        if found != known:
            known = await _rest(path, found, watching)
            yield known
        await asyncio.sleep(pause)


async def _rest(path: Path, found: int, watching: Watching) -> int:
    end = time.monotonic() + watching.longest
    while time.monotonic() < end:
        await asyncio.sleep(watching.settle)
        now = await asyncio.to_thread(look, path)
        if now == found:
            break
        found = now
    return found


def _entries(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    waiting = [str(path)]
    while waiting:
        current = waiting.pop()
        try:
            yield current, os.stat(current)  # noqa: PTH116 - of a string; a Path each would be most of the work
            if os.path.isdir(current):  # noqa: PTH112
                with os.scandir(current) as found:
                    for entry in found:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            yield entry.path, entry.stat()
        except OSError:
            continue
