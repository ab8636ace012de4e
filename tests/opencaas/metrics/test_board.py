"""Numbers in memory that processes share."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from opencaas.metrics.board import Board, Slot

_CHILD = """
import os, signal, sys
from opencaas.metrics.board import Board
board = Board.open(int(sys.argv[1]))
slot = board.attach(1)
place = slot.allocate(b"counted", 1)
slot.values[place] += 5
print("done", flush=True)
if sys.argv[2] == "die":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board.create(2, slot_bytes=8192)
    yield made
    made.close()


def _values(board: Board, name: bytes) -> list[tuple[int, tuple[float, ...]]]:
    return [(entry.slot, entry.values) for entry in board.entries() if entry.name == name]


def _place(slot: Slot, name: bytes, length: int = 1) -> int:
    place = slot.allocate(name, length)
    assert place is not None
    return place


def test_new_board_is_empty(board: Board) -> None:
    assert [] == list(board.entries())
    assert [None, None] == [board.pid(place) for place in range(2)]
    assert not board.draining
    assert 0 <= board.uptime < 60


def test_what_is_written_is_read(board: Board) -> None:
    slot = board.attach(0)
    first, second = _place(slot, b"a"), _place(slot, b"name of odd length!", 3)
    slot.values[first] = 1.5
    slot.values[second + 2] = 2.5

    assert [(0, (1.5,))] == _values(board, b"a")
    assert [(0, (0.0, 0.0, 2.5))] == _values(board, b"name of odd length!")


def test_a_name_keeps_its_place(board: Board) -> None:
    slot = board.attach(0)

    assert _place(slot, b"a") == _place(slot, b"a")


def test_slots_do_not_meet(board: Board) -> None:
    for number in range(2):
        slot = board.attach(number)
        slot.values[_place(slot, b"a")] = number + 1

    assert [(0, (1.0,)), (1, (2.0,))] == _values(board, b"a")


def test_full_slot_says_so_and_leaves_the_next_one_alone(board: Board) -> None:
    slot, other = board.attach(0), board.attach(1)
    other.values[_place(other, b"next")] = 7

    assert slot.allocate(b"too much", 2000) is None
    number = 0
    while slot.allocate(b"%d" % number, 10) is not None:
        number += 1

    assert number > 50
    assert [(1, (7.0,))] == _values(board, b"next")
    assert number == sum(entry.slot == 0 for entry in board.entries())


def test_place_that_is_not_there(board: Board) -> None:
    with pytest.raises(IndexError):
        board.attach(2)


def test_processes_share_it_and_counts_outlive_the_one_that_died(board: Board) -> None:
    command = [sys.executable, "-c", _CHILD, str(board.descriptor), "die"]
    subprocess.run(command, pass_fds=[board.descriptor], stdout=subprocess.DEVNULL, check=False, timeout=60)

    assert [(1, (5.0,))] == _values(board, b"counted")
    assert board.pid(1) is None

    slot = board.attach(1)
    slot.values[_place(slot, b"counted")] += 1

    assert [(1, (6.0,))] == _values(board, b"counted")
    assert board.pid(1) is not None


def test_process_that_lives_is_named(board: Board) -> None:
    command = [sys.executable, "-c", _CHILD, str(board.descriptor), "live"]
    with subprocess.Popen(
        command, pass_fds=[board.descriptor], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert "done\n" == child.stdout.readline()
        assert child.pid == board.pid(1)
        child.stdin.close()
        child.wait(30)

    assert board.pid(1) is None


def test_all_see_that_the_server_is_about_to_stop(board: Board) -> None:
    board.drain()

    assert board.draining
