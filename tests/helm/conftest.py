"""What the chart's tests share: the chart, its scenarios, and a small API server for what asks the cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helm.cluster import Cluster
from tests.helm.rendering import CHART, Chart, Rendering
from tests.tools import requires

SCENARIOS = sorted(CHART.glob("ci/*-values.yaml"))


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The chart and the helm that renders it."""
    return Chart(requires("helm"))


@pytest.fixture(params=SCENARIOS, ids=lambda path: path.stem.removesuffix("-values"))
def scenario(request: pytest.FixtureRequest, chart: Chart) -> Rendering:
    """What the chart becomes in each scenario of ``ci/``, the defaults among them."""
    return chart.render(files=[request.param])


@pytest.fixture
def cluster(chart: Chart, tmp_path: Path) -> Iterator[Cluster]:
    """An empty cluster, as far as helm can tell."""
    with Cluster.start(chart.helm, tmp_path) as running:
        yield running
