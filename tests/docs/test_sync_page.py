"""The commands of the page about sync are run, on a server of their own."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import httpx

from fixtures import PROJECTS
from tests.docs.blocks import read_blocks
from tests.live import OPENCAAS, environment, live_server

DEMO = PROJECTS["demo"]


def test_every_command_of_the_page_runs(tmp_path: Path) -> None:
    key = str(uuid.uuid4())
    commands = [block.text for block in read_blocks("sync.md") if block.language == "sh"]
    shutil.copytree(DEMO.path, tmp_path / "content", ignore=shutil.ignore_patterns("export"))
    shutil.copytree(DEMO.export, tmp_path / "export")
    with live_server(tmp_path / "data", env={"OPENCAAS_MASTER_API_KEY": key}) as server:
        said = {
            "https://caas.example": server.url,
            "<GID>": DEMO.project,
            "OPENCAAS_API_KEY=…": f"OPENCAAS_API_KEY={key}",
        }
        script = "set -euo pipefail\n" + "\n".join(commands)
        for text, meant in said.items():
            assert text in script
            script = script.replace(text, meant)
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=environment({"PATH": f"{OPENCAAS.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        keys = httpx.get(f"{server.url}/acme/apikeys?rep=s&pagesize=100", auth=server.admin).json()

    assert 0 == ended.returncode, ended.stderr
    assert f"Project {DEMO.project} Read/Write (Preview)" in ended.stdout
    assert {"sync job", *(f"Project {DEMO.project} {kind}" for kind in ("Read", "Read/Write", "GraphQL"))} <= {
        each["name"] for each in keys
    }
    assert len(commands) >= 5
