"""What is remembered of files, and what must not be: anything that may have changed since."""

import os
import sqlite3
import time
from pathlib import Path

import pytest

from content_sync.source import FileMemory

FACTS = b"facts"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "source" / "a.json"
    place.parent.mkdir()
    place.write_bytes(b"first")
    return place


def memory_of(file: Path, *, settled: float = 0, fresh: bool = False, context: str = "") -> FileMemory:
    directory = file.parents[1] / "cache"
    return FileMemory(directory, root=file.parent, context=context, settled=settled, fresh=fresh)


def remember(file: Path, *, settled: float = 0) -> None:
    with memory_of(file, settled=settled) as memory:
        memory.remember(str(file), "documents", file.stat(), FACTS)


def recalled(file: Path, *, fresh: bool = False, context: str = "") -> bytes | None:
    with memory_of(file, fresh=fresh, context=context) as memory:
        return memory.recall(str(file), "documents")


def test_what_did_not_change_is_recalled(file: Path) -> None:
    remember(file)

    assert FACTS == recalled(file)


def test_kinds_of_facts_are_kept_apart(file: Path) -> None:
    with memory_of(file) as memory:
        memory.remember(str(file), "documents", file.stat(), b"documents")
        memory.remember(str(file), "binary", file.stat(), b"binary")

        assert (b"documents", b"binary") == (memory.recall(str(file), "documents"), memory.recall(str(file), "binary"))
    with memory_of(file) as memory:
        assert (b"documents", b"binary") == (memory.recall(str(file), "documents"), memory.recall(str(file), "binary"))


def test_a_file_that_is_as_long_and_as_old_as_before_but_other_is_unknown(file: Path) -> None:
    """As after copying with times kept; the time of the inode's last change cannot be set by anybody."""
    before = file.stat()
    remember(file)
    file.write_bytes(b"other")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert (before.st_mtime_ns, before.st_size) == (file.stat().st_mtime_ns, file.stat().st_size)
    assert recalled(file) is None


def test_a_file_in_the_place_of_another_is_unknown(file: Path) -> None:
    before = file.stat()
    remember(file)
    other = file.with_name("b.json")
    other.write_bytes(b"other")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)

    assert recalled(file) is None


def test_a_file_that_is_gone_is_unknown(file: Path) -> None:
    remember(file)
    file.unlink()

    assert recalled(file) is None


def test_a_file_that_was_just_written_is_not_remembered(file: Path) -> None:
    """It could be written again within the same tick of the clock, and look as before."""
    remember(file, settled=60)

    assert recalled(file) is None


def test_a_file_from_the_future_is_not_remembered(file: Path) -> None:
    os.utime(file, (time.time() + 3600, time.time() + 3600))
    remember(file)

    assert recalled(file) is None


def test_a_status_from_before_a_change_says_nothing_of_the_file(file: Path) -> None:
    """A file that changes while it is read."""
    before = file.stat()
    time.sleep(0.05)
    file.write_bytes(b"other")
    with memory_of(file) as memory:
        memory.remember(str(file), "documents", before, FACTS)

        assert memory.recall(str(file), "documents") is None


def test_a_fresh_start_recalls_nothing_of_before_and_writes(file: Path) -> None:
    remember(file)

    assert recalled(file, fresh=True) is None
    with memory_of(file, fresh=True) as memory:
        memory.remember(str(file), "documents", file.stat(), b"newer")
    assert b"newer" == recalled(file)


def test_facts_belong_to_their_context(file: Path) -> None:
    remember(file)

    assert recalled(file, context="https://caas.example.org") is None


def test_many_files_are_recalled_in_any_order(file: Path) -> None:
    """What is fetched ahead is never taken for all there is."""
    files = [file.with_name(f"{number:04}.json") for number in range(450)]
    for place in files:
        place.write_bytes(b"{}")
    with memory_of(file) as memory:
        for place in files[::2]:
            memory.remember(str(place), "documents", place.stat(), place.name.encode())
    with memory_of(file) as memory:
        for ordered in (files, files[::-1], files[7::50] + files[3::40]):
            for place in ordered:
                expected = None if int(place.stem) % 2 else place.name.encode()
                assert expected == memory.recall(str(place), "documents")


def test_large_facts_are_not_kept(file: Path) -> None:
    with memory_of(file) as memory:
        memory.remember(str(file), "documents", file.stat(), bytes(100_000))

        assert memory.recall(str(file), "documents") is None


def test_a_broken_database_is_made_anew(file: Path) -> None:
    remember(file)
    [database] = (file.parents[1] / "cache").iterdir()
    database.write_bytes(b"this is no database" * 1000)

    assert recalled(file) is None
    remember(file)
    assert FACTS == recalled(file)


def test_without_a_directory_nothing_is_remembered_and_nothing_fails(file: Path) -> None:
    (file.parents[1] / "cache").write_text("a file")
    remember(file)

    assert recalled(file) is None


def test_a_database_that_another_holds_is_left_to_it(file: Path) -> None:
    remember(file)
    [place] = (file.parents[1] / "cache").iterdir()
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert recalled(file) is None
        remember(file)
    finally:
        other.close()
    assert FACTS == recalled(file)


def test_only_its_user_can_read_what_is_remembered(file: Path) -> None:
    """Names of unpublished content are in it."""
    remember(file)

    directory = file.parents[1] / "cache"
    assert 0o700 == directory.stat().st_mode & 0o777
    assert [0o600] == [place.stat().st_mode & 0o777 for place in directory.iterdir()]


def test_what_nobody_asks_for_during_a_month_is_forgotten(file: Path) -> None:
    other = file.with_name("b.json")
    other.write_bytes(b"{}")
    for place in (file, other):
        remember(place)
    [database] = (file.parents[1] / "cache").iterdir()
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE files SET used = used - 20")
    assert FACTS == recalled(file)  # which is using it
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE files SET used = used - 20")

    with memory_of(file) as memory:
        third = file.with_name("c.json")
        third.write_bytes(b"{}")
        memory.remember(str(third), "documents", third.stat(), FACTS)

    assert (FACTS, None) == (recalled(file), recalled(other))


def test_sources_that_nobody_synchronises_are_forgotten(file: Path) -> None:
    remember(file)
    [database] = (file.parents[1] / "cache").iterdir()
    long_ago = time.time() - 40 * 86_400
    os.utime(database, (long_ago, long_ago))
    with FileMemory(database.parent, root=file.parents[1] / "another"):
        assert not database.exists()
