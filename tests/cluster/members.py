"""Three ``mongod`` processes on loopback that are one replica set, with key file and users, to be killed one by one."""

import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from content_core.store.child_process import start_owned
from content_core.store.mongod_binary import find_mongod
from tests.ports import free_ports

__all__ = ["Member", "ReplicaSet", "remembered"]

HOST: Final = "127.0.0.1"
NAME: Final = "rs0"
_CACHE_GB: Final = "0.25"
_STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
_NOTE_SECONDS: Final = 5
_APP_ROLES: Final = ("readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor")


@dataclass(slots=True)
class Member:
    """One ``mongod``.

    Args:
        name: what people call it, ``mongo-0`` say.
        port: where it listens; the same after every start.
        directory: its files and its log.
        process: what runs, None before the first start.
    """

    name: str
    port: int
    directory: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """The address in the configuration of the replica set."""
        return f"{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal; after SIGKILL and SIGTERM it is gone when this returns."""
        assert self.process is not None
        self.process.send_signal(number)
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self.process.wait(_STOP_SECONDS)


class ReplicaSet:
    """The members, from the first start to the end; a context manager. Must be used in the main thread.

    Args:
        directory: where everything is kept; what is there already is started again.
        members: how many.
    """

    def __init__(self, directory: Path, *, members: int = 3) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = remembered(directory / "ports", lambda: " ".join(map(str, free_ports(members)))).split()
        self._root = remembered(directory / "root-password", lambda: secrets.token_hex(16))
        self._app = remembered(directory / "app-password", lambda: secrets.token_hex(16))
        remembered(directory / "keyfile", lambda: secrets.token_hex(256))
        self.members = [
            Member(f"mongo-{place}", int(port), directory / f"mongo-{place}") for place, port in enumerate(ports)
        ]

    @property
    def uri(self) -> str:
        """What the servers are given."""
        addresses = ",".join(member.address for member in self.members)
        return f"mongodb://opencaas:{self._app}@{addresses}/?replicaSet={NAME}&authSource=admin"

    def start(self) -> None:
        """Start all members, make them a replica set if they are none yet, and wait until one is primary."""
        first = not self.members[0].directory.exists()
        for member in self.members:
            self.start_member(member)
        if first:
            self._set_up()
        self.wait_for_primary()

    def start_member(self, member: Member) -> None:
        """Start a member, for the first time or after it was killed, and wait until it listens.

        Raises:
            RuntimeError: it ended at once; its log says why.
        """
        member.directory.mkdir(mode=0o700, exist_ok=True)
        with (member.directory / "output.log").open("ab") as output:
            member.process = start_owned(self._arguments(member), output=output)
        while not _listens(member.port):
            if not member.running:
                raise RuntimeError(f"{member.name} ended: see {member.directory / 'mongod.log'}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End all members at once, and cleanly; none waits for another one to take over."""
        running = [member for member in self.members if member.running]
        for member in running:
            assert member.process is not None
            member.process.send_signal(signal.SIGCONT)
            with suppress(PyMongoError), self.client_of(member) as client:  # a primary waits 15 s after SIGTERM
                client.admin.command("shutdown", force=True, timeoutSecs=0)
            member.process.terminate()
        for member in running:
            assert member.process is not None
            try:
                member.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def primary(self, *, besides: Member | None = None) -> Member | None:
        """Find the member that is primary, in its own opinion, now."""
        others = (member for member in self.members if member is not besides)
        return next((member for member in others if self.state(member) == "PRIMARY"), None)

    def state(self, member: Member) -> str:
        """Say what a member takes itself for: PRIMARY, SECONDARY, OTHER, or DOWN."""
        if not member.running:
            return "DOWN"
        try:
            with _client(member.port) as client:
                hello = client.admin.command("hello")
        except PyMongoError:
            return "DOWN"
        return "PRIMARY" if hello.get("isWritablePrimary") else "SECONDARY" if hello.get("secondary") else "OTHER"

    def wait_for_primary(self, seconds: float = 60.0, *, besides: Member | None = None) -> Member:
        """Wait until a member is primary, another one than a given one.

        Raises:
            TimeoutError: none is.
        """
        deadline = time.monotonic() + seconds
        while (found := self.primary(besides=besides)) is None:
            if time.monotonic() > deadline:
                raise TimeoutError("the replica set has no primary")
            time.sleep(_POLL_SECONDS)
        return found

    def wait_until_all_follow(self, seconds: float = 60.0) -> None:
        """Wait until all members have what the primary wrote until now: one is primary, all others are secondary.

        What members take themselves for is not enough: a primary that was away takes itself for it until it learns of
        its successor, and is neither primary nor secondary while it takes back what only it had.

        Raises:
            TimeoutError: some do not; it names them all with what they are.
        """
        deadline = time.monotonic() + seconds
        wanted = ["PRIMARY", *("SECONDARY" for _ in self.members[1:])]
        while not self._all_have_a_note() or sorted(map(self.state, self.members)) != wanted:
            if time.monotonic() > deadline:
                states = ", ".join(f"{member.name} is {self.state(member)}" for member in self.members)
                raise TimeoutError(f"not all members follow the primary: {states}")
            time.sleep(_POLL_SECONDS)

    def client(self) -> "MongoClient[dict[str, Any]]":
        """Open a client of the whole set for whoever looks after it."""
        addresses = [member.address for member in self.members]
        return MongoClient(addresses, replicaSet=NAME, username="root", password=self._root)

    def client_of(self, member: Member) -> "MongoClient[dict[str, Any]]":
        """Open a client of one member, whatever it is."""
        return MongoClient(
            HOST, member.port, directConnection=True, username="root", password=self._root, readPreference="nearest"
        )

    def _all_have_a_note(self) -> bool:
        """Write a note into the log of operations (no document), and say whether every member got it in a while."""
        everybody = {"w": len(self.members), "wtimeout": _NOTE_SECONDS * 1000}
        try:
            with self.client() as client:
                answer = client.admin.command("appendOplogNote", 1, data={"all": "follow"}, writeConcern=everybody)
        except PyMongoError:  # asked of one that is primary no more, or of none
            return False
        return "writeConcernError" not in answer

    def _set_up(self) -> None:
        members = [{"_id": place, "host": member.address} for place, member in enumerate(self.members)]
        with _client(self.members[0].port) as client:  # MongoDB's exception for localhost: there are no users yet
            client.admin.command("replSetInitiate", {"_id": NAME, "members": members})
        with _client(self.wait_for_primary().port) as client:
            client.admin.command("createUser", "root", pwd=self._root, roles=["root"])
        with self.client() as client:
            client.admin.command("createUser", "opencaas", pwd=self._app, roles=list(_APP_ROLES))

    def _arguments(self, member: Member) -> Sequence[str]:
        options = {
            "dbpath": str(member.directory),
            "logpath": str(member.directory / "mongod.log"),
            "bind_ip": HOST,
            "port": str(member.port),
            "replSet": NAME,
            "keyFile": str(self._directory / "keyfile"),
            "wiredTigerCacheSizeGB": _CACHE_GB,
            "oplogSize": "256",
            "wiredTigerEngineConfigString": "log=(file_max=25MB)",
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [
            str(find_mongod(None).path),
            *flags,
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--logappend", "--quiet", "--noscripting", "--nounixsocket"),
        ]


def remembered(path: Path, make: Callable[[], str]) -> str:
    """Give what a file holds, which its owner alone may read; one that is not there is made."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make(), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _client(port: int) -> "MongoClient[dict[str, Any]]":
    return MongoClient(HOST, port, directConnection=True, serverSelectionTimeoutMS=2_000, socketTimeoutMS=5_000)
