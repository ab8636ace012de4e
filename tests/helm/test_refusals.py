"""Wrong values: refused before anything is installed, by one message that lists them all and shows no secret."""

from typing import Any

import pytest

from tests.helm.rendering import Chart, nested

HOST = {"enabled": True, "hosts": ["caas.company.com"]}

JOB = {"enabled": True, "tenant": "t", "project": "p", "source": {"existingClaim": "c"}}

# Parameter that the message names, the values that are wrong.
WRONG: tuple[tuple[str, dict[str, Any]], ...] = (
    ("credentials.webAdminPassword", nested("credentials.webAdminPassword", "p@ssword")),
    ("credentials.metricsPassword", nested("credentials.metricsPassword", "with space")),
    ("credentials.mongoRootPassword", nested("credentials.mongoRootPassword", "a:b")),
    ("credentials.mongoPassword", nested("credentials.mongoPassword", "a/b")),
    ("credentials.mongoMetricsPassword", nested("credentials.mongoMetricsPassword", "ümlaut")),
    ("credentials.webAdminUser", nested("credentials.webAdminUser", "a:b")),
    ("credentials.tokenSecret", nested("credentials.tokenSecret", "tooshort")),
    ("credentials.clusterKey", nested("credentials.clusterKey", "not!base64")),
    ("credentials.clusterKey", nested("credentials.clusterKey", "a" * 1025)),
    ("credentials.mongoRootUser", {"credentials": {"mongoRootUser": "same", "mongoUser": "same"}}),
    ("imageCredentials.registry", nested("imageCredentials", {"enabled": True, "username": "u", "password": "p"})),
    ("restApi.pageSize.default", nested("restApi.pageSize", {"default": 200, "max": 100})),
    ("restApi.terminationGracePeriodSeconds", nested("restApi.terminationGracePeriodSeconds", 10)),
    ("minReplicas", nested("restApi.horizontalPodAutoscaler", {"enabled": True, "minReplicas": 9, "maxReplicas": 3})),
    ("restApi.ingress.hosts", nested("restApi.ingress.enabled", True)),
    ("restApi.ingressPreview.hosts", nested("restApi.ingressPreview.enabled", True)),
    ("restApi.ingress.tls", nested("restApi.ingress", HOST | {"tls": {"enabled": True}})),
    ("restApi.ingress.certManager", nested("restApi.ingress", HOST | {
        "tls": {"enabled": True}, "certManager": {"issuer": "a", "clusterIssuer": "b"},
    })),
    ("restApi.ingress.tls.enabled", nested("restApi.ingress", HOST | {"certManager": {"issuer": "a"}})),
    ("deploy.project", nested("deploy", {"enabled": True, "tenant": "t", "source": {"existingClaim": "c"}})),
    ("deploy.source", nested("deploy", {"enabled": True, "tenant": "t", "project": "p"})),
    ("mongo.externalUri", nested("mongo.enabled", False)),
    ("mongo.externalUri", nested("mongo.externalUri", "mongodb://db/")),
    ("mongo.externalUri", nested("mongo", {"enabled": False, "externalUri": "http://db/"})),
    ("credentials.webAdminUser and metricsUser", nested("credentials", {"webAdminUser": "a", "metricsUser": "a"})),
    ("credentials.mongoPassword", nested("credentials", {"existingSecret": "ours", "mongoPassword": "ours2"})),
    ("fullnameOverride", {"fullnameOverride": "7caas"}),
    ("imageRegistry", {"imageRegistry": "https://docker.company.com"}),
    ("restApi.resources.requests.cpu", nested("restApi", {
        "horizontalPodAutoscaler": {"enabled": True}, "resources": {"requests": {"cpu": None}},
    })),
    ("restApi.settings.default_limit", nested("restApi.settings.default_limit", 500)),
    ("restApi.extraEnv", nested("restApi.extraEnv", [{"name": "OPENCAAS_PORT", "value": "80"}])),
    ("ingress hosts", nested("restApi", {"ingress": HOST, "ingressPreview": HOST})),
    ("restApi.pageSize.max", {"deploy": JOB, "restApi": {"pageSize": {"max": 50}}}),
    ("deploy.states", nested("deploy", JOB | {"states": []})),
    ("deploy.extraArgs", nested("deploy", JOB | {"extraArgs": ["--api-key", "x"]})),
    ("mongo.externalUri", nested("mongo", {
        "enabled": False, "externalUri": "mongodb://db/", "externalUriSecret": {"name": "ours"},
    })),
    ("restApi.podDisruptionBudget", nested("restApi.podDisruptionBudget.minAvailable", 3)),
    ("mongo.podDisruptionBudget", nested("mongo.podDisruptionBudget.minAvailable", "100%")),
    ("mongo.podDisruptionBudget", nested("mongo.podDisruptionBudget.maxUnavailable", 0)),
    ("mongo.replicas", nested("mongo.replicas", 2)),
    ("mongo.replicas", nested("mongo.replicas", 4)),
    ("restApi.podDisruptionBudget", nested("restApi.podDisruptionBudget.maxUnavailable", None)),
    ("restApi.resources.limits.memory", nested("restApi.resources.limits.memory", "64Mi")),
    ("restApi.resources.limits.cpu", nested("restApi.resources.limits.cpu", "0.1")),
    ("mongo.resources.limits.memory", nested("mongo.resources.limits.memory", "1500M")),
    ("mongo.keeper.resources.limits.memory", nested("mongo.keeper.resources.limits.memory", 1000)),
    ("deploy.resources.limits.memory", nested("deploy.resources.limits.memory", "64Mi")),
    ("mongo.wiredTigerCacheSizeGB", nested("mongo", {
        "wiredTigerCacheSizeGB": 8, "resources": {"limits": {"memory": "8Gi"}},
    })),
    ("minAllowed.memory", nested("mongo.verticalPodAutoscaler.minAllowed.memory", "4Gi")),
    ("mongo.extraArgs", nested("mongo.extraArgs", ["--slowms=5", "--dbpath=/elsewhere"])),
    ("restApi.podLabels", nested("restApi.podLabels", {"app.kubernetes.io/name": "other"})),
    ("mongo.podLabels", nested("mongo.podLabels", {"app.kubernetes.io/component": "other"})),
    ("restApi.extraVolumes", nested("restApi.extraVolumes", [{"name": "tmp", "emptyDir": {}}])),
    ("restApi.extraVolumeMounts", nested("restApi.extraVolumeMounts", [{"name": "certs", "mountPath": "/certs"}])),
    ("configmapNamespace", nested("caas-common.monitoring.grafana.dashboards.configmapNamespace", "grafana-.*")),
    ("targetNamespace", nested("caas-common.monitoring.prometheus.alerts.caas.targetNamespace", "caas-(")),
)  # fmt: skip

