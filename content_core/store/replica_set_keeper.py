"""Keeps a replica set as it is meant to be: one keeper beside each ``mongod``, on the same host.

The first of the expected members begins the set, and only if it has seen that all of the others are there and none of
them has ever been in one; whoever cannot be seen might be.
The primary's keeper makes the users and lets further members join.
A keeper takes no member out and throws no data away.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from content_core.documents import Document
from content_core.errors import ReplicaSetError
from content_core.store.replica_set_access import (
    APP_ROLES,
    EXPORTER_ROLES,
    Credentials,
    Login,
    ensure_user,
    read_credentials,
)
from content_core.store.replica_set_member import AccessRefusedError, Mongod, UnreachableError
from content_core.store.replica_set_plan import (
    MOST_MEMBERS,
    Add,
    Change,
    Promote,
    Stay,
    first_config,
    plan_change,
    with_change,
)

__all__ = ["Condition", "Keeper", "read_members"]

_INITIATE_SECONDS: Final = 60.0
_CATCH_UP_SECONDS: Final = 5
_HEARD_SECONDS: Final = 5.0
"""For how long to wait until the primary has heard that a member is back: it asks every two seconds."""

_LOOK_SECONDS: Final = 0.1
_ROOT_ROLES: Final = ("root",)

_Seen: TypeAlias = tuple[Sequence[str], Credentials, Any]
"""Expected members, secrets, and the version of the set's configuration: what a round of a primary depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a keeper found, and what it did or waits for.

    Attributes:
        state: of its ``mongod``: primary, secondary, starting, outside (not in a set), unreachable.
        ready: whether clients may be sent there.
        text: one sentence for the log.
        problem: a person has to look.
    """

    state: str
    ready: bool
    text: str
    problem: bool = False

    @property
    def primary(self) -> bool:
        """Whether it is the primary."""
        return self.state == "primary"


def read_members(path: Path) -> tuple[str, ...]:
    """Read the expected members, one ``host:port`` a line; blank lines and lines with ``#`` do not count.

    Raises:
        ReplicaSetError: unreadable, empty, one of them twice, or more than may vote.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ReplicaSetError(f"The list of members {path} cannot be read") from error
    hosts = tuple(line for line in lines if line and not line.startswith("#"))
    if not hosts:
        raise ReplicaSetError(f"The list of members {path} is empty")
    if len(set(hosts)) < len(hosts):
        raise ReplicaSetError(f"The list of members {path} names one of them twice")
    if len(hosts) > MOST_MEMBERS:
        raise ReplicaSetError(f"{path} lists {len(hosts)} members; a replica set has at most {MOST_MEMBERS} that vote")
    return hosts


