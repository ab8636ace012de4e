"""The packages of a Node test: as its lock file says, or those that a developer installed beside it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["link_packages"]

_INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def link_packages(home: Path, folder: Path) -> None:
    """Give a folder the packages that ``home`` asks for.

    Args:
        home: has ``package.json`` and ``package-lock.json``, perhaps ``node_modules``.
        folder: gets ``node_modules``; without a registry the test ends here, skipped, or failed if ``CI=true``.
    """
    if (home / "node_modules" / ".package-lock.json").is_file():
        (folder / "node_modules").symlink_to(home / "node_modules")
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(home / name, folder)
    done = subprocess.run(_INSTALL, cwd=folder, text=True, capture_output=True, check=False, timeout=200)
    if done.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(f"npm ci: {done.stderr}")
        pytest.skip(f"the package registry does not answer, and nothing is installed in {home}")
