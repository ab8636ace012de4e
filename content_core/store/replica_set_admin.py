"""What a person does with a replica set from beside one of its members: look at it, take a member out."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import MongoClient

from content_core.documents import Document
from content_core.errors import ReplicaSetError
from content_core.store.replica_set_access import Login
from content_core.store.replica_set_member import Mongod

__all__ = ["MemberStatus", "SetStatus", "read_status", "remove_member"]

_UP: Final = ("PRIMARY", "SECONDARY", "ARBITER")
_STEP_DOWN_SECONDS: Final = 120
_NEW_PRIMARY_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStatus:
    """One member, as the one that was asked sees it.

    Attributes:
        host: its address.
        state: MongoDB's word for it, such as PRIMARY.
        votes: 1, or 0 for a member that does not vote (yet).
        priority: 0 for a member that never becomes primary.
        lag_seconds: how far it is behind the primary; None if nobody knows.
        version: of its MongoDB; None if it did not answer.
    """

    host: str
    state: str
    votes: int
    priority: float
    lag_seconds: float | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """A replica set.

    Attributes:
        name: of the set.
        compatibility: MongoDB's feature compatibility version.
        members: in the order of the configuration.
        missing: expected members that are not in the set.
        unexpected: members of the set that are not expected.
    """

    name: str
    compatibility: str
    members: tuple[MemberStatus, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether there is a primary, and all expected members are there and up."""
        states = [member.state for member in self.members]
        return "PRIMARY" in states and not self.missing and all(state in _UP for state in states)


def read_status(own: Mongod, login: Login, expected: Sequence[str]) -> SetStatus:
    """Ask a member how the set is.

    Args:
        own: the member to ask.
        login: the administrator.
        expected: the hosts that are to be members.

    Raises:
        ReplicaSetError: it does not answer, refuses the login, or is in no set.
    """
    with own.administered(login) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        status = client.admin.command("replSetGetStatus")
        parameter = client.admin.command({"getParameter": 1, "featureCompatibilityVersion": 1})
    seen = {member["name"]: member for member in status["members"]}
    newest = next((_date(member) for member in status["members"] if member["stateStr"] == "PRIMARY"), None)
    hosts = [member["host"] for member in config["members"]]
    return SetStatus(
        name=status["set"],
        compatibility=parameter["featureCompatibilityVersion"]["version"],
        members=tuple(
            _member(member, seen.get(member["host"], {}), newest, _version(member["host"], own.timeout, login))
            for member in config["members"]
        ),
        missing=tuple(host for host in expected if host not in hosts),
        unexpected=tuple(host for host in hosts if host not in expected),
    )


def remove_member(own: Mongod, login: Login, host: str, expected: Sequence[str]) -> None:
    """Take a member out of the set; its data stay where they are.

    A primary is made to step down first.

    Args:
        own: any member of the set.
        login: the administrator.
        host: whom to take out.
        expected: the hosts that are to be members: the keepers would let one of them in again.

    Raises:
        ReplicaSetError: it is expected, or no member, or those that stay would have no majority that is up.
    """
    if host in expected:
        raise ReplicaSetError(
            f"{host} is among the expected members: the keepers would let it in again",
            hint="Take it off the list first (mongo.replicaSetMembers in the chart)",
        )
    with _primary(own, login) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        status = client.admin.command("replSetGetStatus")
        kept = [member for member in config["members"] if member["host"] != host]
        if len(kept) == len(config["members"]):
            raise ReplicaSetError(f"{host} is no member of the set {config['_id']}")
        _check_majority(kept, status)
        stepped_down = any(member["name"] == host and member["stateStr"] == "PRIMARY" for member in status["members"])
        if stepped_down:
            client.admin.command("replSetStepDown", _STEP_DOWN_SECONDS, secondaryCatchUpPeriodSecs=10)
    with _primary(own, login, other_than=host) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        kept = [member for member in config["members"] if member["host"] != host]
        changed = {**config, "members": kept, "version": config["version"] + 1}
        client.admin.command("replSetReconfig", changed, maxTimeMS=30_000)


def _check_majority(kept: Sequence[Mapping[str, Any]], status: Mapping[str, Any]) -> None:
    up = {member["name"] for member in status["members"] if member["stateStr"] in _UP}
    voting = [member["host"] for member in kept if member.get("votes", 1)]
    there = [host for host in voting if host in up]
    if len(there) <= len(voting) // 2:
        raise ReplicaSetError(
            f"Of the {len(voting)} voting members that would stay only {len(there)} are up",
            hint="Without a majority the set could not be written: wait until they are up, or mend them first",
        )


@contextmanager
def _primary(own: Mongod, login: Login, *, other_than: str | None = None) -> "Iterator[MongoClient[Document]]":
    """Connect to the primary, waiting for one while it changes."""
    end = time.monotonic() + _NEW_PRIMARY_SECONDS
    while True:
        address = own.hello().get("primary")
        if address and address != other_than:
            break
        if time.monotonic() > end:
            raise ReplicaSetError("The set has no primary: nothing can be changed")
        time.sleep(0.2)
    with Mongod(address, own.timeout).administered(login) as client:
        yield client


def _member(
    member: Mapping[str, Any], seen: Mapping[str, Any], newest: datetime | None, version: str | None
) -> MemberStatus:
    date = _date(seen)
    known = newest is not None and date is not None and seen.get("stateStr") in _UP
    return MemberStatus(
        host=member["host"],
        state=seen.get("stateStr", "UNKNOWN"),
        votes=member.get("votes", 1),
        priority=float(member.get("priority", 1)),
        lag_seconds=max(0.0, (newest - date).total_seconds()) if known and newest and date else None,
        version=version,
    )


def _date(member: Mapping[str, Any]) -> datetime | None:
    date = member.get("optimeDate")
    return date if isinstance(date, datetime) else None


def _version(host: str, timeout: float, login: Login) -> str | None:
    try:
        with Mongod(host, timeout).administered(login) as client:
            version: str = client.admin.command("buildInfo")["version"]
            return version
    except ReplicaSetError:
        return None
