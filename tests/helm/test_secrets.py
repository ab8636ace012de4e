"""Passwords and keys: made once and kept, given or foreign, and nowhere but in the secret."""

import re
from base64 import b64decode
from typing import Any

import pytest

from tests.helm.cluster import Cluster
from tests.helm.rendering import CHART, NAMESPACE, RELEASE, Chart, Object, nested, read_yaml

NAME = "caas-credentials"
PASSWORDS = (
    "webAdminPassword",
    "metricsPassword",
    "mongoRootPassword",
    "mongoPassword",
    "mongoMetricsPassword",
    "tokenSecret",
)
KEYS = {
    *PASSWORDS,
    "webAdminUser",
    "masterApiKey",
    "metricsUser",
    "mongoRootUser",
    "mongoUser",
    "mongoMetricsUser",
    "clusterKey",
    "mongoUri",
    "mongoMetricsUri",
}
# What openssl rand -base64 756 writes looks like this, in lines of 64 characters.
CLUSTER_KEY = "\n".join(["abcdefgh01234567ABCDEFGH+/+/+/+/" * 2] * 15)


def read_secret(secret: Object) -> dict[str, str]:
    """Return what a secret holds, as its readers get it."""
    return {name: b64decode(value, validate=True).decode() for name, value in secret["data"].items()}


def given_credentials() -> dict[str, str]:
    """A value of its own for each password and key, none of which can be anything else."""
    return {name: f"{name}Given0123456789012345678901234567890" for name in PASSWORDS} | {
        "masterApiKey": "5f0fa4c2-4b3c-4a1d-9d0e-0123456789ab",
        "clusterKey": CLUSTER_KEY,
    }


def held(cluster: Cluster) -> dict[str, str]:
    """Return what the cluster's secret holds."""
    return read_secret(cluster.objects("Secret")[NAME])


def installed(cluster: Cluster, values: Any = None) -> dict[str, str]:
    """Install or upgrade the release, which has to go well, and return what its secret holds."""
    done = cluster.install(values)
    assert done.returncode == 0, done.stderr
    return held(cluster)


def test_secret_has_every_key(chart: Chart) -> None:
    assert read_secret(chart.render().one("Secret", NAME)).keys() == KEYS


def test_no_password_has_a_default(chart: Chart) -> None:
    defaults = chart.default("credentials")

    assert {defaults[name] for name in [*PASSWORDS, "masterApiKey", "clusterKey", "existingSecret"]} == {""}
    assert chart.default("imageCredentials.password") == ""


def test_generated_passwords_are_alphanumeric_and_long(chart: Chart) -> None:
    secret = read_secret(chart.render().one("Secret", NAME))

    assert {name: secret[name] for name in PASSWORDS if not re.fullmatch(r"[A-Za-z0-9]{24,}", secret[name])} == {}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", secret["masterApiKey"])
    # MongoDB takes 6 to 1024 characters of base64 for the key of a replica set.
    assert re.fullmatch(r"[A-Za-z0-9+/=]{32,1024}", secret["clusterKey"])


def test_generated_passwords_differ(chart: Chart) -> None:
    secret = read_secret(chart.render().one("Secret", NAME))
    again = read_secret(chart.render({"nameOverride": "again"}).one("Secret", NAME))

    assert len({secret[name] for name in PASSWORDS}) == len(PASSWORDS)
    assert [name for name in [*PASSWORDS, "masterApiKey", "clusterKey"] if secret[name] == again[name]] == []


@pytest.mark.parametrize("name", [*PASSWORDS, "masterApiKey"])
def test_given_value_is_taken(chart: Chart, name: str) -> None:
    given = given_credentials()

    assert read_secret(chart.render({"credentials": given}).one("Secret", NAME))[name] == given[name]


def test_given_cluster_key_is_one_line(chart: Chart) -> None:
    """MongoDB does not mind blanks in its key file, but a key that is compared later should."""
    secret = read_secret(chart.render({"credentials": given_credentials()}).one("Secret", NAME))

    assert secret["clusterKey"] == CLUSTER_KEY.replace("\n", "")


def test_uris_have_users_and_passwords(chart: Chart) -> None:
    given = given_credentials()
    secret = read_secret(chart.render({"credentials": given}).one("Secret", NAME))
    members = ",".join(f"caas-mongo-{n}.caas-mongo.{NAMESPACE}.svc.cluster.local:27017" for n in range(3))

    assert secret["mongoUri"].startswith(f"mongodb://caas:{given['mongoPassword']}@{members}/?")
    assert "replicaSet=rs0" in secret["mongoUri"]
    assert secret["mongoMetricsUri"].startswith(f"mongodb://exporter:{given['mongoMetricsPassword']}@localhost:27017/")
    assert "directConnection=true" in secret["mongoMetricsUri"]


