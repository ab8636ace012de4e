"""The parameters that the documents of the original platform name: each one has a row in the chart's README and a test.

The documents are those of CaaS 14.9.0 (German) and 7.2.0 (English), chapters 2, 3, 5.2.2, 6 and 7.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.helm.rendering import CHART, NAMESPACE, Chart, Object, Rendering, nested
from tests.helm.test_secrets import CLUSTER_KEY, NAME, read_secret

HEADING: Final = "## Parameters of the platform documents"

# As the documents write them, by chapter of the newer one. Where they show a part of the values without its name, or
# speak of a setting without naming it (the master key, the metrics' users, page sizes, TLS), the name is ours.
DOCUMENTED: Final = {
    "3.2.1": (
        "credentials.webAdminUser",
        "credentials.webAdminPassword",
        "credentials.masterApiKey",
    ),
    "3.2.2": ("mongo.persistentVolume.storageClass", "credentials.clusterKey"),
    "3.2.3": (
        "imageRegistry",
        "imageCredentials.enabled",
        "imageCredentials.registry",
        "imageCredentials.username",
        "imageCredentials.password",
    ),
    "3.2.4": (
        "restApi.ingress.enabled",
        "restApi.ingress.hosts",
        "restApi.ingress.annotations",
        "restApi.ingress.ingressClassName",
        "restApi.ingressPreview.enabled",
        "restApi.ingressPreview.hosts",
        "restApi.ingressPreview.annotations",
        "restApi.ingressPreview.ingressClassName",
        "adminWebapp.ingress.enabled",
        "adminWebapp.ingress.hosts",
    ),
    "3.4": (
        "restApi.ingress.tls.enabled",
        "restApi.ingress.tls.secretName",
        "restApi.ingress.certManager.clusterIssuer",
        "restApi.ingress.certManager.issuer",
    ),
    "3.5.1": (
        "restApi.horizontalPodAutoscaler.enabled",
        "restApi.horizontalPodAutoscaler.minReplicas",
        "restApi.horizontalPodAutoscaler.maxReplicas",
        "restApi.horizontalPodAutoscaler.targetCPUUtilizationPercentage",
    ),
    "3.5.2": (
        "mongo.replicas",
        "mongo.verticalPodAutoscaler.enabled",
        "mongo.verticalPodAutoscaler.apiVersion",
        "mongo.verticalPodAutoscaler.updateMode",
        "mongo.verticalPodAutoscaler.minAllowed.cpu",
        "mongo.verticalPodAutoscaler.minAllowed.memory",
        "mongo.verticalPodAutoscaler.maxAllowed.cpu",
        "mongo.verticalPodAutoscaler.maxAllowed.memory",
    ),
    "3.6.2": (
        "monitoring.prometheus.metrics.serviceMonitorLabels",
        "monitoring.prometheus.metrics.mongo.enabled",
        "monitoring.prometheus.metrics.mongo.scrapeInterval",
        "monitoring.prometheus.metrics.caas.enabled",
        "monitoring.prometheus.metrics.caas.scrapeInterval",
        "credentials.metricsUser",
        "credentials.metricsPassword",
        "credentials.mongoMetricsUser",
        "credentials.mongoMetricsPassword",
        "mongo.metrics.image",
        "mongo.metrics.syncTimeout",
    ),
    "3.6.3": (
        "caas-common.monitoring.prometheus.alerts.prometheusRuleLabels",
        "caas-common.monitoring.prometheus.alerts.additionalAlertLabels",
        "caas-common.monitoring.prometheus.alerts.caas.enabled",
        "caas-common.monitoring.prometheus.alerts.caas.useAlphaAlerts",
        "caas-common.monitoring.prometheus.alerts.caas.targetNamespace",
    ),
    "3.6.4": (
        "caas-common.monitoring.grafana.dashboards.enabled",
        "caas-common.monitoring.grafana.dashboards.configmapNamespace",
        "caas-common.monitoring.grafana.dashboards.configMapLabels",
    ),
    "5.2.2": ("restApi.pageSize.default", "restApi.pageSize.max"),
}

# Defaults that the documents print, and that are the same here.
DEFAULTS: Final = {
    "imageRegistry": "",
    "imageCredentials.enabled": False,
    "restApi.ingress.enabled": False,
    "restApi.ingressPreview.enabled": False,
    "restApi.ingress.ingressClassName": "nginx",
    "restApi.ingressPreview.ingressClassName": "nginx",
    "adminWebapp.ingress.enabled": False,
    "restApi.horizontalPodAutoscaler.enabled": False,
    "restApi.horizontalPodAutoscaler.minReplicas": 3,
    "restApi.horizontalPodAutoscaler.maxReplicas": 9,
    "restApi.horizontalPodAutoscaler.targetCPUUtilizationPercentage": 50,
    "mongo.replicas": 3,
    "mongo.verticalPodAutoscaler.enabled": False,
    "mongo.verticalPodAutoscaler.updateMode": "Auto",
    "mongo.verticalPodAutoscaler.minAllowed.cpu": "100m",
    "mongo.verticalPodAutoscaler.minAllowed.memory": "500Mi",
    "mongo.verticalPodAutoscaler.maxAllowed.cpu": 1,
    "mongo.verticalPodAutoscaler.maxAllowed.memory": "2000Mi",
    "monitoring.prometheus.metrics.serviceMonitorLabels": {"release": "prometheus-operator"},
    "monitoring.prometheus.metrics.mongo.enabled": True,
    "monitoring.prometheus.metrics.mongo.scrapeInterval": "30s",
    "monitoring.prometheus.metrics.caas.enabled": True,
    "monitoring.prometheus.metrics.caas.scrapeInterval": "30s",
    "mongo.metrics.syncTimeout": "1m",
    "caas-common.monitoring.prometheus.alerts.prometheusRuleLabels": {
        "app": "prometheus-operator",
        "release": "prometheus-operator",
    },
    "caas-common.monitoring.prometheus.alerts.additionalAlertLabels": {},
    "caas-common.monitoring.prometheus.alerts.caas.enabled": True,
    "caas-common.monitoring.prometheus.alerts.caas.useAlphaAlerts": False,
    "caas-common.monitoring.prometheus.alerts.caas.targetNamespace": "{{ .Release.Namespace }}",
    "caas-common.monitoring.grafana.dashboards.enabled": True,
    "caas-common.monitoring.grafana.dashboards.configmapNamespace": "{{ .Release.Namespace }}",
    "caas-common.monitoring.grafana.dashboards.configMapLabels": {},
    "restApi.pageSize.default": 20,
    "restApi.pageSize.max": 100,
}

HOST: Final = "caas.company.com"
COVERED: dict[str, str] = {}

Test = Callable[..., None]


def covers(*parameters: str) -> Callable[[Test], Test]:
    """Say which rows of the table a test is for; no row has two."""

    def noted(test: Test) -> Test:
        for parameter in parameters:
            assert parameter not in COVERED, parameter
            COVERED[parameter] = test.__name__
        return test

    return noted


def documented() -> list[str]:
    """List the parameters in the order of the documents."""
    return [parameter for names in DOCUMENTED.values() for parameter in names]


def table() -> dict[str, str]:
    """Read the README's table: parameter and default, as they stand there."""
    _, _, section = (CHART / "README.md").read_text(encoding="utf-8").partition(f"{HEADING}\n")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", section.partition("\n## ")[0], re.MULTILINE)
    assert len(dict(rows)) == len(rows), "a row is there twice"
    return {name: default.strip() for name, default in rows}


