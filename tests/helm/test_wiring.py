"""What the objects of a scenario say of each other: selectors, references, ports, keys of secrets, reachability."""

from collections.abc import Iterator
from typing import Any

from tests.helm.rendering import NAMESPACE, Chart, Object, Rendering, nested

DEPLOY = {"enabled": True, "tenant": "t", "project": "p", "source": {"existingClaim": "exports"}}
RECOMMENDED = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
}


def matches(selector: Object, labels: Object) -> bool:
    """Whether a label selector picks these labels; an empty one picks everything."""
    for expression in selector.get("matchExpressions", ()):
        held = labels.get(expression["key"])
        fits = {
            "In": held in expression.get("values", ()),
            "NotIn": held not in expression.get("values", ()),
            "Exists": held is not None,
            "DoesNotExist": held is None,
        }
        if not fits[expression["operator"]]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def pods(rendering: Rendering, selector: Object) -> list[str]:
    """List what makes the pods that a selector picks."""
    return [label for label, pod in rendering.templates() if matches(selector, pod["metadata"].get("labels", {}))]


def references(node: Any) -> Iterator[tuple[str, Object]]:
    """Yield every reference to a key of a secret or config map, wherever it stands."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in {"secretKeyRef", "configMapKeyRef"}:
                yield "Secret" if name == "secretKeyRef" else "ConfigMap", value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def keys(rendering: Rendering, kind: str, name: str) -> set[str] | None:
    """Return the keys of a secret or config map; nothing if it is not one of the chart's."""
    found = [each for each in rendering.of(kind) if each["metadata"]["name"] == name]
    if not found:
        return None
    return {*found[0].get("data", ()), *found[0].get("stringData", ())}


def test_workloads_select_their_own_pods_alone(scenario: Rendering) -> None:
    for each in [*scenario.of("Deployment"), *scenario.of("StatefulSet")]:
        label = f"{each['kind']}/{each['metadata']['name']}"
        assert pods(scenario, each["spec"]["selector"]) == [label]


def test_services_select_pods_of_one_workload(scenario: Rendering) -> None:
    for service in scenario.of("Service"):
        assert len(pods(scenario, {"matchLabels": service["spec"]["selector"]})) == 1, service["metadata"]["name"]


