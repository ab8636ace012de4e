"""The data directory: one owner, secrets nobody else can read, values that survive."""

import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from content_core.errors import DataDirInUseError, EmbeddedMongoError
from content_core.store.data_dir import DataDir


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataDir]:
    with DataDir(tmp_path / "data") as held:
        yield held


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_directory_is_private(data: DataDir) -> None:
    assert _mode(data.path) == 0o700


def test_second_owner_is_refused_by_process_id(data: DataDir) -> None:
    with pytest.raises(DataDirInUseError, match=rf"{data.path} is in use by process {os.getpid()}$"):
        DataDir(data.path).acquire()


def test_owner_may_acquire_twice(data: DataDir) -> None:
    data.acquire()

    assert data.held


def test_released_directory_is_free_again(data: DataDir) -> None:
    data.release()

    with DataDir(data.path) as second:
        assert second.held
    assert not data.held


def test_lock_of_a_dead_owner_is_waited_for(tmp_path: Path) -> None:
    """What a killed server forked may hold its lock for a moment longer."""
    owner = textwrap.dedent("""
        import os, sys, time
        from pathlib import Path
        from content_core.store.data_dir import DataDir
        DataDir(Path(sys.argv[1])).acquire()
        if os.fork() == 0:
            print("held", flush=True)
            time.sleep(0.5)
        else:
            os._exit(0)
    """)
    subprocess.run([sys.executable, "-c", owner, str(tmp_path)], check=True, stdout=subprocess.DEVNULL)

    with DataDir(tmp_path) as data:
        assert str(os.getpid()) == (data.path / "lock").read_text(encoding="ascii")


def test_path_that_is_a_file_is_an_error_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()

    with pytest.raises(EmbeddedMongoError, match="cannot be used") as caught:
        DataDir(path).acquire()
    assert "--data-dir" in (caught.value.hint or "")


def test_secret_is_made_once_and_kept(data: DataDir) -> None:
    first = data.secret("one")

    assert first == DataDir(data.path).secret("one")
    assert first != data.secret("two")
    assert len(first) == 64


def test_secrets_are_for_the_owner_only(data: DataDir) -> None:
    path = data.secret_file("one")

    assert _mode(path) == 0o600
    assert _mode(path.parent) == 0o700


def test_secret_opened_to_others_is_closed_again(data: DataDir) -> None:
    data.secret_file("one").chmod(0o644)

    assert _mode(data.secret_file("one")) == 0o600


def test_values_are_remembered_and_forgotten(data: DataDir) -> None:
    assert data.read("port") is None

    data.write("port", "1")
    data.write("port", "2")
    assert data.read("port") == "2"

    data.forget("port")
    data.forget("port")
    assert data.read("port") is None


def test_no_draft_is_left_behind(data: DataDir) -> None:
    data.write("port", "1")

    assert {"lock", "port"} == {path.name for path in data.path.iterdir()}


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "UPPER"])
def test_names_cannot_leave_the_directory(data: DataDir, name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        data.write(name, "x")
