"""Numbers that outlive the process that counts them: one shared memory for all processes of a server.

The parent makes the board and hands it down; each worker writes into a slot of its own, and whoever is asked for the
figures reads all slots. A worker that replaces a dead one goes on in its slot: what was counted stays counted, what
was open is not open any more. Nothing is copied between processes, and nothing is left behind: the memory is gone with
the last process.

A slot is a row of entries that only grows: a name, and the doubles that belong to it. Single doubles are written and
read in one step by the processors that we run on; those of one entry may be read while they change, which shifts a
figure by the request in between.
"""

import mmap
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

__all__ = ["Board", "Doubles", "Entry", "Slot"]

Doubles: TypeAlias = "memoryview[float]"

_PAGE: Final = 4096
_SLOT_HEADER: Final = 64
_ENTRY: Final = struct.Struct("<II")  # bytes of the name, doubles
_DEFAULT_SLOT: Final = 8 * 1024 * 1024
"""Room for the figures of one process; memory is only taken for what is written."""

# Doubles of the header.
_SLOTS, _SLOT_BYTES, _STARTED, _STARTED_MONOTONIC, _DRAINING = range(5)
# Doubles of a slot's header.
_PID, _USED, _ATTACHED = range(3)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one process has under one name.

    Attributes:
        name: as the writer chose it.
        values: its numbers, as they were when they were read.
        slot: the place of the process.
    """

    name: bytes
    values: tuple[float, ...]
    slot: int


class Board:
    """The shared memory. Made by :meth:`create` and opened elsewhere by :meth:`open`.

    Attributes:
        descriptor: what a child process needs to open the same board; the file lives in memory only.
    """

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, 0)
        self.descriptor = descriptor
        self.bytes = memoryview(self._map)
        self.doubles: Doubles = self.bytes.cast("d")

    @classmethod
    def create(cls, slots: int, *, slot_bytes: int = _DEFAULT_SLOT) -> Self:
        """Make an empty board.

        Args:
            slots: how many processes write.
            slot_bytes: room for each, a multiple of the page size.
        """
        descriptor = os.memfd_create("opencaas-metrics")  # closed on exec, unless it is passed on
        os.ftruncate(descriptor, _PAGE + slots * slot_bytes)
        board = cls(descriptor)
        board.doubles[_SLOTS] = slots
        board.doubles[_SLOT_BYTES] = slot_bytes
        board.doubles[_STARTED] = time.time()
        board.doubles[_STARTED_MONOTONIC] = time.monotonic()
        return board

    @classmethod
    def open(cls, descriptor: int) -> Self:
        """Open a board that another process made and handed down."""
        return cls(descriptor)

    @property
    def slots(self) -> int:
        """How many processes write."""
        return int(self.doubles[_SLOTS])

    @property
    def started(self) -> float:
        """When the server started, in seconds since 1970."""
        return self.doubles[_STARTED]

    @property
    def uptime(self) -> float:
        """For how many seconds there has been a server."""
        return time.monotonic() - self.doubles[_STARTED_MONOTONIC]

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop."""
        return self.doubles[_DRAINING] != 0

    def drain(self) -> None:
        """Say that the server is about to stop."""
        self.doubles[_DRAINING] = 1

    def attach(self, place: int) -> "Slot":
        """Take a slot over for this process, with what its predecessor wrote."""
        slot = Slot(self, self._base(place), int(self.doubles[_SLOT_BYTES]))
        slot.claim()
        return slot

    def pid(self, place: int) -> int | None:
        """Give the process of a slot while it lives."""
        pid = int(self.doubles[self._base(place) // 8 + _PID])
        return pid if pid and _is_alive(pid) else None

    def entries(self) -> Iterator[Entry]:
        """Read everything that any process has written."""
        for place in range(self.slots):
            base = self._base(place)
            end = base + int(self.doubles[base // 8 + _USED])
            for offset, name, length in _walk(self.bytes, base + _SLOT_HEADER, end):
                yield Entry(name, tuple(self.doubles[offset : offset + length]), place)

    def close(self) -> None:
        """Let the memory go, also in the slots of this process; the numbers stay as long as another process has it."""
        self.doubles.release()
        self.bytes.release()
        self._map.close()
        os.close(self.descriptor)

    def _base(self, place: int) -> int:
        if not 0 <= place < self.slots:
            raise IndexError(f"there is no place {place} among {self.slots}")
        return _PAGE + place * int(self.doubles[_SLOT_BYTES])


class Slot:
    """The part of a board that this process writes. Made by :meth:`Board.attach`.

    Attributes:
        values: the doubles of the whole board; :meth:`allocate` says from where on they belong to a name.
    """

    def __init__(self, board: Board, base: int, size: int) -> None:
        self.values = board.doubles
        self._bytes = board.bytes
        self._base = base
        self._size = size
        self._known: dict[bytes, int] = {}

    def claim(self) -> None:
        """Make this process the writer, and remember what there is already."""
        header = self._base // 8
        if self.values[header + _USED] == 0:
            self.values[header + _USED] = _SLOT_HEADER
        end = self._base + int(self.values[header + _USED])
        for offset, name, _length in _walk(self._bytes, self._base + _SLOT_HEADER, end):
            self._known[name] = offset
        self.values[header + _ATTACHED] = time.time()
        self.values[header + _PID] = os.getpid()

    @property
    def known(self) -> dict[bytes, int]:
        """The names that there are, each with the place of its first double."""
        return self._known

    def allocate(self, name: bytes, length: int) -> int | None:
        """Give the place of the first double of a name, made of zeros if it is new; None if the slot is full."""
        if (found := self._known.get(name)) is not None:
            return found
        header = self._base // 8
        start = self._base + int(self.values[header + _USED])
        padded = -(-(_ENTRY.size + len(name)) // 8) * 8
        end = start + padded + 8 * length
        if end > self._base + self._size:
            return None
        _ENTRY.pack_into(self._bytes, start, len(name), length)
        self._bytes[start + _ENTRY.size : start + _ENTRY.size + len(name)] = name
        # Last of all: whoever reads meanwhile sees the entry whole or not at all.
        self.values[header + _USED] = end - self._base
        offset = (start + padded) // 8
        self._known[name] = offset
        return offset


def _walk(memory: memoryview, start: int, end: int) -> Iterator[tuple[int, bytes, int]]:
    """Give place of the first double, name and number of doubles of each entry."""
    while start < end:
        name_length, length = _ENTRY.unpack_from(memory, start)
        name = bytes(memory[start + _ENTRY.size : start + _ENTRY.size + name_length])
        offset = (start + -(-(_ENTRY.size + name_length) // 8) * 8) // 8
        yield offset, name, length
        start = 8 * (offset + length)


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not buried yet does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] != b"Z"
