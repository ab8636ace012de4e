"""YAML on the pages for operators: values that the chart takes, manifests that Kubernetes takes."""

from typing import Any

import pytest
import yaml

from tests.docs.blocks import Block, read_blocks
from tests.helm.rendering import Chart
from tests.helm.schemas import faults
from tests.tools import requires

PAGES = ("backup", "images", "logs", "secrets", "tls")
BLOCKS = [block for page in PAGES for block in read_blocks(f"operations/{page}.md") if block.language == "yaml"]
MANIFESTS = [block for block in BLOCKS if "apiVersion" in yaml.safe_load(block.text)]
VALUES = [block for block in BLOCKS if block not in MANIFESTS]


def test_there_are_both() -> None:
    assert MANIFESTS
    assert VALUES


@pytest.mark.parametrize("version", ["1.31", "1.35"])
@pytest.mark.parametrize("block", MANIFESTS, ids=lambda block: block.place)
def test_manifest_is_valid(block: Block, version: str) -> None:
    described = yaml.safe_load(block.text)

    assert [] == faults(described, kubernetes=version)
    assert [] != faults(described | {"spec": described["spec"] | {"schedul": "now"}}, kubernetes=version)


@pytest.mark.parametrize("block", VALUES, ids=lambda block: block.place)
def test_values_are_taken(block: Block) -> None:
    chart = Chart(requires("helm"))
    values: dict[str, Any] = yaml.safe_load(block.text)

    assert chart.render(values).of("Deployment")
    assert "wrong" in chart.refusal(values | {"wrong": 1})