# What the schema refuses: type, range, spelling. Helm names the place.
MISTYPED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("restApi.replicas", nested("restApi.replicas", "three")),
    ("restApi.pageSize.max", nested("restApi.pageSize.max", 0)),
    ("restApi.ingress.hosts", nested("restApi.ingress.hosts", "caas.company.com")),
    ("restApi.image.pullPolicy", nested("restApi.image.pullPolicy", "Sometimes")),
    ("restApi.horizontalPodAutoscaler", nested("restApi.horizontalPodAutoscaler.targetCPUUtilizationPercentage", -1)),
    ("restApi.antiAffinity", nested("restApi.antiAffinity", "medium")),
    ("mongo.replicas", nested("mongo.replicas", "3")),
    ("mongo.persistentVolume", nested("mongo.persistentVolume.storageClass", 7)),
    ("mongo.verticalPodAutoscaler.updateMode", nested("mongo.verticalPodAutoscaler.updateMode", "Sometimes")),
    ("scrapeInterval", nested("monitoring.prometheus.metrics.caas.scrapeInterval", "often")),
    ("caas-common", nested("caas-common.monitoring.prometheus.alerts.caas.useAlphaAlerts", "yes")),
    ("credentials", nested("credentials.webAdminPassword", 12345678)),
    ("imagesRegistry", {"imagesRegistry": "docker.company.com"}),
    ("storageclass", nested("mongo.persistentVolume.storageclass", "fast")),
    ("ingres", nested("restApi.ingres", HOST)),
    ("webAdminPasword", nested("credentials.webAdminPasword", "x")),
    ("scrapeIntervall", nested("monitoring.prometheus.metrics.mongo.scrapeIntervall", "30s")),
    ("useAlfaAlerts", nested("caas-common.monitoring.prometheus.alerts.caas.useAlfaAlerts", True)),
    ("dashbords", nested("caas-common.monitoring.grafana.dashbords", {"enabled": False})),
    ("projekt", nested("deploy.projekt", "p")),
    ("mongo.persistentVolume.size", nested("mongo.persistentVolume.size", "20GB")),
    ("restApi.resources.requests.memory", nested("restApi.resources.requests.memory", "512 MB")),
    ("restApi.maxSurge", nested("restApi.maxSurge", 0)),
    ("restApi.listenAddress", nested("restApi.listenAddress", "localhost")),
    ("restApi.podLabels", nested("restApi.podLabels", {"cost centre": "7"})),
    ("additionalAlertLabels", nested("caas-common.monitoring.prometheus.alerts.additionalAlertLabels", {"a-b": "c"})),
    ("mongo.image.tag", nested("mongo.image.tag", 8.10)),
)  # fmt: skip


