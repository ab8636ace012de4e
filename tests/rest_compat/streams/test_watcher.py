"""How much waits for a client that does not read: so many bytes, and one event that is larger than that."""

from content_core.access import ADMIN
from rest_compat.watcher import Watcher

LIMIT = 1000


class Frames:
    """A connection whose client reads when the test says so."""

    def __init__(self) -> None:
        self.waiting = 0
        self.closed: int | None = None

    def write(self, frame: bytes) -> None:
        self.waiting += len(frame)

    def close(self, code: int, reason: str) -> None:
        self.closed = code


def watcher_of(frames: Frames) -> Watcher:
    watcher = Watcher(
        frames=frames,
        queue_bytes=LIMIT,
        principal=ADMIN,
        segments=("db", "pages", "_streams", "crud"),
        database="db",
        collection="pages",
        uri="crud",
        definition={},
    )
    watcher.begin()
    return watcher


def test_small_events_wait_up_to_the_limit() -> None:
    watcher = watcher_of(frames := Frames())

    for _ in range(10):
        watcher.tell(bytes(100))
    assert (None, LIMIT) == (frames.closed, frames.waiting)

    watcher.tell(b"x")
    assert (1013, LIMIT) == (frames.closed, frames.waiting)


def test_a_large_event_does_not_count_against_those_around_it() -> None:
    watcher = watcher_of(frames := Frames())

    watcher.tell(bytes(400))
    watcher.tell(bytes(50_000))
    watcher.tell(bytes(600))
    assert (None, 51_000) == (frames.closed, frames.waiting)

    watcher.tell(b"x")
    assert 1013 == frames.closed


def test_two_large_events_do_not_wait_together() -> None:
    watcher = watcher_of(frames := Frames())

    watcher.tell(bytes(50_000))
    watcher.tell(bytes(50_000))

    assert (1013, 50_000) == (frames.closed, frames.waiting)


def test_what_was_read_of_a_large_event_makes_no_room() -> None:
    watcher = watcher_of(frames := Frames())
    watcher.tell(bytes(50_000))
    frames.waiting = 700  # the rest of it

    watcher.tell(bytes(1000))
    assert (None, 1700) == (frames.closed, frames.waiting)

    watcher.tell(b"x")
    assert 1013 == frames.closed
    frames.waiting = 0
    watcher.tell(b"x")
    assert 0 == frames.waiting, "it is closed"
