"""The command ``opencaas``: exit status 0 is good, 1 means the job failed or found something, 2 wrong usage."""

import importlib
import sys
from typing import Any, Final

import click

from content_core.errors import DataDirInUseError, ServiceError

__all__ = ["main"]

_COMMANDS: Final = {
    "apikeys": "opencaas.apikeys_commands",
    "demo": "opencaas.server_commands",
    "deploy": "opencaas.deploy_commands",
    "info": "opencaas.info_commands",
    "replica-set": "opencaas.replica_set_commands",
    "schema": "opencaas.schema_commands",
    "serve": "opencaas.server_commands",
    "sync": "opencaas.sync_commands",
}
"""Command → the module that has it under its name; loaded when it is asked for, so that each one starts quickly."""

_USAGE_ERRORS: Final = {"opencaas.settings": "SettingsError", "schema_gen.errors": "NotAnExportError"}
"""Module → an error of its own that is wrong usage; not imported here, for most commands do without these modules."""


class _Commands(click.Group):
    """Loads commands on demand, and turns our errors into a message and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ServiceError as error:
            click.echo(f"opencaas: {error.message}", err=True)
            if error.hint:
                click.echo(f"          {error.hint}", err=True)
            ctx.exit(2 if isinstance(error, _usage_errors()) else 1)


def _usage_errors() -> tuple[type[ServiceError], ...]:
    """The errors that are wrong usage; a module that nobody has loaded has raised none."""
    loaded = (getattr(sys.modules[module], name) for module, name in _USAGE_ERRORS.items() if module in sys.modules)
    return (DataDirInUseError, *loaded)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="opencaas", prog_name="opencaas")
def main() -> None:
    """Self-hosted Content-as-a-Service: a typed GraphQL API generated from a FirstSpirit project.

    Every flag of demo and serve can be given as an environment variable, too: --data-dir is OPENCAAS_DATA_DIR.
    """
