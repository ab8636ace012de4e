"""The chart's values as a text to read: each one explained, each one in the schema, misspelled ones refused."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from opencaas.settings import Settings
from tests.helm.rendering import CHART, Chart

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference inside the schema."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return resolved(SCHEMA["$defs"][name] | {key: value for key, value in schema.items() if key != "$ref"})
    return schema


def places(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and schema of each value that the schema names, the root first."""
    described = resolved(schema)
    yield path, described
    for name, below in described.get("properties", {}).items():
        yield from places(below, f"{path}.{name}" if path else name)


def leaves(values: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each value; an empty map, or one whose schema names no properties, is one value."""
    named = dict(places(SCHEMA)).get(path, {}).get("properties")
    if values and isinstance(values, dict) and (named or not path):
        for name, below in values.items():
            yield from leaves(below, f"{path}.{name}" if path else name)
    else:
        yield path


def explained() -> Iterator[str]:
    """Yield the path of each value of values.yaml that stands under a comment of the form ``# -- text``."""
    stack: list[tuple[int, str]] = []
    comment = False
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        if re.match(r" *# -- \S", line):
            comment = True
        elif match := re.match(r"( *)([\w-]+):", line):
            indent = len(match[1])
            stack = [entry for entry in stack if entry[0] < indent] + [(indent, match[2])]
            if comment:
                yield ".".join(name for _, name in stack)
            comment = False
        elif not line.lstrip().startswith("#"):
            comment = False


def test_defaults_fit_the_schema(chart: Chart) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert [error.json_path for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(chart.defaults())] == []


def test_every_value_is_in_the_schema(chart: Chart) -> None:
    named = {path for path, _ in places(SCHEMA)}

    assert [path for path in leaves(chart.defaults()) if path not in named] == []


def test_everything_in_the_schema_is_a_value(chart: Chart) -> None:
    """A value that only the schema knows is one that nobody is told of."""
    values = set(leaves(chart.defaults()))
    rooms = {path.rsplit(".", n)[0] for path in values for n in range(path.count(".") + 1)}
    # Parts of a map that is explained as a whole need no line; ``global`` is helm's own, for charts below others.
    whole = tuple(f"{path}." for path in values.union(explained()))
    named = [path for path, _ in places(SCHEMA) if path.rpartition(".")[2] not in {"", "global"}]
    named = [path for path in named if not path.startswith(whole)]

    assert [path for path in named if path not in values | rooms] == []


def test_every_value_is_explained(chart: Chart) -> None:
    found = set(explained())

    assert [
        path
        for path in leaves(chart.defaults())
        if path not in found and not any(path.startswith(f"{each}.") for each in found)
    ] == []


def emptied(values: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the path of each value that may be left empty (``restApi:`` with nothing below), which takes it away."""
    for name, value in values.items():
        place = f"{path}.{name}" if path else name
        schema = dict(places(SCHEMA)).get(path, {})
        if name not in schema.get("required", ()):
            yield place
        elif isinstance(value, dict):
            yield from emptied(value, place)


def test_empty_value_is_no_value_or_refused(chart: Chart) -> None:
    """People comment out all lines below a name; what can't do without them says so, and no template stumbles."""
    needed = {"webAdminUser", "metricsUser", "mongoRootUser", "mongoUser", "mongoMetricsUser", "maxUnavailable"}
    values: dict[str, Any] = {}
    for path in emptied(chart.defaults()):
        *rooms, name = path.split(".")
        place = values
        for room in rooms:
            place = place.setdefault(room, {})
        place |= {} if name in needed else {name: None}
    job = {"enabled": True, "tenant": "t", "project": "p", "source": {"existingClaim": "c"}}
    values["deploy"] |= job | {"source": values["deploy"]["source"] | job["source"]}
    rendered = str([each for each in chart.render(values).objects if each["kind"] != "ConfigMap"])

    assert "<nil>" not in rendered
    assert "restApi" in chart.refusal({"restApi": None})


@pytest.mark.parametrize("path", [path for path, schema in places(SCHEMA) if "properties" in schema])
def test_misspelled_name_is_refused(chart: Chart, path: str) -> None:
    schema = dict(places(SCHEMA))[path]
    registry = {"$defs": SCHEMA["$defs"]}
    values: Any = chart.defaults()
    for name in path.split(".") if path else ():
        values = values.get(name) or {}
    (error,) = jsonschema.Draft202012Validator(schema | registry).iter_errors(values | {"mistyqed": 1})

    assert "mistyqed" in error.message


def test_every_value_has_a_type() -> None:
    judged = {"type", "enum", "const", "oneOf", "anyOf", "allOf"}

    assert [path for path, schema in places(SCHEMA) if not judged & schema.keys()] == []


def test_every_setting_of_the_server_can_be_given() -> None:
    """By a value of its own or by ``restApi.settings``; the folder and program of an embedded MongoDB are not."""
    settings = set(dict(places(SCHEMA))["restApi.settings"]["properties"])
    (helper,) = re.findall(
        r'define "opencaas.fixedVariables"(.*?){{- end -}}',
        (CHART / "templates/_rest-api.tpl").read_text("utf-8"),
        re.DOTALL,
    )
    fixed = {name.lower() for name in re.findall(r'"OPENCAAS_(\w+)"', helper)}

    assert settings & fixed == set()
    assert settings | fixed | {"data_dir", "mongod"} == set(Settings.model_fields)
