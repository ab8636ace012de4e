"""The replica set of the chart: what its containers run, what changes when it grows, what keeps it from shrinking."""

import subprocess
from typing import Any

import pytest

from tests.helm.cluster import Cluster
from tests.helm.rendering import NAMESPACE, Chart, Object, Rendering, nested
from tests.helm.test_secrets import NAME, read_secret

MONGO = ("StatefulSet", "caas-mongo")


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


def test_name_of_the_set_is_the_same_everywhere(chart: Chart) -> None:
    rendered = chart.render(nested("mongo.replicaSetName", "shop0"))

    assert "--replSet=shop0" in args(rendered, "mongo")
    assert rendered.environment(*MONGO, "keeper")["OPENCAAS_REPLICA_SET_NAME"] == "shop0"
    assert "replicaSet=shop0" in read_secret(rendered.one("Secret", NAME))["mongoUri"]


def test_another_mongodb_leaves_nothing_of_ours(chart: Chart) -> None:
    rendered = chart.render({"mongo": {"enabled": False, "externalUri": "mongodb://db.company.com/?replicaSet=x"}})

    ours = [
        (each["kind"], each["metadata"]["name"]) for each in rendered.objects if "mongo" in each["metadata"]["name"]
    ]
    # Who watches that MongoDB by an exporter of its own may look at it, too.
    assert ours == [("ConfigMap", "caas-dashboard-mongodb")]
    assert read_secret(rendered.one("Secret", NAME))["mongoUri"] == "mongodb://db.company.com/?replicaSet=x"
    variable = rendered.environment("Deployment", "caas-rest-api")["OPENCAAS_MONGODB_URI"]
    assert variable == ("secret", NAME, "mongoUri")


FIXED: dict[str, Any] = {
    "mongo.replicaSetName": "rs1",
    "mongo.persistentVolume.size": "40Gi",
    "mongo.persistentVolume.storageClass": "fast",
    "mongo.persistentVolume.accessModes": ["ReadWriteOncePod"],
    "mongo.persistentVolume.annotations": {"keep": "true"},
}


def test_what_cannot_change_is_refused_before_anything_does(cluster: Cluster) -> None:
    """Kubernetes would refuse other claims with half of the upgrade done, and members another name of their set."""
    changed: dict[str, Any] = {"mongo": {"persistentVolume": {}}, "restApi": {"replicas": 4}}
    for path, value in FIXED.items():
        place = changed["mongo"]["persistentVolume"] if "persistentVolume" in path else changed["mongo"]
        place[path.rpartition(".")[2]] = value
    assert cluster.install().returncode == 0
    refused = cluster.install(changed)

    assert [path for path in FIXED if f"- {path}: " not in refused.stderr] == []
    assert cluster.objects("Deployment")["caas-rest-api"]["spec"]["replicas"] == 3
    # The same size, written otherwise.
    assert cluster.install(nested("mongo.persistentVolume.size", "20480Mi")).returncode == 0
    # As docs/operations/mongodb.md enlarges volumes: the pods stay, the stateful set is made anew.
    cluster.remove("StatefulSet", "caas-mongo")
    assert cluster.install(nested("mongo.persistentVolume.size", "40Gi")).returncode == 0
