"""A small API server of Kubernetes: enough for helm to install, upgrade and remove the chart, and for ``lookup``.

It keeps objects and runs nothing. A patch is a merge patch (RFC 7396) whatever it calls itself, so lists are replaced
as a whole; tests look at objects whose lists do not change.
"""

import json
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.helm.rendering import CHART, NAMESPACE, RELEASE, Object, run_helm

__all__ = ["Cluster"]

_KINDS: Final = {
    "v1": ("ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"),
    "apps/v1": ("Deployment", "StatefulSet"),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "autoscaling.k8s.io/v1": ("VerticalPodAutoscaler",),
    "batch/v1": ("CronJob", "Job"),
    "monitoring.coreos.com/v1": ("PrometheusRule", "ServiceMonitor"),
    "networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
    "policy/v1": ("PodDisruptionBudget",),
}


def _plural(kind: str) -> str:
    name = kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def _merged(old: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif not name.startswith("$"):
            merged[name] = _merged(merged.get(name), value)
    return merged


def _discovery(path: str) -> Object | None:
    match path.strip("/").split("/"):
        case ["version"]:
            return {"major": "1", "minor": "31", "gitVersion": "v1.31.0"}
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            groups = []
            for version in _KINDS:
                if "/" in version:
                    named = {"groupVersion": version, "version": version.split("/")[1]}
                    groups.append({"name": version.split("/")[0], "versions": [named], "preferredVersion": named})
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["api" | "apis", *rest] if (version := "/".join(rest)) in _KINDS:
            verbs = ["create", "delete", "get", "list", "patch", "update"]
            resources = [
                {"name": _plural(kind), "singularName": "", "namespaced": True, "kind": kind, "verbs": verbs}
                for kind in _KINDS[version]
            ]
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}
    return None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _protobuf(data: bytes) -> dict[int, list[bytes]]:
    """Take a message of Protocol Buffers apart: the contents of each field of length-delimited kind, by number."""
    found: dict[int, list[bytes]] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, at = _varint(data, at)
        if tag & 7 == 2:
            found.setdefault(tag >> 3, []).append(data[at : at + value])
            at += value
    return found


