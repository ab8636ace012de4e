"""The command ``opencaas``: exit status 0 is good, 1 means the job failed or found something, 2 wrong usage."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from content_core.errors import DataDirInUseError, ServiceError
from opencaas.demo import prepare_demo
from opencaas.logs import configure_logging
from opencaas.schema_commands import schema
from opencaas.settings import Settings, SettingsError, check_secrets, read_settings
from opencaas.supervisor import Running, run_server

__all__ = ["main"]

_USAGE_ERRORS: Final = (SettingsError, DataDirInUseError)


class _Group(click.Group):
    """Turns our errors into a message and an exit status, for every command below."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ServiceError as error:
            click.echo(f"opencaas: {error.message}", err=True)
            if error.hint:
                click.echo(f"          {error.hint}", err=True)
            context.exit(2 if isinstance(error, _USAGE_ERRORS) else 1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="opencaas", prog_name="opencaas")
def main() -> None:
    """Self-hosted Content-as-a-Service: a typed GraphQL API generated from a FirstSpirit project.

    Every flag of demo and serve can be given as an environment variable, too: --data-dir is OPENCAAS_DATA_DIR.
    """


main.add_command(schema)


def _flag(name: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    description = Settings.model_fields[name].description
    return click.option(f"--{name.replace('_', '-')}", name, help=description, **options)


@main.command()
@_flag("port", type=int)
@_flag("data_dir", type=click.Path(path_type=Path, file_okay=False))
def demo(**flags: Any) -> None:
    """Serve the demo project on an embedded MongoDB.

    Prints "ready <base-url>" when requests are answered. Addresses and keys are then in DATA_DIR/demo.json.
    """
    settings = read_settings(**flags).model_copy(update={"mongodb_uri": None})

    def ready(running: Running) -> None:
        path = prepare_demo(running)
        click.echo(f"keys and addresses: {path}", err=True)
        _print_ready(running)

    _serve(settings, ready)


@main.command()
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
