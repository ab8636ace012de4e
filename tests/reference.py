"""Writes the reference pages that are made from the program itself: ``python -m tests.reference``.

``tests/test_docs.py`` fails when a page differs from what this module would write.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

import content_core
import content_sync
import graphql_app
import opencaas.cli
import opencaas.settings
import rest_compat
import schema_gen
from content_core.errors import ServiceError

DOCS = Path(__file__).resolve().parent.parent / "docs"


def render_pages() -> dict[Path, str]:
    """Render every generated page, by path."""
    return {
        DOCS / "cli.md": _cli(),
        DOCS / "configuration.md": _configuration(),
        DOCS / "errors.md": _errors(),
    }


def known_variables() -> set[str]:
    """Name every variable of the environment that the program reads: settings, and options of its commands."""
    options = (option.envvar for _, command in _commands("opencaas", opencaas.cli.main) for option in command.params)
    named = {name for envvar in options if envvar for name in ([envvar] if isinstance(envvar, str) else envvar)}
    return named | {f"OPENCAAS_{name.upper()}" for name in opencaas.settings.Settings.model_fields}


def _cli() -> str:
    parts = [
        "# Command line",
        "",
        "What `opencaas --help` prints, command by command.",
        "Exit status 0 is good, 1 means that the job failed or found something, 2 is wrong usage.",
    ]
    for name, command in _commands("opencaas", opencaas.cli.main):
        context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
        parts += ["", f"## {name}", "", "```text", command.get_help(context).rstrip(), "```"]
    return "\n".join(parts) + "\n"


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from _commands(f"{name} {child}", found)


def _configuration() -> str:
    lines = [
        "# Settings",
        "",
        "A flag wins over the environment variable, the environment variable over the default.",
        "Wrong values stop the start, all of them listed at once.",
        "There are no default passwords: the embedded MongoDB makes them and keeps them in the data directory.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, field in opencaas.settings.Settings.model_fields.items():
        secret = SecretStr in (field.annotation, *get_args(field.annotation))
        lines.append(f"| `OPENCAAS_{name.upper()}` | {_default(field.default, secret=secret)} | {field.description} |")
    lines += [
        "",
        "`OPENCAAS_API_KEY` is read by the `opencaas schema` and `opencaas apikeys` commands, in place of `--api-key`;",
        "`opencaas apikeys` takes `OPENCAAS_ADMIN_USER` and `OPENCAAS_ADMIN_PASSWORD`, too.",
    ]
    return "\n".join(lines) + "\n"


def _default(value: Any, *, secret: bool) -> str:
    if value is None or value is PydanticUndefined or value == ():
        return "none (secret)" if secret else "none"
    return f"`{value}`"


def _errors() -> str:
    lines = [
        "# Error codes",
        "",
        "Every error has a code that stays the same, whatever its message says.",
        "GraphQL answers carry it as `extensions.code` where one of these errors is behind an entry;",
        "REST answers have status and message alone.",
        "",
        "| code | status | error | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for error in error_classes():
        meaning = (error.__doc__ or "").strip().splitlines()[0]
        lines.append(f"| `{error.code}` | {error.status} | `{error.__name__}` | {meaning} |")
    return "\n".join(lines) + "\n"


def error_classes() -> list[type[ServiceError]]:
    """List every error class of the packages, by code, whatever has been imported so far."""
    for package in (content_core, content_sync, graphql_app, opencaas, rest_compat, schema_gen):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: set[type[ServiceError]] = set()
    waiting: list[type[ServiceError]] = [ServiceError]
    while waiting:
        current = waiting.pop()
        found.add(current)
        waiting.extend(child for child in current.__subclasses__() if not child.__module__.startswith("tests"))
    return sorted(found, key=lambda error: (error.code, error.__name__))


if __name__ == "__main__":
    for path, text in render_pages().items():
        path.write_text(text, encoding="utf-8")