def _secret_of_release(body: bytes) -> Object:
    """Read a secret as helm's client sends its own records of releases: as Protocol Buffers in Kubernetes' envelope."""
    secret = _protobuf(_protobuf(body.removeprefix(b"k8s\0"))[2][0])
    metadata = _protobuf(secret[1][0])

    def mapping(entries: list[bytes]) -> Iterator[tuple[str, bytes]]:
        for entry in entries:
            read = _protobuf(entry)
            yield read[1][0].decode(), read[2][0]

    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": metadata[1][0].decode(),
            "labels": {name: value.decode() for name, value in mapping(metadata[11])},
        },
        "data": {name: b64encode(value).decode() for name, value in mapping(secret[2])},
        "type": secret[3][0].decode(),
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: in two, the second waits for 40 ms, and helm asks fifty times.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: "_Server"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""

    def _answer(self, body: Object, status: HTTPStatus = HTTPStatus.OK) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        message = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": int(status)}
        self._answer(message | {"message": f"{self.path}: {reason}"}, status)

    def _received(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _body(self) -> Any:
        body = self._received()
        return _secret_of_release(body) if body.startswith(b"k8s\0") else json.loads(body or b"{}")

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if (described := _discovery(asked.path)) is not None:
            return self._answer(described)
        if (found := self.server.objects.get(asked.path)) is not None:
            return self._answer(found)
        if kind := self.server.plurals.get(asked.path.rpartition("/")[2]):
            wanted = [
                label.split("=") for label in parse_qs(asked.query).get("labelSelector", [""])[0].split(",") if label
            ]
            version = asked.path.partition("/namespaces/")[0].removeprefix("/apis/").removeprefix("/api/")
            items = [
                each
                for path, each in sorted(self.server.objects.items())
                if path.rpartition("/")[0] == asked.path
                and all(each["metadata"].get("labels", {}).get(name) == value for name, value in wanted)
            ]
            return self._answer({"kind": f"{kind}List", "apiVersion": version, "metadata": {}, "items": items})
        return self._refuse(HTTPStatus.NOT_FOUND, "NotFound")

    def do_POST(self) -> None:
        created = self._body()
        path = f"{urlsplit(self.path).path}/{created['metadata']['name']}"
        if path in self.server.objects:
            return self._refuse(HTTPStatus.CONFLICT, "AlreadyExists")
        return self._store(path, created, HTTPStatus.CREATED)

    def do_PUT(self) -> None:
        self._store(urlsplit(self.path).path, self._body(), HTTPStatus.OK)

    def do_PATCH(self) -> None:
        path = urlsplit(self.path).path
        if path not in self.server.objects:
            return self._refuse(HTTPStatus.NOT_FOUND, "NotFound")
        return self._store(path, _merged(self.server.objects[path], self._body()), HTTPStatus.OK)

    def do_DELETE(self) -> None:
        self._received()
        if self.server.objects.pop(urlsplit(self.path).path, None) is None:
            return self._refuse(HTTPStatus.NOT_FOUND, "NotFound")
        return self._answer({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _store(self, path: str, kept: Object, status: HTTPStatus) -> None:
        kept["metadata"]["namespace"] = path.split("/")[-3]
        # The real one turns stringData into data as well.
        if plain := kept.pop("stringData", None):
            kept["data"] = kept.get("data", {}) | {
                name: b64encode(value.encode()).decode() for name, value in plain.items()
            }
        self.server.objects[path] = kept
        self._answer(kept, status)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.plurals = {_plural(kind): kind for kinds in _KINDS.values() for kind in kinds}
        super().__init__(("127.0.0.1", 0), _Handler)


@dataclass(slots=True)
class Cluster:
    """A running API server and helm, which takes it for a cluster."""

    helm: Path
    kubeconfig: Path
    server: _Server = field(repr=False)

    @classmethod
    @contextmanager
    def start(cls, helm: Path, folder: Path) -> Iterator["Cluster"]:
        """Run an empty one; ``folder`` gets the file by which helm finds it."""
        server = _Server()
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        kubeconfig = folder / "kubeconfig"
        named = {"name": "small"}
        described = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [named | {"cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
            "users": [named | {"user": {}}],
            "contexts": [named | {"context": {"cluster": "small", "user": "small"}}],
            "current-context": "small",
        }
        kubeconfig.write_text(json.dumps(described), encoding="utf-8")
        try:
            yield cls(helm, kubeconfig, server)
        finally:
            server.shutdown()
            serving.join()
            server.server_close()

    def put(self, described: Object) -> None:
        """Have an object there, as somebody else made it."""
        version, kind = described["apiVersion"], described["kind"]
        room = f"/{'apis' if '/' in version else 'api'}/{version}/namespaces/{NAMESPACE}/{_plural(kind)}"
        kept = described | {"metadata": {"namespace": NAMESPACE} | described["metadata"]}
        self.server.objects[f"{room}/{described['metadata']['name']}"] = kept

    def remove(self, kind: str, name: str) -> None:
        """Take an object away, as a person does with ``kubectl delete``."""
        (path,) = (path for path in self.server.objects if path.endswith(f"/{NAMESPACE}/{_plural(kind)}/{name}"))
        del self.server.objects[path]

    def objects(self, kind: str) -> dict[str, Object]:
        """List the objects of a kind by name, without helm's own records of releases."""
        return {
            each["metadata"]["name"]: each
            for path, each in self.server.objects.items()
            if path.split("/")[-2] == _plural(kind) and each.get("type") != "helm.sh/release.v1"
        }

    def run(self, *arguments: str, values: Mapping[str, Any] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run helm against this cluster."""
        connected = ("--kubeconfig", str(self.kubeconfig), "--namespace", NAMESPACE)
        return run_helm(self.helm, *arguments, *connected, values=values)

    def install(self, values: Mapping[str, Any] | None = None) -> "subprocess.CompletedProcess[str]":
        """Install the release, or upgrade it if it is there, with exactly these values."""
        flags = ("--install", "--disable-openapi-validation", "--history-max", "3")
        return self.run("upgrade", RELEASE, str(CHART), *flags, values=values or {})

    def uninstall(self) -> "subprocess.CompletedProcess[str]":
        """Remove the release."""
        return self.run("uninstall", RELEASE)
