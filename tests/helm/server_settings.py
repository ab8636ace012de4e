"""The server's settings as the chart's schema knows them: ``python -m tests.helm.server_settings`` writes them anew.

The server ignores variables that it does not know, so the chart refuses names that are none: a typing mistake would
otherwise leave a limit as it was, without a word.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from opencaas.settings import Settings
from tests.helm.rendering import CHART

__all__ = ["CHART_OWN", "committed", "described", "write"]

CHART_OWN: Final = frozenset(
    {
        "host",
        "port",
        "workers",
        "mongodb_uri",
        "data_dir",
        "mongod",
        "admin_user",
        "admin_password",
        "token_secret",
        "master_api_key",
        "metrics_user",
        "metrics_password",
        "default_page_size",
        "max_page_size",
        "drain_seconds",
        "grace_seconds",
        "public_urls",
    }
)
"""What has a value of its own in the chart, is a secret, or is for the embedded MongoDB, which the image has not."""

_FILE: Final = CHART / "values.schema.json"
_BLOCK: Final = re.compile(r'(?<="serverSettings": )\{.*?\n    \}', re.DOTALL)
_KEPT: Final = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "items")


def described() -> dict[str, Any]:
    """Describe each setting that ``restApi.settings`` may name, by the names that JSON schemas have for it."""
    properties = Settings.model_json_schema(by_alias=False)["properties"]
    return {name: _one(schema) for name, schema in sorted(properties.items()) if name not in CHART_OWN}


def _one(schema: dict[str, Any]) -> dict[str, Any]:
    # Optional ones are anyOf with null; leaving a setting out is how the chart says that.
    for each in schema.get("anyOf", ()):
        if each.get("type") != "null":
            schema = schema | each
    return {"description": schema["description"]} | {name: schema[name] for name in _KEPT if name in schema}


def committed() -> dict[str, Any]:
    """Read what the chart's schema says about them."""
    found: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))["$defs"]["serverSettings"]["properties"]
    return found


def write(file: Path = _FILE) -> None:
    """Write the block of the schema; everything else in the file stays as it is."""
    lines = ",\n".join(f"        {json.dumps(name)}: {json.dumps(schema)}" for name, schema in described().items())
    block = (
        '{\n      "type": "object",\n      "additionalProperties": false,\n      "properties": {\n'
        + lines
        + "\n      }\n    }"
    )
    text, count = _BLOCK.subn(lambda _: block, file.read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit(f"{file}: no serverSettings to replace")
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
