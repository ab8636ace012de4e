"""Every container of every scenario, whatever it is for: what it may do, what it is given, what watches it."""

import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.helm.conftest import SCENARIOS
from tests.helm.rendering import Chart, Object, Rendering, read_yaml
from tests.reference import known_variables

# A pod's kinds that run until they are told to stop; a job's pods end by themselves.
LASTING: Final = ("Deployment", "StatefulSet")


def own_or_pod(name: str, spec: Object, container: Object) -> Any:
    """Look a field of the security context up as Kubernetes does: the container's, else the pod's."""
    return container.get("securityContext", {}).get(name, spec.get("securityContext", {}).get(name))


def offenders(rendering: Rendering, allowed: Callable[[Object, Object], object]) -> list[str]:
    """List the containers for which ``allowed(spec, container)`` does not hold."""
    return [label for label, spec, container in rendering.containers() if not allowed(spec, container)]


def test_scenarios_are_there() -> None:
    (defaults,) = (each for each in SCENARIOS if each.name == "default-values.yaml")

    assert read_yaml(defaults.read_text(encoding="utf-8")) == [{}]
    assert len(SCENARIOS) >= 5


def test_scenario_makes_pods(scenario: Rendering) -> None:
    assert len(list(scenario.containers())) >= 1


def test_containers_are_not_root(scenario: Rendering) -> None:
    def allowed(spec: Object, container: Object) -> object:
        user = own_or_pod("runAsUser", spec, container)
        return own_or_pod("runAsNonRoot", spec, container) is True and user != 0

    assert offenders(scenario, allowed) == []


def test_root_file_systems_are_read_only(scenario: Rendering) -> None:
    def allowed(_: Object, container: Object) -> object:
        return container.get("securityContext", {}).get("readOnlyRootFilesystem") is True

    assert offenders(scenario, allowed) == []


def test_containers_gain_no_privileges(scenario: Rendering) -> None:
    def allowed(_: Object, container: Object) -> object:
        context = container.get("securityContext", {})
        kept_in = context.get("allowPrivilegeEscalation") is False and context.get("privileged") is not True
        return kept_in and context.get("capabilities") == {"drop": ["ALL"]}

    assert offenders(scenario, allowed) == []


def test_system_calls_are_filtered(scenario: Rendering) -> None:
    def allowed(spec: Object, container: Object) -> object:
        return own_or_pod("seccompProfile", spec, container) == {"type": "RuntimeDefault"}

    assert offenders(scenario, allowed) == []


def test_pods_stay_away_from_the_node(scenario: Rendering) -> None:
    for label, template in scenario.templates():
        spec = template["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), label
        assert [volume["name"] for volume in spec.get("volumes", ()) if "hostPath" in volume] == [], label


def test_pods_get_no_token_of_the_cluster(scenario: Rendering) -> None:
    held = {label: template["spec"].get("automountServiceAccountToken") for label, template in scenario.templates()}

    assert held == dict.fromkeys(held, False)


def test_resources_are_requested(scenario: Rendering) -> None:
    def allowed(_: Object, container: Object) -> object:
        return {"cpu", "memory"} <= container.get("resources", {}).get("requests", {}).keys()

    assert offenders(scenario, allowed) == []


def test_lasting_containers_are_probed(scenario: Rendering) -> None:
    for label, template in scenario.templates():
        if label.startswith(LASTING):
            containers = template["spec"]["containers"]
            assert [each["name"] for each in containers if "livenessProbe" not in each] == [], label
            assert [each["name"] for each in containers if "readinessProbe" in each], f"{label} is never ready"


def test_probes_ask_ports_that_are_there(scenario: Rendering) -> None:
    for label, _, container in scenario.containers():
        ports = {port[key] for port in container.get("ports", ()) for key in ("name", "containerPort")}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container.get(probe, {})
            for how in ("httpGet", "tcpSocket", "grpc"):
                assert how not in asked or asked[how]["port"] in ports, f"{label}: {probe}"


def test_port_names_are_unique(scenario: Rendering) -> None:
    for label, template in scenario.templates():
        names = [port["name"] for each in template["spec"]["containers"] for port in each.get("ports", ())]
        assert sorted(set(names)) == sorted(names), label


def test_lasting_pods_end_in_their_own_time(scenario: Rendering) -> None:
    for label, template in scenario.templates():
        if label.startswith(LASTING):
            assert template["spec"].get("terminationGracePeriodSeconds", 0) >= 30, label


def test_settings_are_those_of_the_program(scenario: Rendering) -> None:
    """A variable that the server does not know would be ignored, and with it what the operator meant."""
    known = known_variables()
    for label, template in scenario.templates():
        kind, name = label.split("/")
        for container in template["spec"]["containers"]:
            if kind == "Pod":
                continue
            given = scenario.environment(kind, name, container["name"])
            assert {each for each in given if each.startswith("OPENCAAS_")} - known == set(), label


def test_images_have_versions(scenario: Rendering) -> None:
    for label, _, container in scenario.containers():
        assert re.search(r"(:[\w][\w.-]*|@sha256:[0-9a-f]{64})$", container["image"]), label
        assert not container["image"].endswith(":latest"), label


def test_autoscaled_pods_request_cpu(chart: Chart) -> None:
    """The utilization that the autoscaler aims at is a share of the request; without one it does nothing."""
    rendered = chart.render({"restApi": {"horizontalPodAutoscaler": {"enabled": True}}})
    (scaler,) = rendered.of("HorizontalPodAutoscaler")
    spec = rendered.template("Deployment", scaler["spec"]["scaleTargetRef"]["name"])["spec"]

    assert [each["name"] for each in spec["containers"] if "cpu" not in each["resources"].get("requests", {})] == []


@pytest.mark.parametrize("name", ["caas-rest-api"])
def test_change_of_settings_restarts_pods(chart: Chart, name: str) -> None:
    before = chart.render().template("Deployment", name)["metadata"]["annotations"]
    after = chart.render({"restApi": {"pageSize": {"max": 200}}}).template("Deployment", name)["metadata"][
        "annotations"
    ]

    assert before != after
