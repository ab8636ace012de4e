"""``opencaas schema build | diff | deploy``: from an export to application definitions, and to a running server."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from content_core.names import STATES, State
from opencaas.deploy import DefinitionClient, compare_all, deploy_all
from opencaas.schema_report import render_comparison, render_deployment
from schema_gen.emit import Emission, emit_definitions, render_definition
from schema_gen.export import ExportReading, read_export

__all__ = ["schema"]

_TENANT: Final = re.compile(r"[^\s/\\.\"$\0]{1,63}")
_PROJECT: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@click.group()
def schema() -> None:
    """Generate a project's GraphQL API from its export, compare it, deploy it."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a schema comes from and whose it is: the arguments that all three commands share."""

    export: Path
    tenant: str
    project: str | None
    gca_templates: tuple[str, ...]
    lenient: bool


def _source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    decorators: Sequence[_Decorator] = (
        click.argument("export", type=click.Path(path_type=Path)),
        click.option("--tenant", required=True, help="The tenant (database) that the API belongs to."),
        click.option("--project", help="The project's GID; real exports often don't say it."),
        click.option(
            "--gca-template", "gca_templates", multiple=True, metavar="UID",
            help="A page template that GCA pages use, where the export has no GCA pages (repeatable).",
        ),
        click.option("--lenient", is_flag=True, help="Leave broken elements out instead of failing."),
    )  # fmt: skip
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def _server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    decorators: Sequence[_Decorator] = (
        click.option("--server", required=True, metavar="URL", help="Base URL of the server."),
        click.option(
            "--api-key", required=True, envvar="OPENCAAS_API_KEY", show_envvar=True, metavar="KEY",
            help="An API key with GET and PUT on the tenant's gql-apps and GET on its content collections.",
        ),
    )  # fmt: skip
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


@schema.command()
@_source_options
@click.option("--state", type=click.Choice(STATES), help="Only this state; without it, both as a JSON array.")
@click.option("--sdl", is_flag=True, help="Print the schema in GraphQL's own language instead of the definitions.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE.")
def build(*, state: State | None, sdl: bool, output: Path | None, **source: Any) -> None:
    """Print the application definitions of EXPORT. The report goes to standard error."""
    emission = _emit(_Source(**source))
    _print_lines(emission.report.lines(), err=True)
    text = emission.sdl.rstrip("\n").encode() + b"\n" if sdl else _render(emission, state)
    if output is None:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(text)
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from error


@schema.command()
@_source_options
@_server_options
@click.option("--state", type=click.Choice(STATES), required=True, help="Which state's API to compare with.")
def diff(*, server: str, api_key: str, state: State, **source: Any) -> None:
    """Show what a deploy would change. Exit status 1 when a change breaks existing queries."""
    emission = _emit(_Source(**source))
    with DefinitionClient(server, api_key, source["tenant"]) as client:
        comparison = compare_all(client, emission.definitions, [state])[state]
    click.echo(render_comparison(state, comparison))
    if comparison.breaking:
        sys.exit(1)


@schema.command()
@_source_options
@_server_options
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only this state (repeatable).")
@click.option("--allow-breaking", is_flag=True, help="Deploy although existing queries will break.")
def deploy(*, server: str, api_key: str, states: tuple[State, ...], allow_breaking: bool, **source: Any) -> None:
    """Generate the API of EXPORT and deploy it. Writes nothing when nothing changed.

    Refuses a change that breaks existing queries, for all states, unless --allow-breaking is given.
    """
    emission = _emit(_Source(**source))
    chosen = [state for state in STATES if not states or state in states]
    with DefinitionClient(server, api_key, source["tenant"]) as client:
        comparisons = compare_all(client, emission.definitions, chosen)
        breaking = any(comparison.breaking for comparison in comparisons.values())
        if breaking and not allow_breaking:
            for state, comparison in comparisons.items():
                click.echo(render_comparison(state, comparison))
            click.echo("opencaas: nothing was deployed: existing queries would break", err=True)
            click.echo("          deploy with --allow-breaking if that is meant", err=True)
            sys.exit(1)
        deployments = deploy_all(client, emission.definitions, comparisons)
    for deployment in deployments:
        click.echo(render_deployment(deployment))
    _print_lines(emission.report.lines())


def _render(emission: Emission, state: State | None) -> bytes:
    if state:
        return render_definition(emission.definitions[state])
    both = b",\n".join(render_definition(emission.definitions[name]).rstrip(b"\n") for name in STATES)
    return b"[\n" + both + b"\n]\n"


def _print_lines(lines: Iterable[str], *, err: bool = False) -> None:
    for line in lines:
        click.echo(line, err=err)


def _emit(source: _Source) -> Emission:
    reading = read_export(source.export)
    _print_lines(map(str, reading.findings), err=True)
    if (broken := len(reading.errors)) and not source.lenient:
        noun = "problem" if broken == 1 else "problems"
        click.echo(f"opencaas: {broken} {noun}: mend the export, or leave the elements out with --lenient", err=True)
        sys.exit(1)
    tenant, project = _identity(source, reading)
    model = reading.model
    if source.gca_templates:
        known = {template.uid for template in model.page_templates}
        if unknown := sorted(set(source.gca_templates) - known):
            raise click.UsageError(f"--gca-template: the export has no page template {', '.join(unknown)}")
        used = set(source.gca_templates) | (set(model.gca_templates) if model.gca_known else set())
        model = replace(model, gca_templates=tuple(sorted(used)), gca_known=True)
    return emit_definitions(model, tenant=tenant, project=project)


def _identity(source: _Source, reading: ExportReading) -> tuple[str, str]:
    project = source.project or reading.model.project
    if project is None:
        raise click.UsageError("the export does not say the project's GID; give it with --project")
    if not _PROJECT.fullmatch(project):
        raise click.UsageError(f"--project: '{project}' is no GID (letters, digits, - and _)")
    if not _TENANT.fullmatch(source.tenant) or "___" in source.tenant:
        raise click.UsageError(f"--tenant: '{source.tenant}' cannot be the name of a tenant")
    return source.tenant, project
