"""What a tenant has on a server: projects with their collections, addresses, counts and keys. Reads, never writes.

Keys are told by their names; their values are not even asked for.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from content_core.documents import Document, Json
from content_core.names import (
    APIKEYS,
    GQL_APPS,
    STATES,
    State,
    content_collection,
    files_bucket,
    generated_app,
)
from content_sync.client import SyncClient
from content_sync.errors import MissingError, RefusedError, SyncError

__all__ = ["KINDS", "NoProjectError", "ProjectInfo", "StateInfo", "TenantInfo", "read_info"]

KINDS: Final = ("PageRef", "Dataset", "Media", "GCAPage", "ProjectProperties")
"""The kinds of documents, ``fsType``, that a sync writes."""

_PAGE: Final = 100
_APPS: Final = "GraphQL applications"
_HOME: Final = re.compile(r"(?P<project>.+)\.(?:preview|release)\.(?:content|files)")


class NoProjectError(SyncError):
    """The tenant has no such project, or none at all."""

    code = "OC811"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class StateInfo:
    """One state of a project. What is ``None`` is not there, or the key may not see it.

    Attributes:
        state: preview or release.
        collection: the address of the documents.
        documents: how many there are.
        kinds: how many of each kind; without those that do not occur.
        last_synced: when a sync wrote last, in milliseconds since 1970.
        bucket: the address of the files.
        files: how many there are.
        graphql: the address of the generated GraphQL application.
    """

    state: State
    collection: str
    documents: int | None
    kinds: Mapping[str, int]
    last_synced: int | None
    bucket: str
    files: int | None
    graphql: str | None


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """One project.

    Attributes:
        project: its GID.
        states: preview and release.
        keys: the names of the API keys of the tenant that open something of the project; ``None`` if they may not be
            read.
    """

    project: str
    states: tuple[StateInfo, ...]
    keys: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class TenantInfo:
    """A tenant.

    Attributes:
        tenant: its name.
        projects: its projects, by their GIDs.
        hidden: what the key may not see.
    """

    tenant: str
    projects: tuple[ProjectInfo, ...]
    hidden: tuple[str, ...]

    @property
    def hides_apps(self) -> bool:
        """Whether it is not known which GraphQL applications are deployed."""
        return _APPS in self.hidden

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "tenant": self.tenant,
            "projects": [
                {
                    "project": project.project,
                    "states": [_state_json(state) for state in project.states],
                    "keys": None if project.keys is None else list(project.keys),
                }
                for project in self.projects
            ],
            "hidden": list(self.hidden),
        }


async def read_info(client: SyncClient, *, project: str | None = None) -> TenantInfo:
    """Read what a tenant has.

    Args:
        client: the server; the client's own project does not matter.
        project: a project's GID; without it, all projects.

    Raises:
        NoProjectError: there is none.
        SyncError: the server refused, or could not be reached.
    """
    reader = _Reader(client)
    projects = [project] if project else await _list_projects(client)
    await reader.look_around()
    infos = [await reader.read_project(each) for each in projects]
    found = tuple(info for info in infos if any(_seen(state) for state in info.states))
    if not found and (project or not projects):
        wanted = f"the project {project}" if project else "any project"
        raise NoProjectError(
            f"{client.tenant} has nothing of {wanted}" + (" that this API key may see" if reader.hidden else "")
        )
    return TenantInfo(client.tenant, found, tuple(dict.fromkeys(reader.hidden)))


class _Reader:
    def __init__(self, client: SyncClient) -> None:
        self.hidden: list[str] = []
        self._client = client
        self._apps: set[str] | None = None
        self._keys: list[Document] | None = None

    async def look_around(self) -> None:
        """Read what all projects share: the tenant's applications and keys."""
        apps = await self._list(GQL_APPS, {"_id": 0, "descriptor.uri": 1}, _APPS)
        self._apps = None if apps is None else {_uri(app) for app in apps}
        self._keys = await self._list(APIKEYS, {"_id": 0, "name": 1, "permissions": 1}, "API keys")

    async def read_project(self, project: str) -> ProjectInfo:
        states = [await self._read_state(project, state) for state in STATES]
        keys = None
        if self._keys is not None:
            keys = tuple(sorted(str(key.get("name", "(without a name)")) for key in self._keys if _opens(key, project)))
        return ProjectInfo(project, tuple(states), keys)

    async def _read_state(self, project: str, state: State) -> StateInfo:
        client = self._client
        content = client.path(content_collection(project, state))
        files = client.path(files_bucket(project, state))
        count, held, last = await asyncio.gather(
            self._count(content, None), self._count(files, None), self._last_synced(content)
        )
        kinds = await asyncio.gather(*(self._count(content, kind) for kind in KINDS)) if count else ()
        app = generated_app(project, state)
        deployed = self._apps is not None and bool({app, f"{client.tenant}/{app}"} & self._apps)
        return StateInfo(
            state=state,
            collection=client.server + content,
            documents=count,
            kinds={kind: number for kind, number in zip(KINDS, kinds, strict=False) if number},
            last_synced=last,
            bucket=client.server + files,
            files=held,
            graphql=f"{client.server}/graphql/{client.tenant}/{app}" if deployed else None,
        )

    async def _count(self, path: str, kind: str | None) -> int | None:
        params = {"filter": json.dumps({"fsType": kind})} if kind else None
        answer = await self._get(f"{path}/_size", params, path.rpartition("/")[2])
        return None if answer is None else self._client.counted(answer)

    async def _last_synced(self, path: str) -> int | None:
        params = {
            "filter": '{"changeInfo.lastSynced":{"$exists":true}}',
            "sort": '{"changeInfo.lastSynced":-1}',
            "keys": '{"_id":0,"changeInfo.lastSynced":1}',
            "pagesize": 1,
            "rep": "s",
            "np": "",
        }
        answer = await self._get(path, params, path.rpartition("/")[2])
        try:
            return int(answer[0]["changeInfo"]["lastSynced"])
        except (IndexError, KeyError, TypeError, ValueError):
            return None

    async def _list(self, collection: str, keys: Document, what: str) -> list[Document] | None:
        found: list[Document] = []
        page = 0
        while True:
            page += 1
            params = {"keys": json.dumps(keys), "sort": "_id", "page": page, "pagesize": _PAGE, "rep": "s", "np": ""}
            answer = await self._get(self._client.path(collection), params, what)
            if answer is None:
                return None
            found.extend(self._client.listed(answer))
            if len(answer) < _PAGE:
                return found

    async def _get(self, path: str, params: Mapping[str, Any] | None, what: str) -> Json:
        """Read something that need not be there, and that the key need not see."""
        try:
            answer = await self._client.get(path, params)
        except MissingError:
            return None
        except RefusedError as error:
            if error.answered != 403:
                raise
            self.hidden.append(what)
            return None
        if answer is None:
            raise self._client.no_server()
        return answer


