"""What earlier jobs found in files of a source, so that a file that did not change is neither parsed nor hashed again.

A SQLite database for each source, in a cache directory; losing it costs time and nothing else. A file is known by its
size, its inode and both its times to the nanosecond. Clocks are coarser than that: what was written shortly before it
was read could be written once more without a trace, so such a file is not remembered.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import RLock
from typing import Final, Literal, Self

__all__ = ["FileMemory", "Kind"]

Kind = Literal["documents", "binary"]

_FORMAT: Final = 2
"""Another one when facts are written otherwise, or when the same files give other facts."""

_PENDING: Final = 5_000
_PENDING_BYTES: Final = 8_000_000
_PATIENCE: Final = 1.0
"""Seconds to wait for another job of the same source; its transactions are shorter by far."""

_CACHE_KIB: Final = 8_192
_DAY: Final = 86_400
_REFRESHED_DAYS: Final = 7
_FORGOTTEN_DAYS: Final = 30
_SUFFIX: Final = ".sqlite"
_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS files (
        kind TEXT, name BLOB, stamp TEXT, facts BLOB, used INTEGER, PRIMARY KEY (kind, name)
    ) WITHOUT ROWID
"""


_ROWS: Final = "SELECT name, stamp, facts, used FROM files WHERE kind = ? AND name >= ? ORDER BY name LIMIT ?"
_AHEAD: Final[Mapping[Kind, int]] = {"documents": 200, "binary": 20}
_LARGEST: Final = 32_768
"""Bytes of facts about one file; larger ones are not worth their place."""

_Row = tuple[str, bytes, int]


@dataclass(slots=True)
class _Ahead:
    """Rows that were fetched together, and the first and the last name that they speak for."""

    rows: Mapping[bytes, _Row] = field(default_factory=dict)
    first: bytes = b"\1"
    last: bytes = b""


