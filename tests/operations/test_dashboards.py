"""Dashboards are what Grafana imports, and a real Prometheus has an answer to each of their questions."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.helm.rendering import CHART, Chart
from tests.live import LiveServer, eventually, live_server
from tests.operations.prometheus import Prometheus, watching
from tests.patience import PATIENCE
from tests.tools import requires

BOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(CHART.glob("dashboards/*.json"))}
QUIET = ("ALERTS{", 'code="5xx"', "opencaas_change_stream_closed_total")
"""What has no answer while all is well."""


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in BOARDS[name]["panels"] if panel["type"] != "row"]


def questions(name: str) -> list[str]:
    """The queries with Grafana's variables filled in."""
    found = [target["expr"] for panel in panels(name) for target in panel["targets"]]
    values = {"$__rate_interval": "15s", "$__range": "1m", "$namespace": ".+"}
    for variable, value in values.items():
        found = [expr.replace(variable, value) for expr in found]
    return found


@pytest.fixture(scope="module")
def chart() -> Chart:
    return Chart(requires("helm"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("watched")
    with live_server(folder / "data", "--workers", "2", env={"OPENCAAS_READY_GRACE_SECONDS": "1"}) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    program = requires("promtool").resolve().with_name("prometheus")
    with watching(program, server, tmp_path_factory.mktemp("prometheus")) as running:
        yield running


# what Grafana wants


@pytest.mark.parametrize("name", BOARDS)
def test_it_is_a_dashboard_that_can_be_imported_again_and_again(name: str) -> None:
    board = BOARDS[name]

    assert board["id"] is None
    assert board["schemaVersion"] >= 36
    assert re.fullmatch(r"[a-z-]{1,40}", board["uid"])
    assert board["title"].startswith("CaaS")
    assert "__inputs" not in board


def test_no_two_have_the_same_id_or_title() -> None:
    for member in ("uid", "title"):
        assert len(BOARDS) == len({board[member] for board in BOARDS.values()})


@pytest.mark.parametrize("name", BOARDS)
def test_data_source_and_namespaces_can_be_chosen(name: str) -> None:
    source, namespace = BOARDS[name]["templating"]["list"]

    assert ("datasource", "datasource", "prometheus") == (source["name"], source["type"], source["query"])
    assert ("namespace", "query", True) == (namespace["name"], namespace["type"], namespace["multi"])
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert chosen == namespace["datasource"]
    for panel in panels(name):
        assert chosen == panel["datasource"]
        assert all(chosen == target["datasource"] for target in panel["targets"])
        assert all('namespace=~"$namespace"' in target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_has_a_place_a_title_and_a_question(name: str) -> None:
    everything = BOARDS[name]["panels"]

    assert [] == [number for number, times in Counter(panel["id"] for panel in everything).items() if times > 1]
    assert all(panel["title"] for panel in everything)
    assert all(panel["targets"] for panel in panels(name))
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in everything)
    for one, other in combinations([panel["gridPos"] for panel in everything], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, f"{one} and {other} overlap"


def test_the_overview_answers_the_three_questions() -> None:
    rows = [panel["title"] for panel in BOARDS["overview"]["panels"] if panel["type"] == "row"]

    assert ["Is it healthy?", "Is it fast?", "Who is slow?"] == rows[:3]


@pytest.mark.parametrize("name", BOARDS)
def test_links_lead_to_dashboards_that_are_there(name: str) -> None:
    for link in BOARDS[name]["links"]:
        found = re.match(r"/d/([a-z-]+)\?", link["url"])
        assert found is not None
        assert found[1] in {board["uid"] for board in BOARDS.values()}


# what the chart makes of them


@pytest.mark.parametrize("name", BOARDS)
def test_the_chart_brings_them_as_they_are(chart: Chart, name: str) -> None:
    found = chart.render().one("ConfigMap", f"caas-dashboard-{name}")

    assert "content" == found["metadata"]["namespace"]
    assert {f"caas-{name}.json"} == found["data"].keys()
    assert BOARDS[name] == json.loads(found["data"][f"caas-{name}.json"])
    assert len(found["data"][f"caas-{name}.json"]) < 900_000


def test_labels_and_namespace_are_those_of_the_values(chart: Chart) -> None:
    dashboards = {
        "configMapLabels": {"grafana_dashboard": "1"},
        "configmapNamespace": "{{ .Release.Namespace }}-grafana",
    }
    found = chart.render({"caas-common": {"monitoring": {"grafana": {"dashboards": dashboards}}}})

    boards = [each for each in found.of("ConfigMap") if "-dashboard-" in each["metadata"]["name"]]
    assert len(BOARDS) == len(boards)
    for each in boards:
        assert "content-grafana" == each["metadata"]["namespace"]
        assert "1" == each["metadata"]["labels"]["grafana_dashboard"]


def test_they_can_be_left_out(chart: Chart) -> None:
    found = chart.render({"caas-common": {"monitoring": {"grafana": {"dashboards": {"enabled": False}}}}})

    assert [] == [name for name in found.names("ConfigMap") if "-dashboard-" in name]


# what a real Prometheus says


def use(server: LiveServer) -> None:
    """Let figures of every kind move."""
    with server.client(auth=server.admin) as admin:
        for path in ("/acme", "/acme/shop.release.content"):
            admin.put(path).raise_for_status()
        stream = {"streams": [{"uri": "all", "stages": []}]}
        admin.patch("/acme/shop.release.content", json=stream | {"$currentDate": {"lastSync.completed": True}})
        definition = {
            "_id": "acme___news",
            "descriptor": {"uri": "acme/news", "description": "pages", "enabled": True},
            "schema": "type Query { pages: [Page] } type Page { _id: String }",
            "mappings": {"Query": {"pages": {"db": "acme", "collection": "shop.release.content"}}},
        }
        admin.put("/acme/gql-apps/acme___news", json=definition).raise_for_status()
        user, password = server.admin
        address = f"{server.url.replace('http://', f'ws://{user}:{password}@')}/acme/shop.release.content/_streams/all"
        with connect(address) as watcher:
            for number in range(40):
                admin.post("/acme/shop.release.content", json={"_id": f"d{number}"}).raise_for_status()
                admin.get("/acme/shop.release.content").raise_for_status()
                query = {"query": "query List { pages { _id } }", "operationName": "List"}
                admin.post("/graphql/acme/news", json=query).raise_for_status()
            watcher.recv(timeout=PATIENCE)


def test_the_overview_has_an_answer_to_every_question(server: LiveServer, prometheus: Prometheus) -> None:
    wanted = [expr for expr in questions("overview") if not any(part in expr for part in QUIET)]
    assert len(wanted) > 35

    def silent() -> list[str]:
        use_again(server)
        return [expr for expr in wanted if not prometheus.ask(expr)]

    use(server)
    assert eventually(lambda: not silent()), silent()
    for expr in questions("overview"):
        prometheus.ask(expr)  # the others are questions as well


def use_again(server: LiveServer) -> None:
    with server.client(auth=server.admin) as admin:
        admin.get("/acme/shop.release.content").raise_for_status()
        admin.post("/graphql/acme/news", json={"query": "query List { pages { _id } }"}).raise_for_status()


def expressions(chart: Chart) -> dict[str, str]:
    values = {"caas-common": {"monitoring": {"prometheus": {"alerts": {"caas": {"useAlphaAlerts": True}}}}}}
    groups = chart.render(values).one("PrometheusRule", "caas-alerts")["spec"]["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def test_no_alert_is_about_to_fire_while_all_is_well(server: LiveServer, prometheus: Prometheus, chart: Chart) -> None:
    use(server)

    def firing() -> list[str]:
        return [alert for alert, expr in expressions(chart).items() if prometheus.ask(expr)]

    assert eventually(lambda: not firing()), firing()


def test_alerts_are_about_to_fire_while_mongodb_hangs(server: LiveServer, prometheus: Prometheus, chart: Chart) -> None:
    expected = {"CaasNoPrimary", "CaasUnavailable", "CaasNotReady", "CaasCacheOff"}
    asked = {alert: expr for alert, expr in expressions(chart).items() if alert in expected}

    def firing() -> set[str]:
        return {alert for alert, expr in asked.items() if prometheus.ask(expr)}

    (mongod,) = [process for process in server.family() if process.name() == "mongod"]
    mongod.suspend()
    try:
        assert eventually(lambda: firing() == expected), firing()
    finally:
        mongod.resume()
    assert eventually(lambda: not firing()), firing()
