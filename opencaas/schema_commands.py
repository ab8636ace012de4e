"""``opencaas schema build | diff | deploy``: from an export to application definitions, and to a running server."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from content_core.names import STATES, State
from opencaas.deploy import DefinitionClient, compare_all, deploy_all
from opencaas.schema_report import render_comparison, render_deployment
from opencaas.schema_source import SchemaSource, emit_source, print_lines, schema_options
from schema_gen.emit import Emission, render_definition

__all__ = ["deploy_emission", "schema"]

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@click.group()
def schema() -> None:
    """Generate a project's GraphQL API from its export, compare it, deploy it."""


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
@schema_options
@click.option("--state", type=click.Choice(STATES), help="Only this state; without it, both as a JSON array.")
@click.option("--sdl", is_flag=True, help="Print the schema in GraphQL's own language instead of the definitions.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE.")
def build(*, state: State | None, sdl: bool, output: Path | None, **source: Any) -> None:
    """Print the application definitions of EXPORT. The report goes to standard error."""
    emission = emit_source(SchemaSource(**source))
    print_lines(emission.report.lines(), err=True)
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
@schema_options
@_server_options
@click.option("--state", type=click.Choice(STATES), required=True, help="Which state's API to compare with.")
def diff(*, server: str, api_key: str, state: State, **source: Any) -> None:
    """Show what a deploy would change. Exit status 1 when a change breaks existing queries."""
    emission = emit_source(SchemaSource(**source))
    with DefinitionClient(server, api_key, source["tenant"]) as client:
        comparison = compare_all(client, emission.definitions, [state])[state]
    click.echo(render_comparison(state, comparison))
    if comparison.breaking:
        sys.exit(1)


@schema.command()
@schema_options
@_server_options
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only this state (repeatable).")
@click.option("--allow-breaking", is_flag=True, help="Deploy although existing queries will break.")
def deploy(*, server: str, api_key: str, states: tuple[State, ...], allow_breaking: bool, **source: Any) -> None:
    """Generate the API of EXPORT and deploy it. Writes nothing when nothing changed.

    Refuses a change that breaks existing queries, for all states, unless --allow-breaking is given.
    """
    emission = emit_source(SchemaSource(**source))
    with DefinitionClient(server, api_key, source["tenant"]) as client:
        deployed = deploy_emission(client, emission, states or STATES, allow_breaking=allow_breaking)
    if not deployed:
        sys.exit(1)


def deploy_emission(
    client: DefinitionClient, emission: Emission, states: Sequence[State], *, allow_breaking: bool
) -> bool:
    """Deploy definitions to the server, for all states or for none, and print what came of it.

    Args:
        client: the server.
        emission: the definitions.
        states: which of them.
        allow_breaking: whether queries that work today may stop working.

    Returns:
        Whether they are deployed; if not, existing queries would have broken, and nothing was written.

    Raises:
        DeployError: the server refused, or could not be reached.
    """
    comparisons = compare_all(client, emission.definitions, [state for state in STATES if state in states])
    if not allow_breaking and any(comparison.breaking for comparison in comparisons.values()):
        for state, comparison in comparisons.items():
            click.echo(render_comparison(state, comparison))
        click.echo("opencaas: nothing was deployed: existing queries would break", err=True)
        click.echo("          deploy with --allow-breaking if that is meant", err=True)
        return False
    for deployment in deploy_all(client, emission.definitions, comparisons):
        click.echo(render_deployment(deployment))
    print_lines(emission.report.lines())
    return True


def _render(emission: Emission, state: State | None) -> bytes:
    if state:
        return render_definition(emission.definitions[state])
    both = b",\n".join(render_definition(emission.definitions[name]).rstrip(b"\n") for name in STATES)
    return b"[\n" + both + b"\n]\n"
