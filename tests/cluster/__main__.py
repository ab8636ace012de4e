"""A cluster on this machine to start and to kill things in: ``make cluster``.

It prints what runs where, and takes orders line by line; a part that ends by itself is told.
"""

import os
import select
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

import click

from tests.cluster.bed import Bed, Server
from tests.cluster.members import Member

__all__ = ["main"]

_SIGNALS: Final = {
    "kill": signal.SIGKILL,
    "stop": signal.SIGTERM,
    "hang": signal.SIGSTOP,
    "go-on": signal.SIGCONT,
}
_HELP: Final = """\
status            what runs, who is primary, which servers get requests
kill NAME         kill -9
stop NAME         SIGTERM, and wait for its end
hang NAME         SIGSTOP: it is there and does nothing; go-on NAME wakes it up
start NAME        start it again, where it was
restart NAME      stop and start
quit              end everything (so does Ctrl-C)
"""


@click.command()
@click.option("--servers", type=click.IntRange(1, 5), default=2, show_default=True, help="Servers behind the balancer.")
@click.option("--workers", type=click.IntRange(1, 8), default=1, show_default=True, help="Processes of each server.")
@click.option("--members", type=click.IntRange(1, 7), default=3, show_default=True, help="Members of the replica set.")
@click.option("--port", type=int, default=8080, show_default=True, help="Port of the balancer; 0 takes a free one.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where data are kept; else they go at the end.",
)
def main(servers: int, workers: int, members: int, port: int, directory: Path | None) -> None:
    """Start a replica set, servers and a balancer on loopback, and take orders from standard input."""
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="opencaas-cluster-") as temporary:
        place = directory or Path(temporary)
        click.echo(f"starting {members} members of a replica set and {servers} servers; logs are in {place}")
        try:
            with Bed(place, servers=servers, workers=workers, members=members, port=port) as bed:
                click.echo(_facts(bed))
                click.echo(_status(bed))
                _take_orders(bed)
        except KeyboardInterrupt:
            click.echo("ended")


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _facts(bed: Bed) -> str:
    return (
        f"ready {bed.balancer.url}\nadmin: user {bed.admin[0]}, password in {bed.password_file}\n"
        f"orders: status, kill, stop, hang, go-on, start, restart, quit; help says more"
    )


def _status(bed: Bed) -> str:
    states: dict[str, str] = {member.name: bed.replica_set.state(member) for member in bed.replica_set.members}
    for server in bed.servers:
        ready = "READY" if server.url in bed.balancer.ready else "NOT READY"
        states[server.name] = ready if server.running else "DOWN"
    return "\n".join(f"{name:10} {_pid(part):>12}  {states[name]}" for name, part in bed.parts.items())


def _pid(part: Member | Server) -> str:
    process = part.process if isinstance(part, Member) else part.live.process if part.live else None
    return f"pid {process.pid}" if process is not None and part.running else "-"


def _take_orders(bed: Bed) -> None:
    """Carry out what is typed; where nobody can type, wait for a signal."""
    running = set(bed.parts)
    typed, listening = b"", True
    while True:
        readable, _, _ = select.select([sys.stdin] if listening else [], [], [], 0.5)
        if readable:
            more = os.read(sys.stdin.fileno(), 4096)
            listening = bool(more)
            *lines, typed = (typed + more).split(b"\n")
            for words in (line.decode(errors="replace").split() for line in lines):
                if words == ["quit"]:
                    return
                if words:
                    click.echo(_carry_out(bed, words))
        now = {name for name, part in bed.parts.items() if part.running}
        for name in sorted(running - now):
            click.echo(f"{name} has ended; 'start {name}' starts it again")
        running = now


def _carry_out(bed: Bed, words: list[str]) -> str:
    order, *names = words
    if order == "status":
        return _status(bed)
    if order not in {*_SIGNALS, "start", "restart"} or len(names) != 1:
        return _HELP
    part = bed.parts.get(names[0])
    if part is None:
        return f"there is no {names[0]}; 'status' names all parts"
    if order in _SIGNALS or order == "restart":
        if not part.running:
            return f"{part.name} does not run"
        _send(part, _SIGNALS.get(order, signal.SIGTERM))
    if order in {"start", "restart"}:
        if part.running:
            return f"{part.name} runs already"
        if isinstance(part, Member):
            bed.replica_set.start_member(part)
        else:
            part.start()
    return f"{order} {part.name}: done"


def _send(part: Member | Server, number: signal.Signals) -> None:
    if isinstance(part, Member):
        part.kill(number)
    elif number in {signal.SIGSTOP, signal.SIGCONT}:
        assert part.live is not None
        for process in part.live.family():
            process.send_signal(number)
    else:
        part.stop(number)


if __name__ == "__main__":
    main()
