"""The replica set of the chart: what its containers run, what changes when it grows, what keeps it from shrinking."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from content_core.store.mongod_binary import find_mongod
from tests.cluster.members import free_port
from tests.content_core.store.members import SECRETS
from tests.helm.cluster import Cluster
from tests.helm.rendering import NAMESPACE, Chart, Object, Rendering, nested
from tests.live import environment, eventually

MONGO = ("StatefulSet", "caas-mongo")
KEY = "abcdefghijklmnop" * 8


def members(rendered: Rendering) -> list[str]:
    """Return the expected members, as the keepers read them."""
    text: str = rendered.one("ConfigMap", "caas-mongo-members")["data"]["members"]
    return text.split()


def args(rendered: Rendering, container: str) -> list[str]:
    """Return the flags of a container."""
    found: list[str] = rendered.container(*MONGO, container)["args"]
    return found


def test_members_are_the_pods_by_their_names(chart: Chart) -> None:
    rendered = chart.render(nested("clusterDomain", "k8s.example"))
    keeper = rendered.environment(*MONGO, "keeper")

    assert members(rendered) == [f"caas-mongo-{n}.caas-mongo.{NAMESPACE}.svc.k8s.example:27017" for n in range(3)]
    assert keeper["OPENCAAS_REPLICA_SET_HOST"].replace("$(POD_NAME)", "caas-mongo-1") == members(rendered)[1]
    service = rendered.one("Service", "caas-mongo")["spec"]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)


def test_growth_restarts_no_member(chart: Chart) -> None:
    # Without a cluster the exporter's password is another random one in each rendering.
    given = nested("credentials.mongoMetricsPassword", "same")
    three, five = chart.render(given), chart.render(given | nested("mongo.replicas", 5))
    assert three.one(*MONGO)["spec"] | {"replicas": 5} == five.one(*MONGO)["spec"]
    assert members(five)[:3] == members(three)


def test_update_of_opencaas_can_leave_members_alone(chart: Chart) -> None:
    """A keeper with an image of its own is not touched by another image of the server."""
    given = nested("credentials.mongoMetricsPassword", "same")
    values = given | {"mongo": {"keeper": {"image": "opencaas:1"}}}
    other = values | {"restApi": {"image": {"tag": "2"}}}

    assert chart.render(values).template(*MONGO) == chart.render(other).template(*MONGO)
    assert chart.render(given).template(*MONGO) != chart.render(given | other | {"mongo": {}}).template(*MONGO)


def test_members_start_together(chart: Chart) -> None:
    """The first one waits for the others; started one after the other, none would ever be ready."""
    assert chart.render().one(*MONGO)["spec"]["podManagementPolicy"] == "Parallel"


def test_volumes_have_no_labels_that_change(chart: Chart) -> None:
    """Kubernetes refuses a change of a claim's template, labels with versions among them."""
    (claim,) = chart.render().one(*MONGO)["spec"]["volumeClaimTemplates"]

    assert not {"helm.sh/chart", "app.kubernetes.io/version"} & claim["metadata"]["labels"].keys()


def test_limits_of_mongod_can_be_left_to_it(chart: Chart) -> None:
    values = {"mongo": {"wiredTigerCacheSizeGB": None, "oplogSizeMB": 2000, "extraArgs": ["--slowms=500"]}}

    assert "--wiredTigerCacheSizeGB=1" in args(chart.render(), "mongo")
    given = args(chart.render(values), "mongo")
    assert [flag for flag in given if "Cache" in flag] == []
    assert {"--oplogSize=2000", "--slowms=500"} <= set(given)


@pytest.mark.parametrize(
    ("image", "flag"),
    [
        ("percona/mongodb_exporter:0.47.1", "--mongodb.connect-timeout-ms=90000"),
        ("registry:5000/mongodb_exporter@sha256:" + "0" * 64, "--mongodb.connect-timeout-ms=90000"),
        ("mongodb-exporter:0.11.0", "--mongodb.sync-timeout=1m30s"),
    ],
    ids=["now", "digest", "of the platform"],
)
def test_exporter_gets_the_timeout_that_its_version_has(chart: Chart, image: str, flag: str) -> None:
    given = args(chart.render({"mongo": {"metrics": {"image": image, "syncTimeout": "1m30s"}}}), "metrics")

    assert [each for each in given if "timeout" in each] == [flag]


def test_figures_can_be_for_prometheus_alone(chart: Chart) -> None:
    friends = [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]

    def sources(rendered: Rendering) -> Any:
        rules = rendered.one("NetworkPolicy", "caas-mongo")["spec"]["ingress"]
        return [rule.get("from") for rule in rules if rule["ports"][0]["port"] == "metrics"]

    assert sources(chart.render()) == [None]
    assert sources(chart.render(nested("mongo.networkPolicy.metricsFrom", friends))) == [friends]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replicas": 5, "replicaSetMembers": 7}, "7 is more than mongo.replicas, 5"),
        ({"replicas": 5, "replicaSetMembers": 2}, "mongo.replicaSetMembers: 3, 5 or 7"),
        ({"terminationGracePeriodSeconds": 30}, "mongo.terminationGracePeriodSeconds: at least 45"),
    ],
    ids=["more than pods", "even", "hurried"],
)
def test_wrong_sizes_are_refused(chart: Chart, values: Object, message: str) -> None:
    assert message in chart.refusal({"mongo": values})


