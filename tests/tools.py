"""Programs that some tests need: absent, the test is skipped with a reason; absent in CI, it fails."""

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

__all__ = ["requires"]

_PROGRAMS: Final = {
    "node": ("node",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "helm": ("helm",),
    "promtool": ("promtool",),
}


def requires(tool: str) -> Path:
    """Find a program that the calling test cannot do without.

    Args:
        tool: ``node``, ``chromium``, ``helm`` or ``promtool``.

    Returns:
        Its path; where it is absent the test ends here, skipped, or failed if ``CI=true``.
    """
    for program in _PROGRAMS[tool]:
        if path := shutil.which(program):
            return Path(path)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is not installed, and in CI it has to be")
    pytest.skip(f"{tool} is not installed")
