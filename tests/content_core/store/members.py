"""Real ``mongod`` processes with a key file, as members of replica sets on loopback, each with a volume of its own."""

import base64
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pymongo import MongoClient

from content_core.documents import Document
from content_core.store.child_process import start_owned
from content_core.store.mongod_binary import find_mongod
from content_core.store.replica_set_keeper import Condition, Keeper
from tests.ports import free_ports

SET = "rs0"
_T = TypeVar("_T")

SECRETS = {
    "mongoRootUser": "root",
    "mongoRootPassword": "rootsecret1",
    "mongoUser": "caas",
    "mongoPassword": "caassecret1",
    "mongoMetricsUser": "exporter",
    "mongoMetricsPassword": "exportersecret1",
}


@dataclass(slots=True)
class Member:
    """One ``mongod``: its volume, its process, and the keeper beside it."""

    directory: Path
    port: int
    key_file: Path
    keeper: Keeper
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        volume = self.directory / "volume"
        volume.mkdir(exist_ok=True)
        command = [str(find_mongod(os.environ.get("OPENCAAS_MONGOD")).path)]
        options = {
            "dbpath": str(volume),
            "port": str(self.port),
            "bind_ip": "127.0.0.1",
            "replSet": SET,
            "keyFile": str(self.key_file),
            "wiredTigerCacheSizeGB": "0.25",
            "oplogSize": "50",
            "logpath": str(self.directory / "mongod.log"),
            "wiredTigerEngineConfigString": "log=(file_max=10MB)",
        }
        command += [part for name, value in options.items() for part in (f"--{name}", value)]
        command += ["--logappend", "--nounixsocket", "--quiet"]
        command += ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=2000"]
        with (self.directory / "out").open("ab") as output:
            self.process = start_owned(command, output=output)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(60)
            self.process = None

    def lose_volume(self) -> None:
        shutil.rmtree(self.directory / "volume")


@dataclass(slots=True)
class Members:
    """Members on one machine with one list of expected members and one set of secrets."""

    root: Path
    members: list[Member] = field(default_factory=list)

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def list_file(self) -> Path:
        return self.root / "members"

    def add(self, number: int) -> list[Member]:
        """Make members with empty volumes; they are neither started nor on the list."""
        made = []
        for port in free_ports(number):
            directory = self.root / str(port)
            directory.mkdir()
            keeper = Keeper(
                name=SET,
                host=f"127.0.0.1:{port}",
                members=self.list_file,
                credentials=self.secrets,
                mongod=f"127.0.0.1:{port}",
                election_timeout=2,
                timeout=2,
            )
            made.append(Member(directory, port, self.root / "key", keeper))
        self.members += made
        return made

    def expect(self, members: Sequence[Member]) -> None:
        """Write the list of expected members."""
        self.list_file.write_text("".join(f"{member.host}\n" for member in members), encoding="utf-8")

    def look(self) -> list[Condition]:
        """Let every keeper do a round."""
        return [member.keeper.look() for member in self.members]

    def until(self, check: Callable[[list[Condition]], _T | None], seconds: float = 120) -> _T:
        """Let the keepers do rounds until a check gives something true."""
        end = time.monotonic() + seconds
        while True:
            conditions = self.look()
            result = check(conditions)
            if result:
                return result
            if time.monotonic() > end:
                raise AssertionError(conditions)
            time.sleep(0.1)

    def until_settled(self) -> None:
        """Let the keepers do rounds until there is nothing left to do and every member serves."""
        self.until(
            lambda found: (
                all(condition.ready for condition in found)
                and any(condition.text == "All expected members are in the set" for condition in found)
            )
        )

    def primary(self) -> Member:
        """Wait until there is a primary, as there is none for a moment whenever a busy machine made for an election."""

        def found(conditions: list[Condition]) -> Member | None:
            pairs = zip(self.members, conditions, strict=True)
            return next((member for member, condition in pairs if condition.primary), None)

        return self.until(found)

    @contextmanager
    def client(self, who: str = "mongoUser", **options: Any) -> "Iterator[MongoClient[Document]]":
        """Connect to the set as one of the users."""
        login: dict[str, Any] = {
            "username": (self.secrets / who).read_text(encoding="utf-8"),
            "password": (self.secrets / who.replace("User", "Password")).read_text(encoding="utf-8"),
            "serverSelectionTimeoutMS": 30_000,
            "w": "majority",
        }
        hosts = [member.host for member in self.members]
        with MongoClient[Document](hosts, replicaSet=SET, **(login | options)) as client:
            yield client

    @contextmanager
    def direct(self, member: Member, who: str = "mongoRootUser") -> "Iterator[MongoClient[Document]]":
        """Connect to one member as one of the users."""
        with MongoClient[Document](
            "127.0.0.1",
            member.port,
            directConnection=True,
            username=(self.secrets / who).read_text(encoding="utf-8"),
            password=(self.secrets / who.replace("User", "Password")).read_text(encoding="utf-8"),
            serverSelectionTimeoutMS=10_000,
        ) as client:
            yield client


@contextmanager
def members(root: Path, number: int) -> Iterator[Members]:
    """Start members that are all expected; nothing has been initiated."""
    (root / "secrets").mkdir()
    key = base64.encodebytes(os.urandom(756)).decode()  # as openssl rand -base64 756 prints it, in lines
    for name, text in {**SECRETS, "clusterKey": key}.items():
        (root / "secrets" / name).write_text(text, encoding="utf-8")
    (root / "key").write_text(key, encoding="utf-8")
    (root / "key").chmod(0o400)
    made = Members(root)
    made.expect(made.add(number))
    try:
        for member in made.members:
            member.start()
        yield made
    finally:
        for member in made.members:
            member.kill()


@contextmanager
def settled(root: Path, number: int) -> Iterator[Members]:
    """Start a replica set that has its users."""
    with members(root, number) as made:
        made.until_settled()
        yield made
