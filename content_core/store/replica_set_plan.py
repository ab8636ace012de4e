"""What a replica set's primary is to do about its members: one change at a time, decided without asking anybody.

Growth goes in two steps.
A member joins without a vote and without a chance to become primary, marked by a tag.
When it has caught up, it gets both.
Members are never taken out here: that is a person's decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from content_core.documents import Document

__all__ = ["MOST_MEMBERS", "Add", "Change", "Promote", "Stay", "first_config", "plan_change", "with_change"]

MOST_MEMBERS: Final = 7
"""MongoDB lets no more members vote (Replica Set Members, "Maximum number of voting members")."""

_JOINING: Final = "opencaasJoining"
_SECONDARY: Final = "SECONDARY"


@dataclass(frozen=True, slots=True)
class Add:
    """A host is to join, without a vote."""

    host: str


@dataclass(frozen=True, slots=True)
class Promote:
    """A host has caught up and is to have a vote."""

    host: str


@dataclass(frozen=True, slots=True)
class Stay:
    """There is nothing to do now.

    Attributes:
        waiting_for: a member that has joined and is catching up.
        unexpected: members of the set that nobody expects; they stay until a person removes them.
    """

    waiting_for: str | None = None
    unexpected: tuple[str, ...] = ()


Change: TypeAlias = Add | Promote | Stay


def first_config(name: str, hosts: Sequence[str], *, election_timeout: float) -> Document:
    """Build the configuration of a set that begins: nobody has anything to catch up with, so all vote.

    Args:
        name: of the set.
        hosts: its members.
        election_timeout: seconds without a word from the primary after which another one is elected.
    """
    return {
        "_id": name,
        "members": [{"_id": number, "host": host} for number, host in enumerate(hosts)],
        "settings": {"electionTimeoutMillis": int(election_timeout * 1000)},
    }


def plan_change(
    config: Mapping[str, Any], status: Mapping[str, Any], expected: Sequence[str], *, max_lag: float
) -> Change:
    """Decide the next change.

    Args:
        config: what ``replSetGetConfig`` says.
        status: what ``replSetGetStatus`` says, on the primary.
        expected: the hosts that are to be members, in the order in which they join.
        max_lag: seconds that a member may be behind the primary and still count as caught up.
    """
    members = config["members"]
    joining = next((member for member in members if _JOINING in member.get("tags", {})), None)
    if joining is not None:
        lag = _lag(status, joining["host"])
        if lag is not None and lag <= max_lag:
            return Promote(joining["host"])
        return Stay(waiting_for=joining["host"])
    present = [member["host"] for member in members]
    for host in expected:
        if host not in present:
            return Add(host)
    return Stay(unexpected=tuple(host for host in present if host not in expected))


def with_change(config: Document, change: Add | Promote) -> Document:
    """Build the configuration after a change; the one given stays as it is.

    Tags and all that an operator has set on other members are kept.
    """
    members = [dict(member) for member in config["members"]]
    if isinstance(change, Add):
        number = max((member["_id"] for member in members), default=-1) + 1
        members.append({"_id": number, "host": change.host, "votes": 0, "priority": 0, "tags": {_JOINING: change.host}})
    else:
        promoted = next(member for member in members if member["host"] == change.host)
        tags = {name: value for name, value in promoted["tags"].items() if name != _JOINING}
        promoted.update(votes=1, priority=1, tags=tags)
    return {**config, "members": members, "version": config["version"] + 1}


def _lag(status: Mapping[str, Any], host: str) -> float | None:
    """Tell how many seconds a secondary is behind the primary; None if it is no secondary, or nobody knows."""
    members = {member["name"]: member for member in status["members"]}
    member = members.get(host)
    primary = next((member for member in status["members"] if member["stateStr"] == "PRIMARY"), None)
    if member is None or primary is None or member["stateStr"] != _SECONDARY:
        return None
    there, here = primary.get("optimeDate"), member.get("optimeDate")
    if not isinstance(there, datetime) or not isinstance(here, datetime):
        return None
    return max(0.0, (there - here).total_seconds())
