"""The chart's alerts as Prometheus gets them: promtool reads them, each fires when it should and is silent when not."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.rendering import CHART, Chart, Object
from tests.tools import requires

CASES = Path(__file__).parent / "alerts"
RUNBOOKS = Path(__file__).parents[2] / "docs" / "operations" / "alerts"
SEVERITIES = {"critical", "warning", "info"}
SECTIONS = ["What it means", "What to look at", "What to do"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def names(pattern: str = "*") -> list[str]:
    return [
        rule["alert"]
        for path in sorted(CHART.glob(f"alerts/{pattern}.yaml"))
        for group in read(path)["groups"]
        for rule in group["rules"]
    ]


ALERTS = names()


@pytest.fixture(scope="module")
def chart() -> Chart:
    return Chart(requires("helm"))


@pytest.fixture(scope="module")
def promtool() -> Path:
    return requires("promtool")


def rules(chart: Chart, **values: Any) -> dict[str, Object]:
    """The rules that some values of ``alerts.caas`` make, by their names."""
    return {rule["alert"]: rule for group in groups(chart, {"caas": values}) for rule in group["rules"]}


def groups(chart: Chart, alerts: Object) -> list[Object]:
    values = {"caas-common": {"monitoring": {"prometheus": {"alerts": alerts}}}}
    found: list[Object] = chart.render(values).one("PrometheusRule", "caas-alerts")["spec"]["groups"]
    return found


@pytest.fixture(scope="module")
def rendered(chart: Chart, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the rules, all of them, and the cases that promtool runs over them."""
    folder = tmp_path_factory.mktemp("rules")
    spec = {"groups": groups(chart, {"caas": {"useAlphaAlerts": True}})}
    (folder / "rules.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    for path in CASES.glob("*.yaml"):
        shutil.copy(path, folder)
    return folder


def run(promtool: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False, timeout=120)


# what promtool says


def test_promtool_reads_the_rules(promtool: Path, rendered: Path) -> None:
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", rendered / "rules.yaml")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


@pytest.mark.parametrize("path", sorted(CHART.glob("alerts/*.yaml")), ids=lambda path: path.stem)
def test_promtool_reads_the_files_as_they_are(promtool: Path, path: Path) -> None:
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", path)

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_it_fires_when_it_should_and_only_then(promtool: Path, rendered: Path, alert: str) -> None:
    done = run(promtool, "test", "rules", rendered / f"{alert}.yaml")

    assert 0 == done.returncode, done.stdout + done.stderr


def test_a_case_that_does_not_hold_fails(promtool: Path, rendered: Path, tmp_path: Path) -> None:
    """So that passing says something: the rules are really read, and the alerts are really expected."""
    case = read(CASES / "CaasDown.yaml")
    case["tests"][1]["alert_rule_test"][0]["exp_alerts"] = case["tests"][0]["alert_rule_test"][0]["exp_alerts"]
    shutil.copy(rendered / "rules.yaml", tmp_path)
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")

    assert 0 != run(promtool, "test", "rules", tmp_path / "wrong.yaml").returncode


@pytest.mark.parametrize("alert", ALERTS)
def test_there_are_cases_of_both_kinds(alert: str) -> None:
    tests = read(CASES / f"{alert}.yaml")["tests"]
    checks = [check for test in tests for check in test["alert_rule_test"]]

    assert {alert} == {check["alertname"] for check in checks}
    assert {True, False} == {bool(check["exp_alerts"]) for check in checks}
    assert all(test["input_series"] for test in tests)


def test_there_are_no_cases_of_other_alerts() -> None:
    assert sorted(ALERTS) == sorted(path.stem for path in CASES.glob("*.yaml"))


# what an alert has to have


@pytest.mark.parametrize("alert", ALERTS)
def test_it_says_how_bad_it_is_what_happens_and_where_to_read_on(chart: Chart, alert: str) -> None:
    rule = rules(chart, useAlphaAlerts=True)[alert]

    assert rule["labels"]["severity"] in SEVERITIES
    assert {"summary", "description", "runbook_url"} == rule["annotations"].keys()
    assert rule["annotations"]["description"].endswith(".")
    assert len(rule["annotations"]["summary"]) <= 100


@pytest.mark.parametrize("alert", ALERTS)
def test_it_has_a_runbook(chart: Chart, alert: str) -> None:
    link = rules(chart, useAlphaAlerts=True)[alert]["annotations"]["runbook_url"]
    page = Path(__file__).parents[2] / link
    text = page.read_text(encoding="utf-8")

    assert RUNBOOKS / f"{alert}.md" == page
    assert text.startswith(f"# {alert}\n")
    assert SECTIONS == re.findall(r"^## (.*)$", text, flags=re.MULTILINE)


def test_runbooks_of_alerts_that_are_gone_are_gone() -> None:
    assert sorted(ALERTS) == sorted(path.stem for path in RUNBOOKS.glob("Caas*.md"))


def test_every_runbook_is_listed_with_its_severity(chart: Chart) -> None:
    listed = (RUNBOOKS.parent / "monitoring.md").read_text(encoding="utf-8")

    for alert, rule in rules(chart, useAlphaAlerts=True).items():
        assert f"| [{alert}](alerts/{alert}.md) | {rule['labels']['severity']} |" in listed


def test_names_are_given_once() -> None:
    assert len(ALERTS) == len(set(ALERTS))


@pytest.mark.parametrize("path", sorted(CHART.glob("alerts/*.yaml")), ids=lambda path: path.stem)
def test_every_expression_ends_with_its_threshold(path: Path) -> None:
    for group in read(path)["groups"]:
        for rule in group["rules"]:
            assert re.search(r" [<>] [0-9.]+$", rule["expr"]), rule["alert"]


# what values change


def test_trials_are_there_only_where_they_are_wanted(chart: Chart) -> None:
    trials = set(names("alpha"))

    assert trials
    assert set(ALERTS) - trials == rules(chart).keys()
    assert set(ALERTS) == rules(chart, useAlphaAlerts=True).keys()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("{{ .Release.Namespace }}", 'namespace=~"content"'),
        ("{{ .Release.Namespace }}-(one|two)", 'namespace=~"content-(one|two)"'),
        (r"caas-\d+", r'namespace=~"caas-\\d+"'),
        (".+", 'namespace=~".+"'),
    ],
)
def test_namespaces_are_a_template_and_a_pattern(
    chart: Chart, promtool: Path, tmp_path: Path, given: str, written: str
) -> None:
    found = groups(chart, {"caas": {"targetNamespace": given, "useAlphaAlerts": True}})
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": found}), encoding="utf-8")

    for group in found:
        for rule in group["rules"]:
            assert written in rule["expr"]
            assert rule["expr"].count("namespace=~") == rule["expr"].count(written)
            assert "TARGET_NAMESPACE" not in rule["expr"]
    assert 0 == run(promtool, "check", "rules", path).returncode


