"""``opencaas replica-set keep | status | remove``: a MongoDB replica set, from beside one of its members."""

import json
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import structlog
from rich.console import Console
from rich.table import Table

from content_core.errors import ReplicaSetError
from content_core.store.replica_set_access import read_credentials
from content_core.store.replica_set_admin import SetStatus, read_status, remove_member
from content_core.store.replica_set_keeper import Condition, Keeper, read_members
from content_core.store.replica_set_member import Mongod
from opencaas.logs import configure_logging
from opencaas.replica_set_probe import Probe

__all__ = ["replica_set"]

_log = structlog.stdlib.get_logger("opencaas.replica_set")
_STALE_ROUNDS: Final = 6
_LEAST_STALE_SECONDS: Final = 120.0
"""A round may wait a minute for other members; only past that the keeper counts as stuck."""


_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _option(name: str, variable: str, **options: Any) -> _Decorator:
    return click.option(name, envvar=f"OPENCAAS_REPLICA_SET_{variable}", show_envvar=True, **options)


_file = click.Path(path_type=Path, dir_okay=False)
_members = _option("--members", "MEMBERS", required=True, type=_file, help="File of the expected members, host:port.")
_credentials = _option(
    "--credentials", "CREDENTIALS", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the secrets: mongoRootUser, mongoRootPassword, mongoUser, mongoPassword, mongoMetricsUser, "
    "mongoMetricsPassword and clusterKey, one file each.",
)  # fmt: skip
_mongod = _option(
    "--mongod", "MONGOD", default="127.0.0.1:27017", show_default=True, metavar="HOST:PORT",
    help="The mongod on this host.",
)  # fmt: skip
_timeout = _option(
    "--timeout", "TIMEOUT", default=5.0, show_default=True, type=click.FloatRange(0.5, 60),
    help="Seconds until a member that says nothing counts as away.",
)  # fmt: skip


@click.group("replica-set")
def replica_set() -> None:
    """Set up a MongoDB replica set and let it grow; look at it; take a member out.

    The commands run beside a member, since MongoDB lets only its own host make the first user.
    """


@replica_set.command()
@_option("--name", "NAME", required=True, help="Name of the replica set.")
@_option("--host", "HOST", required=True, metavar="HOST:PORT", help="How the other members know this one.")
@_members
@_credentials
@_mongod
@_option(
    "--interval",
    "INTERVAL",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.1, 300),
    help="Seconds between two rounds.",
)
@_option(
    "--max-lag",
    "MAX_LAG",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0, 3600),
    help="Seconds that a new member may be behind when it gets its vote.",
)
@_option(
    "--election-timeout",
    "ELECTION_TIMEOUT",
    default=10.0,
    show_default=True,
    type=click.FloatRange(1, 60),
    help="Seconds without a primary until another one is elected; set when the set begins.",
)
@_timeout
@_option("--probe-host", "PROBE_HOST", default="127.0.0.1", show_default=True, help="Address for /live and /ready.")
@_option(
    "--probe-port",
    "PROBE_PORT",
    type=click.IntRange(0, 65535),
    help="Port for /live and /ready; without it nobody is answered, 0 takes a free one.",
)
@_option("--primary-file", "PRIMARY_FILE", type=_file, help="File that is there while this member is the primary.")
def keep(*, interval: float, probe_host: str, probe_port: int | None, primary_file: Path | None, **given: Any) -> None:
    """Keep the replica set as the list of members says, until SIGTERM.

    The first member of the list begins the set once all are there, unless one of them is in a set already. The
    primary's keeper makes the users and lets further members of the list join, one at a time: without a vote until
    they have caught up. No member is ever taken out. At SIGTERM a primary hands over to another member.
    """  # fmt: skip
    configure_logging(level="info", form="auto")
    keeper = Keeper(**given)
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    # A keeper that was killed could not take the file away; one that cannot write it says so at once.
    _mark(primary_file, there=True)
    _mark(primary_file, there=False)
    if probe_port is None:
        _keep(keeper, end, interval=interval, probe=None, primary_file=primary_file)
        return
    stale = _STALE_ROUNDS * (interval + float(given["timeout"]))
    try:
        opened = Probe(host=probe_host, port=probe_port, stale_seconds=max(stale, _LEAST_STALE_SECONDS))
    except OSError as error:
        raise ReplicaSetError(f"{probe_host}:{probe_port} cannot be listened on: {error.strerror}") from None
    with opened as probe:
        click.echo(f"ready http://{probe_host}:{probe.port}")
        sys.stdout.flush()
        _keep(keeper, end, interval=interval, probe=probe, primary_file=primary_file)


def _keep(
    keeper: Keeper, end: threading.Event, *, interval: float, probe: Probe | None, primary_file: Path | None
) -> None:
    former: Condition | None = None
    while not end.is_set():
        condition = keeper.look()
        if condition != former:
            tell = _log.warning if condition.problem else _log.info
            tell(condition.text, state=condition.state, ready=condition.ready)
            former = condition
        if probe:
            probe.note(condition)
        _mark(primary_file, there=condition.primary)
        end.wait(interval)
    try:
        if keeper.hand_over():
            _log.info("Handed over to another member")
    except ReplicaSetError as error:
        # mongod itself tries once more when it ends.
        _log.warning("Did not hand over", reason=error.message)
    finally:
        _mark(primary_file, there=False)


def _mark(path: Path | None, *, there: bool) -> None:
    if path is None:
        return
    try:
        if there:
            path.touch()
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise ReplicaSetError(f"The file {path} cannot be written: {error.strerror}") from None


@replica_set.command()
@_members
@_credentials
@_mongod
@_timeout
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(*, members: Path, credentials: Path, mongod: str, timeout: float, as_json: bool) -> None:
    """Print the members of the set, as the mongod on this host sees them: a table on a terminal, else JSON.

    Ends with status 1 if there is no primary, or an expected member is missing or not up.
    """
    found = read_status(Mongod(mongod, timeout), read_credentials(credentials).root, read_members(members))
    if as_json or not sys.stdout.isatty():
        click.echo(json.dumps(asdict(found) | {"healthy": found.healthy}))
    else:
        _print_table(found)
    if not found.healthy:
        sys.exit(1)


@replica_set.command()
@click.argument("host")
@_members
@_credentials
@_mongod
@_timeout
def remove(*, host: str, members: Path, credentials: Path, mongod: str, timeout: float) -> None:
    """Take HOST, which is host:port, out of the set. Its data stay where they are.

    Refused while HOST is in the list of members, and if those that stay would not be enough to elect a primary. If
    HOST is the primary, another member becomes it first.
    """
    remove_member(Mongod(mongod, timeout), read_credentials(credentials).root, host, read_members(members))
    click.echo(f"{host} is out of the set")


def _print_table(found: SetStatus) -> None:
    table = Table("member", "state", "votes", "priority", "lag", "version", title=f"Replica set {found.name}")
    for member in found.members:
        lag = "" if member.lag_seconds is None else f"{member.lag_seconds:.0f} s"
        table.add_row(
            member.host, member.state, str(member.votes), f"{member.priority:g}", lag, member.version or "no answer"
        )
    console = Console()
    console.print(table)
    console.print(f"Feature compatibility version {found.compatibility}")
    for text, hosts in (("Missing", found.missing), ("Not expected", found.unexpected)):
        if hosts:
            console.print(f"{text}: {', '.join(hosts)}")
