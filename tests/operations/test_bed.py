"""The test bed as people use it: started, asked, broken, mended and ended from its own standard input."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import psutil
import pytest

from tests.live import environment, eventually, wait_until_gone
from tests.patience import PATIENCE

pytestmark = pytest.mark.timeout(240)


@dataclass(slots=True)
class Shell:
    """A running ``python -m tests.cluster``, and what it has said."""

    process: "subprocess.Popen[str]"
    said: "queue.Queue[str]"

    def until(self, words: str, seconds: float = 90) -> str:
        """Read lines until one matches; gives all of them."""
        heard = ""
        while not re.search(words, heard, re.MULTILINE):
            try:
                heard += self.said.get(timeout=seconds)
            except queue.Empty:
                pytest.fail(f"no {words!r} in:\n{heard}")
        return heard

    def order(self, line: str, answer: str) -> str:
        """Type a line and wait for its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.until(answer)


@contextmanager
def shell(*arguments: str) -> Iterator[Shell]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cluster", "--port", "0", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"PYTHONUNBUFFERED": "1"}),
    )
    assert process.stdout is not None
    assert process.stdin is not None
    said: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_collect, args=(process.stdout, said))
    reader.start()
    try:
        yield Shell(process, said)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        reader.join(PATIENCE)
        process.stdin.close()
        process.stdout.close()


def _collect(stream: IO[str], said: "queue.Queue[str]") -> None:
    for line in stream:
        said.put(line)


def test_parts_are_killed_and_started_by_name_and_all_end_together(tmp_path: Path) -> None:
    with shell("--servers", "1", "--members", "1", "--directory", str(tmp_path)) as bed:
        started = bed.until(r"^server-0 .*READY$")
        url = re.search(r"^ready (\S+)$", started, re.MULTILINE)
        assert url is not None
        password = (tmp_path / "admin-password").read_text(encoding="utf-8")
        family = psutil.Process(bed.process.pid).children(recursive=True)
        with httpx.Client(base_url=url[1], auth=("admin", password), timeout=PATIENCE) as admin:
            admin.put("/acme", json={}).raise_for_status()
            admin.put("/acme/things", json={}).raise_for_status()

            plain = admin.build_request("GET", "/_metrics")
            del plain.headers["Accept-Encoding"]
            assert "Content-Encoding" not in admin.send(plain).headers

            pid = re.search(r"^mongo-0 +pid (\d+)  PRIMARY$", started, re.MULTILINE)
            assert pid is not None
            os.kill(int(pid[1]), signal.SIGKILL)
            bed.until("mongo-0 has ended")
            bed.order("start mongo-0", "start mongo-0: done")
            bed.order("start mongo-0", "mongo-0 runs already")
            bed.order("restart server-0", "restart server-0: done")
            bed.order("kill nobody", "there is no nobody")
            bed.order("help", "kill -9")
            assert eventually(lambda: admin.get("/acme/things").status_code == 200)

        assert not any(password in " ".join(process.cmdline()) for process in family if process.is_running())
        assert oct((tmp_path / "admin-password").stat().st_mode)[-3:] == "600"
        family += psutil.Process(bed.process.pid).children(recursive=True)
        assert bed.process.stdin is not None
        bed.process.stdin.write("quit\n")
        bed.process.stdin.flush()
        assert bed.process.wait(60) == 0
    assert [] == wait_until_gone(family)