class Keeper:
    """Looks after one ``mongod``.

    Args:
        name: of the replica set.
        host: how the other members know this one: ``host:port``.
        members: the file of the expected members; read in each round, so that it may grow.
        credentials: the directory of the secrets; read in each round, so that passwords may change.
        mongod: where it listens on this very host: only so MongoDB lets nobody make the first user.
        max_lag: seconds that a new member may be behind and get a vote.
        election_timeout: seconds without a primary until another one is elected; set when the set begins.
        timeout: seconds until a member counts as unreachable.
    """

    def __init__(
        self,
        *,
        name: str,
        host: str,
        members: Path,
        credentials: Path,
        mongod: str = "127.0.0.1:27017",
        max_lag: float = 10.0,
        election_timeout: float = 10.0,
        timeout: float = 5.0,
    ) -> None:
        self._name = name
        self._host = host
        self._members = members
        self._credentials = credentials
        self._own = Mongod(mongod, timeout)
        self._max_lag = max_lag
        self._election_timeout = election_timeout
        self._timeout = timeout
        self._roots: list[Login] = []
        self._users_of: Credentials | None = None
        self._rest: tuple[_Seen, Condition] | None = None

    def look(self) -> Condition:
        """Do one round: look, and change at most one thing."""
        try:
            hello = self._own.hello()
        except ReplicaSetError as error:
            return Condition(state="unreachable", ready=False, text=error.message)
        try:
            members = read_members(self._members)
            credentials = read_credentials(self._credentials)
            self._remember(credentials.root)
            if hello.get("setName") is None:
                return self._outside(members, credentials)
            if hello["setName"] != self._name:
                text = f"This member belongs to the set {hello['setName']}, not to {self._name}"
                return Condition(state=_state(hello), ready=False, text=text, problem=True)
            return self._inside(hello, members, credentials)
        except ReplicaSetError as error:
            state = _state(hello)
            return Condition(state=state, ready=_serves(state), text=error.message, problem=True)

    def hand_over(self, *, seconds: int = 60) -> bool:
        """Let another member become primary, before this one stops.

        Members are restarted from the last to the first: those after this one have been already, and are preferred.

        Args:
            seconds: for how long this one stays away from being primary.

        Returns:
            Whether this was the primary and stepped down.

        Raises:
            ReplicaSetError: it could not.
        """
        if not self._own.hello().get("isWritablePrimary"):
            return False
        members, credentials = read_members(self._members), read_credentials(self._credentials)
        self._remember(credentials.root)
        with self._as_root(credentials) as client:
            place = members.index(self._host) if self._host in members else len(members)
            healthy = self._healthy(client, members[place + 1 :])
            later = [host for host in members[place + 1 :] if host in healthy]
            earlier = [host for host in members[:place] if host in healthy] if later else []
            self._hold_back(earlier, seconds=seconds // 2)
            step_down = {"replSetStepDown": seconds, "secondaryCatchUpPeriodSecs": _CATCH_UP_SECONDS}
            try:
                client.admin.command(step_down)
            except OperationFailure:
                if not earlier:
                    raise
                self._hold_back(earlier, seconds=0)
                client.admin.command(step_down)
        return True

    def _healthy(self, client: "MongoClient[Document]", awaited: Sequence[str]) -> set[str]:
        """Name the members that the primary may hand over to; one that is back is heard of with the next heartbeat."""
        deadline = time.monotonic() + _HEARD_SECONDS
        while True:
            status = client.admin.command("replSetGetStatus")
            healthy = {member["name"] for member in status["members"] if member["stateStr"] == "SECONDARY"}
            unheard = (host for host in awaited if host not in healthy)
            if time.monotonic() > deadline or not any(map(self._is_secondary, unheard)):
                return healthy
            time.sleep(_LOOK_SECONDS)

    def _is_secondary(self, host: str) -> bool:
        try:
            return bool(Mongod(host, self._timeout).hello().get("secondary"))
        except ReplicaSetError:
            return False

    def _hold_back(self, hosts: Sequence[str], *, seconds: int) -> None:
        """Keep members from becoming primary for some time; 0 seconds end that."""
        for host in hosts:
            try:
                with Mongod(host, self._timeout).administered(self._roots[-1]) as client:
                    client.admin.command("replSetFreeze", seconds)
            except ReplicaSetError:
                continue  # then it may become primary, and steps down in its turn

    def _inside(self, hello: Document, members: Sequence[str], credentials: Credentials) -> Condition:
        state = _state(hello)
        if state != "primary":
            self._rest = self._users_of = None
            text = "follows the primary" if state == "secondary" else "is catching up"
            return Condition(state=state, ready=_serves(state), text=f"This member {text}")
        # Nobody is asked again, which would be a login in MongoDB's log each time, until something has changed.
        seen = (members, credentials, hello.get("setVersion"))
        if self._rest is not None and self._rest[0] == seen:
            return self._rest[1]
        with self._as_root(credentials) as client:
            if self._users_of != credentials:
                made = [
                    login.user
                    for login, roles in ((credentials.app, APP_ROLES), (credentials.exporter, EXPORTER_ROLES))
                    if ensure_user(client, login, roles)
                ]
                self._users_of = credentials
                if made:
                    return Condition(state=state, ready=True, text=f"Made or changed users: {', '.join(made)}")
            change, condition = self._grow(client, members, credentials)
        self._rest = (seen, condition) if isinstance(change, Stay) and not change.waiting_for else None
        return condition

    def _grow(
        self, client: "MongoClient[Document]", members: Sequence[str], credentials: Credentials
    ) -> tuple[Change, Condition]:
        config = client.admin.command("replSetGetConfig")["config"]
        status = client.admin.command("replSetGetStatus")
        change = plan_change(config, status, members, max_lag=self._max_lag)
        if isinstance(change, Stay):
            return change, Condition(
                state="primary", ready=True, text=_explain(change), problem=bool(change.unexpected)
            )
        if isinstance(change, Add):
            refusal = self._refusal(change.host, config, credentials)
            if refusal:
                return change, Condition(state="primary", ready=True, text=refusal, problem=True)
        client.admin.command("replSetReconfig", with_change(config, change), maxTimeMS=30_000)
        done = "has caught up and votes" if isinstance(change, Promote) else "joins"
        return change, Condition(state="primary", ready=True, text=f"{change.host} {done}")

    def _refusal(self, host: str, config: Document, credentials: Credentials) -> str | None:
        """Say why a host cannot join now; None if it can: it is new, or was a member of this very set."""
        try:
            history = Mongod(host, self._timeout).history(credentials)
        except ReplicaSetError as error:
            return f"{host} is to join: {error.message}"
        if history.set_name is None or history.set_id == config["settings"]["replicaSetId"]:
            return None
        return f"{host} is to join, but has data of another set; its volume has to be emptied by a person"

    def _outside(self, members: Sequence[str], credentials: Credentials) -> Condition:
        if not self._own.history(credentials).fresh:
            # It has yet to read its configuration, or it was taken out; in both cases others let it in.
            return _wait("This member has data of a set and waits to be let in")
        if self._host not in members:
            return _wait(f"{self._host} is not among the expected members")
        if self._host != members[0]:
            return _wait(f"Waits for {members[0]} to begin the set, or for the set to let this member in")
        for host in members[1:]:
            try:
                history = Mongod(host, self._timeout).history(credentials)
            except UnreachableError:
                return _wait(f"Waits for {host}: a set begins when all of its members are there")
            if not history.fresh:
                return _wait(f"{host} is in a set already; waits to be let in")
        with self._own.connected(seconds=_INITIATE_SECONDS) as client:
            config = first_config(self._name, members, election_timeout=self._election_timeout)
            client.admin.command("replSetInitiate", config)
        return _wait(f"Began the set {self._name} with {', '.join(members)}")

    def _remember(self, root: Login) -> None:
        """Keep the administrator's former passwords, so that this process can change over to a new one."""
        if root not in self._roots:
            self._roots.append(root)

    def _as_root(self, credentials: Credentials) -> "AbstractContextManager[MongoClient[Document]]":
        """Connect as the administrator, who is made if there is none, and changed if the secret has changed.

        Raises:
            AccessRefusedError: the password is not that of the database, nor was it while this process has run.
        """
        root = credentials.root
        for attempt in (self._log_in, self._create_root, self._change_root):
            if attempt(root):
                return self._own.administered(root)
        raise AccessRefusedError(
            "The administrator's name or password is not that of the database",
            hint="Put the former one back into the secret; a new one is taken over while the keepers run",
        )

    def _log_in(self, root: Login) -> bool:
        return _unless_refused(lambda: self._own.administered(root), lambda _client: None)

    def _create_root(self, root: Login) -> bool:
        """Make the first user, through the exception that MongoDB makes for this host as long as there is none."""

        def create(client: "MongoClient[Document]") -> None:
            client.admin.command(
                "createUser", root.user, pwd=root.password, roles=list(_ROOT_ROLES), writeConcern={"w": "majority"}
            )

        return _unless_refused(lambda: self._own.connected(seconds=_INITIATE_SECONDS), create)

    def _change_root(self, root: Login) -> bool:
        def change(client: "MongoClient[Document]") -> None:
            ensure_user(client, root, _ROOT_ROLES)

        for former in reversed(self._roots):
            if former != root and _unless_refused(partial(self._own.administered, former), change):
                return True
        return False


def _unless_refused(
    connect: "Callable[[], AbstractContextManager[MongoClient[Document]]]",
    act: "Callable[[MongoClient[Document]], None]",
) -> bool:
    try:
        with connect() as client:
            act(client)
    except AccessRefusedError:
        return False
    return True


def _state(hello: Document) -> str:
    if hello.get("setName") is None:
        return "outside"
    if hello.get("isWritablePrimary"):
        return "primary"
    return "secondary" if hello.get("secondary") else "starting"


def _serves(state: str) -> bool:
    return state in {"primary", "secondary"}


def _wait(text: str) -> Condition:
    return Condition(state="outside", ready=False, text=text)


def _explain(stay: Stay) -> str:
    if stay.waiting_for:
        return f"{stay.waiting_for} has joined and is catching up"
    if stay.unexpected:
        return (
            f"Members that are not expected: {', '.join(stay.unexpected)}; opencaas replica-set remove takes them out"
        )
    return "All expected members are in the set"
