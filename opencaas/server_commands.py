"""``opencaas serve`` and ``opencaas demo``: start a server and say when it answers."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from opencaas.demo import prepare_demo
from opencaas.logs import configure_logging
from opencaas.settings import Settings, check_secrets, read_settings
from opencaas.supervisor import Running, run_server

__all__ = ["demo", "serve"]


def _flag(name: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    description = Settings.model_fields[name].description
    return click.option(f"--{name.replace('_', '-')}", name, help=description, **options)


@click.command()
@_flag("port", type=int)
@_flag("data_dir", type=click.Path(path_type=Path, file_okay=False))
def demo(**flags: Any) -> None:
    """Serve the demo project on an embedded MongoDB.

    Prints "ready <base-url>" when requests are answered. Addresses and keys are then in DATA_DIR/demo.json.
    """
    settings = read_settings(**flags).model_copy(update={"mongodb_uri": None})

    def ready(running: Running) -> None:
        facts = prepare_demo(running)
        click.echo(f"GraphiQL, preview:  {facts.graphql_preview}", err=True)
        click.echo(f"GraphiQL, release:  {facts.graphql_release}", err=True)
        click.echo(f"keys:               {facts.path}", err=True)
        _print_ready(running)

    _serve(settings, ready)


@click.command()
@_flag("host")
@_flag("port", type=int)
@_flag("workers", type=int)
@_flag("mongodb_uri", metavar="URI")
@_flag("data_dir", type=click.Path(path_type=Path, file_okay=False))
def serve(**flags: Any) -> None:
    """Serve GraphQL and the application registry, on MONGODB_URI or on an embedded MongoDB.

    Prints "ready <base-url>" when requests are answered. SIGTERM lets running requests finish and ends with status 0.
    """
    settings = read_settings(**flags)
    check_secrets(settings)
    _serve(settings, _print_ready)


def _serve(settings: Settings, when_ready: Callable[[Running], None]) -> None:
    configure_logging(level=settings.log_level, form=settings.log_format)
    sys.exit(run_server(settings, when_ready=when_ready))


def _print_ready(running: Running) -> None:
    click.echo(f"ready {running.url}")
    sys.stdout.flush()