def test_services_lead_to_ports_that_are_open(scenario: Rendering) -> None:
    templates = dict(scenario.templates())
    for service in scenario.of("Service"):
        (label,) = pods(scenario, {"matchLabels": service["spec"]["selector"]})
        containers = templates[label]["spec"]["containers"]
        opened = {
            port[key] for each in containers for port in each.get("ports", ()) for key in ("name", "containerPort")
        }
        for port in service["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in opened, service["metadata"]["name"]


def test_stateful_sets_have_a_headless_service(scenario: Rendering) -> None:
    for each in scenario.of("StatefulSet"):
        service = scenario.one("Service", each["spec"]["serviceName"])
        assert service["spec"]["clusterIP"] == "None"
        # Members have to find each other before they are ready: only then do they become so.
        assert service["spec"]["publishNotReadyAddresses"] is True
        assert pods(scenario, {"matchLabels": service["spec"]["selector"]}) == [
            f"StatefulSet/{each['metadata']['name']}"
        ]


def test_disruption_budgets_select_pods_of_one_workload(scenario: Rendering) -> None:
    for budget in scenario.of("PodDisruptionBudget"):
        (label,) = pods(scenario, budget["spec"]["selector"])
        assert label.startswith(("Deployment/", "StatefulSet/"))


def test_disruption_budgets_let_nodes_be_drained(scenario: Rendering) -> None:
    for budget in scenario.of("PodDisruptionBudget"):
        (label,) = pods(scenario, budget["spec"]["selector"])
        kind, name = label.split("/")
        replicas = scenario.one(kind, name)["spec"].get("replicas", 3)
        # Kubernetes takes one of them.
        assert ("minAvailable" in budget["spec"]) != ("maxUnavailable" in budget["spec"]), label
        minimum = budget["spec"].get("minAvailable")
        assert minimum is None or str(minimum).endswith("%") or minimum < replicas, label
        assert budget["spec"].get("maxUnavailable") not in {0, "0%"}, label


def test_scaled_objects_are_there(scenario: Rendering) -> None:
    for scaler in [*scenario.of("HorizontalPodAutoscaler"), *scenario.of("VerticalPodAutoscaler")]:
        target = scaler["spec"].get("scaleTargetRef") or scaler["spec"]["targetRef"]
        found = scenario.one(target["kind"], target["name"])
        assert found["apiVersion"] == target["apiVersion"]
        # Else every upgrade would set the number back that the autoscaler has chosen.
        assert scaler["kind"] != "HorizontalPodAutoscaler" or "replicas" not in found["spec"]


def test_ingresses_lead_to_services(scenario: Rendering) -> None:
    for ingress in scenario.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = scenario.one("Service", backend["name"])["spec"]["ports"]
                opened = {"number": {each["port"] for each in ports}, "name": {each.get("name") for each in ports}}
                ((how, port),) = backend["port"].items()
                assert port in opened[how], ingress["metadata"]["name"]


def test_service_monitors_find_one_service(scenario: Rendering) -> None:
    for monitor in scenario.of("ServiceMonitor"):
        selector = monitor["spec"]["selector"]
        found = [each for each in scenario.of("Service") if matches(selector, each["metadata"]["labels"])]
        # Two services with the same pods would count everything twice.
        assert len(found) == 1, [each["metadata"]["name"] for each in found]
        ports = {port["name"] for port in found[0]["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports
        spaces = monitor["spec"].get("namespaceSelector", {"matchNames": [NAMESPACE]})
        assert spaces == {"matchNames": [NAMESPACE]}


def test_service_monitors_sign_in_by_secret(scenario: Rendering) -> None:
    for monitor in scenario.of("ServiceMonitor"):
        for endpoint in monitor["spec"]["endpoints"]:
            for reference in endpoint.get("basicAuth", {}).values():
                held = keys(scenario, "Secret", reference["name"])
                assert held is None or reference["key"] in held


def test_referenced_keys_are_there(scenario: Rendering) -> None:
    for label, template in scenario.templates():
        for kind, reference in references(template):
            held = keys(scenario, kind, reference["name"])
            assert held is not None or kind == "Secret", f"{label}: {reference}"
            assert held is None or reference["key"] in held or reference.get("optional"), f"{label}: {reference}"


def test_environment_comes_from_maps_that_are_there(scenario: Rendering) -> None:
    for label, _, container in scenario.containers():
        for source in container.get("envFrom", ()):
            # A whole secret as variables would hand each container everything.
            assert list(source) == ["configMapRef"], label
            assert keys(scenario, "ConfigMap", source["configMapRef"]["name"]) is not None, label


def test_mounts_and_volumes_agree(scenario: Rendering) -> None:
    templates = dict(scenario.templates())
    for label, template in templates.items():
        spec = template["spec"]
        kind, name = label.split("/")
        claims = scenario.one(kind, name)["spec"].get("volumeClaimTemplates", ()) if kind == "StatefulSet" else ()
        volumes = {each["name"] for each in spec.get("volumes", ())} | {each["metadata"]["name"] for each in claims}
        containers = [*spec.get("initContainers", ()), *spec["containers"]]
        mounted = {mount["name"] for each in containers for mount in each.get("volumeMounts", ())}
        assert mounted == volumes, label


def test_mounted_keys_are_there(scenario: Rendering) -> None:
    for label, template in scenario.templates():
        for volume in template["spec"].get("volumes", ()):
            sources = [volume, *volume.get("projected", {}).get("sources", ())]
            for source in sources:
                for field, kind, naming in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
                    if field not in source:
                        continue
                    described = source[field]
                    held = keys(scenario, kind, described.get(naming) or described["name"])
                    wanted = {item["key"] for item in described.get("items", ())}
                    assert held is not None or kind == "Secret", f"{label}: {described}"
                    assert held is None or wanted <= held, f"{label}: {described}"
                    assert kind == "ConfigMap" or wanted, f"{label}: a whole secret is mounted"


def test_objects_are_labelled(scenario: Rendering) -> None:
    for each in scenario.objects:
        assert each["metadata"].get("labels", {}).keys() >= RECOMMENDED, f"{each['kind']}/{each['metadata']['name']}"


def test_selectors_have_no_version(scenario: Rendering) -> None:
    """What a selector says can't be changed later; a version in it would make every upgrade fail."""
    for each in [*scenario.of("Deployment"), *scenario.of("StatefulSet")]:
        selected = each["spec"]["selector"]["matchLabels"].keys()
        assert selected <= {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component")}


def test_names_are_unique_and_short(scenario: Rendering) -> None:
    names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in scenario.objects]

    assert len(set(names)) == len(names)
    assert [name for _, _, name in names if len(name) > 63] == []


def test_only_dashboards_name_their_namespace(scenario: Rendering) -> None:
    elsewhere = [each for each in scenario.objects if each["metadata"].get("namespace", NAMESPACE) != NAMESPACE]

    assert {each["kind"] for each in elsewhere} <= {"ConfigMap"}


def admits(rendering: Rendering, *, source: Object, workload: tuple[str, str], port: int) -> bool:
    """Whether network policies let a pod with some labels, of the same namespace, reach a port of a workload's pods."""
    pod = rendering.template(*workload)
    names = {
        each["name"]: each["containerPort"]
        for container in pod["spec"]["containers"]
        for each in container.get("ports", ())
    }
    policies = [
        each["spec"]
        for each in rendering.of("NetworkPolicy")
        if matches(each["spec"]["podSelector"], pod["metadata"]["labels"]) and "Ingress" in each["spec"]["policyTypes"]
    ]
    if not policies:
        return True
    for rule in (rule for policy in policies for rule in policy.get("ingress", ())):
        ports = {names.get(each["port"], each["port"]) for each in rule.get("ports", ())}
        peers = rule.get("from")
        if (not ports or port in ports) and (not peers or any(_is_peer(peer, source) for peer in peers)):
            return True
    return False


def _is_peer(peer: Object, source: Object) -> bool:
    # Namespaces' labels are not known here, so a rule that names them alone is not taken for one about us.
    return "podSelector" in peer and "namespaceSelector" not in peer and matches(peer["podSelector"], source)


def labels(rendering: Rendering, kind: str, name: str) -> Object:
    """Return the labels of an object's pods."""
    found: Object = rendering.template(kind, name)["metadata"]["labels"]
    return found


MONGO = ("StatefulSet", "caas-mongo")
SERVER = ("Deployment", "caas-rest-api")
STRANGER = {"app": "stranger"}


def test_only_the_platform_reaches_mongodb(chart: Chart) -> None:
    rendered = chart.render()

    for friend in (labels(rendered, *SERVER), labels(rendered, *MONGO)):
        assert admits(rendered, source=friend, workload=MONGO, port=27017)
    for other in (STRANGER, {}):
        assert not admits(rendered, source=other, workload=MONGO, port=27017)


def test_anyone_reaches_the_rest_interface_at_its_port(chart: Chart) -> None:
    rendered = chart.render()

    assert admits(rendered, source=STRANGER, workload=SERVER, port=8080)
    assert not admits(rendered, source=STRANGER, workload=SERVER, port=22)


def test_rest_interface_can_be_for_some_alone(chart: Chart) -> None:
    friends = [{"podSelector": {"matchLabels": {"app": "shop"}}}]
    values = nested("restApi.networkPolicy.from", friends) | {"deploy": DEPLOY}
    rendered = chart.render(values)
    (job,) = rendered.names("Job")

    assert admits(rendered, source={"app": "shop"}, workload=SERVER, port=8080)
    assert admits(rendered, source=labels(rendered, "Job", job), workload=SERVER, port=8080)
    assert not admits(rendered, source=STRANGER, workload=SERVER, port=8080)


def test_server_may_reach_mongodb_and_names_alone(chart: Chart) -> None:
    rendered = chart.render()
    (policy,) = (
        each["spec"]
        for each in rendered.of("NetworkPolicy")
        if matches(each["spec"]["podSelector"], labels(rendered, *SERVER))
    )
    reached = {
        port["port"]: [matches(peer["podSelector"], labels(rendered, *MONGO)) for peer in rule.get("to", ())]
        for rule in policy["egress"]
        for port in rule["ports"]
    }

    assert "Egress" in policy["policyTypes"]
    assert reached == {53: [], 5353: [], 27017: [True]}


def test_longest_names_leave_room(chart: Chart) -> None:
    """Jobs of a schedule, and the labels of members, get eleven characters more from Kubernetes."""
    longest = {"fullnameOverride": "n" * 40, "deploy": DEPLOY | {"schedule": "10 * * * *"}}
    rendered = chart.render(longest)
    workloads = [name for kind in ("CronJob", "Deployment", "StatefulSet") for name in rendered.names(kind)]

    assert len(workloads) == 3
    assert [name for name in workloads if len(name) > 52] == []
    assert [each["metadata"]["name"] for each in rendered.objects if len(each["metadata"]["name"]) > 63] == []
    assert "fullnameOverride" in chart.refusal({"fullnameOverride": "n" * 41})
