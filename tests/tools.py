"""Programs that some tests need: absent, the test is skipped with a reason; absent in CI, it fails."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

__all__ = ["go_module", "requires"]

_SYSTEM: Final = "/usr/sbin:/sbin"
"""Where programs for root are, which not every PATH names."""

_PROGRAMS: Final = {
    "node": ("node",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "debootstrap": ("debootstrap",),
    "helm": ("helm",),
    "jq": ("jq",),
    "openssl": ("openssl",),
    "promtool": ("promtool",),
    "go": ("go",),
}


@cache
def _go_bin() -> str:
    """Where ``go install`` puts programs, whether or not that is on the PATH."""
    if not shutil.which("go"):
        return str(Path.home() / "go" / "bin")
    asked = subprocess.run(["go", "env", "GOBIN", "GOPATH"], capture_output=True, text=True, check=True)
    gobin, gopath = asked.stdout.splitlines()[:2]
    return gobin or str(Path(gopath.split(os.pathsep)[0]) / "bin")


def requires(tool: str) -> Path:
    """Find a program that the calling test cannot do without.

    Args:
        tool: A name of the table above, such as ``node`` or ``helm``.

    Returns:
        Its path, on the PATH, where ``go install`` puts programs or where programs for root are; where it is absent the
        test ends here, skipped, or failed if ``CI=true``.
    """
    for program in _PROGRAMS[tool]:
        for places in (None, _go_bin(), _SYSTEM):
            if path := shutil.which(program, path=places):
                return Path(path)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is not installed, and in CI it has to be")
    pytest.skip(f"{tool} is not installed")


@cache
def go_module(module: str) -> Path:
    """Bring one version of a Go module here; what Go's module cache has costs no network.

    Args:
        module: ``path@version``.

    Returns:
        The folder of its files; without Go the test ends here as in :func:`requires`.
    """
    done = subprocess.run(
        [str(requires("go")), "mod", "download", "-json", module],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    described = json.loads(done.stdout or "{}")
    assert "Dir" in described, f"{module}: {described.get('Error') or done.stderr}"
    return Path(described["Dir"])
