"""graphql-codegen makes TypeScript types from a running server's schema, and TypeScript accepts and uses them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.npm import link_packages
from tests.docs.blocks import read_blocks
from tests.live import LiveServer
from tests.tools import requires

HERE = Path(__file__).resolve().parent
FILES = ("codegen.cjs", "queries.graphql", "front.ts", "tsconfig.json")

Run = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A front end's project with its packages."""
    folder = tmp_path_factory.mktemp("front")
    for name in FILES:
        shutil.copy(HERE / name, folder)
    requires("node")
    link_packages(HERE, folder)
    return folder


@pytest.fixture(scope="module")
def generated(project: Path, demo: LiveServer) -> Iterator[Path]:
    """The project with the types of the demo's release state."""
    done = generate(project, demo, demo.facts["read_api_key"])
    assert done.returncode == 0, done.stdout + done.stderr
    yield project
    (project / "types.ts").unlink()


def generate(project: Path, demo: LiveServer, key: str) -> Run:
    return run(project, "graphql-codegen", "--config", "codegen.cjs", url=demo.facts["graphql_release"], key=key)


def compiled(project: Path) -> Run:
    return run(project, "tsc", "--noEmit", "--project", ".")


def run(project: Path, program: str, *arguments: str, url: str = "", key: str = "") -> Run:
    return subprocess.run(
        [project / "node_modules" / ".bin" / program, *arguments],
        cwd=project,
        env=os.environ | {"GRAPHQL_URL": url, "CAAS_API_KEY": key},
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_types_of_schema_and_queries_are_generated(generated: Path) -> None:
    types = (generated / "types.ts").read_text(encoding="utf-8")

    assert {"Query", "PageRef", "LandingPage", "Shop_ProductDataset", "LandingQuery", "ProductQueryVariables"} <= set(
        re.findall(r"^export type (\w+)", types, re.MULTILINE)
    )


def test_typescript_accepts_the_types_and_a_program_that_uses_them(generated: Path) -> None:
    done = compiled(generated)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param("(p: ProductQuery) => p.datasets_Shop_productDatasets", "does not exist", id="unknown field"),
        pytest.param("(p: Shop_ProductDataset): number => p._id ?? 0", "is not assignable", id="wrong type"),
        pytest.param("(): LandingQueryVariables => ({ limit: 'two' })", "is not assignable", id="wrong variable"),
    ],
)
def test_typescript_finds_mistakes_in_a_program(generated: Path, line: str, complaint: str) -> None:
    front = generated / "front.ts"
    original = front.read_text(encoding="utf-8")
    front.write_text(f"{original}\nexport const mistake = {line};\n", encoding="utf-8")
    try:
        done = compiled(generated)
    finally:
        front.write_text(original, encoding="utf-8")

    assert done.returncode != 0
    assert complaint in done.stdout


def test_the_configuration_is_the_one_that_the_documentation_shows() -> None:
    shown = [block.text for block in read_blocks("front-end.md") if block.language == "js"]

    assert shown == [(HERE / "codegen.cjs").read_text(encoding="utf-8")]


def test_without_a_key_nothing_is_generated(project: Path, demo: LiveServer, tmp_path: Path) -> None:
    for name in FILES:
        shutil.copy(project / name, tmp_path)
    (tmp_path / "node_modules").symlink_to((project / "node_modules").resolve())

    done = generate(tmp_path, demo, "unknown")

    assert done.returncode != 0
    assert not (tmp_path / "types.ts").exists()
