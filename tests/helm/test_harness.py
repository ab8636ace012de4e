"""What the chart's tests themselves stand on: the published schemas see what is wrong."""

import pytest

from tests.helm.rendering import Object
from tests.helm.schemas import KUBERNETES, faults

SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "s"},
    "spec": {"ports": [{"port": 80}], "selector": {"app": "s"}},
}
MONITOR: Object = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "ServiceMonitor",
    "metadata": {"name": "m", "labels": {"release": "x"}},
    "spec": {"selector": {"matchLabels": {"app": "s"}}, "endpoints": [{"port": "http", "interval": "30s"}]},
}
AUTOSCALER: Object = {
    "apiVersion": "autoscaling.k8s.io/v1",
    "kind": "VerticalPodAutoscaler",
    "metadata": {"name": "v"},
    "spec": {
        "targetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "s"},
        "updatePolicy": {"updateMode": "Auto"},
        "resourcePolicy": {"containerPolicies": [{"containerName": "*", "minAllowed": {"cpu": 1, "memory": "1Gi"}}]},
    },
}


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("described", [SERVICE, MONITOR, AUTOSCALER], ids=lambda described: described["kind"])
def test_right_object_has_no_faults(described: Object, version: str) -> None:
    assert faults(described, kubernetes=version) == []


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("described", [SERVICE, MONITOR, AUTOSCALER], ids=lambda described: described["kind"])
def test_unknown_field_is_a_fault(described: Object, version: str) -> None:
    (fault,) = faults(described | {"spec": described["spec"] | {"selectors": {}}}, kubernetes=version)

    assert "selectors" in fault


@pytest.mark.parametrize(
    ("described", "change", "said"),
    [
        (SERVICE, {"ports": [{"port": "eighty"}]}, "eighty"),
        (MONITOR, {"endpoints": [{"interval": "often"}]}, "often"),
        (AUTOSCALER, {"updatePolicy": {"updateMode": "Sometimes"}}, "Sometimes"),
    ],
    ids=["Service", "ServiceMonitor", "VerticalPodAutoscaler"],
)
def test_wrong_value_is_a_fault(described: Object, change: Object, said: str) -> None:
    (fault,) = faults(described | {"spec": described["spec"] | change}, kubernetes=KUBERNETES[0])

    assert said in fault


def test_unknown_kind_is_a_fault() -> None:
    assert faults(MONITOR | {"kind": "ServiceWatcher"}, kubernetes="1.35") == [
        "ServiceWatcher/m: no ServiceWatcher of monitoring.coreos.com/v1 is published"
    ]
    (fault,) = faults(SERVICE | {"kind": "Servant"}, kubernetes="1.35")
    assert "Servant" in fault
