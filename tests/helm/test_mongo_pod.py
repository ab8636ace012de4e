"""A pod of MongoDB as the chart describes it, run as processes: key file, mongod and keeper, from nothing to its users.

Paths, addresses and ports are those of this machine; every other flag and variable is the rendered one.
"""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from content_core.store.mongod_binary import find_mongod
from tests.helm.rendering import Chart, Object, Rendering
from tests.helm.test_secrets import NAME, read_secret
from tests.live import OPENCAAS, environment, eventually
from tests.patience import PATIENCE
from tests.ports import free_port

WORKLOAD = ("StatefulSet", "caas-mongo")
VALUES = {"mongo": {"replicas": 1, "replicaSetName": "shop0", "wiredTigerCacheSizeGB": 0.25}}


def flags(container: Object) -> dict[str, str]:
    """Return the arguments of a container by name; those without a value have an empty one."""
    pairs = (argument.partition("=") for argument in container["args"])
    return {name: value for name, _, value in pairs}


@contextmanager
def running(command: list[str], log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for a while."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment(env))
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


@dataclass(frozen=True, slots=True)
class Pod:
    """The pod that runs."""

    port: int
    probe: str
    secret: dict[str, str]
    keeper: dict[str, str]
    process: subprocess.Popen[bytes]

    def uri(self, name: str) -> str:
        """Take one of the secret's addresses, with this machine in the place of the cluster's hosts."""
        start, _, rest = self.secret[name].partition("@")
        return f"{start}@127.0.0.1:{self.port}/{rest.partition('/')[2]}"


def keeper_variables(rendering: Rendering, folder: Path, port: int) -> dict[str, str]:
    """Take the keeper's variables and lay out the files that they name."""
    given: dict[str, Any] = rendering.environment(*WORKLOAD, "keeper")
    secret = read_secret(rendering.one("Secret", NAME))
    (volume,) = (each for each in rendering.template(*WORKLOAD)["spec"]["volumes"] if each["name"] == "credentials")
    (folder / "credentials").mkdir()
    for item in volume["projected"]["sources"][0]["secret"]["items"]:
        (folder / "credentials" / item["path"]).write_text(secret[item["key"]], encoding="utf-8")
    (folder / "members").write_text(f"127.0.0.1:{port}\n", encoding="utf-8")
    (folder / "keeper").mkdir()
    places = {
        "/run/credentials": "credentials",
        "/run/members/members": "members",
        "/run/keeper/primary": "keeper/primary",
    }
    kept = {
        name: str(folder / places[value]) if value in places else value
        for name, value in given.items()
        if isinstance(value, str)
    }
    assert [place for place in places if place not in given.values()] == []
    return kept | {
        "OPENCAAS_REPLICA_SET_HOST": f"127.0.0.1:{port}",
        "OPENCAAS_REPLICA_SET_MONGOD": f"127.0.0.1:{port}",
        "OPENCAAS_REPLICA_SET_INTERVAL": "0.3",
        "OPENCAAS_REPLICA_SET_PROBE_HOST": "127.0.0.1",
        "OPENCAAS_REPLICA_SET_PROBE_PORT": str(free_port()),
    }


@pytest.fixture(scope="module")
def pod(chart: Chart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    """Start the pod's containers in their order, as Kubernetes does."""
    rendering = chart.render(VALUES)
    folder, port = tmp_path_factory.mktemp("pod"), free_port()
    secret = read_secret(rendering.one("Secret", NAME))

    (first,) = rendering.template(*WORKLOAD)["spec"]["initContainers"]
    (folder / "mounted").write_text(secret["clusterKey"], encoding="utf-8")
    places = {"/run/cluster-key/key": str(folder / "mounted"), "/run/mongod/key": str(folder / "key")}
    for _ in range(2):  # Kubernetes may start it again, over what it has left
        subprocess.run([places.get(part, part) for part in first["command"]], check=True)

    mongod = flags(rendering.container(*WORKLOAD, "mongo"))
    mongod |= {"--dbpath": str(folder / "data"), "--port": str(port), "--keyFile": places[mongod["--keyFile"]]}
    del mongod["--bind_ip_all"]
    (folder / "data").mkdir()
    command = [str(find_mongod(os.environ.get("OPENCAAS_MONGOD")).path), "--bind_ip=127.0.0.1"]
    command += [f"{name}={value}" if value else name for name, value in mongod.items()]
    keeper = keeper_variables(rendering, folder, port)
    probe = f"http://127.0.0.1:{keeper['OPENCAAS_REPLICA_SET_PROBE_PORT']}"
    keep = [str(OPENCAAS), *rendering.container(*WORKLOAD, "keeper")["command"][1:]]
    with running(command, folder / "mongod.log"), running(keep, folder / "keeper.log", keeper) as process:
        assert eventually(lambda: answers(f"{probe}/ready")), (folder / "keeper.log").read_text("utf-8")
        yield Pod(port, probe, secret, keeper, process)


def answers(url: str) -> bool:
    """Whether a probe is satisfied."""
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_key_file_is_for_mongod_alone(pod: Pod) -> None:
    key = Path(pod.keeper["OPENCAAS_REPLICA_SET_CREDENTIALS"]).parent / "key"

    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    assert key.read_text(encoding="utf-8") == pod.secret["clusterKey"]


def test_member_becomes_primary_of_the_named_set(pod: Pod) -> None:
    with MongoClient[dict[str, Any]](pod.uri("mongoUri")) as client:
        said = client.admin.command("hello")

    assert said["setName"] == "shop0"
    assert said["isWritablePrimary"]
    assert Path(pod.keeper["OPENCAAS_REPLICA_SET_PRIMARY_FILE"]).exists()


def test_probes_of_the_pod_are_answered(chart: Chart, pod: Pod) -> None:
    keeper = chart.render(VALUES).container(*WORKLOAD, "keeper")
    paths = [keeper[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")]

    assert [path for path in paths if not answers(pod.probe + path)] == []


def test_servers_address_lets_them_write(pod: Pod) -> None:
    with MongoClient[dict[str, Any]](pod.uri("mongoUri")) as client:
        client["tenant"]["things"].insert_one({"_id": 1})

        assert client["tenant"]["things"].count_documents({}) == 1


def test_exporters_address_lets_it_watch_alone(pod: Pod) -> None:
    with MongoClient[dict[str, Any]](pod.uri("mongoMetricsUri")) as client:
        assert client.admin.command("replSetGetStatus")["set"] == "shop0"
        assert client.admin.command("serverStatus")["ok"] == 1
        with pytest.raises(OperationFailure, match="not authorized"):
            client["tenant"]["things"].insert_one({"_id": 2})


def test_nobody_gets_in_without_a_password(pod: Pod) -> None:
    stranger = MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{pod.port}/?directConnection=true")
    with stranger as client, pytest.raises(OperationFailure, match="requires authentication"):
        client["tenant"]["things"].find_one()


def test_person_in_the_pod_sees_the_members(pod: Pod) -> None:
    """``kubectl exec caas-mongo-0 -c keeper -- opencaas replica-set status`` needs no flags."""
    asked = [str(OPENCAAS), "replica-set", "status", "--json"]
    done = subprocess.run(asked, env=environment(pod.keeper), capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert f"127.0.0.1:{pod.port}" in done.stdout


def test_primary_hands_over_before_mongod_ends(chart: Chart, pod: Pod) -> None:
    """The hook before mongod's end waits for the keeper, which is told at the same time; the last test of the pod."""
    hook = chart.render(VALUES).container(*WORKLOAD, "mongo")["lifecycle"]["preStop"]["exec"]["command"]
    primary = pod.keeper["OPENCAAS_REPLICA_SET_PRIMARY_FILE"]
    line = [part.replace("/run/keeper/primary", primary) for part in hook]
    assert primary in line[-1]
    with subprocess.Popen(line) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1)
        pod.process.terminate()

        assert waiting.wait(PATIENCE) == 0
    assert pod.process.wait(PATIENCE) == 0
    assert subprocess.run(line, timeout=PATIENCE, check=False).returncode == 0
