"""The audits of the npm package graphql-http, which come with the specification of GraphQL over HTTP."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.npm import link_packages
from tests.live import LiveServer, live_server
from tests.reference import DOCS
from tests.tools import requires

HERE = Path(__file__).resolve().parent
AUDIT = re.compile(r"`([0-9A-Z]{4})`")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script and its packages."""
    requires("node")
    folder = tmp_path_factory.mktemp("audits")
    shutil.copy(HERE / "audit.cjs", folder)
    link_packages(HERE, folder)
    return folder


@pytest.fixture(scope="module")
def standard(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    data = tmp_path_factory.mktemp("standard") / "data"
    with live_server(data, command="demo", env={"OPENCAAS_GRAPHQL_HTTP": "standard"}) as server:
        yield server


def audit(project: Path, server: LiveServer) -> list[dict[str, Any]]:
    """Give the results of all audits."""
    command = [str(requires("node")), "audit.cjs", server.facts["graphql_release"], server.facts["read_api_key"]]
    done = subprocess.run(command, cwd=project, text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(results) > 50
    return results


def failed(results: list[dict[str, Any]]) -> dict[str, str]:
    return {result["id"]: f"{result['name']}: {result['reason']}" for result in results if result["status"] != "ok"}


def test_standard_answers_pass_every_audit(project: Path, standard: LiveServer) -> None:
    assert failed(audit(project, standard)) == {}


def test_compatible_answers_fail_only_what_the_differences_list(project: Path, demo: LiveServer) -> None:
    results = audit(project, demo)

    assert [result for result in results if result["status"] == "error"] == []
    entries = (DOCS / "differences.md").read_text(encoding="utf-8").split("\n- ")
    (entry,) = [entry for entry in entries if "graphql-http" in entry]
    assert set(failed(results)) == set(AUDIT.findall(entry)), failed(results)
