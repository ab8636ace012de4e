"""Every metric and label that an alert or a dashboard speaks of is in what the server and MongoDB really tell."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pymongo.monitoring import ConnectionCheckOutFailedReason

from content_core.store.embedded import EmbeddedMongo
from opencaas.metrics.catalog import CATALOG
from tests.helm.rendering import CHART
from tests.live import LiveServer, eventually, live_server
from tests.operations.exporter import exporter_figures
from tests.operations.promql import Query, read_query
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.tools import requires

ROOT = Path(__file__).parents[2]
TARGET = {"namespace", "pod", "service", "instance", "job", "container", "endpoint"}
"""Labels that the Prometheus Operator gives to everything."""
OWN: dict[str, dict[str, set[str]]] = {"up": {}, "ALERTS": {"alertname": set(), "alertstate": {"firing", "pending"}}}
"""Metrics of Prometheus itself."""

Told = dict[str, dict[str, set[str]]]
"""Metric → label → the values that were seen."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and where it stands."""

    place: str
    query: Query


def alerts() -> Iterator[Asked]:
    for path in sorted(CHART.glob("alerts/*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                yield Asked(rule["alert"], read_query(rule["expr"]))


def panels() -> Iterator[Asked]:
    for path in sorted(CHART.glob("dashboards/*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                place = f"{path.stem}, {panel['title']}, {target['refId']}"
                yield Asked(place, read_query(target["expr"]))


def pages() -> Iterator[Asked]:
    for path in sorted((ROOT / "docs" / "operations").rglob("*.md")):
        for block in re.findall(r"```promql\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL):
            for number, line in enumerate(block.splitlines()):
                yield Asked(f"{path.stem}, {number}", read_query(line))


ASKED = [*alerts(), *panels(), *pages()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that has answered requests of every kind that queries tell apart."""
    with live_server(tmp_path_factory.mktemp("figures") / "data") as running:
        with running.client(auth=running.admin) as admin:
            for path in ("/acme", "/acme/shop.release.content"):
                admin.put(path).raise_for_status()
            admin.post("/acme/shop.release.content", json=[{"_id": "a"}, {"_id": "b"}]).raise_for_status()
            note: dict[str, Any] = {"$currentDate": {"lastSync.completed": True}}
            admin.patch("/acme/shop.release.content", json=note).raise_for_status()
            for path in ("", "/a"):
                admin.get(f"/acme/shop.release.content{path}").raise_for_status()
            definition = {
                "_id": "acme___news",
                "descriptor": {"uri": "acme/news", "description": "pages", "enabled": True},
                "schema": "type Query { pages: [Page] } type Page { _id: String }",
                "mappings": {"Query": {"pages": {"db": "acme", "collection": "shop.release.content"}}},
            }
            admin.put("/acme/gql-apps/acme___news", json=definition).raise_for_status()
            for _ in range(2):
                admin.post("/graphql/acme/news", json={"query": "{ pages { _id } }"}).raise_for_status()
            admin.get("/_logic/healthcheck").raise_for_status()
        yield running


@pytest.fixture(scope="module")
def told(server: LiveServer, mongo: EmbeddedMongo) -> Told:
    """What the server, MongoDB's exporter and Prometheus itself tell."""
    assert eventually(lambda: "opencaas_sync_completed_timestamp_seconds{" in metrics(server))
    metrics(server)  # so that the scrape itself is among the requests
    found: Told = {}
    for family in text_string_to_metric_families(metrics(server)):
        about = CATALOG.get(family.name.removeprefix("opencaas_").removesuffix("_seconds"))
        for suffix in {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",)):
            labels: dict[str, set[str]] = {label: set() for label in about.labels} if about else {}
            found[family.name + suffix] = labels
        for sample in family.samples:
            for label, value in sample.labels.items():
                found.setdefault(sample.name, {}).setdefault(label, set()).add(value)
    return found | exporter_figures(mongo.uri) | OWN


def metrics(server: LiveServer) -> str:
    return httpx.get(f"{server.url}/_metrics", auth=server.admin, timeout=30).raise_for_status().text


def test_there_are_queries() -> None:
    assert len(ASKED) > 60
    assert all(asked.query.selectors for asked in ASKED)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.place)
def test_every_metric_is_told(asked: Asked, told: Told) -> None:
    assert () == asked.query.bare, "a metric without braces is of all namespaces"
    for selector in asked.query.selectors:
        assert selector.metric in told
        assert "namespace" in selector.labels, f"{selector.metric} is of all namespaces"


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.place)
def test_every_label_is_told(asked: Asked, told: Told) -> None:
    for selector in asked.query.selectors:
        assert selector.labels.keys() <= told[selector.metric].keys() | TARGET, selector.metric
    known = {label for selector in asked.query.selectors for label in told[selector.metric]} | TARGET
    assert asked.query.groups <= known


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.place)
def test_every_value_of_a_label_occurs(asked: Asked, told: Told) -> None:
    """A misspelt type or result would find nothing and look like peace."""
    rare = {"5xx", ConnectionCheckOutFailedReason.TIMEOUT}  # nothing failed here
    for selector in asked.query.selectors:
        for label, values in selector.labels.items():
            if label not in TARGET:
                assert set(values) <= told[selector.metric][label] | rare, f"{selector.metric}, {label}"


def test_promtool_reads_every_query_of_dashboards_and_pages(tmp_path: Path) -> None:
    promtool = requires("promtool")
    rules = []
    for number, asked in enumerate([*panels(), *pages()]):
        expr = asked.query.text.replace("$__rate_interval", "5m").replace("$__range", "6h")
        rules.append({"record": f"query:{number}", "expr": expr, "labels": {"place": asked.place}})
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")

    done = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False, timeout=60)

    assert 0 == done.returncode, done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_the_reader_of_queries_finds_what_is_wrong() -> None:
    query = read_query('sum by (pod) (rate(a_total{b="c", d!~"e|f"}[5m])) / on (g) h{i=~".+x"} > 0.5 and up')

    assert ["a_total", "h"] == [selector.metric for selector in query.selectors]
    assert {"b": ("c",), "d": ("e", "f")} == query.selectors[0].labels
    assert {"b": ("c",)} == query.selectors[0].wanted
    assert {"i": ()} == query.selectors[1].labels
    assert {"pod", "g"} == query.groups
    assert ("up",) == query.bare


def test_the_exporter_itself_tells_the_same(mongo: EmbeddedMongo) -> None:
    """Where it is installed; package registries have no binary of it."""
    program = shutil.which("mongodb_exporter")
    if program is None:
        pytest.skip("mongodb_exporter is not installed")
    address = f"127.0.0.1:{free_port()}"
    collectors = ("--collector.diagnosticdata", "--collector.replicasetstatus", "--collector.dbstats")
    command = [program, *collectors, f"--web.listen-address={address}", f"--mongodb.uri={mongo.uri}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        text = eventually(lambda: _scraped(f"http://{address}/metrics"))
    finally:
        process.terminate()
        process.wait(PATIENCE)
    shown = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    asked = {selector.metric for each in ASKED for selector in each.query.selectors}

    assert set() == {name for name in asked if name.startswith("mongodb_")} - shown


def _scraped(url: str) -> str:
    try:
        text = httpx.get(url, timeout=10).text
    except httpx.HTTPError:
        return ""
    return text if "mongodb_dbstats" in text else ""
