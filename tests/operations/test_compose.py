"""compose.yaml: what the Compose specification says of it, and what it leaves open.

That its services find each other is in test_image.py: it needs the image.
"""

import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml

from tests.docs.blocks import read_blocks
from tests.operations.compose_run import read_compose
from tests.operations.image import ROOT
from tests.tools import go_module, requires

SCHEMA: Final = "github.com/compose-spec/compose-go/v2@v2.16.2"
TEXT: Final = (ROOT / "compose.yaml").read_text(encoding="utf-8")
VARIABLES: Final = set(re.findall(r"\$\{(\w+)", TEXT))


def services() -> dict[str, Any]:
    found: dict[str, Any] = read_compose(dict.fromkeys(VARIABLES, "a"))["services"]
    return found


def test_it_is_what_the_specification_allows() -> None:
    schema = json.loads((go_module(SCHEMA) / "schema" / "compose-spec.json").read_text(encoding="utf-8"))

    jsonschema.validate(yaml.safe_load(TEXT), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"server": {"imag": "opencaas"}}}, schema)


def test_every_variable_has_to_be_set() -> None:
    used = re.findall(r"(?<!\$)\$(?!\$)\{?\w*[^}]*\}?", TEXT)

    assert used
    assert [] == [
        use for use in used if not re.fullmatch(r"\$\{\w+:\?is not set, see docs/operations/images\.md\}", use)
    ]


def test_documented_command_makes_the_variables_once(tmp_path: Path) -> None:
    requires("openssl")
    command = next(block.text for block in read_blocks("operations/images.md") if "> .env" in block.text)

    first = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    file = tmp_path / ".env"
    made = dict(line.split("=") for line in file.read_text(encoding="utf-8").splitlines())
    second = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (0, "") == (first.returncode, first.stderr)
    assert VARIABLES == set(made)
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in made.values())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert 0 != second.returncode
    assert made == dict(line.split("=") for line in file.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", ["mongo", "replica-set", "server"])
def test_service_has_no_right_that_it_does_not_need(name: str) -> None:
    service = services()[name]

    assert service["read_only"] is True
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert service["image"] == "opencaas" or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])


def test_mongodb_is_the_charts() -> None:
    values = yaml.safe_load((ROOT / "helm/opencaas/values.yaml").read_text(encoding="utf-8"))
    image = values["mongo"]["image"]

    assert f"{image['repository']}:{image['tag']}" == services()["mongo"]["image"]


def test_only_this_machine_reaches_it() -> None:
    published = [port for service in services().values() for port in service.get("ports", ())]

    assert ["127.0.0.1:8080:8080"] == published