def test_members_go_before_pods(cluster: Cluster) -> None:
    """Fewer pods are refused until the keepers expect no more members than there will be pods."""

    def install(**mongo: Any) -> "subprocess.CompletedProcess[str]":
        return cluster.install({"mongo": mongo})

    assert install(replicas=5).returncode == 0
    refused = install(replicas=3)
    assert refused.returncode != 0
    assert "set mongo.replicaSetMembers to 3 and leave mongo.replicas at first" in refused.stderr

    assert install(replicas=5, replicaSetMembers=3).returncode == 0
    expected = cluster.objects("ConfigMap")["caas-mongo-members"]["data"]["members"].split()
    assert len(expected) == 3
    assert cluster.objects("StatefulSet")["caas-mongo"]["spec"]["replicas"] == 5
    assert install(replicas=3).returncode == 0


class Pod:
    """The containers of one pod of the replica set, run as the chart has them, on this machine."""

    def __init__(self, rendered: Rendering, folder: Path) -> None:
        self.rendered = rendered
        self.folder = folder
        self.port, self.probe = free_port(), free_port()
        self.keeper: subprocess.Popen[bytes] | None = None
        self.moved = {
            "/data/db": folder / "data",
            "/run/mongod": folder / "mongod",
            "/run/keeper": folder / "keeper",
            "/run/members": folder / "members",
            "/run/credentials": folder / "credentials",
            "/run/cluster-key": folder / "cluster-key",
        }
        for path in self.moved.values():
            path.mkdir()

    def here(self, text: str) -> str:
        """Move folders and ports of the pod to this machine's."""
        for there, path in self.moved.items():
            text = text.replace(there, str(path))
        return text.replace("27017", str(self.port)).replace("9217", str(self.probe))

    def keeper_environment(self) -> dict[str, str]:
        given = self.rendered.environment(*MONGO, "keeper")
        texts = {name: self.here(value) for name, value in given.items() if isinstance(value, str)}
        texts |= {
            "OPENCAAS_REPLICA_SET_HOST": f"127.0.0.1:{self.port}",
            "OPENCAAS_REPLICA_SET_MONGOD": f"127.0.0.1:{self.port}",
            "OPENCAAS_REPLICA_SET_PROBE_HOST": "127.0.0.1",
        }
        return environment(texts)


@pytest.fixture
def pod(chart: Chart, tmp_path: Path) -> Iterator[Pod]:
    """A pod whose key file, mongod and keeper have been started with the chart's own commands."""
    values = {"mongo": {"replicas": 1, "wiredTigerCacheSizeGB": 0.25, "oplogSizeMB": 990}}
    made = Pod(chart.render(values), tmp_path)
    spec = made.rendered.template(*MONGO)["spec"]
    (tmp_path / "cluster-key" / "key").write_text(KEY, encoding="utf-8")
    for name, text in {**SECRETS, "clusterKey": KEY}.items():
        (tmp_path / "credentials" / name).write_text(text, encoding="utf-8")
    (tmp_path / "members" / "members").write_text(f"127.0.0.1:{made.port}\n", encoding="utf-8")
    for _ in range(2):  # a pod may start its init containers again, over what they have left
        subprocess.run([made.here(part) for part in spec["initContainers"][0]["command"]], check=True)
    mongod = [str(find_mongod(os.environ.get("OPENCAAS_MONGOD")).path), *map(made.here, args(made.rendered, "mongo"))]
    command = [*made.rendered.container(*MONGO, "keeper")["command"]]
    with ExitStack() as stack:
        output = stack.enter_context((tmp_path / "log").open("w", encoding="utf-8"))
        for line, given in (
            (mongod, environment({"LC_ALL": "C"})),
            ([str(Path(sys.executable).parent / command[0]), *command[1:]], made.keeper_environment()),
        ):
            process = subprocess.Popen(line, env=given, stdout=output, stderr=output)
            stack.callback(process.wait, 60)
            stack.callback(process.kill)
            made.keeper = process
        yield made


def test_pod_becomes_ready_and_hands_over(pod: Pod) -> None:
    """Mongod takes all flags and its key file, the keeper all variables; the file of the primary goes at the end."""

    def status() -> tuple[int, Any]:
        try:
            answer = httpx.get(f"http://127.0.0.1:{pod.probe}/ready")
        except httpx.HTTPError:
            return 0, None
        return answer.status_code, answer.json()

    ready = eventually(lambda: (found := status())[0] == 200 and found, 60)
    assert ready == (200, {"ready": True, "state": "primary"}), (pod.folder / "log").read_text(encoding="utf-8")[-2000:]
    assert oct((pod.folder / "mongod" / "key").stat().st_mode)[-4:] == "0400"
    told = subprocess.run(
        [Path(sys.executable).parent / "opencaas", "replica-set", "status"],
        env=pod.keeper_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout)["healthy"]

    stop = pod.rendered.container(*MONGO, "mongo")["lifecycle"]["preStop"]["exec"]["command"]
    shell = [shutil.which("sh") or "sh", *map(pod.here, stop[1:])]
    assert eventually((pod.folder / "keeper" / "primary").exists, 10)
    waiting = subprocess.Popen(shell)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(1)
    assert pod.keeper is not None
    pod.keeper.send_signal(signal.SIGTERM)
    assert waiting.wait(20) == 0
    assert pod.keeper.wait(20) == 0
    assert subprocess.run(shell, timeout=5, check=False).returncode == 0
