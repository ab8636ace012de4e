"""What an upgrade does to a release that runs: no restart without need, no change of what is fixed, no votes lost."""

import json
import shutil
from pathlib import Path

from tests.helm.cluster import Cluster
from tests.helm.rendering import CHART, NAMESPACE, RELEASE, Chart, Object, Rendering, nested, read_yaml, run_helm


def pods(cluster: Cluster) -> dict[str, Object]:
    """Return the pod templates of what runs; a change in one restarts its pods."""
    return {
        f"{kind}/{name}": each["spec"]["template"]
        for kind in ("Deployment", "StatefulSet")
        for name, each in cluster.objects(kind).items()
    }


def upgraded(cluster: Cluster, values: Object | None = None) -> dict[str, Object]:
    """Install or upgrade, which has to go well, and return the pod templates."""
    done = cluster.install(values)
    assert done.returncode == 0, done.stderr
    # The server's objects are changed in place by the next upgrade.
    found: dict[str, Object] = json.loads(json.dumps(pods(cluster)))
    return found


def test_same_values_restart_nothing(cluster: Cluster) -> None:
    assert upgraded(cluster) == upgraded(cluster)


def test_setting_of_the_server_restarts_servers_alone(cluster: Cluster) -> None:
    before, after = upgraded(cluster), upgraded(cluster, nested("restApi.pageSize.max", 200))

    assert [name for name in before if before[name] != after[name]] == ["Deployment/caas-rest-api"]


def test_password_restarts_those_who_use_it(cluster: Cluster) -> None:
    before = upgraded(cluster)
    admin = upgraded(cluster, nested("credentials.webAdminPassword", "another0password1"))
    assert [name for name in before if before[name] != admin[name]] == ["Deployment/caas-rest-api"]

    exporter = upgraded(cluster, nested("credentials.mongoMetricsPassword", "another0password2"))
    assert [name for name in admin if admin[name] != exporter[name]] == ["StatefulSet/caas-mongo"]


def test_autoscaler_does_not_begin_with_one_server(cluster: Cluster) -> None:
    """Helm takes away a number that the chart leaves out, and a deployment without one has one pod."""
    scaled = nested("restApi.horizontalPodAutoscaler.enabled", True)

    def servers() -> int:
        number: int = cluster.objects("Deployment")["caas-rest-api"]["spec"]["replicas"]
        return number

    upgraded(cluster)
    upgraded(cluster, scaled)
    assert servers() == 3

    cluster.objects("Deployment")["caas-rest-api"]["spec"]["replicas"] = 7
    upgraded(cluster, scaled)
    assert servers() == 7


def newer(chart: Chart, folder: Path) -> Rendering:
    """Render a copy of the chart that has the next version."""
    copy = shutil.copytree(CHART, folder / CHART.name)
    described = (copy / "Chart.yaml").read_text(encoding="utf-8")
    (version,) = (line for line in described.splitlines() if line.startswith("version:"))
    (copy / "Chart.yaml").write_text(described.replace(version, "version: 99.0.0"), encoding="utf-8")
    done = run_helm(chart.helm, "template", RELEASE, str(copy), "--namespace", NAMESPACE)
    assert done.returncode == 0, done.stderr
    return Rendering(tuple(read_yaml(done.stdout)))


def test_next_version_of_the_chart_changes_nothing_fixed(chart: Chart, tmp_path: Path) -> None:
    """Kubernetes refuses other selectors and, in a stateful set, other claims."""
    now, then = chart.render(), newer(chart, tmp_path)
    assert now.objects[0]["metadata"]["labels"] != then.objects[0]["metadata"]["labels"]

    def fixed(rendering: Rendering) -> list[Object]:
        mongo = rendering.one("StatefulSet", "caas-mongo")["spec"]
        server = rendering.one("Deployment", "caas-rest-api")["spec"]
        may_change = {"replicas", "template", "updateStrategy", "minReadySeconds"}
        return [server["selector"], {name: each for name, each in mongo.items() if name not in may_change}]

    assert fixed(now) == fixed(then)


def test_next_version_of_the_chart_restarts_no_member_of_mongodb(chart: Chart, tmp_path: Path) -> None:
    def members(rendering: Rendering) -> Object:
        template = json.loads(json.dumps(rendering.template("StatefulSet", "caas-mongo")))
        # Passwords are made anew by each rendering without a cluster.
        template["metadata"]["annotations"].pop("checksum/exporter")
        found: Object = template
        return found

    assert members(chart.render()) == members(newer(chart, tmp_path))