class FileMemory:
    """Facts about the files of one source; close it, or use it with ``with``. Threads may share it.

    Nothing here ever fails: where the directory cannot be used, nothing is remembered.

    Args:
        directory: where such memories are kept; made if missing, for its user alone.
        root: the source.
        context: what else facts depend on.
        fresh: recall nothing of before, only write.
        settled: seconds that a file must not have changed for to be remembered; as coarse as clocks of file systems
            are, FAT among them.
    """

    def __init__(
        self, directory: Path, *, root: Path, context: str = "", fresh: bool = False, settled: float = 2.0
    ) -> None:
        self._lock = RLock()
        self._fresh = fresh
        self._settled = int(settled * 1e9)
        self._today = int(time.time()) // _DAY
        self._pending: dict[tuple[str, Kind], tuple[str, bytes]] = {}
        self._pending_bytes = 0
        self._aging: list[tuple[int, Kind, bytes]] = []
        self._ahead = _nothing_ahead()
        self._wrote = False
        self._database: sqlite3.Connection | None = None
        try:
            self._database = _opened(directory, root, context)
        except (OSError, sqlite3.Error):
            return

    @property
    def recalls(self) -> bool:
        """Whether anything can be recalled, what was noted a moment ago included."""
        return self._database is not None and not self._fresh

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is new, and forget what no job asked for during a month."""
        with self._lock:
            self._flush()
            database, self._database = self._database, None
            if database is None:
                return
            with suppress(sqlite3.Error):
                if self._wrote:
                    database.execute("DELETE FROM files WHERE used < ?", (self._today - _FORGOTTEN_DAYS,))
            with suppress(sqlite3.Error):
                database.close()

    def recall(self, path: str, kind: Kind) -> bytes | None:
        """Give the facts about a file, if it is as it was when they were noted.

        Args:
            path: the file.
            kind: what the facts are about.
        """
        try:
            stamp = _stamp(os.stat(path))  # noqa: PTH116 - of a string; a Path each would be most of the work
        except (OSError, ValueError):
            return None
        with self._lock:
            if found := self._pending.get((path, kind)):
                return found[1] if found[0] == stamp else None
            if not self.recalls:
                return None
            name = os.fsencode(path)
            row = self._row(name, kind)
            if row is None or row[0] != stamp:
                return None
            if row[2] < self._today - _REFRESHED_DAYS:
                self._aging.append((self._today, kind, name))
                if len(self._aging) >= _PENDING:
                    self._flush()
            return row[1]

    def remember(self, path: str, kind: Kind, status: os.stat_result, facts: bytes) -> None:
        """Note facts about a file, unless it is so new that it may still change without a trace.

        Args:
            path: the file.
            kind: what the facts are about.
            status: the file's, taken after it was opened and before it was read.
            facts: what was found.
        """
        if len(facts) > _LARGEST or max(status.st_mtime_ns, status.st_ctime_ns) + self._settled > time.time_ns():
            return
        with self._lock:
            self._pending[path, kind] = (_stamp(status), facts)
            self._pending_bytes += len(facts)
            if len(self._pending) >= _PENDING or self._pending_bytes >= _PENDING_BYTES:
                self._flush()

    def _row(self, name: bytes, kind: Kind) -> _Row | None:
        """Find what is noted of a file, mostly among what was found beside the one before: sources are sorted."""
        ahead = self._ahead[kind]
        if not ahead.first <= name <= ahead.last:
            try:
                rows = self._database.execute(_ROWS, (kind, name, _AHEAD[kind])).fetchall() if self._database else []
            except sqlite3.Error:
                self._give_up()
                return None
            ahead.rows = {row[0]: row[1:] for row in rows}
            ahead.first, ahead.last = name, rows[-1][0] if rows else name
        return ahead.rows.get(name)

    def _flush(self) -> None:
        """Write what is pending; short transactions, so that a job beside this one need not wait."""
        rows = [
            (kind, os.fsencode(path), stamp, facts, self._today)
            for (path, kind), (stamp, facts) in self._pending.items()
        ]
        self._ahead = _nothing_ahead()
        aging, self._aging = self._aging, []
        self._pending, self._pending_bytes = {}, 0
        if self._database is None or not (rows or aging):
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
            self._database.executemany("UPDATE files SET used = ? WHERE kind = ? AND name = ?", aging)
            self._database.execute("COMMIT")
            self._wrote = True
        except sqlite3.Error:
            self._give_up()

    def _give_up(self) -> None:
        """Remember nothing from here on; with what was not committed, the database forgets it."""
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()


def _nothing_ahead() -> dict[Kind, _Ahead]:
    return {kind: _Ahead() for kind in _AHEAD}


def _opened(directory: Path, root: Path, context: str) -> sqlite3.Connection:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    about = "\0".join((os.path.realpath(root), context, str(_FORMAT), _version()))
    place = directory / f"{hashlib.sha256(os.fsencode(about)).hexdigest()[:32]}{_SUFFIX}"
    _remove_old(place, directory.glob(f"*{_SUFFIX}"))
    place.touch(mode=0o600)
    try:
        return _connected(place)
    except sqlite3.DatabaseError as problem:
        if isinstance(problem, sqlite3.OperationalError):  # locked, or no room: nothing that a new one would mend
            raise
        place.unlink()  # no database, or a broken one
        place.touch(mode=0o600)
        return _connected(place)


def _connected(place: Path) -> sqlite3.Connection:
    database = sqlite3.connect(place, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)
    try:
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(_TABLES)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _remove_old(own: Path, places: Iterable[Path]) -> None:
    """Remove the memories of sources that nobody synchronised for a month; opening one counts as using it."""
    limit = time.time() - _FORGOTTEN_DAYS * _DAY
    for place in places:
        with suppress(OSError):
            if place != own and place.stat().st_mtime < limit:
                place.unlink()


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def _version() -> str:
    try:
        return version("opencaas")
    except PackageNotFoundError:
        return ""
