"""``opencaas demo``: puts the demo project into a running server and says how to reach it."""

import asyncio
import hashlib
import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

import fixtures
from content_core.errors import ServiceError
from content_core.names import STATES, State, generated_app
from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.job import SyncOptions, run_sync
from content_sync.progress import BarProgress, Progress
from content_sync.report import SyncReport
from content_sync.source import open_source
from fixtures import PROJECTS, Project
from opencaas.deploy import DefinitionClient, compare_all, deploy_all
from opencaas.request_log import loggable_path
from opencaas.supervisor import Running
from schema_gen.emit import Emission, emit_definitions
from schema_gen.export import read_export

__all__ = ["DemoError", "DemoFacts", "deploy_project", "load_project", "prepare_demo"]

_AT_ONCE: Final = 8
_SECONDS: Final = 60.0  # for one request on a machine that is busy starting everything
_LOADED: Final = ("content", "media")
"""Folders of a project that are written to the server."""

_ALL_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_READ_METHODS: Final = ("GET", "HEAD", "OPTIONS")


class DemoError(ServiceError):
    """The demo project could not be loaded."""

    code = "OC720"
    status = 500


@dataclass(frozen=True, slots=True)
class DemoFacts:
    """Where the demo answers, and the file that says the rest.

    Attributes:
        path: ``demo.json``.
        graphql_preview: address of the preview API.
        graphql_release: address of the release API.
    """

    path: Path
    graphql_preview: str
    graphql_release: str


def prepare_demo(running: Running) -> DemoFacts:
    """Load the demo project, deploy its API, and write ``demo.json`` (mode 0600) with addresses and keys.

    What is there already is left alone: the content is written only when it is not the one of this version, and the
    keys of an earlier ``demo.json`` stay good.

    Raises:
        ServiceError: the server refused something.
    """
    if running.data_dir is None:
        raise DemoError("the demo runs on the embedded MongoDB only", hint="unset OPENCAAS_MONGODB_URI")
    project = PROJECTS["demo"]
    path = running.data_dir.path / "demo.json"
    facts = _facts(running, project, _keys_of(path))
    with httpx.Client(
        base_url=running.url, auth=(running.admin_user, running.admin_password), timeout=_SECONDS
    ) as admin:
        _send(admin, "PUT", f"/{project.tenant}", {"description": project.name})
        for key in _api_keys(project, facts):
            _send(admin, "PUT", f"/{project.tenant}/apikeys/{key['_id']}", key)
    content = _fingerprint(project)
    if running.data_dir.read("demo-content") != content:
        load_project(running.url, facts["api_key"], "demo", progress=True)
        running.data_dir.write("demo-content", content)
    deploy_project(running.url, facts["api_key"], project)
    _write_secret(path, facts)
    return DemoFacts(path, facts["graphql_preview"], facts["graphql_release"])


def load_project(url: str, api_key: str, name: fixtures.Name, *, progress: bool = False) -> dict[State, int]:
    """Write a sample project to a server as ``opencaas sync total`` does: with all that it needs there, and its media.

    Args:
        url: the server's base URL.
        api_key: a key with all methods on the project's collections; the project's keys and applications are made if
            it may.
        name: which sample project.
        progress: show what is done on a terminal.

    Returns:
        The number of documents per state.

    Raises:
        ServiceError: the server refused something.
    """
    project = PROJECTS[name]
    console = Console(stderr=True, quiet=not progress)
    with BarProgress(console) as bar:
        report = asyncio.run(_sync(url, api_key, name, bar))
    if report.error:
        raise report.error
    if report.failed:
        raise DemoError(f"{project.name}: {report.failed} could not be written, the first of them {report.failures[0]}")
    return {state: counts.read for state, counts in report.states.items()}


def deploy_project(url: str, api_key: str, project: Project) -> None:
    """Generate a sample project's API and deploy it over HTTP, as a deploy job does.

    Raises:
        DeployError: the server refused.
    """
    emission = _emit(project)
    with DefinitionClient(url, api_key, project.tenant) as client:
        deploy_all(client, emission.definitions, compare_all(client, emission.definitions, STATES))


async def _sync(url: str, api_key: str, name: fixtures.Name, progress: Progress) -> SyncReport:
    project = PROJECTS[name]
    source = open_source(project.path, base=url, tenant=project.tenant)
    options = SyncOptions(mode="total", definitions=_emit(project).definitions, parallel=_AT_ONCE)
    async with (
        SyncClient(url, api_key=api_key, tenant=project.tenant, project=project.project) as client,
        BucketDelivery(client) as delivery,
    ):
        return await run_sync(source, client, delivery, options, progress=progress)


def _emit(project: Project) -> Emission:
    return emit_definitions(read_export(project.export).model, tenant=project.tenant, project=project.project)


def _facts(running: Running, project: Project, keys: tuple[str, str]) -> dict[str, str]:
    graphql = f"{running.url}/graphql/{project.tenant}"
    return {
        "url": running.url,
        "tenant": project.tenant,
        "project": project.project,
        "api_key": keys[0],
        "read_api_key": keys[1],
        "admin_user": running.admin_user,
        "admin_password": running.admin_password,
        "graphql_preview": f"{graphql}/{generated_app(project.project, 'preview')}",
        "graphql_release": f"{graphql}/{generated_app(project.project, 'release')}",
    }


def _api_keys(project: Project, facts: dict[str, str]) -> list[dict[str, Any]]:
    graphql = [
        {"url": generated_app(project.project, state), "permissionMode": "GRAPHQL", "methods": ["POST"]}
        for state in STATES
    ]
    content = [
        {"url": f"/{project.project}.{state}.{kind}/", "permissionMode": "PREFIX", "methods": list(_READ_METHODS)}
        for state in STATES
        for kind in ("content", "files")
    ]
    whole = {"url": "/", "permissionMode": "PREFIX", "methods": list(_ALL_METHODS)}
    return [
        {
            "_id": facts["api_key"],
            "key": facts["api_key"],
            "name": f"{project.name}: everything",
            "permissions": [whole, *graphql],
        },
        {
            "_id": facts["read_api_key"],
            "key": facts["read_api_key"],
            "name": f"{project.name}: read and GraphQL",
            "permissions": [*content, *graphql],
        },
    ]


def _send(client: httpx.Client, method: str, path: str, body: object) -> None:
    _check(client.request(method, path, json=body, timeout=60), method, path)


def _check(response: httpx.Response, method: str, path: str) -> None:
    if response.status_code not in {200, 201}:
        raise DemoError(f"{method} {loggable_path(path)}: the server answered {response.status_code}")


def _keys_of(path: Path) -> tuple[str, str]:
    try:
        facts = json.loads(path.read_text("utf-8"))
        return str(facts["api_key"]), str(facts["read_api_key"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(uuid.uuid4()), str(uuid.uuid4())


def _fingerprint(project: Project) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for folder in _LOADED for path in (project.path / folder).rglob("*") if path.is_file()):
        digest.update(file.relative_to(project.path).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _write_secret(path: Path, facts: dict[str, str]) -> None:
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2)
        file.write("\n")
    part.replace(path)
