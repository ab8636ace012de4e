"""A real Prometheus that watches a real server, as the Prometheus Operator would have it watch a pod."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from tests.live import LiveServer, eventually
from tests.patience import PATIENCE
from tests.ports import free_port

__all__ = ["LABELS", "Prometheus", "watching"]

LABELS: Final = {"namespace": "content", "pod": "caas-rest-api-a", "service": "caas-rest-api"}
"""What the operator adds to everything that it finds."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Ask something; gives labels and values, and the test fails if it is no query."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=30).json()
        assert "success" == answer["status"], f"{query}: {answer}"
        found: list[Any] = answer["data"]["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]


@contextmanager
def watching(program: Path, server: LiveServer, folder: Path) -> Iterator[Prometheus]:
    """Start a Prometheus that asks a server every second, and end it afterwards."""
    user, password = server.admin
    job = {
        "job_name": "caas",
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "metrics_path": "/_metrics",
        "basic_auth": {"username": user, "password": password},
        "static_configs": [{"targets": [server.url.removeprefix("http://")], "labels": LABELS}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump({"scrape_configs": [job]}), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            program,
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=error",
        ]
    )
    try:
        running = Prometheus(f"http://{address}")
        assert eventually(lambda: _well(running)), "Prometheus does not reach the server"
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _well(prometheus: Prometheus) -> bool:
    try:
        return bool(prometheus.ask("up == 1"))
    except (httpx.HTTPError, ValueError):
        return False
