"""The whole bed: a replica set, servers started with the real command, a balancer; each part has a name and a life."""

import secrets
import signal
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from tests.cluster.balancer import HOST, Balancer, running_balancer
from tests.cluster.members import Member, ReplicaSet, remembered
from tests.live import LiveServer, live_server
from tests.ports import free_port

__all__ = ["DRAIN_SECONDS", "Bed", "Server"]

DRAIN_SECONDS: Final = 2.0
"""Eight rounds of the balancer's probes, so that it has looked elsewhere when a server stops."""


@dataclass(slots=True)
class Server:
    """One ``opencaas serve``.

    Args:
        name: what people call it, ``server-0`` say.
        port: where it listens; the same after every start.
        workers: its processes that answer.
        directory: where it is started.
        environment: its settings.
        live: the running one.
    """

    name: str
    port: int
    workers: int
    directory: Path
    environment: dict[str, str]
    live: LiveServer | None = None
    _life: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Its own address, past the balancer."""
        return f"http://{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its main process is there."""
        return self.live is not None and self.live.process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StartError: it did not become ready.
        """
        arguments = ("--port", str(self.port), "--workers", str(self.workers))
        self._life.close()
        self.live = self._life.enter_context(live_server(self.directory, *arguments, env=self.environment))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """Send a signal and wait for its end; gives the exit status, None if it did not run."""
        return self.live.stop(number) if self.live is not None else None

    def close(self) -> None:
        """End it, however it is."""
        self._life.close()


class Bed:
    """All of it; a context manager, to be used in the main thread.

    Args:
        directory: where everything is kept.
        servers: how many.
        workers: processes of each.
        members: members of the replica set.
        port: of the balancer; 0 takes a free one.
        options: what is added to the MongoDB URI, ``&…``.

    Attributes:
        replica_set: the members.
        servers: the servers.
        admin: user and password of the admin.
        password_file: where the password is kept.
        balancer: in front of the servers, once it runs.
    """

    def __init__(
        self, directory: Path, *, servers: int = 2, workers: int = 1, members: int = 3, port: int = 0, options: str = ""
    ) -> None:
        self.replica_set = ReplicaSet(directory / "mongodb", members=members)
        self.password_file = directory / "admin-password"
        self.admin = ("admin", remembered(self.password_file, lambda: secrets.token_hex(16)))
        self.balancer: Balancer
        self._port = port
        self._stack = ExitStack()
        environment = {
            "OPENCAAS_MONGODB_URI": self.replica_set.uri + options,
            "OPENCAAS_ADMIN_PASSWORD": self.admin[1],
            "OPENCAAS_TOKEN_SECRET": remembered(directory / "token-secret", lambda: secrets.token_hex(32)),
            "OPENCAAS_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        self.servers = [
            Server(f"server-{place}", free_port(), workers, directory / f"server-{place}", environment)
            for place in range(servers)
        ]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.replica_set)
            for server in self.servers:
                stack.callback(server.close)
                server.start()
            urls = [server.url for server in self.servers]
            self.balancer = stack.enter_context(running_balancer(urls, port=self._port))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def parts(self) -> dict[str, Member | Server]:
        """Members and servers by name."""
        parts: list[Member | Server] = [*self.replica_set.members, *self.servers]
        return {part.name: part for part in parts}
