"""Real server processes for tests: started as a user starts them, found by their ``ready`` line, always ended."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psutil

from tests.patience import PATIENCE

OPENCAAS = Path(sys.executable).parent / "opencaas"


@dataclass(slots=True)
class LiveServer:
    """A running ``opencaas serve`` or ``opencaas demo``."""

    process: subprocess.Popen[str]
    data_dir: Path
    url: str
    log: list[str] = field(default_factory=list)
    readers: list[threading.Thread] = field(default_factory=list)

    @property
    def admin(self) -> tuple[str, str]:
        """User and password of the admin, read where the embedded mode keeps them."""
        return "admin", (self.data_dir / "secrets" / "admin-password").read_text(encoding="utf-8").strip()

    @property
    def facts(self) -> dict[str, str]:
        """What ``demo.json`` says."""
        facts: dict[str, str] = json.loads((self.data_dir / "demo.json").read_text(encoding="utf-8"))
        return facts

    def client(self, **options: Any) -> httpx.Client:
        """Open an HTTP client for the server's base URL."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE, **options)

    def family(self) -> list[psutil.Process]:
        """List the server's own process and everything that it started."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        """List the processes that answer requests."""
        found = []
        for process in self.family():
            try:
                if "opencaas.worker" in process.cmdline():
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the main process where it is, while it drains say; its workers go on."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end, and until the log is whole; gives the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(60)
        self.hear_out()
        return status

    def hear_out(self) -> None:
        """Wait until all that was said by a server that has ended is in the log."""
        for reader in self.readers:
            reader.join(10)


class StartError(Exception):
    """The server ended, or said nothing, before it was ready."""

    def __init__(self, status: int | None, stdout: str, log: str) -> None:
        super().__init__(f"status {status}\n{stdout}\n{log}")
        self.status = status
        self.log = log


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy the environment without settings of the developer's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENCAAS_")}
    return kept | dict(extra or {})


@contextmanager
def live_server(
    data_dir: Path, *arguments: str, command: str = "serve", env: Mapping[str, str] | None = None, seconds: float = 90
) -> Iterator[LiveServer]:
    """Start a server on a free port, wait for its ``ready`` line, and end it afterwards.

    Raises:
        StartError: it ended or stayed silent.
    """
    line = [str(OPENCAAS), command, "--port", "0", "--data-dir", str(data_dir), *arguments]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(env), cwd=data_dir.parent
    )
    assert process.stdout is not None
    assert process.stderr is not None
    server = LiveServer(process, data_dir, "")
    lines: queue.Queue[str | None] = queue.Queue()
    readers = [
        threading.Thread(target=_collect, args=(process.stdout, lines.put)),
        threading.Thread(target=_collect, args=(process.stderr, server.log.append)),
    ]
    server.readers += readers
    for reader in readers:
        reader.start()
    try:
        server.url = _await_ready(server, lines, time.monotonic() + seconds)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        server.hear_out()
        process.stdout.close()
        process.stderr.close()


def _await_ready(server: LiveServer, lines: "queue.Queue[str | None]", deadline: float) -> str:
    heard = []
    while time.monotonic() < deadline:
        try:
            line = lines.get(timeout=0.1)
        except queue.Empty:
            if server.process.poll() is not None and lines.empty():
                break
            continue
        if line is None:
            break
        heard.append(line)
        if line.startswith("ready "):
            return line.split(maxsplit=1)[1].strip()
    status = server.process.poll()
    if status is None:
        try:
            status = server.process.wait(5)
        except subprocess.TimeoutExpired:
            status = None
    if status is not None:
        server.hear_out()
    raise StartError(status, "".join(heard), "".join(server.log))


def _collect(stream: IO[str], take: Any) -> None:
    for line in stream:
        take(line)
    if getattr(take, "__self__", None).__class__ is queue.Queue:
        take(None)


def wait_until_gone(processes: list[psutil.Process], seconds: float = PATIENCE) -> list[psutil.Process]:
    """Wait for processes to end; gives those that did not (zombies count as ended)."""
    deadline = time.monotonic() + seconds
    left = processes
    while left and time.monotonic() < deadline:
        left = [process for process in left if _alive(process)]
        time.sleep(0.05)
    return left


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(check: Any, seconds: float = PATIENCE) -> Any:
    """Repeat a check until it gives something true; its last result is the answer."""
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result or time.monotonic() > deadline:
            return result
        time.sleep(0.05)
