"""A real ``mongod`` as part of the server: found, started as a one-node replica set, watched over, stopped.

The process that calls :meth:`EmbeddedMongo.start` owns the ``mongod``: it ends with that process, even on ``kill -9``.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from content_core.errors import EmbeddedMongoError
from content_core.store.child_process import arguments_of, is_running, start_owned
from content_core.store.data_dir import DataDir
from content_core.store.mongod_binary import MongodBinary, find_mongod, parse_version
from content_core.store.mongod_log import read_reason, rotate
from content_core.store.replica_set import APP_USER, HOST, REPLICA_SET, Node

__all__ = ["EmbeddedMongo"]

_PORTS: Final = range(27100, 32000)  # below the ports that Linux hands out to outgoing connections
_PORT_TRIES: Final = 5
_POLL_SECONDS: Final = 0.01
_STOP_SECONDS: Final = 30.0
_PORT_SECONDS: Final = 1.0
"""How long the remembered port may stay taken: the system may need a moment to clear up after a killed process."""

_ADDRESS_IN_USE: Final = "Address already in use"
_FORMER_STILL_THERE: Final = "DBPathInUse"

# What DATA_DIR remembers.
_PORT: Final = "mongod.port"
_PID: Final = "mongod.pid"
_VERSION: Final = "mongod.version"
_UNFINISHED: Final = "mongod.unfinished"
"""There from before the database files are made until the users exist: nobody's data can be in there yet."""


