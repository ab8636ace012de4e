"""The parent process: owns the embedded MongoDB and the listening socket, starts the workers, and ends them all.

The parent answers no requests. It restarts a worker that dies, and it is the one process to signal: SIGTERM and SIGINT
let running requests finish, stop the embedded MongoDB cleanly and end with status 0. When the parent itself is killed,
the kernel takes the workers and ``mongod`` down with it (``PR_SET_PDEATHSIG``).
"""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Final

import structlog

from content_core.store.data_dir import DataDir
from content_core.store.embedded import EmbeddedMongo
from opencaas.metrics.board import Board
from opencaas.orders import Orders
from opencaas.readiness import ServerStartError, read_report
from opencaas.settings import Settings

__all__ = ["Running", "run_server"]

_log = structlog.stdlib.get_logger("opencaas.supervisor")

_WORKER_START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.2
_RESTART_PAUSES: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Pause before each restart of a worker that keeps dying; the last one repeats."""
_HEALTHY_SECONDS: Final = 30.0
"""A worker that lived this long starts again without a pause."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server whose workers answer, as the ``when_ready`` callback sees it.

    Attributes:
        url: base URL, ``http://127.0.0.1:8080`` say.
        mongodb_uri: the MongoDB in use, credentials included.
        admin_user: name of the admin user.
        admin_password: its password.
        data_dir: the data directory, where there is one (embedded MongoDB).
    """

    url: str
    mongodb_uri: str
    admin_user: str
    admin_password: str
    data_dir: DataDir | None


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    ready_fd: int
    started: float = field(default_factory=time.monotonic)
    failures: int = 0


def run_server(settings: Settings, *, when_ready: Callable[[Running], None]) -> int:
    """Start everything, call ``when_ready`` once all workers answer, and run until a signal.

    Must be called from the main thread: signals and the kernel's parent-death notice belong to it.

    Returns:
        The exit status, 0: a failure raises.

    Raises:
        ServiceError: the start failed, or a lost ``mongod`` did; everything that runs is stopped first.
    """
    stop = threading.Event()
    signals = {number: signal.signal(number, _setter(stop)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with ExitStack() as stack:
            external = settings.mongodb_uri
            # The lock first: a second server on the same data must say that, not that the port is taken.
            data_dir = stack.enter_context(DataDir(settings.data_dir)) if external is None else None
            listener = stack.enter_context(_listen(settings))
            board = Board.create(settings.workers)
            stack.callback(board.close)
            mongo, uri = None, external.get_secret_value() if external else ""
            if data_dir is not None:
                mongo = EmbeddedMongo(data_dir, mongod=settings.mongod)
                stack.callback(mongo.stop)
                uri = mongo.start()
            return _Supervisor(settings, listener, board, uri, mongo, data_dir, stop).run(when_ready)
    finally:
        for number, handler in signals.items():
            signal.signal(number, handler)


class _Supervisor:
    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        board: Board,
        uri: str,
        mongo: EmbeddedMongo | None,
        data_dir: DataDir | None,
        stop: threading.Event,
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._board = board
        self._mongo = mongo
        self._stop = stop
        self._workers: list[_Worker] = []
        self._token_secret = _token_secret(settings, data_dir)
        self._running = Running(
            url=_base_url(listener),
            mongodb_uri=uri,
            admin_user=settings.admin_user,
            admin_password=_admin_password(settings, data_dir),
            data_dir=data_dir,
        )

    def run(self, when_ready: Callable[[Running], None]) -> int:
        try:
            self._workers = [self._spawn(place) for place in range(self._settings.workers)]
            for worker in self._workers:
                self._await_ready(worker)
            if not self._stop.is_set():
                when_ready(self._running)
            return self._watch()
        finally:
            self._end_workers()

    def _revive(self, mongo: EmbeddedMongo) -> None:
        """Start the embedded MongoDB again after its death; workers find it at the same address."""
        _log.error("mongod_lost", hint="mongod.log in the data directory says why; it is started again")
        uri = mongo.start()
        if uri != self._running.mongodb_uri:  # its port was taken meanwhile: the workers know the old one
            self._running = replace(self._running, mongodb_uri=uri)
            self._end_workers()

    def _watch(self) -> int:
        while not self._stop.wait(_POLL_SECONDS):
            if self._mongo is not None and not self._mongo.running:
                self._revive(self._mongo)
            for place, worker in enumerate(self._workers):
                if worker.process.poll() is not None:
                    self._workers[place] = self._restart(worker, place)
        self._drain()
        return 0

    def _drain(self) -> None:
        """Say that nothing new should come, and give those who send it the time to hear it."""
        self._board.drain()
        _log.info("draining", seconds=self._settings.drain_seconds)
        time.sleep(self._settings.drain_seconds)
        # Once the workers have let go of it as well, connections are refused instead of waiting for nobody.
        self._listener.close()

    def _restart(self, dead: _Worker, place: int) -> _Worker:
        lived = time.monotonic() - dead.started
        failures = 0 if lived > _HEALTHY_SECONDS else dead.failures + 1
        _log.error("worker_died", pid=dead.process.pid, status=dead.process.returncode, lived_seconds=round(lived, 1))
        self._stop.wait(_RESTART_PAUSES[min(failures, len(_RESTART_PAUSES) - 1)])
        worker = self._spawn(place)
        os.close(worker.ready_fd)
        worker.failures = failures
        return worker

    def _spawn(self, place: int) -> _Worker:
        ready, write_end = os.pipe()
        orders = Orders(
            parent=os.getpid(),
            socket_fd=self._listener.fileno(),
            ready_fd=write_end,
            board_fd=self._board.descriptor,
            place=place,
            uri=self._running.mongodb_uri,
            admin_password=self._running.admin_password,
            token_secret=self._token_secret,
            settings=_clear(self._settings),
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "opencaas.worker"],
            stdin=subprocess.PIPE,
            pass_fds=(self._listener.fileno(), write_end, self._board.descriptor),
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then stops things in order
        )
        os.close(write_end)
        assert process.stdin is not None  # noqa: S101  (stdin=PIPE)
        process.stdin.write(orders.to_bytes())
        process.stdin.close()
        return _Worker(process, ready)

    def _await_ready(self, worker: _Worker) -> None:
        deadline = time.monotonic() + _WORKER_START_SECONDS
        try:
            while not self._stop.is_set():
                readable, _, _ = select.select([worker.ready_fd], [], [], _POLL_SECONDS)
                if readable:
                    read_report(worker.ready_fd)
                    return
                if time.monotonic() > deadline:
                    raise ServerStartError(f"a server process was not ready after {_WORKER_START_SECONDS:.0f} s")
        finally:
            os.close(worker.ready_fd)

    def _end_workers(self) -> None:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        deadline = time.monotonic() + self._settings.grace_seconds + 2.0
        for worker in self._workers:
            try:
                worker.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.warning("worker_killed", pid=worker.process.pid, after_seconds=self._settings.grace_seconds)
                worker.process.kill()
                worker.process.wait()


def _setter(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    return handle


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ServerStartError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}",
            hint="choose another --port, or stop what uses this one",
        ) from error
    return listener


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _admin_password(settings: Settings, data_dir: DataDir | None) -> str:
    if settings.admin_password is not None:
        return settings.admin_password.get_secret_value()
    if data_dir is None:
        raise ServerStartError("OPENCAAS_ADMIN_PASSWORD must be set when the server uses an external MongoDB")
    return data_dir.secret("admin-password")


def _token_secret(settings: Settings, data_dir: DataDir | None) -> str:
    if settings.token_secret is not None and (secret := settings.token_secret.get_secret_value()):
        return secret
    if data_dir is None:
        raise ServerStartError("OPENCAAS_TOKEN_SECRET must be set when the server uses an external MongoDB")
    return data_dir.secret("token-secret")


def _clear(settings: Settings) -> dict[str, object]:
    values = settings.model_dump(mode="python", exclude={"mongodb_uri", "admin_password", "token_secret", "data_dir"})
    return {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for name, value in values.items()
    }
