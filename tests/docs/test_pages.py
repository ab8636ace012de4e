"""Pages that list what the program has list all of it, and nothing that is gone."""

import re
import subprocess
from pathlib import Path

import pytest

from schema_gen.components import COMPONENT_TYPES
from tests.reference import DOCS, known_variables

ROOT = DOCS.parent
ROOMS = ("opencaas", "graphql_app", "rest_compat", "content_core", "content_sync", "schema_gen")
PAGES = sorted(DOCS.glob("*.md"))


def list_modules() -> list[Path]:
    """List the modules of the rooms: in a clone what is committed or added, for drafts need no paragraph yet."""
    listing = subprocess.run(
        ["git", "ls-files", "--", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    found = [ROOT / name for name in listing] or [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return [path for path in found if path.suffix == ".py" and path.name != "__init__.py" and path.exists()]


MODULES = list_modules()
FOLDERS = sorted({path.parent for path in MODULES})


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_architecture_has_a_paragraph_per_module(folder: Path) -> None:
    sections = dict(section.split("\n", 1) for section in read("architecture.md").split("\n## ")[1:])
    section = sections[str(folder.relative_to(ROOT))]

    described = re.findall(r"^`(\w+\.py)` ", section, re.MULTILINE)

    assert {path.name for path in MODULES if path.parent == folder} == set(described)
    assert len(set(described)) == len(described)


def test_index_lists_every_page() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", read("README.md"))

    assert sorted(path.name for path in PAGES if path.name != "README.md") == sorted(set(listed))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_settings_exist(page: Path) -> None:
    named = set(re.findall(r"\bOPENCAAS_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))

    assert set() == named - known_variables()


def test_front_end_page_has_the_type_of_every_component() -> None:
    rows = [line.split("|")[1:3] for line in read("front-end.md").splitlines() if re.match(r"\| `(CMS|FS)_", line)]
    told = {
        (component, kind)
        for components, kind in ((components, kind.strip(" `")) for components, kind in rows)
        for component in re.findall(r"`(\w+)`", components)
    }

    index = {("FS_INDEX", "DatasetIndexField"), ("FS_BUTTON", "RawField")}
    assert set(COMPONENT_TYPES.items()) | index == told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_headings_that_links_name_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = []
    for target, heading in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", text):
        other = (page.parent / target).read_text(encoding="utf-8") if target else text
        anchors = {
            re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
            for line in other.splitlines()
            if line.startswith("#")
        }
        if heading not in anchors:
            missing.append(f"{target}#{heading}")

    assert [] == missing
