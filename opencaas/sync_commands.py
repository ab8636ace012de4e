"""``opencaas sync smart | total``: brings a server in step with what a project exports."""

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from content_core.errors import ServiceError
from content_sync.report import Mode, SyncReport
from opencaas.sync_options import SyncArguments, content_options, sync_arguments, target_options
from opencaas.sync_report import print_line
from opencaas.sync_run import run_jobs

__all__ = ["sync"]

_SOURCE = click.Path(path_type=Path, exists=True)


@click.group()
def sync() -> None:
    """Send a project's content to a server: pages, datasets, media, settings.

    SOURCE is an External Sync export, or CaaS JSON documents: a directory, an archive, or a file of NDJSON.

    A job may be interrupted at any time; run again it goes on. Exit status 1 when something could not be sent, with the
    list of it.
    """


@sync.command()
@click.argument("source", type=_SOURCE)
@target_options
@content_options
def smart(*, source: Path, **given: Any) -> None:
    """Send what is missing or has another revision, and delete what SOURCE does not have. Quick."""
    _run(sync_arguments(source, given), "smart")


@sync.command()
@click.argument("source", type=_SOURCE)
@target_options
@content_options
def total(*, source: Path, **given: Any) -> None:
    """Send everything, then delete what earlier jobs wrote and this one did not.

    For the first time, and after changes that revisions do not show: templates, languages, addresses of media.
    """
    _run(sync_arguments(source, given), "total")


def _run(arguments: SyncArguments, mode: Mode) -> NoReturn:
    """Run jobs; machines are told in the same form if not even the first of them could begin."""
    try:
        status = run_jobs(arguments, mode)
    except ServiceError as error:
        if not sys.stdout.isatty():
            print_line(SyncReport(mode=mode, dry_run=arguments.dry_run, error=error).as_json())
        raise
    sys.exit(status)
