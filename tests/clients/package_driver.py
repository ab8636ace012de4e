"""The published ``fsxa-api`` package in a Node process that takes orders line by line."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.npm import link_packages
from tests.tools import requires

__all__ = ["ClientError", "Package", "running_package"]

HERE = Path(__file__).resolve().parent
FILES = ("package.json", "package-lock.json", "drive.js")


class ClientError(Exception):
    """What the package threw.

    Attributes:
        status: the HTTP status that the package put on it.
    """

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Package:
    """The package, set up for one server."""

    process: subprocess.Popen[str]
    config: Mapping[str, Any]

    def configured(self, **changes: Any) -> "Package":
        """Give the same package with other settings."""
        return Package(self.process, {**self.config, **changes})

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of ``FSXARemoteApi``.

        Raises:
            ClientError: the package threw.
        """
        return self._order({"config": self.config, "call": method, "with": parameters})

    def fetch(self, url: str, **options: Any) -> Any:
        """Send a request as Node sends it; gives status, headers and body."""
        return self._order({"url": url, "fetch": options})

    def listen(self, name: str) -> str:
        """Let ``CaaSEventStream`` listen to the configured collection; gives the media type of what it passes on."""
        media_type: str = self._order({"config": self.config, "stream": name})
        return media_type

    def heard(self, name: str) -> list[Any]:
        """Give the events that came since this was asked last."""
        events: list[Any] = self._order({"heard": name})
        return events

    def _order(self, order: Mapping[str, Any]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": {"message": "Node ended", "status": null}}')
        if "error" in answer:
            raise ClientError(answer["error"]["message"], answer["error"]["status"])
        return answer.get("result")


@contextmanager
def running_package(folder: Path, config: Mapping[str, Any]) -> Iterator[Package]:
    """Install the package, as the lock file says, in a folder of its own and start a process that uses it."""
    node = requires("node")
    for name in FILES:
        shutil.copy(HERE / name, folder)
    link_packages(HERE, folder)
    with (
        (folder / "node.log").open("w") as log,
        subprocess.Popen(
            [node, "drive.js"], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        try:
            yield Package(process, config)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)