def test_given_values_stay_in_the_secret(chart: Chart) -> None:
    given = given_credentials() | {"clusterKey": CLUSTER_KEY.replace("\n", "")}
    registry = {"enabled": True, "registry": "docker.company.com", "username": "someone", "password": "pullsecret99"}
    rendered = chart.render({"credentials": given, "imageCredentials": registry})
    rest = str([each for each in rendered.objects if each["kind"] != "Secret"])

    assert [name for name, value in [*given.items(), ("registry", "pullsecret99")] if value in rest] == []


def test_notes_show_no_password(cluster: Cluster) -> None:
    given = given_credentials()
    done = cluster.install({"credentials": given})

    assert done.returncode == 0, done.stderr
    assert NAME in done.stdout
    assert [name for name, value in given.items() if value in done.stdout + done.stderr] == []


def test_generated_values_are_kept_by_an_upgrade(cluster: Cluster) -> None:
    before = installed(cluster)

    assert installed(cluster, {"restApi": {"pageSize": {"max": 200}}}) == before


def test_growth_changes_the_uri_alone(cluster: Cluster) -> None:
    before = installed(cluster)
    after = installed(cluster, {"mongo": {"replicas": 5}})

    assert {name for name in before if before[name] != after[name]} == {"mongoUri"}
    assert "caas-mongo-4." in after["mongoUri"]


def test_secret_outlives_the_release(cluster: Cluster) -> None:
    before = installed(cluster)
    done = cluster.uninstall()

    assert done.returncode == 0, done.stderr
    assert list(cluster.objects("Secret")) == [NAME]
    assert cluster.objects("StatefulSet") == {}
    assert installed(cluster) == before


def test_given_password_replaces_the_one_kept(cluster: Cluster) -> None:
    before = installed(cluster)
    after = installed(cluster, nested("credentials.webAdminPassword", "another0password1"))

    assert after == before | {"webAdminPassword": "another0password1"}


def test_changed_cluster_key_is_refused(cluster: Cluster) -> None:
    before = installed(cluster)
    done = cluster.install(nested("credentials.clusterKey", CLUSTER_KEY))

    assert done.returncode != 0
    assert "credentials.clusterKey" in done.stderr
    assert before["clusterKey"] not in done.stderr
    assert CLUSTER_KEY[:64] not in done.stderr
    assert held(cluster) == before


def test_same_cluster_key_is_taken_again(cluster: Cluster) -> None:
    before = installed(cluster, nested("credentials.clusterKey", CLUSTER_KEY))

    assert installed(cluster, nested("credentials.clusterKey", CLUSTER_KEY.replace("\n", ""))) == before
    assert installed(cluster) == before


def test_volume_without_its_secret_is_refused(cluster: Cluster) -> None:
    """New passwords would be made, and MongoDB, which has the old ones, would let nobody in."""
    cluster.put(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data-caas-mongo-0"},
            "spec": {},
        }
    )
    done = cluster.install()

    assert done.returncode != 0
    assert "data-caas-mongo-0" in done.stderr
    assert installed(cluster, {"credentials": given_credentials()})["mongoPassword"].startswith("mongoPasswordGiven")


def test_volume_of_another_release_is_not_ours(cluster: Cluster) -> None:
    volume = {"name": "data-preview-caas-mongo-0"}
    cluster.put({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": volume, "spec": {}})

    assert installed(cluster)["clusterKey"]


def test_existing_secret_replaces_the_charts(chart: Chart) -> None:
    rendered = chart.render(nested("credentials.existingSecret", "our-own"))

    assert NAME not in rendered.names("Secret")
    texts = str(rendered.objects)
    assert "our-own" in texts
    assert NAME not in texts


def test_password_in_place_of_a_secrets_name_is_not_shown(cluster: Cluster) -> None:
    """Neither by the chart nor by the client that asks the cluster for it."""
    done = cluster.install(nested("credentials.existingSecret", "mongodb://caas:nobody-should-read-it@db/"))

    assert "credentials.existingSecret: not the name of a secret" in done.stderr
    assert "nobody-should-read-it" not in done.stderr


def test_existing_secret_without_a_key_is_refused(cluster: Cluster) -> None:
    cluster.put(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "our-own"}, "data": {"webAdminUser": "YQ=="}}
    )
    done = cluster.install(nested("credentials.existingSecret", "our-own"))

    assert done.returncode != 0
    wanted = (KEYS - {"webAdminUser", "mongoUri", "mongoMetricsUri"}) | {"webAdminPassword"}
    assert [name for name in wanted if f"our-own has no {name}" not in done.stderr] == []


def test_template_asks_the_cluster_if_told_to(cluster: Cluster) -> None:
    before = installed(cluster)
    done = cluster.run("template", RELEASE, str(CHART), "--dry-run=server")
    (secret,) = (each for each in read_yaml(done.stdout) if each["metadata"]["name"] == NAME)

    assert read_secret(secret) == before
