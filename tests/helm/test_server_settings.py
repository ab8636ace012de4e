"""The chart's ``restApi.settings``: each setting of the server under its name, and none that it does not know."""

import json
from pathlib import Path

import pytest

from opencaas.settings import Settings
from tests.helm.rendering import CHART, Chart
from tests.helm.server_settings import CHART_OWN, committed, described, write


def test_schema_knows_all_settings() -> None:
    assert committed() == described(), "python -m tests.helm.server_settings writes them"


def test_chart_own_settings_are_settings() -> None:
    assert set(Settings.model_fields) >= CHART_OWN


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "values.schema.json"
    copy.write_bytes((CHART / "values.schema.json").read_bytes())

    write(copy)

    assert json.loads(copy.read_text()) == json.loads((CHART / "values.schema.json").read_text())


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("max_file_bytes", 1073741824, "1073741824"),
        ("resolve_refs", False, "False"),
        ("upload_idle_seconds", 2.5, "2.5"),
        ("allowed_origins", ["https://a.example", "https://b.example"], "https://a.example,https://b.example"),
        ("log_level", "debug", "debug"),
    ],
)
def test_setting_reaches_the_server(chart: Chart, name: str, value: object, text: str) -> None:
    rendering = chart.render({"restApi": {"settings": {name: value}}})

    variables = rendering.environment("Deployment", "caas-rest-api")
    assert variables[f"OPENCAAS_{name.upper()}"].casefold() == text.casefold()
    read = Settings.model_validate({name: variables[f"OPENCAAS_{name.upper()}"]})
    assert getattr(read, name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("name", ["max_fil_bytes", "admin_password", "port"])
def test_unknown_setting_is_refused(chart: Chart, name: str) -> None:
    assert name in chart.refusal({"restApi": {"settings": {name: 5}}})