def ingress(chart: Chart, room: str = "restApi.ingress", **more: Any) -> Object:
    """Render one ingress, with a host, and return it."""
    rendered = chart.render(nested(room, {"enabled": True, "hosts": [HOST]} | more))
    (found,) = rendered.of("Ingress")
    return found


def alerts(rendered: Rendering) -> list[Object]:
    """List the alerts of a rendering."""
    return [
        rule
        for each in rendered.of("PrometheusRule")
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def dashboards(rendered: Rendering) -> list[Object]:
    """List the config maps that hold dashboards."""
    return [each for each in rendered.of("ConfigMap") if any(name.endswith(".json") for name in each.get("data", {}))]


def test_table_has_every_documented_parameter() -> None:
    assert list(table()) == documented()


def test_every_row_has_one_test() -> None:
    assert sorted(COVERED) == sorted(documented())


@pytest.mark.parametrize("parameter", documented())
def test_table_shows_the_chart_default(chart: Chart, parameter: str) -> None:
    default = chart.default(parameter)

    assert table()[parameter] == f"`{default if isinstance(default, str) and default else json.dumps(default)}`"


@pytest.mark.parametrize("parameter", DEFAULTS)
def test_default_is_the_documented_one(chart: Chart, parameter: str) -> None:
    assert chart.default(parameter) == DEFAULTS[parameter]


# 3.2.1 passwords and keys


@covers("credentials.webAdminUser")
def test_admin_user_reaches_the_server(chart: Chart) -> None:
    rendered = chart.render(nested("credentials.webAdminUser", "chief"))

    reference = rendered.environment("Deployment", "caas-rest-api")["OPENCAAS_ADMIN_USER"]
    assert reference == ("secret", NAME, "webAdminUser")
    assert read_secret(rendered.one("Secret", NAME))["webAdminUser"] == "chief"


@covers("credentials.webAdminPassword")
def test_admin_password_reaches_the_server(chart: Chart) -> None:
    rendered = chart.render(nested("credentials.webAdminPassword", "alphanumeric1"))

    reference = rendered.environment("Deployment", "caas-rest-api")["OPENCAAS_ADMIN_PASSWORD"]
    assert reference == ("secret", NAME, "webAdminPassword")
    assert read_secret(rendered.one("Secret", NAME))["webAdminPassword"] == "alphanumeric1"


@covers("credentials.masterApiKey")
def test_master_key_reaches_the_server(chart: Chart) -> None:
    key = "5f0fa4c2-4b3c-4a1d-9d0e-0123456789ab"
    rendered = chart.render(nested("credentials.masterApiKey", key))

    reference = rendered.environment("Deployment", "caas-rest-api")["OPENCAAS_MASTER_API_KEY"]
    assert reference == ("secret", NAME, "masterApiKey")
    assert read_secret(rendered.one("Secret", NAME))["masterApiKey"] == key


# 3.2.2 MongoDB


@covers("mongo.persistentVolume.storageClass")
def test_storage_class_is_the_volumes(chart: Chart) -> None:
    def claimed(rendered: Rendering) -> Object:
        (claim,) = rendered.one("StatefulSet", "caas-mongo")["spec"]["volumeClaimTemplates"]
        spec: Object = claim["spec"]
        return spec

    xfs = chart.render(nested("mongo.persistentVolume.storageClass", "fast-xfs"))
    assert claimed(xfs)["storageClassName"] == "fast-xfs"
    # None at all means the cluster's default class; an empty name would mean volumes made by hand.
    assert "storageClassName" not in claimed(chart.render())


@covers("credentials.clusterKey")
def test_cluster_key_is_the_key_file(chart: Chart) -> None:
    rendered = chart.render(nested("credentials.clusterKey", CLUSTER_KEY))
    spec = rendered.template("StatefulSet", "caas-mongo")["spec"]
    mongod = rendered.container("StatefulSet", "caas-mongo", "mongo")
    mounted = [
        item["key"]
        for volume in spec["volumes"]
        for item in volume.get("secret", {}).get("items", ())
        if volume["secret"]["secretName"] == NAME
    ]

    assert read_secret(rendered.one("Secret", NAME))["clusterKey"] == CLUSTER_KEY.replace("\n", "")
    assert mounted == ["clusterKey"]
    assert "--keyFile" in " ".join([*mongod.get("command", ()), *mongod.get("args", ())])


# 3.2.3 registry


@covers("imageRegistry")
def test_registry_is_in_front_of_every_image(chart: Chart) -> None:
    values = {"deploy": {"enabled": True, "tenant": "t", "project": "p", "source": {"existingClaim": "exports"}}}
    plain = chart.render(values)
    moved = chart.render(values | {"imageRegistry": "docker.company.com/e-spirit"})
    images = [container["image"] for _, _, container in plain.containers()]

    assert {label.split("/")[0] for label, _, _ in plain.containers()} >= {"Deployment", "StatefulSet", "Job", "Pod"}
    assert [each["image"] for _, _, each in moved.containers()] == [f"docker.company.com/e-spirit/{i}" for i in images]


@covers("imageCredentials.enabled")
def test_pull_secret_is_made_if_enabled(chart: Chart) -> None:
    account = {"registry": "docker.company.com", "username": "username", "password": "special_password"}
    without, with_secret = (chart.render({"imageCredentials": account | {"enabled": on}}) for on in (False, True))
    (name,) = set(with_secret.names("Secret")) - set(without.names("Secret"))

    assert with_secret.one("Secret", name)["type"] == "kubernetes.io/dockerconfigjson"
    pulled = {label: pod["spec"].get("imagePullSecrets") for label, pod in with_secret.templates()}
    assert [label for label, secrets in pulled.items() if secrets != [{"name": name}]] == []
    assert [label for label, pod in without.templates() if "imagePullSecrets" in pod["spec"]] == []


@covers("imageCredentials.registry", "imageCredentials.username", "imageCredentials.password")
def test_pull_secret_is_what_docker_reads(chart: Chart) -> None:
    account = {"registry": "docker.company.com", "username": "user", "password": "special_password:%"}
    rendered = chart.render({"imageCredentials": account | {"enabled": True}})
    (secret,) = (each for each in rendered.of("Secret") if each["type"] == "kubernetes.io/dockerconfigjson")
    config = json.loads(b64decode(secret["data"][".dockerconfigjson"]))

    (host,) = config["auths"]
    assert host == "docker.company.com"
    assert b64decode(config["auths"][host]["auth"]).decode() == "user:special_password:%"


# 3.2.4 ingresses


@covers("restApi.ingress.enabled")
def test_ingress_is_made_if_enabled(chart: Chart) -> None:
    assert chart.render().of("Ingress") == []
    assert ingress(chart)["metadata"]["name"] == "caas-rest-api"


@covers("restApi.ingress.hosts")
def test_ingress_hosts_lead_to_the_rest_interface(chart: Chart) -> None:
    rules = ingress(chart, hosts=[HOST, "caas2.company.com"])["spec"]["rules"]

    service = {"name": "caas-rest-api", "port": {"name": "http"}}
    assert [rule["host"] for rule in rules] == [HOST, "caas2.company.com"]
    for rule in rules:
        assert rule["http"]["paths"] == [{"path": "/", "pathType": "Prefix", "backend": {"service": service}}]


@covers("restApi.ingress.annotations")
def test_ingress_annotations_are_added(chart: Chart) -> None:
    default = ingress(chart)["metadata"]["annotations"]
    changed = ingress(chart, annotations={"kubernetes.io/ingress.class": "traefik"})["metadata"]["annotations"]

    assert {name.split("/")[0] for name in default} == {"nginx.ingress.kubernetes.io"}
    assert changed == default | {"kubernetes.io/ingress.class": "traefik"}


@covers("restApi.ingress.ingressClassName")
def test_ingress_class_is_nginx_or_another_or_none(chart: Chart) -> None:
    assert ingress(chart)["spec"]["ingressClassName"] == "nginx"
    assert ingress(chart, ingressClassName="my-ingress-caas")["spec"]["ingressClassName"] == "my-ingress-caas"
    assert "ingressClassName" not in ingress(chart, ingressClassName=None)["spec"]


@covers("restApi.ingressPreview.enabled")
def test_preview_ingress_is_made_if_enabled(chart: Chart) -> None:
    assert ingress(chart, "restApi.ingressPreview")["metadata"]["name"] == "caas-rest-api-preview"


@covers("restApi.ingressPreview.hosts")
def test_preview_hosts_lead_to_the_rest_interface(chart: Chart) -> None:
    (rule,) = ingress(chart, "restApi.ingressPreview", hosts=["caas-preview.company.com"])["spec"]["rules"]

    assert rule["host"] == "caas-preview.company.com"
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "caas-rest-api", "port": {"name": "http"}}


