"""``opencaas apikeys list | create | delete``: a client of the HTTP interface, for the admin or a key that may.

Keys are secrets: a list shows their beginnings only, and a new one is printed once, on standard output.
"""

import json
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import click
from click.core import ParameterSource
from rich.console import Console
from rich.table import Table
from rich.text import Text

from content_core.access.permissions import METHODS
from content_core.documents import Document
from content_core.names import ADMIN_DATABASE
from opencaas.apikeys_client import KeyClient

__all__ = ["apikeys"]

_READ: Final = ("GET", "HEAD", "OPTIONS")
_WORDS: Final[Mapping[str, Sequence[str]]] = {"READ": _READ, "ALL": (*_READ, *sorted(METHODS.difference(_READ)))}
_SHOWN: Final = 8

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@click.group()
def apikeys() -> None:
    """List, create and delete API keys on a server: those of a tenant, or without --tenant the global ones.

    They are opened by the admin user, and by an API key that may write them.
    """


@dataclass(frozen=True, slots=True)
class _Access:
    """Where the keys are, and who asks: the options that all three commands share."""

    server: str
    tenant: str | None
    api_key: str | None
    user: str
    password: str | None

    def open(self) -> KeyClient:
        """Open a client.

        Raises:
            UsageError: there are no credentials, or two kinds of them.
        """
        api_key, password = self.api_key, self.password
        if api_key and password:
            source = click.get_current_context().get_parameter_source
            from_flags = [name for name in ("api_key", "password") if source(name) is ParameterSource.COMMANDLINE]
            if len(from_flags) == 2:
                raise click.UsageError("give either --api-key or --password, not both")
            # A flag wins over the environment; of two variables it is the key, which is the narrower one.
            api_key = None if from_flags == ["password"] else api_key
        database = self.tenant or ADMIN_DATABASE
        if api_key:
            return KeyClient(self.server, database, api_key=api_key)
        if password:
            return KeyClient(self.server, database, login=(self.user, password))
        raise click.UsageError("credentials are missing: --api-key, or --user and --password")


