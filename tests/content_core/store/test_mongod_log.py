"""What is read out of the log of a mongod that ended, and how it is kept small."""

from pathlib import Path

import pytest

from content_core.store import mongod_log
from content_core.store.mongod_log import read_reason, rotate

_INFO = '{"s":"I","msg":"Build Info"}\n'
_ERROR = '{"s":"E","msg":"Error starting","attr":{"error":"DBPathInUse: locked"}}\n'
_FATAL = '{"s":"F","msg":"Fatal assertion"}\n'


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        (_INFO + _ERROR, "Error starting: DBPathInUse: locked"),
        (_ERROR + _FATAL + _ERROR, "Fatal assertion"),
        (_INFO + "no json\n[1]\n", "printed"),
    ],
    ids=["error", "fatal before error", "none"],
)
def test_reason_is_the_worst_entry(tmp_path: Path, entries: str, reason: str) -> None:
    log, output = tmp_path / "log", tmp_path / "out"
    log.write_text(entries, encoding="utf-8")
    output.write_text("\n printed\nmore\n", encoding="utf-8")

    assert reason == read_reason(log, 0, output)


def test_entries_of_earlier_runs_do_not_count(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(_FATAL + _ERROR, encoding="utf-8")

    assert read_reason(log, len(_FATAL), tmp_path / "out") == "Error starting: DBPathInUse: locked"


def test_silent_program_has_no_reason(tmp_path: Path) -> None:
    assert read_reason(tmp_path / "log", 0, tmp_path / "out") is None


def test_large_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongod_log, "_LARGEST", 10)
    log = tmp_path / "mongod.log"
    log.write_text("x" * 11, encoding="ascii")

    rotate(log)

    assert [tmp_path / "mongod.log.1"] == list(tmp_path.iterdir())


def test_small_or_missing_log_stays(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    rotate(log)
    log.write_text("x", encoding="ascii")

    rotate(log)

    assert [log] == list(tmp_path.iterdir())
