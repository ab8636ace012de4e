"""Shows what a sync job did: to a person at a terminal in words, to everything else as one line of JSON."""

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from content_sync.report import SyncReport

__all__ = ["print_line", "print_problems", "print_report"]

_SHOWN: Final = 20
"""How many lines of a kind a person is shown; the JSON line has all that were kept."""


def print_report(report: SyncReport, console: Console) -> None:
    """Print the report on standard output, and what went wrong on standard error.

    Args:
        report: the report.
        console: standard error.
    """
    if sys.stdout.isatty():
        Console().print(_table(report))
    else:
        print_line(report.as_json())
    print_problems(report, console)


def print_line(value: Mapping[str, Any]) -> None:
    """Print a report for machines: one line of JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def print_problems(report: SyncReport, console: Console) -> None:
    """Print what went wrong, and what was made on the server before, on standard error.

    Args:
        report: the report.
        console: standard error.
    """
    _print_provisioned(report.provisioned or {}, console)
    for title, lines in (
        ("cannot be read", [f"{each.what}: {each.why}" for each in report.skipped if each.broken]),
        ("left out", [f"{each.what}: {each.why}" for each in report.skipped if not each.broken]),
        ("not sent", [str(failure) for failure in report.failures]),
    ):
        for line in lines[:_SHOWN]:
            console.print(Text(f"{title}: {line}"), soft_wrap=True)
        total = report.failed if title == "not sent" else len(lines)
        if total > _SHOWN:
            console.print(Text(f"{title}: {total - _SHOWN} more"))
    for state, counts in report.states.items():
        if counts.stale_kept:
            console.print(Text(f"{state}: stale documents were kept: {counts.stale_kept}"), soft_wrap=True)
        if counts.not_noted:
            console.print(Text(f"{state}: the time of the sync was not noted: {counts.not_noted}"), soft_wrap=True)
    if report.arrived and report.unreadable:
        message = "not all of the source can be read; --despite-skipped does without what cannot"
        console.print(Text(f"opencaas: {message}"), soft_wrap=True)
    if report.error is not None:
        console.print(Text(f"opencaas: {report.error.message}"), soft_wrap=True)
        if report.error.hint:
            console.print(Text(f"          {report.error.hint}"), soft_wrap=True)
    if report.interrupted:
        console.print(Text("opencaas: interrupted; run it again to go on"))


def _print_provisioned(provisioned: dict[str, Any], console: Console) -> None:
    """Print what was made on the server before, to a person, and what was refused, to everybody."""
    if sys.stdout.isatty():
        for outcome in ("created", "missing"):
            for what in provisioned.get(outcome, ()):
                console.print(Text(f"{outcome}: {what}"), soft_wrap=True)
    for item in provisioned.get("refused", ()):
        console.print(Text(f"refused: {item['what']}: {item['why']}"), soft_wrap=True)


def _table(report: SyncReport) -> Table:
    would = "would be " if report.dry_run else ""
    table = Table(title=f"{report.mode} sync, {report.seconds:.1f} s", title_justify="left", box=None)
    table.add_column("")
    for state in report.states:
        table.add_column(state, justify="right")
    rows = (
        ("documents read", "read"), (f"{would}created", "created"), (f"{would}replaced", "replaced"),
        ("unchanged", "unchanged"), (f"{would}deleted", "deleted"), ("media read", "files_read"),
        (f"media {would}sent", "files_sent"), ("media unchanged", "files_unchanged"),
        (f"media {would}deleted", "files_deleted"),
    )  # fmt: skip
    for label, name in rows:
        table.add_row(label, *(f"{getattr(counts, name):,}" for counts in report.states.values()))
    return table