def _access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    decorators: Sequence[_Decorator] = (
        click.option("--server", required=True, metavar="URL", help="Base URL of the server."),
        click.option("--tenant", metavar="NAME", help="The tenant whose keys are meant; without it, the global ones."),
        click.option(
            "--api-key", envvar="OPENCAAS_API_KEY", show_envvar=True, metavar="KEY",
            help="An API key that may write the keys.",
        ),
        click.option(
            "--user", envvar="OPENCAAS_ADMIN_USER", show_envvar=True, default="admin", show_default=True,
            help="Name of the admin user.",
        ),
        click.option(
            "--password", envvar="OPENCAAS_ADMIN_PASSWORD", show_envvar=True, metavar="TEXT",
            help="Password of the admin user.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    )  # fmt: skip
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


@apikeys.command("list")
@_access_options
@click.option("--show-keys", is_flag=True, help="Print whole keys instead of their beginnings.")
def list_keys(*, as_json: bool, show_keys: bool, **access: Any) -> None:
    """Print keys with their names and what they open: a table on a terminal, else one line per key."""
    with _Access(**access).open() as client:
        keys = list(client.keys())
    shown = [key | {"key": key["key"] if show_keys else _shorten(str(key.get("key", "")))} for key in keys]
    if as_json:
        members = ("key", "name", "description", "permissions")
        _print_json([{name: key[name] for name in members if name in key} for key in shown])
    elif sys.stdout.isatty():
        _print_table(shown)
    else:
        for key in shown:
            fields = (key["key"], key.get("name", ""), " ".join(_describe(key)), key.get("description", ""))
            click.echo("\t".join(_clean(str(field)) for field in fields).rstrip("\t"))


@apikeys.command()
@_access_options
@click.option("--name", metavar="TEXT", help="What people call the key.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option(
    "--permission",
    "prefixes",
    multiple=True,
    metavar="METHODS:PATH",
    help="Methods on all paths that begin so, as in GET,HEAD:/shop.release.content/ (repeatable). READ stands for "
    "GET,HEAD,OPTIONS and ALL for all methods. The path of a tenant's key begins after the tenant.",
)
@click.option(
    "--regex",
    "patterns",
    multiple=True,
    metavar="METHODS:PATTERN",
    help="Methods on all paths that a regular expression matches as a whole (repeatable).",
)
@click.option(
    "--graphql",
    "apps",
    multiple=True,
    metavar="APP",
    help="A GraphQL application, <tenant>/<app> or with --tenant just <app> (repeatable).",
)
@click.option("--key", metavar="KEY", help="The key itself; without it a random UUID.")  # fmt: skip
def create(
    *,
    as_json: bool,
    name: str | None,
    description: str | None,
    prefixes: Sequence[str],
    patterns: Sequence[str],
    apps: Sequence[str],
    key: str | None,
    **access: Any,
) -> None:
    """Store a new key and print it, this once."""
    permissions = [
        *(_parse_permission(text, "PREFIX", "--permission") for text in prefixes),
        *(_parse_permission(text, "REGEX", "--regex") for text in patterns),
        *({"url": app, "permissionMode": "GRAPHQL", "methods": ["POST"]} for app in apps),
    ]
    if not permissions:
        raise click.UsageError("the key would open nothing: give --permission, --regex or --graphql")
    if key == "":
        raise click.UsageError("--key: it is empty")
    secret = key or str(uuid.uuid4())
    told = {"name": name, "description": description}
    document = {
        "_id": secret,
        "key": secret,
        **{member: text for member, text in told.items() if text is not None},
        "permissions": permissions,
    }
    with _Access(**access).open() as client:
        client.create(document)
        address = client.address
    if as_json:
        _print_json({"key": secret, "address": f"{address}/{quote(secret, safe='')}"})
    else:
        click.echo(secret)


@apikeys.command()
@_access_options
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
def delete(*, as_json: bool, keys: Sequence[str], **access: Any) -> None:
    """Delete keys; each is dead on every server within a second. KEY can be - for one key per line of standard input.

    Exit status 1 if one of them is not there.
    """
    with _Access(**access).open() as client:
        results = [(key, client.delete(key)) for key in _read_keys(keys)]
    if as_json:
        _print_json([{"key": _shorten(key), "deleted": deleted} for key, deleted in results])
    else:
        for key, deleted in results:
            click.echo(f"{'deleted' if deleted else 'not found'} {_clean(_shorten(key))}", err=not deleted)
    if not all(deleted for _, deleted in results):
        sys.exit(1)


def _parse_permission(text: str, mode: str, option: str) -> Document:
    methods, colon, url = text.partition(":")
    named = [method.strip().upper() for method in methods.split(",")]
    if not colon or not url:
        raise click.UsageError(f"{option}: '{text}' is not of the form METHODS:PATH, as in GET,HEAD:/content/")
    if unknown := [method for method in named if method not in METHODS and method not in _WORDS]:
        raise click.UsageError(f"{option}: '{unknown[0]}' is no method; there are {', '.join(_WORDS['ALL'])}")
    if mode == "PREFIX" and not url.startswith("/"):
        raise click.UsageError(f"{option}: the path '{url}' does not begin with /, so it would open nothing")
    held = [one for method in named for one in _WORDS.get(method, (method,))]
    return {"url": url, "permissionMode": mode, "methods": list(dict.fromkeys(held))}


def _read_keys(arguments: Sequence[str]) -> Iterator[str]:
    for argument in arguments:
        if argument == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield argument


def _shorten(key: str) -> str:
    """Show enough to tell keys apart, and too little to use one."""
    return key[: min(_SHOWN, len(key) // 3)] + "…"


def _describe(key: Document) -> list[str]:
    described = []
    for permission in key.get("permissions", []):
        mode, url = permission.get("permissionMode", "PREFIX"), permission.get("url", "")
        methods = ",".join(permission.get("methods", []))
        described.append(f"graphql={url}" if mode == "GRAPHQL" else f"{methods}:{url}")
        if mode == "REGEX":
            described[-1] = f"regex={described[-1]}"
    return described


def _print_table(keys: Sequence[Document]) -> None:
    table = Table("key", "name", "opens", "description")
    for key in keys:
        cells = (key["key"], key.get("name", ""), "\n".join(_describe(key)), key.get("description", ""))
        table.add_row(*(Text(_clean(str(cell), keep="\n")) for cell in cells))
    Console().print(table)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _clean(text: str, *, keep: str = "") -> str:
    """Take out what would move the cursor: names are written by others."""
    return "".join(char if char.isprintable() or char in keep else "?" for char in text)
