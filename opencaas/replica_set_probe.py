"""What Kubernetes asks a keeper: does it do its rounds (``/live``), may clients go to its ``mongod`` (``/ready``)."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from content_core.store.replica_set_keeper import Condition

__all__ = ["Probe"]

_REQUEST_SECONDS: Final = 5.0


class Probe:
    """A small HTTP server that shows the keeper's last round, and nothing that is secret.

    Args:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        stale_seconds: how old the last round may be: past it the answer is 503 whatever the round found.
    """

    def __init__(self, *, host: str, port: int, stale_seconds: float) -> None:
        self._stale_seconds = stale_seconds
        self._last: tuple[float, Condition | None] = (time.monotonic(), None)
        self._server = (_IPv6Server if ":" in host else ThreadingHTTPServer)((host, port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="probe", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def note(self, condition: Condition) -> None:
        """Remember what a round found."""
        self._last = (time.monotonic(), condition)

    def answer(self, path: str) -> tuple[int, dict[str, object]]:
        """Answer a path with a status and a body."""
        then, condition = self._last
        fresh = time.monotonic() - then <= self._stale_seconds
        if path == "/live":
            return (200 if fresh else 503), {"live": fresh}
        if path == "/ready":
            ready = fresh and condition is not None and condition.ready
            return (200 if ready else 503), {"ready": ready, "state": condition.state if condition else "unknown"}
        return 404, {"message": "There are /live and /ready"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _IPv6Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6


def _handler(probe: Probe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_SECONDS

        def do_GET(self) -> None:
            status, body = probe.answer(self.path)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def version_string(self) -> str:
            return "opencaas"

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Log no request: the kubelet asks every few seconds."""

    return Handler
