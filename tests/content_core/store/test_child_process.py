"""Child processes end with the process that started them."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from content_core.store import launch
from content_core.store.child_process import arguments_of, is_running, start_owned
from tests.patience import PATIENCE

_PARENT = textwrap.dedent("""
    import sys, time
    from content_core.store.child_process import start_owned
    with open("/dev/null", "wb") as output:
        print(start_owned(["/bin/sleep", "600"], output=output).pid, flush=True)
    time.sleep(600)
""")


def _gone(pid: int, seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _becomes_sleep(pid: int) -> bool:
    end = time.monotonic() + PATIENCE
    while arguments_of(pid) != ("/bin/sleep", "600"):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_child_ends_when_its_parent_is_killed(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _becomes_sleep(child)
        parent.send_signal(number)

    assert _gone(child)


def test_child_of_a_parent_gone_already_does_not_begin(tmp_path: Path) -> None:
    """The parent may end before the child has asked for the signal; the child then ends by itself."""
    mark = tmp_path / "mark"
    stranger = os.getppid()

    done = subprocess.run([sys.executable, "-I", "-S", launch.__file__, str(stranger), "/bin/touch", mark], check=False)

    assert done.returncode == 1
    assert not mark.exists()


def test_starting_from_another_thread_is_refused(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        with (tmp_path / "out").open("wb") as output:
            try:
                start_owned(["/bin/true"], output=output)
            except RuntimeError as error:
                failures.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert "main thread" in str(failures[0])


def test_our_environment_variables_stay_with_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAAS_ADMIN_PASSWORD", "open sesame")
    monkeypatch.setenv("LC_ALL", "xx_XX")
    path = tmp_path / "out"

    with path.open("wb") as output:
        start_owned(["/usr/bin/env"], output=output).wait()

    seen = path.read_text(encoding="utf-8")
    assert "open sesame" not in seen
    assert "LC_ALL=C\n" in seen


def test_finished_child_is_not_running_before_it_is_collected() -> None:
    with subprocess.Popen(["/bin/true"]) as child:
        assert _gone(child.pid)


def test_running_process_shows_its_arguments() -> None:
    assert is_running(os.getpid())
    assert tuple(sys.orig_argv[1:]) == arguments_of(os.getpid())[1:]


def test_unknown_process_has_no_arguments() -> None:
    assert arguments_of(2**22 + 1) == ()