@covers("restApi.ingressPreview.annotations")
def test_preview_annotations_are_its_own(chart: Chart) -> None:
    room = {"enabled": True, "hosts": [HOST]}
    preview = {"enabled": True, "hosts": ["preview"], "annotations": {"a.b/c": "preview"}}
    rendered = chart.render({"restApi": {"ingress": room, "ingressPreview": preview}})

    assert rendered.one("Ingress", "caas-rest-api-preview")["metadata"]["annotations"]["a.b/c"] == "preview"
    assert "a.b/c" not in rendered.one("Ingress", "caas-rest-api")["metadata"]["annotations"]


@covers("restApi.ingressPreview.ingressClassName")
def test_preview_class_is_nginx_or_another_or_none(chart: Chart) -> None:
    room = "restApi.ingressPreview"

    assert ingress(chart, room)["spec"]["ingressClassName"] == "nginx"
    assert ingress(chart, room, ingressClassName="other")["spec"]["ingressClassName"] == "other"
    assert "ingressClassName" not in ingress(chart, room, ingressClassName=None)["spec"]


@covers("adminWebapp.ingress.enabled")
def test_admin_ingress_is_made_if_enabled(chart: Chart) -> None:
    assert ingress(chart, "adminWebapp.ingress")["metadata"]["name"] == "caas-admin-webapp"


