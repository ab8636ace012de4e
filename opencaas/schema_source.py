"""From an export to application definitions, as every command does it that deploys: arguments, findings, emission."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from schema_gen.emit import Emission
    from schema_gen.export import ExportReading
    from schema_gen.model import ContentModel

__all__ = [
    "SchemaSource",
    "check_names",
    "emit_project",
    "emit_source",
    "generator_options",
    "print_lines",
    "schema_options",
]

_TENANT: Final = re.compile(r"[^\s/\\.\"$\0]{1,63}")
_PROJECT: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class SchemaSource:
    """Where a schema comes from and whose it is.

    Attributes:
        export: the directory of the export.
        tenant: the tenant that the API belongs to.
        project: the project's GID, where the caller says it.
        gca_templates: page templates that GCA pages use, beside those that the export shows.
        lenient: whether broken elements are left out instead of ending the job.
    """

    export: Path
    tenant: str
    project: str | None
    gca_templates: tuple[str, ...] = ()
    lenient: bool = False


def generator_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what the generator can be told: ``--gca-template`` and ``--lenient``."""
    decorators: Sequence[_Decorator] = (
        click.option(
            "--gca-template", "gca_templates", multiple=True, metavar="UID",
            help="A page template that GCA pages use, where the export has no GCA pages (repeatable).",
        ),
        click.option("--lenient", is_flag=True, help="Leave broken elements out instead of failing."),
    )  # fmt: skip
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def schema_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments of a :class:`SchemaSource`."""
    decorators: Sequence[_Decorator] = (
        click.argument("export", type=click.Path(path_type=Path)),
        click.option("--tenant", required=True, help="The tenant (database) that the API belongs to."),
        click.option("--project", help="The project's GID; real exports often don't say it."),
        generator_options,
    )
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def emit_source(source: SchemaSource) -> "Emission":
    """Read an export and emit its definitions; findings go to standard error, and broken elements end the job.

    Raises:
        NotAnExportError: there is no export at this path.
        EmissionError: the model has no definite schema.
        click.UsageError: the arguments do not fit the export.
    """
    return emit_project(source)[1]


def emit_project(source: SchemaSource) -> "tuple[str, Emission]":
    """Do the same, and tell the project's GID.

    Raises:
        NotAnExportError: there is no export at this path.
        EmissionError: the model has no definite schema.
        click.UsageError: the arguments do not fit the export.
    """
    from schema_gen.emit import emit_definitions  # noqa: PLC0415 - takes long to load, and content does without it
    from schema_gen.export import read_export  # noqa: PLC0415

    reading = read_export(source.export)
    print_lines(map(str, reading.findings), err=True)
    if (broken := len(reading.errors)) and not source.lenient:
        noun = "problem" if broken == 1 else "problems"
        click.echo(f"opencaas: {broken} {noun}: mend the export, or leave the elements out with --lenient", err=True)
        sys.exit(1)
    project = _project(source, reading)
    check_names(tenant=source.tenant, project=project)
    model = _with_gca(reading.model, source.gca_templates)
    return project, emit_definitions(model, tenant=source.tenant, project=project)


def check_names(*, tenant: str, project: str | None) -> None:
    """Refuse names that can be no tenant and no GID.

    Raises:
        click.UsageError: one of them cannot.
    """
    if project is not None and not _PROJECT.fullmatch(project):
        raise click.UsageError(f"--project: '{project}' is no GID (letters, digits, - and _)")
    if not _TENANT.fullmatch(tenant) or "___" in tenant:
        raise click.UsageError(f"--tenant: '{tenant}' cannot be the name of a tenant")


def print_lines(lines: Iterable[str], *, err: bool = False) -> None:
    """Print lines."""
    for line in lines:
        click.echo(line, err=err)


def _with_gca(model: "ContentModel", uids: Sequence[str]) -> "ContentModel":
    if not uids:
        return model
    known = {template.uid for template in model.page_templates}
    if unknown := sorted(set(uids) - known):
        raise click.UsageError(f"--gca-template: the export has no page template {', '.join(unknown)}")
    used = set(uids) | (set(model.gca_templates) if model.gca_known else set())
    return replace(model, gca_templates=tuple(sorted(used)), gca_known=True)


def _project(source: SchemaSource, reading: "ExportReading") -> str:
    project = source.project or reading.model.project
    if project is None:
        raise click.UsageError("the export does not say the project's GID; give it with --project")
    return project
