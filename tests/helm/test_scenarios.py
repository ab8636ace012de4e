"""The chart as a whole: lint, and each scenario's objects against the published schemas."""

from pathlib import Path

import pytest

from tests.helm.conftest import SCENARIOS
from tests.helm.rendering import CHART, Chart, Rendering, read_yaml, run_helm
from tests.helm.schemas import KUBERNETES, faults


@pytest.mark.parametrize("values", SCENARIOS, ids=lambda path: path.stem)
def test_lint_has_nothing_to_say(chart: Chart, values: Path) -> None:
    done = run_helm(chart.helm, "lint", "--strict", "--quiet", str(CHART), "--values", str(values))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


@pytest.mark.parametrize("version", KUBERNETES)
def test_objects_fit_their_schemas(scenario: Rendering, version: str) -> None:
    assert [fault for each in scenario.objects for fault in faults(each, kubernetes=version)] == []


def test_rendering_twice_gives_the_same(chart: Chart) -> None:
    """What is made at random is kept by the cluster's secret; nothing else may differ from one upgrade to the next."""
    given = {
        "credentials": dict.fromkeys(
            [name for name, value in chart.default("credentials").items() if not value and name != "existingSecret"],
            "0123456789abcdef0123456789abcdef",
        )
    }
    first = chart.render(given)
    done = run_helm(chart.helm, "template", "shop", str(CHART), "--namespace", "content", values=given)

    assert list(first.objects) == read_yaml(done.stdout)


@pytest.mark.parametrize("version", KUBERNETES)
def test_chart_is_for_the_versions_tested(chart: Chart, version: str) -> None:
    done = run_helm(chart.helm, "template", "shop", str(CHART), "--kube-version", f"{version}.0")

    assert done.returncode == 0, done.stderr


def test_package_has_what_it_needs(chart: Chart, tmp_path: Path) -> None:
    """What ``.helmignore`` leaves out must not be missed: the packed chart renders, too."""
    packed = run_helm(chart.helm, "package", str(CHART), "--destination", str(tmp_path))
    assert packed.returncode == 0, packed.stderr

    (archive,) = tmp_path.glob("*.tgz")
    done = run_helm(chart.helm, "template", "shop", str(archive), "--namespace", "content")
    kinds = [(each["kind"], each["metadata"]["name"]) for each in read_yaml(done.stdout)]
    assert kinds == [(each["kind"], each["metadata"]["name"]) for each in chart.render().objects]


def test_two_releases_share_a_namespace(chart: Chart) -> None:
    """With names of their own, which ``fullnameOverride`` is there for."""
    first = chart.render()
    second = chart.render({"fullnameOverride": ""})

    assert {each["metadata"]["name"] for each in first.objects} & {
        each["metadata"]["name"] for each in second.objects
    } == set()
