"""Runs the commands of a page in one shell, one after the other, as a reader does who works through it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import Command

__all__ = ["run_commands"]

_PROLOGUE = """
set -u
curl() { command curl --silent --show-error --max-time 30 "$@"; }
"""


def run_commands(commands: list[Command], *, workplace: Path, results: Path) -> list[str]:
    """Run commands, and give what each printed.

    Args:
        commands: in the order of the page; variables and files of one are there for the next.
        workplace: the directory they are run in.
        results: a directory for what they print.
    """
    _require_curl()
    outputs = [results / f"{number}.txt" for number in range(len(commands))]
    blocks = [
        f"{{\n{command.command.text}\n}} >'{output}' 2>&1" for command, output in zip(commands, outputs, strict=True)
    ]
    subprocess.run(
        ["bash", "-c", _PROLOGUE + "\n".join(blocks)],
        cwd=workplace,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        timeout=240,
        check=True,
    )
    return [output.read_text(encoding="utf-8") for output in outputs]


def _require_curl() -> None:
    if shutil.which("curl") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("curl is not installed, and in CI it has to be")
        pytest.skip("curl is not installed")