@pytest.mark.parametrize(("named", "values"), WRONG, ids=[f"{n}-{name}" for n, (name, _) in enumerate(WRONG)])
def test_contradiction_is_refused(chart: Chart, named: str, values: dict[str, Any]) -> None:
    message = chart.refusal(values)

    assert "These values are wrong" in message
    assert named in message


@pytest.mark.parametrize(("named", "values"), MISTYPED, ids=[f"{n}-{name}" for n, (name, _) in enumerate(MISTYPED)])
def test_mistyped_value_is_refused_by_the_schema(chart: Chart, named: str, values: dict[str, Any]) -> None:
    message = chart.refusal(values)

    assert "schema" in message
    assert named.rpartition(".")[2] in message


def test_all_mistakes_are_in_one_message(chart: Chart) -> None:
    values = {
        "credentials": {"webAdminPassword": "p@ss", "mongoPassword": "a/b", "tokenSecret": "short"},
        "restApi": {"pageSize": {"default": 200, "max": 100}, "ingress": {"enabled": True}},
        "mongo": {"enabled": False},
        "deploy": {"enabled": True},
    }
    message = chart.refusal(values)
    wanted = [
        "credentials.webAdminPassword",
        "credentials.mongoPassword",
        "credentials.tokenSecret",
        "restApi.pageSize.default",
        "restApi.ingress.hosts",
        "mongo.externalUri",
        "deploy.tenant",
        "deploy.project",
        "deploy.source",
    ]

    assert [name for name in wanted if f"- {name}" not in message] == []
    assert message.count("These values are wrong") == 1


def test_all_mistypings_are_in_one_message(chart: Chart) -> None:
    message = chart.refusal({"restApi": {"replicas": "three", "ingres": {}}, "mongo": {"replicas": "3"}})

    assert [name for name in ("/restApi/replicas", "ingres", "/mongo/replicas") if name not in message] == []


def test_refusal_shows_no_password(chart: Chart) -> None:
    wrong = "p@ssword-that-nobody-should-read"
    names = [name for name in chart.default("credentials") if name.endswith(("Password", "Secret", "Key"))]
    message = chart.refusal({"credentials": {name: wrong for name in names if name != "existingSecret"}})

    assert wrong not in message
    assert "credentials.webAdminPassword" in message


@pytest.mark.parametrize(
    "path",
    [
        "credentials.existingSecret",
        "imageCredentials.existingSecret",
        "mongo.externalUriSecret.name",
        "deploy.apiKeySecret.name",
    ],
)
def test_secret_in_place_of_its_name_is_not_shown(chart: Chart, path: str) -> None:
    message = chart.refusal(nested(path, "mongodb://caas:nobody-should-read-it@db/"))

    assert f"- {path}: not the name of a secret" in message
    assert "nobody-should-read-it" not in message


def test_sizes_that_fit_are_taken(chart: Chart) -> None:
    """Units are compared, not texts: 2Gi is less than 3000M, 1 is more than 250m."""
    limits = {"memory": "3000M", "cpu": 1}
    rendered = chart.render({"mongo": {"resources": {"limits": limits}}, "restApi": {"resources": {"limits": limits}}})

    assert rendered.container("StatefulSet", "caas-mongo")["resources"]["limits"] == limits


def test_even_number_of_members_is_explained(chart: Chart) -> None:
    """Four members survive no more failures than three do."""
    assert "3, 5 or 7" in chart.refusal(nested("mongo.replicas", 4))
