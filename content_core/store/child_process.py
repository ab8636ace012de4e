"""Child processes that never outlive the process that started them."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from content_core.store import launch
from content_core.store.launch import die_with_parent

__all__ = ["arguments_of", "die_with_parent", "is_running", "start_owned"]


def start_owned(arguments: Sequence[str], *, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program that is told to end (SIGTERM) when this process ends, however it ends.

    A small Python process makes the arrangement and then becomes the program: code between fork and exec
    (``preexec_fn``) could lock up in a process with threads. The program gets a session of its own, so that Ctrl-C in a
    terminal reaches the server only, which stops it in good order. Our own environment variables, which may hold
    passwords, are not handed on, and the locale is C: one that is not installed stops ``mongod``.

    Raises:
        RuntimeError: not called from the main thread, with whose end the program would end.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("A child process that ends with its parent must be started from the main thread")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENCAAS_")}
    return subprocess.Popen(  # noqa: S603 - the program is found by us, the arguments are ours
        [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=environment | {"LC_ALL": "C"},
        start_new_session=True,
    )


def is_running(pid: int) -> bool:
    """Tell whether a process runs, with any of its threads; one that only waits to be collected by its parent does not.

    While a process ends, its first thread may be done before others, which still hold its files and ports.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    process = Path("/proc") / str(pid)
    try:
        status = (process / "stat").read_text(encoding="utf-8", errors="replace")
        threads = len(list((process / "task").iterdir()))
    except OSError:
        return not Path("/proc/self").exists()  # without /proc the signal's answer has to do
    return threads > 1 or status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def arguments_of(pid: int) -> tuple[str, ...]:
    """Read a process's command line; empty where it is gone or the system does not show it."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(part.decode(errors="replace") for part in raw.split(b"\0")[:-1])