def test_names_of_objects_follow_the_release(chart: Chart) -> None:
    found = chart.render({"fullnameOverride": "shop"}).one("PrometheusRule", "shop-alerts")["spec"]["groups"]

    assert 'service="shop-rest-api"' in found[0]["rules"][0]["expr"]
    assert "FULLNAME" not in str(found)


def test_labels_are_added_or_replaced(chart: Chart) -> None:
    found = groups(chart, {"additionalAlertLabels": {"team": "web", "severity": "page"}})

    assert [{"team": "web", "severity": "page"}] * len(found[0]["rules"]) == [
        rule["labels"] for rule in found[0]["rules"]
    ]


def test_a_threshold_can_be_another(chart: Chart) -> None:
    before = rules(chart)["CaasSyncStale"]["expr"]
    after = rules(chart, thresholds={"CaasSyncStale": 604800, "CaasErrorRate": 0.002})

    assert before.removesuffix("93600") + "604800" == after["CaasSyncStale"]["expr"]
    assert after["CaasErrorRate"]["expr"].endswith("> 0.002")


def test_alerts_can_be_left_out(chart: Chart) -> None:
    assert rules(chart).keys() - {"CaasSyncStale"} == rules(chart, disabled=["CaasSyncStale"]).keys()
    everything = chart.render(
        {"caas-common": {"monitoring": {"prometheus": {"alerts": {"caas": {"disabled": ALERTS}}}}}}
    )
    assert [] == everything.of("PrometheusRule")


def test_alerts_that_are_not_there_are_refused_together(chart: Chart) -> None:
    values = {"disabled": ["CaasSlow"], "thresholds": {"CaasFast": 1}}
    said = chart.refusal({"caas-common": {"monitoring": {"prometheus": {"alerts": {"caas": values}}}}})

    assert "there is no alert CaasSlow" in said
    assert "there is no alert CaasFast" in said


def test_the_exporter_is_told_to_show_what_alerts_look_at(chart: Chart) -> None:
    exporter = chart.render().container("StatefulSet", "caas-mongo", "metrics")

    collectors = {"--collector.diagnosticdata", "--collector.replicasetstatus", "--collector.dbstats"}
    assert collectors <= set(exporter["args"])


def test_runbooks_can_lie_elsewhere(chart: Chart) -> None:
    found = rules(chart, runbooks="https://wiki.example/caas/")

    assert "https://wiki.example/caas/CaasDown.md" == found["CaasDown"]["annotations"]["runbook_url"]


def test_large_thresholds_stay_numbers(chart: Chart, promtool: Path, tmp_path: Path) -> None:
    found = groups(chart, {"caas": {"thresholds": {"CaasSyncStale": 31536000}}})
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": found}), encoding="utf-8")

    assert 0 == run(promtool, "check", "rules", path).returncode
    (stale,) = [rule for rule in found[0]["rules"] if rule["alert"] == "CaasSyncStale"]
    assert 31536000 == float(stale["expr"].rpartition("> ")[2])
