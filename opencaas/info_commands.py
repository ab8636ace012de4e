"""``opencaas info``: what a tenant has on a server, as the project's dialog in FirstSpirit shows it."""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from content_sync.client import SyncClient
from content_sync.info import StateInfo, TenantInfo, read_info
from content_sync.retry import Retrying
from opencaas.schema_source import check_names

__all__ = ["info"]

_HIDDEN = "not shown to this API key"
_SECONDS: Final = 20.0
_RETRYING: Final = Retrying(attempts=3)


@click.command()
@click.option("--server", required=True, metavar="URL", help="Base URL of the server.")
@click.option(
    "--api-key",
    required=True,
    envvar="OPENCAAS_API_KEY",
    show_envvar=True,
    metavar="KEY",
    help="An API key with GET on what shall be shown; names of keys need PUT, POST or PATCH on apikeys, too.",
)
@click.option("--tenant", required=True, metavar="NAME", help="The tenant.")
@click.option("--project", metavar="GID", help="Only this project; keys that may not list the tenant need it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")  # fmt: skip
def info(*, server: str, api_key: str, tenant: str, project: str | None, as_json: bool) -> None:
    """Print collections, addresses, counts and names of API keys, per project and state.

    A table on a terminal, else one fact per line. Values of keys are never shown; that is what apikeys list is for.
    """
    check_names(tenant=tenant, project=project)
    told = asyncio.run(_read(server, api_key, tenant, project))
    if as_json:
        click.echo(json.dumps({"server": server.rstrip("/"), **told.as_json()}, ensure_ascii=False, indent=2))
    elif sys.stdout.isatty():
        _print_tables(told)
    else:
        for fields in _facts(told):
            click.echo("\t".join(_clean(field).replace("\n", "?") for field in fields))


async def _read(server: str, api_key: str, tenant: str, project: str | None) -> TenantInfo:
    # Somebody waits for this, so that it gives up sooner than a job.
    async with SyncClient(
        server, api_key=api_key, tenant=tenant, project=project or "", timeout=_SECONDS, retrying=_RETRYING
    ) as client:
        return await read_info(client, project=project)


def _facts(told: TenantInfo) -> Iterator[tuple[str, ...]]:
    for project in told.projects:
        for state in project.states:
            home = (project.project, state.state)
            yield *home, "collection", state.collection, _number(state.documents)
            yield from ((*home, "documents", kind, str(number)) for kind, number in state.kinds.items())
            yield *home, "bucket", state.bucket, _number(state.files)
            if state.graphql:
                yield *home, "graphql", state.graphql
            if state.last_synced is not None:
                yield *home, "last synced", _time(state.last_synced)
        yield from ((project.project, "", "key", key) for key in project.keys or ())
    yield from ((told.tenant, "", "hidden", what) for what in told.hidden)


def _print_tables(told: TenantInfo) -> None:
    console = Console()
    for project in told.projects:
        table = Table("state", "", "address", "held", title=_text(f"{told.tenant}: {project.project}"))
        for state in project.states:
            for row in _rows(told, state):
                table.add_row(*map(_text, row))
            table.add_section()
        console.print(table)
        keys = [_HIDDEN] if project.keys is None else list(project.keys) or ["none"]
        for key in keys:
            console.print(_text(f"API key: {key}"))
    if not told.projects:
        console.print("no projects")


def _rows(told: TenantInfo, state: StateInfo) -> Iterator[tuple[str, str, str, str]]:
    kinds = [f"{number} {kind}" for kind, number in state.kinds.items()]
    synced = [] if state.last_synced is None else [f"synced {_time(state.last_synced)}"]
    yield (
        state.state,
        "documents",
        state.collection,
        "\n".join([_held(told, state.collection, state.documents), *kinds, *synced]),
    )
    yield "", "files", state.bucket, _held(told, state.bucket, state.files)
    nothing = _HIDDEN if told.hides_apps else "not deployed"
    yield "", "GraphQL", state.graphql or nothing, ""


def _held(told: TenantInfo, address: str, count: int | None) -> str:
    hidden = count is None and address.rpartition("/")[2] in told.hidden
    return _HIDDEN if hidden else _number(count)


def _number(count: int | None) -> str:
    return "none" if count is None else str(count)


def _time(milliseconds: int) -> str:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)


def _text(text: str) -> Text:
    return Text(_clean(text), overflow="fold")


def _clean(text: str) -> str:
    """Take out what would move the cursor: names are written by others."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
