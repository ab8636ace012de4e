"""The documentation keeps up with the program: generated pages, error codes, links."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.reference import DOCS, error_classes, render_pages

ROOT = DOCS.parent
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("path", render_pages(), ids=lambda path: path.name)
def test_generated_page_is_current(path: Path) -> None:
    expected = render_pages()[path]

    assert expected == path.read_text(encoding="utf-8"), "run: python -m tests.reference"


def test_error_codes_are_unique() -> None:
    counted = Counter(error.code for error in error_classes())

    assert [] == [code for code, count in counted.items() if count > 1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert [] == [target for target in targets if not (page.parent / target).exists()]