async def _list_projects(client: SyncClient) -> Sequence[str]:
    names: list[str] = []
    page = 0
    while True:
        page += 1
        try:
            listed = await client.get(client.path(), {"rep": "s", "page": page, "pagesize": _PAGE})
        except RefusedError as error:
            if error.answered != 403:
                raise
            raise RefusedError(
                f"the API key may not list what {client.tenant} has",
                answered=403,
                hint="name the project with --project, or use a key that may GET /",
            ) from error
        if not isinstance(listed, list):
            raise client.no_server()
        names.extend(str(name) for name in listed)
        if len(listed) < _PAGE:
            return sorted({match["project"] for match in map(_HOME.fullmatch, names) if match})


def _uri(app: Document) -> str:
    descriptor = app.get("descriptor")
    return str(descriptor.get("uri")) if isinstance(descriptor, dict) else ""


def _seen(state: StateInfo) -> bool:
    return state.documents is not None or state.files is not None


def _opens(key: Document, project: str) -> bool:
    """Whether an entry of a key names the project; entries for all of a tenant belong to no project."""
    permissions = key.get("permissions")
    entries = permissions if isinstance(permissions, list) else []
    return any(isinstance(entry, dict) and project in str(entry.get("url", "")) for entry in entries)


def _state_json(state: StateInfo) -> dict[str, Any]:
    return {
        "state": state.state,
        "collection": state.collection,
        "documents": state.documents,
        "kinds": dict(state.kinds),
        "lastSynced": state.last_synced,
        "bucket": state.bucket,
        "files": state.files,
        "graphql": state.graphql,
    }
