"""What is installed is complete: the demo runs from the wheel, far from a clone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.live import environment

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
from pathlib import Path

import fixtures
import opencaas.demo
from opencaas.supervisor import run_server
from opencaas.settings import read_settings

def ready(running):
    facts = opencaas.demo.prepare_demo(running)
    print("loaded from", Path(fixtures.__file__).parent.parent, flush=True)
    import os, signal
    os.kill(os.getpid(), signal.SIGTERM)

sys.exit(run_server(read_settings(port=0, data_dir=sys.argv[1]), when_ready=ready))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as the wheel holds them, unpacked."""
    home = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(home)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = home.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home / "packages")
    return home / "packages"


def test_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    env = environment({"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"})

    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "data")],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert 0 == result.returncode, result.stderr
    assert f"loaded from {installed}" in result.stdout


def test_wheel_holds_the_page_but_not_its_source(installed: Path) -> None:
    graphiql = installed / "graphql_app" / "graphiql"

    assert (graphiql / "assets" / "manifest.json").is_file()
    assert not (graphiql / "source").exists()
    assert set() == {path.name for path in installed.iterdir()} & {"tests", "benchmarks", "docs"}
