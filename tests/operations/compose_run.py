"""The services of compose.yaml without a container engine: their commands, users and health checks, in one network.

Run inside namespaces of its own (``unshare --net --mount --pid --fork --mount-proc``), with a JSON object on standard
input: ``tree``, the image's, ``mongod``, the program in place of the image mongo, and ``environment``, what is in
``.env``. Prints what a client of the server saw, as JSON. When it ends, the kernel ends all that it started.

What differs from an engine: the services share a network and one machine's names; mongod is this machine's, as root.
"""

import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.operations.chroot import Chroot
from tests.operations.dockerfile import read_dockerfile
from tests.operations.image import ROOT, Image, configured

__all__ = ["interpolate", "read_compose"]

SECONDS = 90.0


def read_compose(environment: Mapping[str, str]) -> dict[str, Any]:
    """Read compose.yaml with variables filled in.

    Raises:
        KeyError: a variable that is not set.
    """
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    filled: dict[str, Any] = interpolate(yaml.safe_load(text), environment)
    return filled


def interpolate(value: Any, environment: Mapping[str, str]) -> Any:
    """Fill in ``${NAME:?message}`` and undo ``$$``: what compose.yaml has of the language of variables."""
    if isinstance(value, dict):
        return {name: interpolate(inner, environment) for name, inner in value.items()}
    if isinstance(value, list):
        return [interpolate(inner, environment) for inner in value]
    if isinstance(value, str):
        return re.sub(r"\$(?:\$|\{(\w+):\?[^}]*\})", lambda found: environment[found[1]] if found[1] else "$", value)
    return value


def run_services(tree: Path, mongod: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Start MongoDB, the keeper and the server in the order of ``depends_on``, and be the server's client."""
    services = read_compose(environment)["services"]
    image = configured(Image(tree=Chroot(tree)), read_dockerfile(ROOT / "Dockerfile")[-1])
    database = services["mongo"]
    env = os.environ | database["environment"] | {"PATH": f"{mongod.parent}:{os.environ['PATH']}", "LC_ALL": "C"}
    Path("/run/db").mkdir()
    words = [*database["entrypoint"], *database["command"]]
    script = [word.replace("/data/db", "/run/db").replace("/tmp/", "/run/") for word in words]
    with Path("/run/mongod.log").open("wb") as log:
        subprocess.Popen(script, env=env, stdout=log, stderr=log)
    keeper = start(image, services["replica-set"])
    await_health(keeper, image.line(*services["replica-set"]["healthcheck"]["test"][1:], entrypoint=[]))
    server = start(image, services["server"])
    await_health(server, image.line(*image.health, entrypoint=[]))
    auth = ("admin", environment["OPENCAAS_ADMIN_PASSWORD"])
    with httpx.Client(base_url="http://127.0.0.1:8080", auth=auth, timeout=30) as client:
        made = [client.put(path, json={}).status_code for path in ("/acme", "/acme/pages", "/acme/pages/one")]
        return {"made": made, "read": client.get("/acme/pages/one").json()["_id"]}


def start(image: Image, service: Mapping[str, Any]) -> "subprocess.Popen[bytes]":
    """Start a service of the image."""
    line = image.line(*service.get("command", ()), env=service["environment"], entrypoint=service.get("entrypoint"))
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=sys.stderr)


def await_health(process: "subprocess.Popen[bytes]", check: list[str]) -> None:
    """Repeat a health check until it says that all is well.

    Raises:
        TimeoutError: it did not, or the process ended.
    """
    deadline = time.monotonic() + SECONDS
    while subprocess.run(check, capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"not healthy, status {process.returncode}")
        time.sleep(0.5)


def raise_loopback() -> None:
    """Bring up the network's one interface, as ``ip link set lo up`` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0x1))  # SIOCSIFFLAGS, IFF_UP


if __name__ == "__main__":
    raise_loopback()
    given = json.load(sys.stdin)
    for line in (
        "mount -t tmpfs tmpfs /run",
        "printf '127.0.0.1 localhost mongo\\n' > /run/hosts",
        "mount --bind /run/hosts /etc/hosts",
        f"mount --bind /run/hosts {given['tree']}/etc/hosts",
    ):
        subprocess.run(line, shell=True, check=True)
    print(json.dumps(run_services(Path(given["tree"]), Path(given["mongod"]), given["environment"])))  # noqa: T201
