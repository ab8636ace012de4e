"""The tables of the chart's README are those that values.yaml makes."""

from tests.helm.parameter_table import README, read_parameters, rendered
from tests.helm.test_parameters import DOCUMENTED


def test_readme_has_the_tables_of_values() -> None:
    text = README.read_text(encoding="utf-8")

    assert rendered(text, documented=DOCUMENTED) == text, "python -m tests.helm.parameter_table writes them"


def test_stale_row_is_written_anew() -> None:
    text = README.read_text(encoding="utf-8")
    stale = text.replace("| `restApi.replicas` | `3` |", "| `restApi.replicas` | `2` |")

    assert stale != text
    assert rendered(stale, documented=DOCUMENTED) == text


def test_every_comment_belongs_to_a_value() -> None:
    paths = [each.path for each in read_parameters()]

    assert len(paths) == len(set(paths))
    assert "restApi.ingress.hosts" in paths
