"""``opencaas deploy``: the API of an export and its content in one go, in the order that lets no query fail.

First the places, then the API, then the content: fields are there before the documents that fill them, and where a new
API would break queries, the content stays as it was, too.
"""

import asyncio
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from content_core.errors import ServiceError
from content_core.names import STATES, State
from content_sync.provision import ProvisionReport, provision
from content_sync.report import Mode, SyncReport
from content_sync.source import SourceError
from content_sync.source.archive import named_after, unpacked
from opencaas.deploy import DefinitionClient, Deployment, compare_all, deploy_all
from opencaas.schema_report import render_comparison, render_deployment
from opencaas.schema_source import SchemaSource, check_names, emit_project, generator_options, print_lines
from opencaas.sync_options import SyncArguments, content_options, sync_arguments, target_options
from opencaas.sync_report import print_line, print_problems
from opencaas.sync_run import open_client, run_jobs
from schema_gen.compare import Comparison
from schema_gen.emit import Emission
from schema_gen.errors import NotAnExportError

__all__ = ["deploy"]


@click.command()
@click.argument("export", type=click.Path(path_type=Path))
@target_options
@generator_options
@click.option("--allow-breaking", is_flag=True, help="Deploy the API although existing queries will break.")
@click.option("--total", "mode", flag_value="total", help="Send all content, not only what is missing or has changed.")
@click.option("--smart", "mode", flag_value="smart", default="smart", hidden=True)
@content_options
def deploy(
    *, export: Path, gca_templates: tuple[str, ...], lenient: bool, allow_breaking: bool, mode: Mode, **given: Any
) -> None:
    """Deploy the API of EXPORT, then send its content: schema deploy and sync smart in one go.

    EXPORT is a directory, or an archive of one. A change that breaks existing queries is refused unless
    --allow-breaking is given, and then no content is sent. Without a terminal the report is one line of JSON.
    """
    arguments = sync_arguments(export, given)
    if arguments.watching is not None:
        raise click.UsageError("--watch: templates are not watched; run opencaas sync with it after opencaas deploy")
    check_names(tenant=arguments.tenant, project=arguments.project)
    with ExitStack() as stack:
        stack.enter_context(_interruptible())
        try:
            place, left_out = stack.enter_context(unpacked(export))
        except SourceError as error:
            raise click.UsageError(error.advice) from error
        if place != export:  # in a place of its own for this job: nothing that is noted of its files is of use again
            arguments = replace(arguments, source=place, left_out=left_out, source_memory=None)
        source = SchemaSource(place, arguments.tenant, arguments.project, gca_templates, lenient)
        try:
            project, emission = emit_project(source)
        except NotAnExportError as error:
            raise named_after(export, place, error) from error
        try:
            report = _deploy_schema(arguments, project, emission, allow_breaking=allow_breaking)
        except ServiceError as error:
            if not sys.stdout.isatty():
                print_line({"deploy": "failed", "error": _told(error)})
            raise
        if sys.stdout.isatty():
            _print_schema(report, emission)
        if report.refused:
            _refuse(report)
        # With the GID, which the content of an export may not say, and which the API now has in its address.
        sys.exit(_send_content(replace(arguments, project=project), mode, report))


@dataclass(frozen=True, slots=True, kw_only=True)
class _SchemaReport:
    """What became of the API.

    Attributes:
        comparisons: with what was deployed before.
        refused: nothing was written, for a change breaks queries.
        dry_run: nothing was written, for nothing was to be.
        provisioned: what content needs on the server, and API, too; absent after a refusal.
    """

    comparisons: Mapping[State, Comparison]
    refused: bool = False
    dry_run: bool = False
    provisioned: ProvisionReport | None = None

    def as_json(self) -> dict[str, Any]:
        states = {state: self._state(comparison) for state, comparison in self.comparisons.items()}
        told: dict[str, Any] = {"outcome": "refused" if self.refused else "complete"}
        if self.dry_run:
            told["dry_run"] = True
        told["states"] = states
        return told | ({"provisioned": self.provisioned.as_json()} if self.provisioned else {})

    def _state(self, comparison: Comparison) -> dict[str, Any]:
        kinds = ("added", "removed", "breaking", "dangerous", "mapping_changes", "gca_added")
        lists = {kind: list(getattr(comparison, kind)) for kind in kinds if getattr(comparison, kind)}
        if comparison.created:
            lists = {}  # all of it is new
        outcome = "unchanged" if comparison.unchanged else "created" if comparison.created else "replaced"
        return {"outcome": "refused" if self.refused and outcome != "unchanged" else outcome} | lists


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM end the job as Ctrl-C does: what was unpacked goes, and machines are told.

    While content is sent, the sync job takes care of signals itself.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        if not sys.stdout.isatty():
            print_line({"deploy": "interrupted"})
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _deploy_schema(
    arguments: SyncArguments, project: str, emission: Emission, *, allow_breaking: bool
) -> _SchemaReport:
    """Compare, make the places, then write what changed; nothing at all where queries would break."""
    states = arguments.states or STATES
    with DefinitionClient(arguments.server, arguments.api_key, arguments.tenant) as definitions:
        comparisons = compare_all(definitions, emission.definitions, states)
        if not allow_breaking and any(comparison.breaking for comparison in comparisons.values()):
            return _SchemaReport(comparisons=comparisons, refused=True, dry_run=arguments.dry_run)
        provisioned = asyncio.run(_provision(arguments, project, states))
        if not arguments.dry_run:
            deploy_all(definitions, emission.definitions, comparisons)
    return _SchemaReport(comparisons=comparisons, dry_run=arguments.dry_run, provisioned=provisioned)


async def _provision(arguments: SyncArguments, project: str, states: Sequence[State]) -> ProvisionReport:
    async with open_client(arguments, project) as client:
        return await provision(client, states=states, dry_run=arguments.dry_run)


def _refuse(schema: _SchemaReport) -> NoReturn:
    if not sys.stdout.isatty():
        print_line({"deploy": "refused", "schema": schema.as_json()})
    click.echo("opencaas: nothing was deployed, and no content was sent: existing queries would break", err=True)
    click.echo("          deploy with --allow-breaking if that is meant", err=True)
    sys.exit(1)


def _send_content(arguments: SyncArguments, mode: Mode, schema: _SchemaReport) -> int:
    """Run the job; machines are told of both parts in one line, also where the second one did not come about."""

    def show(report: SyncReport, console: Console) -> None:
        content = report.as_json()
        print_line({"deploy": content["outcome"], "schema": schema.as_json(), "content": content})
        print_problems(report, console)

    if sys.stdout.isatty():
        return run_jobs(arguments, mode)
    try:
        return run_jobs(arguments, mode, show=show)
    except (ServiceError, click.UsageError) as error:
        print_line({"deploy": "failed", "schema": schema.as_json(), "error": _told(error)})
        raise


def _told(error: ServiceError | click.UsageError) -> dict[str, str]:
    code = {"code": error.code} if isinstance(error, ServiceError) else {}
    return code | {"message": error.message}


def _print_schema(report: _SchemaReport, emission: Emission) -> None:
    written = not (report.refused or report.dry_run)
    for state, comparison in report.comparisons.items():
        if written:
            click.echo(render_deployment(Deployment(state, comparison, written=not comparison.unchanged)))
        else:
            click.echo(render_comparison(state, comparison))
    if report.provisioned:
        print_lines(report.provisioned.lines())
    print_lines(emission.report.lines())
