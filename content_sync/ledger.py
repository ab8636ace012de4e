"""What a job remembers of one state: ids, revisions and files, on disk, so that no project is too large for memory.

A private SQLite database without a name: SQLite keeps a few megabytes of it in memory and the rest in a file that is
gone with the process, also with one that is killed.
"""

import pickle
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import RLock
from typing import BinaryIO, Final, Self

import orjson

from content_core.documents import Json
from content_sync.media_paths import medium_of
from content_sync.model import Head, MediaFile

__all__ = ["Ledger", "Stored"]

_CACHE_KIB: Final = 16_384
_ASKED: Final = 500
"""Ids of one question; older versions of SQLite take 999."""

_UNREAD: Final = "SELECT id, revision FROM stored WHERE id IN ({}) AND id NOT IN read"
_TABLES: Final = """
    CREATE TABLE stored (id TEXT PRIMARY KEY, revision BLOB, stamped INTEGER, kind TEXT) WITHOUT ROWID;
    CREATE TABLE read (id TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE kept (key TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE files (number INTEGER PRIMARY KEY, medium TEXT, file BLOB);
    CREATE INDEX files_of ON files (medium);
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that the server has.

    Attributes:
        document_id: its id.
        revision: its revision; ``None`` where it has none.
        stamped: whether a job wrote it.
        kind: its ``fsType``.
    """

    document_id: str
    revision: Json
    stamped: bool
    kind: str


class Ledger:
    """The memory of one run over one state; close it, or use it with ``with``. Threads may share it."""

    def __init__(self) -> None:
        self.locales: set[str] = set()
        """What the ids of the source's documents end with: ``de_DE``."""
        self.kinds: set[str] = set()
        """Which kinds of document the source has."""
        self._lock = RLock()
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # It is private and never read again: neither a crash nor a rollback matters.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        with self._lock:
            self._database.close()

    # --- documents -------------------------------------------------------------------------------------------------

    def store(self, listed: Iterable[Stored]) -> None:
        """Note documents that the server has."""
        rows = [(each.document_id, orjson.dumps(each.revision), each.stamped, each.kind) for each in listed]
        with self._lock:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO stored VALUES (?, ?, ?, ?)", rows)
            self._database.execute("COMMIT")

    def knows(self, document_id: str) -> bool:
        """Whether the server has a document."""
        with self._lock:
            row = self._database.execute("SELECT 1 FROM stored WHERE id = ?", (document_id,)).fetchone()
        return row is not None

    def outdated(self, document_id: str, revision: Json) -> bool:
        """Whether the server lacks a document, or has it in another revision."""
        with self._lock:
            row = self._database.execute("SELECT revision FROM stored WHERE id = ?", (document_id,)).fetchone()
        return row is None or bytes(row[0]) != orjson.dumps(revision)

    def unchanged(self, heads: Sequence[Head]) -> set[str]:
        """The ids of documents that the server has in these revisions, and that the source did not have before."""
        found: set[str] = set()
        for start in range(0, len(heads), _ASKED):
            asked = heads[start : start + _ASKED]
            query = _UNREAD.format(",".join("?" * len(asked)))
            with self._lock:
                rows = self._database.execute(query, [head.document_id for head in asked]).fetchall()
            stored = dict(rows)
            found.update(
                head.document_id for head in asked if stored.get(head.document_id) == orjson.dumps(head.revision)
            )
        return found

    def read_all(self, heads: Iterable[Head]) -> None:
        """Note documents that the source has, none of which it had before."""
        rows = []
        for head in heads:
            self.kinds.add(head.kind)
            self.locales.add(head.document_id.rpartition(".")[2])
            rows.append((head.document_id,))
        with self._lock:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR IGNORE INTO read VALUES (?)", rows)
            self._database.execute("COMMIT")

    def read(self, document_id: str, kind: str) -> bool:
        """Note a document that the source has; False if it had one with this id before."""
        self.kinds.add(kind)
        self.locales.add(document_id.rpartition(".")[2])
        with self._lock:
            added = self._database.execute("INSERT OR IGNORE INTO read VALUES (?)", (document_id,))
        return added.rowcount == 1

    def stale(self, size: int, *, stamped: bool = False) -> Iterator[Sequence[tuple[str, str]]]:
        """Yield ids and kinds of documents that the server has and the source has not, so many at a time.

        Args:
            size: how many.
            stamped: only those that a job wrote.
        """
        last = ""
        query = "SELECT id, kind FROM stored WHERE id > ? AND stamped >= ? AND id NOT IN read ORDER BY id LIMIT ?"
        while True:
            with self._lock:
                found = self._database.execute(query, (last, stamped, size)).fetchall()
            if not found:
                return
            yield found
            last = found[-1][0]

    # --- files -----------------------------------------------------------------------------------------------------

    def keep(self, files: Iterable[tuple[MediaFile, str]]) -> None:
        """Note files that the source has, and their names at the place of delivery."""
        rows, keys = [], []
        for file, key in files:
            plain = file if _is_plain(file) else replace(file, open=_closed)
            rows.append((medium_of(file), pickle.dumps(plain, protocol=pickle.HIGHEST_PROTOCOL)))
            keys.append((key,))
        with self._lock:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO files (medium, file) VALUES (?, ?)", rows)
            self._database.executemany("INSERT OR IGNORE INTO kept VALUES (?)", keys)
            self._database.execute("COMMIT")

    def __contains__(self, key: object) -> bool:
        """Whether a file that the source has goes by this name at the place of delivery."""
        with self._lock:
            return self._database.execute("SELECT 1 FROM kept WHERE key = ?", (key,)).fetchone() is not None

    def files_of(self, medium: str) -> list[MediaFile]:
        """The files of a medium, in the order of the source; only files that lie on the disk can be opened again."""
        with self._lock:
            rows = self._database.execute("SELECT file FROM files WHERE medium = ? ORDER BY number", (medium,))
            return [pickle.loads(row[0]) for row in rows]  # noqa: S301 - written by this very process


def _is_plain(file: MediaFile) -> bool:
    """Whether a file is opened by nothing but its path, which can be kept."""
    opening = file.open
    return isinstance(opening, partial) and all(
        isinstance(value, str | Path) for value in (*opening.args, *opening.keywords.values())
    )


def _closed() -> BinaryIO:
    raise ValueError("the file was delivered; its bytes are closed")
