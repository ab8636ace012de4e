"""The directory of an embedded installation: one owner at a time, secrets, and small remembered values.

It knows nothing of MongoDB; what is kept under which name is the business of those who keep it.
"""

import fcntl
import os
import re
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from content_core.errors import DataDirInUseError, EmbeddedMongoError
from content_core.store.child_process import is_running

__all__ = ["DataDir"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")
_DEAD_OWNER_SECONDS: Final = 10.0
"""How long to wait for the lock of an owner that is dead already: what it forked may still be ending."""


class DataDir:
    """A directory that one server process owns while it runs.

    Args:
        path: the directory; made (mode 0700) when it is acquired.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object owns the directory."""
        return self._lock is not None

    def acquire(self) -> None:
        """Become the owner; nothing happens if this object is the owner already.

        Raises:
            DataDirInUseError: another process owns it.
            EmbeddedMongoError: it cannot be made or written to.
        """
        if self._lock is not None:
            return
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedMongoError(
                f"The data directory {self.path} cannot be used: {error.strerror}",
                hint="Name a directory that this user may write to with --data-dir",
            ) from error
        try:
            self._wait_for(lock)
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock

    def release(self) -> None:
        """Give the directory back. The lock file stays: removing it would let two owners in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def directory(self, name: str) -> Path:
        """Make (mode 0700) and name a directory inside."""
        path = self.path / _checked(name)
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def secret(self, name: str) -> str:
        """Read a secret of 64 hexadecimal digits; the first reading makes it, from the system's random numbers."""
        return self.secret_file(name).read_text(encoding="ascii")

    def secret_file(self, name: str) -> Path:
        """Name the file (mode 0600) that holds a secret and nothing else; the first call makes it."""
        path = self.directory("secrets") / _checked(name)
        if not path.exists():
            _write_atomically(path, secrets.token_hex(32))
        path.chmod(0o600)
        return path

    def read(self, name: str) -> str | None:
        """Read a remembered value; None if there is none."""
        try:
            return (self.path / _checked(name)).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def write(self, name: str, value: str) -> None:
        """Remember a value, durably: after a crash there is the old one or the new one, never half of it."""
        _write_atomically(self.path / _checked(name), value)

    def forget(self, name: str) -> None:
        """Forget a value, durably; nothing happens if there is none."""
        (self.path / _checked(name)).unlink(missing_ok=True)
        _sync_directory(self.path)

    def _wait_for(self, lock: int) -> None:
        deadline = time.monotonic() + _DEAD_OWNER_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.pread(lock, 32, 0).decode("ascii", "replace")
                dead = owner.isdigit() and not is_running(int(owner))
                if not dead or time.monotonic() > deadline:
                    raise DataDirInUseError(
                        f"The data directory {self.path} is in use by process {owner or '(unknown)'}",
                        hint="Stop the other server, or name another directory with --data-dir",
                    ) from None
                time.sleep(0.05)
            else:
                return


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a file of the data directory")
    return name


def _write_atomically(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