class EmbeddedMongo:
    """One ``mongod`` on one data directory.

    Args:
        data_dir: where everything is kept; locked from start to stop unless the caller holds the lock already.
        mongod: the program that the operator named (``OPENCAAS_MONGOD``), or None to look for one.
        cache_gb: memory for WiredTiger's cache; with 0.3 a document of 16 MB was refused, with 0.5 it was not.
        start_seconds: how long a start may take, waiting for a former ``mongod`` included.
    """

    def __init__(
        self, data_dir: DataDir | Path, *, mongod: str | None = None, cache_gb: float = 0.5, start_seconds: float = 60
    ) -> None:
        self._data = data_dir if isinstance(data_dir, DataDir) else DataDir(data_dir)
        self._named = mongod
        self._cache_gb = cache_gb
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._uri: str | None = None
        self._releases = False

    @property
    def uri(self) -> str:
        """The URI for the servers, with the password in it: it never belongs into a log or a command line.

        Raises:
            EmbeddedMongoError: not started.
        """
        if self._uri is None:
            raise EmbeddedMongoError("The embedded MongoDB is not started")
        return self._uri

    @property
    def pid(self) -> int | None:
        """The process id of the ``mongod``, None while there is none."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the ``mongod`` that was started is still there."""
        return self._process is not None and self._process.poll() is None

    def start(self, progress: Callable[[str], None] = lambda _step: None) -> str:
        """Start it, from the main thread, and come back when it is writable.

        A first start that was interrupted, at whichever step, is begun anew. After a ``mongod`` that died, starting
        again is all it takes.

        Args:
            progress: hears of each step that is behind: lock, files, listening, initiated, root, users, ready.

        Returns:
            The URI, as :attr:`uri`.

        Raises:
            EmbeddedMongoError: no binary, a directory in use, data of a newer MongoDB, or a start that failed.
        """
        if self.running:
            return self.uri
        if not self._data.held:
            self._data.acquire()
            self._releases = True
        progress("lock")
        try:
            self._uri = self._started(progress)
        except OSError as error:
            self.stop()
            raise EmbeddedMongoError(
                f"The data directory {self._data.path} cannot be used: {error.strerror or error}",
                hint="It needs room, and has to be writable for this user with all that is in it",
            ) from error
        except BaseException:
            self.stop()
            raise
        progress("ready")
        return self._uri

    def stop(self) -> None:
        """Stop it in good order; by force if that takes too long. Stopping twice is fine."""
        if self._process is not None:
            _end(self._process)
            self._process = None
            self._data.forget(_PID)
        self._uri = None
        if self._releases:
            self._data.release()
            self._releases = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _started(self, progress: Callable[[str], None]) -> str:
        binary = find_mongod(self._named)
        self._refuse_newer_data(binary)
        deadline = time.monotonic() + self._start_seconds
        self._await_former(deadline)
        first = self._prepare_files()
        progress("files")
        port = self._listening(binary, deadline)
        progress("listening")
        node = Node(
            port=port,
            root_password=self._data.secret("mongodb-root"),
            app_password=self._data.secret("mongodb-app"),
            deadline=deadline,
        )
        if first:
            node.set_up(progress)
            self._data.forget(_UNFINISHED)
        else:
            node.bring_back()
        self._data.write(_VERSION, ".".join(map(str, binary.version)))
        return f"mongodb://{APP_USER}:{node.app_password}@{node.address}/?replicaSet={REPLICA_SET}&authSource=admin"

    @property
    def _files(self) -> Path:
        return self._data.path / "mongodb"

    @property
    def _log(self) -> Path:
        return self._data.path / "mongod.log"

    def _refuse_newer_data(self, binary: MongodBinary) -> None:
        remembered = self._data.read(_VERSION)
        written = parse_version(remembered) if remembered else None
        if written and written[:2] > binary.version[:2]:
            here = ".".join(map(str, binary.version))
            raise EmbeddedMongoError(
                f"The data in {self._data.path} was written by MongoDB {remembered}; {binary.path} is MongoDB {here}",
                hint=f"Use a mongod of version {written[0]}.{written[1]} or newer (OPENCAAS_MONGOD names one)",
            )

    def _prepare_files(self) -> bool:
        """Make the directory of the database files; True if they are still to be filled."""
        if self._data.read(_UNFINISHED) is not None:
            shutil.rmtree(self._files, ignore_errors=True)
        elif self._files.exists():
            return False
        self._data.write(_UNFINISHED, "")
        self._files.mkdir(mode=0o700)
        return True

    def _await_former(self, deadline: float) -> None:
        """See the ``mongod`` of a killed server off: it has been told to end, but may still be at it."""
        remembered = self._data.read(_PID)
        if not remembered or not remembered.isdigit():
            return
        pid = int(remembered)
        if self._is_ours(pid):
            os.kill(pid, signal.SIGTERM)
        while self._is_ours(pid):
            if time.monotonic() > deadline - self._start_seconds / 2:
                os.kill(pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        self._data.forget(_PID)

    def _is_ours(self, pid: int) -> bool:
        return is_running(pid) and str(self._files) in arguments_of(pid)

    def _listening(self, binary: MongodBinary, deadline: float) -> int:
        """Start the program until it listens: on the remembered port if that is free, else on another."""
        port = self._remembered_port()
        tries = _PORT_TRIES
        while True:
            if port is None or not _becomes_free(port):
                port = _free_port()
            reason = self._try_port(binary, port, deadline)
            if reason is None:
                return port
            if _ADDRESS_IN_USE in reason and tries > 0:
                port, tries = None, tries - 1
            elif _FORMER_STILL_THERE in reason and time.monotonic() < deadline:
                time.sleep(0.1)
            else:
                raise EmbeddedMongoError(f"mongod did not start: {reason}", hint=f"Its log is {self._log}")

    def _remembered_port(self) -> int | None:
        remembered = self._data.read(_PORT)
        return int(remembered) if remembered and remembered.isdigit() and 0 < int(remembered) < 65536 else None

    def _try_port(self, binary: MongodBinary, port: int, deadline: float) -> str | None:
        """Start the program on a port; None when it listens, else the reason why it ended."""
        self._data.write(_PORT, str(port))
        rotate(self._log)
        offset = self._log.stat().st_size if self._log.exists() else 0
        output = self._data.path / "mongod.out"
        output.touch(mode=0o600)
        with output.open("wb") as file:
            self._process = process = start_owned(self._command(binary, port), output=file)
        self._data.write(_PID, str(process.pid))
        while process.poll() is None:
            if _accepts(port):
                return None
            if time.monotonic() > deadline:
                _end(process)
                return f"it did not listen on port {port} within {self._start_seconds:.0f} s"
            time.sleep(_POLL_SECONDS)
        self._process = None
        return read_reason(self._log, offset, output) or f"it ended with status {process.returncode}"

    def _command(self, binary: MongodBinary, port: int) -> list[str]:
        options = {
            "dbpath": str(self._files),
            "logpath": str(self._log),
            "bind_ip": HOST,
            "port": str(port),
            "replSet": REPLICA_SET,
            "keyFile": str(self._data.secret_file("mongodb-keyfile")),
            "wiredTigerCacheSizeGB": str(self._cache_gb),
            "oplogSize": "1024",
            "slowms": "1000",
            # Smaller journal files than the usual 100 MB, of which three are made ahead: 75 MB instead of 300.
            "wiredTigerEngineConfigString": "log=(file_max=25MB)",
        }
        parameters = {
            "diagnosticDataCollectionEnabled": "false",
            # There is no secondary to wait for when the node steps down.
            "shutdownTimeoutMillisForSignaledShutdown": "100",
        }
        return [
            str(binary.path),
            *(part for name, value in options.items() for part in (f"--{name}", value)),
            *(part for name, value in parameters.items() for part in ("--setParameter", f"{name}={value}")),
            "--logappend",
            "--quiet",
            "--noscripting",
            "--nounixsocket",
        ]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _becomes_free(port: int) -> bool:
    end = time.monotonic() + _PORT_SECONDS
    while not _is_free(port):
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _free_port() -> int:
    candidates = random.sample(_PORTS, 200)
    for port in candidates:
        if _is_free(port):
            return port
    raise EmbeddedMongoError(f"No free port for the embedded MongoDB between {_PORTS.start} and {_PORTS.stop}")


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
