"""What helm says after an installation: how to check the release, where the passwords are, what could be better."""

import re
from typing import Any

import pytest

from tests.helm.cluster import Cluster
from tests.helm.rendering import CHART, NAMESPACE, RELEASE, nested, read_yaml

INGRESS = {"enabled": True, "hosts": ["caas.company.com"]}


def notes(cluster: Cluster, values: Any = None) -> str:
    """Install the release and return its notes."""
    done = cluster.install(values)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("\nNOTES:\n")[2]


@pytest.mark.parametrize("scenario", ["default", "deploy-job", "existing-secret", "external-mongodb"])
def test_notes_name_what_is_there(cluster: Cluster, scenario: str) -> None:
    """Every object that a command of the notes names has been installed, or is one that the values name."""
    (values,) = read_yaml((CHART / "ci" / f"{scenario}-values.yaml").read_text(encoding="utf-8"))
    said = notes(cluster, values)
    named = {
        (kind, name)
        for kind, name in re.findall(
            r"\b(secret|service|job|statefulset|deployment|cronjob)[ /]([a-z][a-z0-9-]*) --", said
        )
    }
    there = {
        (each["kind"].lower(), each["metadata"]["name"])
        for kind in ("Secret", "Service", "Job", "StatefulSet", "Deployment", "CronJob")
        for each in cluster.objects(kind).values()
    }
    foreign = {("secret", (values or {}).get("credentials", {}).get("existingSecret"))}

    assert f"helm test {RELEASE} --namespace={NAMESPACE}" in said
    assert any(kind == "secret" for kind, _ in named)
    assert named - there - foreign == set()


def test_notes_show_the_address(cluster: Cluster) -> None:
    plain = notes(cluster)
    assert "port-forward service/caas-rest-api 8080:80" in plain

    assert "http://caas.company.com/" in notes(cluster, nested("restApi.ingress", INGRESS))


def test_notes_warn_of_what_is_not_encrypted(cluster: Cluster) -> None:
    tls = INGRESS | {"tls": {"enabled": True, "secretName": "cert"}}

    assert "WARNING: caas.company.com is not encrypted" in notes(cluster, nested("restApi.ingress", INGRESS))
    encrypted = notes(cluster, nested("restApi.ingress", tls))
    assert "WARNING" not in encrypted
    assert "https://caas.company.com/" in encrypted


def test_notes_warn_of_a_single_member(cluster: Cluster) -> None:
    assert "WARNING" not in notes(cluster)
    assert cluster.uninstall().returncode == 0

    assert "Use three in production" in notes(cluster, nested("mongo.replicas", 1))