@covers("adminWebapp.ingress.hosts")
def test_admin_hosts_lead_to_the_rest_interface(chart: Chart) -> None:
    (rule,) = ingress(chart, "adminWebapp.ingress", hosts=["caas-webapp.company.com"])["spec"]["rules"]

    assert rule["host"] == "caas-webapp.company.com"
    assert {path["backend"]["service"]["name"] for path in rule["http"]["paths"]} == {"caas-rest-api"}


# 3.4 TLS


@covers("restApi.ingress.tls.enabled")
def test_tls_is_for_all_hosts_if_enabled(chart: Chart) -> None:
    assert "tls" not in ingress(chart)["spec"]

    (tls,) = ingress(chart, hosts=[HOST, "b.c"], tls={"enabled": True, "secretName": "cert"})["spec"]["tls"]
    assert tls["hosts"] == [HOST, "b.c"]


@covers("restApi.ingress.tls.secretName")
def test_tls_secret_is_the_given_one(chart: Chart) -> None:
    (tls,) = ingress(chart, tls={"enabled": True, "secretName": "signed-officially"})["spec"]["tls"]

    assert tls["secretName"] == "signed-officially"


@covers("restApi.ingress.certManager.clusterIssuer")
def test_cluster_issuer_makes_the_certificate(chart: Chart) -> None:
    made = ingress(chart, tls={"enabled": True}, certManager={"clusterIssuer": "letsencrypt"})

    assert made["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert "cert-manager.io/issuer" not in made["metadata"]["annotations"]
    # The certificate is kept in a secret of this name, which cert-manager makes.
    assert made["spec"]["tls"][0]["secretName"]


@covers("restApi.ingress.certManager.issuer")
def test_issuer_of_the_namespace_makes_the_certificate(chart: Chart) -> None:
    made = ingress(chart, tls={"enabled": True}, certManager={"issuer": "ours"})

    assert made["metadata"]["annotations"]["cert-manager.io/issuer"] == "ours"
    assert "cert-manager.io/cluster-issuer" not in made["metadata"]["annotations"]


# 3.5.1 scaling of the REST interface


def autoscaler(chart: Chart, **values: Any) -> Object:
    """Render the autoscaler of the REST interface and return what it says."""
    values = nested("restApi.horizontalPodAutoscaler", {"enabled": True} | values)
    spec: Object = chart.render(values).one("HorizontalPodAutoscaler", "caas-rest-api")["spec"]
    return spec


@covers("restApi.horizontalPodAutoscaler.enabled")
def test_autoscaler_is_made_if_enabled(chart: Chart) -> None:
    assert chart.render().of("HorizontalPodAutoscaler") == []
    assert chart.render().one("Deployment", "caas-rest-api")["spec"]["replicas"] == 3

    target = autoscaler(chart)["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "caas-rest-api"}


@covers("restApi.horizontalPodAutoscaler.minReplicas")
def test_autoscaler_keeps_a_minimum(chart: Chart) -> None:
    assert autoscaler(chart)["minReplicas"] == 3
    assert autoscaler(chart, minReplicas=4)["minReplicas"] == 4


@covers("restApi.horizontalPodAutoscaler.maxReplicas")
def test_autoscaler_keeps_a_maximum(chart: Chart) -> None:
    assert autoscaler(chart)["maxReplicas"] == 9
    assert autoscaler(chart, maxReplicas=12)["maxReplicas"] == 12


@covers("restApi.horizontalPodAutoscaler.targetCPUUtilizationPercentage")
def test_autoscaler_aims_at_a_share_of_cpu(chart: Chart) -> None:
    def aim(share: int) -> list[Object]:
        target = {"type": "Utilization", "averageUtilization": share}
        return [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]

    assert autoscaler(chart)["metrics"] == aim(50)
    assert autoscaler(chart, targetCPUUtilizationPercentage=70)["metrics"] == aim(70)


# 3.5.2 scaling of MongoDB


@covers("mongo.replicas")
def test_mongo_has_that_many_members(chart: Chart) -> None:
    assert chart.render().one("StatefulSet", "caas-mongo")["spec"]["replicas"] == 3

    five = chart.render(nested("mongo.replicas", 5))
    assert five.one("StatefulSet", "caas-mongo")["spec"]["replicas"] == 5
    assert read_secret(five.one("Secret", NAME))["mongoUri"].count(":27017") == 5


def vertical(chart: Chart, **values: Any) -> Object:
    """Render the autoscaler of MongoDB and return it."""
    rendered = chart.render(nested("mongo.verticalPodAutoscaler", {"enabled": True} | values))
    return rendered.one("VerticalPodAutoscaler", "caas-mongo")


def mongo_policy(scaler: Object) -> Object:
    """Return what the vertical autoscaler may do to mongod."""
    found = [each for each in scaler["spec"]["resourcePolicy"]["containerPolicies"] if each["containerName"] == "mongo"]
    policy: Object = found[0]
    return policy


@covers("mongo.verticalPodAutoscaler.enabled")
def test_vertical_autoscaler_is_made_if_enabled(chart: Chart) -> None:
    assert chart.render().of("VerticalPodAutoscaler") == []

    target = vertical(chart)["spec"]["targetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "caas-mongo"}


@covers("mongo.verticalPodAutoscaler.apiVersion")
def test_vertical_autoscaler_has_the_clusters_version(chart: Chart) -> None:
    assert vertical(chart)["apiVersion"] == "autoscaling.k8s.io/v1"
    assert vertical(chart, apiVersion="autoscaling.k8s.io/v1beta2")["apiVersion"] == "autoscaling.k8s.io/v1beta2"


@covers("mongo.verticalPodAutoscaler.updateMode")
def test_vertical_autoscaler_updates_as_told(chart: Chart) -> None:
    assert vertical(chart)["spec"]["updatePolicy"]["updateMode"] == "Auto"
    assert vertical(chart, updateMode="Off")["spec"]["updatePolicy"]["updateMode"] == "Off"


@covers("mongo.verticalPodAutoscaler.minAllowed.cpu", "mongo.verticalPodAutoscaler.minAllowed.memory")
def test_vertical_autoscaler_keeps_a_minimum(chart: Chart) -> None:
    changed = vertical(chart, minAllowed={"cpu": "250m", "memory": "1Gi"})

    assert mongo_policy(vertical(chart))["minAllowed"] == {"cpu": "100m", "memory": "500Mi"}
    assert mongo_policy(changed)["minAllowed"] == {"cpu": "250m", "memory": "1Gi"}


@covers("mongo.verticalPodAutoscaler.maxAllowed.cpu", "mongo.verticalPodAutoscaler.maxAllowed.memory")
def test_vertical_autoscaler_keeps_a_maximum(chart: Chart) -> None:
    changed = vertical(chart, maxAllowed={"cpu": 4, "memory": "8Gi"})

    assert mongo_policy(vertical(chart))["maxAllowed"] == {"cpu": 1, "memory": "2000Mi"}
    assert mongo_policy(changed)["maxAllowed"] == {"cpu": 4, "memory": "8Gi"}


# 3.6.2 ServiceMonitors

METRICS: Final = "monitoring.prometheus.metrics"


@covers("monitoring.prometheus.metrics.serviceMonitorLabels")
def test_service_monitors_carry_the_labels(chart: Chart) -> None:
    changed = chart.render(nested(f"{METRICS}.serviceMonitorLabels", {"release": "kps", "team": "web"}))
    labels = [each["metadata"]["labels"] for each in changed.of("ServiceMonitor")]

    assert {each["metadata"]["labels"]["release"] for each in chart.render().of("ServiceMonitor")} == {
        "prometheus-operator"
    }
    assert [(each["release"], each["team"]) for each in labels] == [("kps", "web")] * 2


@covers("monitoring.prometheus.metrics.mongo.enabled")
def test_mongo_monitor_and_exporter_can_be_left_out(chart: Chart) -> None:
    def exporters(rendered: Rendering) -> list[str]:
        return [label for label, _, _ in rendered.containers() if label.endswith("/metrics")]

    without = chart.render(nested(f"{METRICS}.mongo.enabled", False))
    assert chart.render().names("ServiceMonitor") == ["caas-mongo", "caas-rest-api"]
    assert exporters(chart.render()) == ["StatefulSet/caas-mongo/metrics"]
    assert without.names("ServiceMonitor") == ["caas-rest-api"]
    assert exporters(without) == []


def endpoint(rendered: Rendering, name: str) -> Object:
    """Return the one endpoint of a ServiceMonitor."""
    (found,) = rendered.one("ServiceMonitor", name)["spec"]["endpoints"]
    described: Object = found
    return described


@covers("monitoring.prometheus.metrics.mongo.scrapeInterval")
def test_mongo_is_scraped_as_often_as_told(chart: Chart) -> None:
    changed = chart.render(nested(f"{METRICS}.mongo.scrapeInterval", "2m"))

    assert endpoint(chart.render(), "caas-mongo")["interval"] == "30s"
    assert endpoint(changed, "caas-mongo")["interval"] == "2m"
    assert endpoint(changed, "caas-rest-api")["interval"] == "30s"


@covers("monitoring.prometheus.metrics.caas.enabled")
def test_rest_monitor_can_be_left_out(chart: Chart) -> None:
    without = chart.render(nested(f"{METRICS}.caas.enabled", False))

    assert without.names("ServiceMonitor") == ["caas-mongo"]
    assert endpoint(chart.render(), "caas-rest-api")["path"] == "/_metrics"


@covers("monitoring.prometheus.metrics.caas.scrapeInterval")
def test_rest_interface_is_scraped_as_often_as_told(chart: Chart) -> None:
    changed = chart.render(nested(f"{METRICS}.caas.scrapeInterval", "15s"))

    assert endpoint(chart.render(), "caas-rest-api")["interval"] == "30s"
    assert endpoint(changed, "caas-rest-api")["interval"] == "15s"
    assert endpoint(changed, "caas-mongo")["interval"] == "30s"


@covers("credentials.metricsUser")
def test_prometheus_and_server_share_the_metrics_user(chart: Chart) -> None:
    rendered = chart.render(nested("credentials.metricsUser", "scraper"))

    assert endpoint(rendered, "caas-rest-api")["basicAuth"]["username"] == {"name": NAME, "key": "metricsUser"}
    variable = rendered.environment("Deployment", "caas-rest-api")["OPENCAAS_METRICS_USER"]
    assert variable == ("secret", NAME, "metricsUser")
    assert read_secret(rendered.one("Secret", NAME))["metricsUser"] == "scraper"


@covers("credentials.metricsPassword")
def test_prometheus_and_server_share_the_metrics_password(chart: Chart) -> None:
    rendered = chart.render(nested("credentials.metricsPassword", "scraping9"))

    assert endpoint(rendered, "caas-rest-api")["basicAuth"]["password"] == {"name": NAME, "key": "metricsPassword"}
    variable = rendered.environment("Deployment", "caas-rest-api")["OPENCAAS_METRICS_PASSWORD"]
    assert variable == ("secret", NAME, "metricsPassword")
    assert read_secret(rendered.one("Secret", NAME))["metricsPassword"] == "scraping9"


def exporter_uri(chart: Chart, values: Object) -> str:
    """Return the URI by which the exporter signs in, which has to come from the secret."""
    rendered = chart.render(values)
    given = rendered.environment("StatefulSet", "caas-mongo", "metrics")
    assert given["MONGODB_URI"] == ("secret", NAME, "mongoMetricsUri")
    return read_secret(rendered.one("Secret", NAME))["mongoMetricsUri"]


@covers("credentials.mongoMetricsUser")
def test_exporter_signs_in_as_its_own_user(chart: Chart) -> None:
    assert exporter_uri(chart, {}).startswith("mongodb://exporter:")
    assert exporter_uri(chart, nested("credentials.mongoMetricsUser", "watcher")).startswith("mongodb://watcher:")


@covers("credentials.mongoMetricsPassword")
def test_exporter_signs_in_with_its_own_password(chart: Chart) -> None:
    assert ":watching9@" in exporter_uri(chart, nested("credentials.mongoMetricsPassword", "watching9"))


@covers("mongo.metrics.image")
def test_exporter_image_can_be_chosen(chart: Chart) -> None:
    chosen = chart.render(nested("mongo.metrics.image", "mongodb-exporter:0.11.0"))

    assert chosen.container("StatefulSet", "caas-mongo", "metrics")["image"] == "mongodb-exporter:0.11.0"


@covers("mongo.metrics.syncTimeout")
def test_exporter_waits_for_mongodb_as_told(chart: Chart) -> None:
    """The documents' exporter, 0.11.0, takes the time as it is; those since 0.20 count milliseconds."""

    def told(**metrics: str) -> list[str]:
        container = chart.render(nested("mongo.metrics", metrics)).container("StatefulSet", "caas-mongo", "metrics")
        return [argument for argument in container["args"] if "timeout" in argument]

    assert told() == ["--mongodb.connect-timeout-ms=60000"]
    assert told(syncTimeout="1m30s") == ["--mongodb.connect-timeout-ms=90000"]
    assert told(image="mongodb-exporter:0.11.0") == ["--mongodb.sync-timeout=1m"]
    assert told(image="mongodb-exporter:0.11.0", syncTimeout="2m") == ["--mongodb.sync-timeout=2m"]


# 3.6.3 alerts

ALERTS: Final = "caas-common.monitoring.prometheus.alerts"


@covers("caas-common.monitoring.prometheus.alerts.prometheusRuleLabels")
def test_rules_carry_the_labels(chart: Chart) -> None:
    wanted = {"app": "prometheus-operator", "release": "prometheus-operator"}
    changed = chart.render(nested(f"{ALERTS}.prometheusRuleLabels", {"release": "kps"}))

    assert [
        r for r in chart.render().of("PrometheusRule") if not wanted.items() <= r["metadata"]["labels"].items()
    ] == []
    assert {each["metadata"]["labels"]["release"] for each in changed.of("PrometheusRule")} == {"kps"}


@covers("caas-common.monitoring.prometheus.alerts.additionalAlertLabels")
def test_alerts_carry_more_labels_or_others(chart: Chart) -> None:
    changed = alerts(chart.render(nested(f"{ALERTS}.additionalAlertLabels", {"severity": "page", "team": "web"})))

    assert {rule["labels"]["severity"] for rule in alerts(chart.render())} >= {"critical", "warning"}
    assert len(changed) == len(alerts(chart.render()))
    assert {(rule["labels"]["severity"], rule["labels"]["team"]) for rule in changed} == {("page", "web")}


@covers("caas-common.monitoring.prometheus.alerts.caas.enabled")
def test_alerts_can_be_left_out(chart: Chart) -> None:
    assert len(alerts(chart.render())) >= 7
    assert chart.render(nested(f"{ALERTS}.caas.enabled", False)).of("PrometheusRule") == []


@covers("caas-common.monitoring.prometheus.alerts.caas.useAlphaAlerts")
def test_alpha_alerts_come_on_top(chart: Chart) -> None:
    stable = {rule["alert"] for rule in alerts(chart.render())}
    with_alpha = {rule["alert"] for rule in alerts(chart.render(nested(f"{ALERTS}.caas.useAlphaAlerts", True)))}

    assert stable < with_alpha


@covers("caas-common.monitoring.prometheus.alerts.caas.targetNamespace")
def test_alerts_look_at_the_target_namespaces(chart: Chart) -> None:
    pattern = "{{ .Release.Namespace }}-(test|prod)"
    changed = alerts(chart.render(nested(f"{ALERTS}.caas.targetNamespace", pattern)))

    assert [rule["alert"] for rule in alerts(chart.render()) if f'namespace=~"{NAMESPACE}"' not in rule["expr"]] == []
    assert [rule["alert"] for rule in changed if f'namespace=~"{NAMESPACE}-(test|prod)"' not in rule["expr"]] == []


# 3.6.4 dashboards

PODS: Final = (("Deployment", "caas-rest-api"), ("StatefulSet", "caas-mongo"))

DASHBOARDS: Final = "caas-common.monitoring.grafana.dashboards"


@covers("caas-common.monitoring.grafana.dashboards.enabled")
def test_dashboards_can_be_left_out(chart: Chart) -> None:
    texts = [text for each in dashboards(chart.render()) for text in each["data"].values()]
    assert [json.loads(text)["title"] for text in texts if not json.loads(text)["panels"]] == []
    assert len(texts) >= 1
    assert dashboards(chart.render(nested(f"{DASHBOARDS}.enabled", False))) == []


@covers("caas-common.monitoring.grafana.dashboards.configmapNamespace")
def test_dashboards_go_to_their_namespace(chart: Chart) -> None:
    changed = chart.render(nested(f"{DASHBOARDS}.configmapNamespace", "grafana-{{ .Release.Name }}"))

    assert {each["metadata"]["namespace"] for each in dashboards(chart.render())} == {NAMESPACE}
    assert {each["metadata"]["namespace"] for each in dashboards(changed)} == {"grafana-shop"}
    # The default of 7.2.0 is no name at all, and means the release's namespace, too.
    unnamed = chart.render(nested(f"{DASHBOARDS}.configmapNamespace", ""))
    assert {each["metadata"]["namespace"] for each in dashboards(unnamed)} == {NAMESPACE}


def test_labels_given_replace_the_charts(chart: Chart) -> None:
    """Not beside them: a map that has a key twice is refused by many tools."""
    given = {"app.kubernetes.io/part-of": "kube-prometheus"}
    alerts = nested("prometheus.alerts.prometheusRuleLabels", given)
    rendered = chart.render(
        {
            "caas-common": {"monitoring": alerts | nested("grafana.dashboards.configMapLabels", given)},
            "monitoring": nested("prometheus.metrics.serviceMonitorLabels", given),
            "restApi": {"podLabels": given},
            "mongo": {"podLabels": given},
        }
    )
    labels = [each["metadata"]["labels"] for kind in ("PrometheusRule", "ServiceMonitor") for each in rendered.of(kind)]
    labels += [each["metadata"]["labels"] for each in dashboards(rendered)]
    labels += [rendered.template(*name)["metadata"]["labels"] for name in PODS]

    assert len(labels) > 5
    assert {each["app.kubernetes.io/part-of"] for each in labels} == {"kube-prometheus"}
    assert {each["app.kubernetes.io/name"] for each in labels} == {"opencaas"}


def test_dashboards_of_two_releases_meet_in_one_namespace(chart: Chart) -> None:
    """Both releases may be called the same; Grafana's sidecar writes one file for both."""
    shared = nested(f"{DASHBOARDS}.configmapNamespace", "grafana")
    ours, theirs = (dashboards(chart.render(shared, namespace=namespace)) for namespace in ("staging", "production"))

    assert {each["metadata"]["name"] for each in ours} & {each["metadata"]["name"] for each in theirs} == set()
    assert [each["data"] for each in ours] == [each["data"] for each in theirs]


@covers("caas-common.monitoring.grafana.dashboards.configMapLabels")
def test_dashboards_carry_the_labels(chart: Chart) -> None:
    changed = chart.render(nested(f"{DASHBOARDS}.configMapLabels", {"grafana_dashboard": "1"}))

    assert [each for each in dashboards(chart.render()) if "grafana_dashboard" in each["metadata"]["labels"]] == []
    assert {each["metadata"]["labels"]["grafana_dashboard"] for each in dashboards(changed)} == {"1"}


# 5.2.2 page sizes


@covers("restApi.pageSize.default")
def test_default_page_size_reaches_the_server(chart: Chart) -> None:
    changed = chart.render(nested("restApi.pageSize.default", 30))

    assert chart.render().environment("Deployment", "caas-rest-api")["OPENCAAS_DEFAULT_PAGE_SIZE"] == "20"
    assert changed.environment("Deployment", "caas-rest-api")["OPENCAAS_DEFAULT_PAGE_SIZE"] == "30"


@covers("restApi.pageSize.max")
def test_largest_page_size_reaches_the_server(chart: Chart) -> None:
    changed = chart.render(nested("restApi.pageSize.max", 500))

    assert chart.render().environment("Deployment", "caas-rest-api")["OPENCAAS_MAX_PAGE_SIZE"] == "100"
    assert changed.environment("Deployment", "caas-rest-api")["OPENCAAS_MAX_PAGE_SIZE"] == "500"
