"""The six API keys that every project gets, made where they are missing; their values are never printed or logged.

Who may read API keys finds the values where those of all keys are, in ``<tenant>/apikeys``.
"""

import asyncio
import json
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from content_core.documents import Document
from content_core.names import APIKEYS, AppKey, State, content_collection, files_bucket, generated_app
from content_sync.client import SyncClient
from content_sync.errors import MissingError, RefusedError, SyncError

__all__ = ["KeyPlan", "create_keys", "find_keys", "plan_keys"]

_READ: Final = ("GET", "HEAD", "OPTIONS")
_WRITE: Final = (*_READ, "PUT", "POST", "PATCH", "DELETE")
_MARKS: Final[tuple[tuple[State, str], ...]] = (("preview", " (Preview)"), ("release", ""))
_TURNS: Final = 8
_PAUSE: Final = 0.5
"""Most seconds before the next turn of two jobs that made the same key at once; each waits a time of its own."""


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """A key as it shall be, without its value.

    Attributes:
        name: by this name it is found again.
        permissions: what it opens.
    """

    name: str
    permissions: tuple[Mapping[str, Any], ...]


def plan_keys(tenant: str, project: str) -> tuple[KeyPlan, ...]:
    """Plan a project's keys: to read, to read and write, and for GraphQL; each for preview and for release."""
    return (
        *(KeyPlan(f"Project {project} Read{mark}", _paths(project, state, _READ)) for state, mark in _MARKS),
        *(KeyPlan(f"Project {project} Read/Write{mark}", _paths(project, state, _WRITE)) for state, mark in _MARKS),
        *(KeyPlan(f"Project {project} GraphQL{mark}", _app(tenant, project, state)) for state, mark in _MARKS),
    )


async def find_keys(client: SyncClient, plans: Iterable[KeyPlan]) -> dict[str, set[str]]:
    """Find which planned keys are there.

    Returns:
        Name → the ids of the keys that have it; names without a key are missing. Ids are secrets.

    Raises:
        RefusedError: the client's key may not read keys.
        SyncError: the server could not be reached.
    """
    names = [plan.name for plan in plans]
    params = {
        "filter": json.dumps({"name": {"$in": names}}),
        "keys": json.dumps({"name": 1}),
        "pagesize": 100,
        "rep": "s",
        "np": "",
    }
    found: dict[str, set[str]] = {}
    try:
        listed = client.listed(await client.get(client.path(APIKEYS), params), "_id", "name")
    except MissingError:  # a dry run, and no database
        return found
    for key in listed:
        found.setdefault(key["name"], set()).add(key["_id"])
    return found


async def create_keys(client: SyncClient, plans: Sequence[KeyPlan]) -> None:
    """Make keys that are missing. Of jobs that do so at the same time, one wins, and the others take theirs back.

    Raises:
        RefusedError: the client's key may not write keys.
        SyncError: the server could not be reached, or others never stop making the same keys.
    """
    left = list(plans)
    for _ in range(_TURNS):
        made = {plan.name: _new_key(plan, client.project) for plan in left}
        for key in made.values():
            await client.post(client.path(APIKEYS), key)  # its address would hold the key, and messages hold addresses
        found = await find_keys(client, left)
        doubled = [plan for plan in left if found.get(plan.name, set()) - {made[plan.name]["_id"]}]
        for plan in doubled:
            await _take_back(client, made[plan.name])
        if not doubled:
            return
        await asyncio.sleep(_PAUSE * secrets.SystemRandom().random())
        found = await find_keys(client, doubled)
        left = [plan for plan in doubled if plan.name not in found]
        if not left:
            return
    raise SyncError("other jobs make the same API keys again and again", hint="run one job at a time")


async def _take_back(client: SyncClient, key: Document) -> None:
    try:
        await client.delete(client.path(APIKEYS, key["_id"]))
    except RefusedError as error:
        raise RefusedError(
            f"deleting the API key '{key['name']}', of which there are two now: the server answered {error.answered}",
            answered=error.answered,
        ) from None  # the message has the address, and the address has the key


def _new_key(plan: KeyPlan, project: str) -> Document:
    value = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    return {
        "_id": value,
        "key": value,
        "name": plan.name,
        "description": f"made by content sync for the project {project}",
        "permissions": [dict(permission) for permission in plan.permissions],
    }


def _paths(project: str, state: State, methods: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {"url": f"/{name}/", "permissionMode": "PREFIX", "methods": list(methods)}
        for name in (content_collection(project, state), files_bucket(project, state))
    )


def _app(tenant: str, project: str, state: State) -> tuple[Mapping[str, Any], ...]:
    key = AppKey(tenant, generated_app(project, state))
    return ({"url": key.document_id, "permissionMode": "GRAPHQL", "methods": ["POST"]},)
