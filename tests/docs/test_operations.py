"""The pages for operators and deploy jobs: their commands do what they say, their log line is what is logged."""

import json
import os
import re
import shlex
import subprocess
import time

import httpx
import pytest

from fixtures import PROJECTS
from tests.docs.blocks import read_blocks
from tests.live import OPENCAAS, LiveServer
from tests.patience import PATIENCE

SECONDS = PATIENCE


def read_command(page: str, beginning: str, demo: LiveServer) -> list[str]:
    """Find a command on a page, with the demo's server, tenant, project and export in the place of the printed ones."""
    text = next(block.text for block in read_blocks(page) if beginning in block.text)
    line = next(line for line in text.replace("\\\n", " ").splitlines() if line.startswith(beginning))
    facts = demo.facts
    line = line.replace("<GID>", facts["project"]).replace("https://caas.example", demo.url)
    printed = {"acme": facts["tenant"], "./export": str(PROJECTS["demo"].export)}
    return [printed.get(word, word) for word in shlex.split(line)[1:]]


def run(arguments: list[str], **secrets: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENCAAS_")}
    finished = subprocess.run(
        [OPENCAAS, *arguments], env=environment | secrets, capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("job", ["opencaas schema diff", "opencaas schema deploy"])
def test_printed_key_is_enough_for_the_printed_job(demo: LiveServer, job: str) -> None:
    create = read_command("deploy-job.md", "opencaas apikeys create", demo)

    key = run(create, OPENCAAS_ADMIN_PASSWORD=demo.admin[1]).strip()

    assert re.fullmatch(r"[0-9a-f-]{36}", key)
    assert run(read_command("deploy-job.md", job, demo), OPENCAAS_API_KEY=key)


def test_request_line_has_the_printed_members(demo: LiveServer) -> None:
    printed = next(json.loads(block.text) for block in read_blocks("monitoring.md") if '"method"' in block.text)
    httpx.get(f"{demo.url}/demo/apikeys/hidden", auth=demo.admin)

    deadline = time.monotonic() + SECONDS
    while not (lines := [line for line in demo.log if "/demo/apikeys/…" in line and '"GET"' in line]):
        assert time.monotonic() < deadline, "the request was not logged"
        time.sleep(0.05)

    assert list(printed) == list(json.loads(lines[0]))
