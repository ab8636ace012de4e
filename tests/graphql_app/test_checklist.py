"""The checklist of GraphQL applications is complete and names tests that exist."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.graphql_app.checklist import CHECKLIST, LATER, LINES, Line

ROOT = Path(__file__).resolve().parents[2]


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("line", CHECKLIST, ids=lambda line: f"{line.number} {line.feature}")
def test_line_is_held_by_tests_that_exist(line: Line) -> None:
    missing = [f"{file}::{name}" for file, names in line.tests.items() for name in names if name not in names_in(file)]

    assert missing == []
    assert line.tests or line.lacking


def test_every_line_is_there_once_and_in_order() -> None:
    numbers = [line.number for line in CHECKLIST]

    assert numbers == sorted(set(numbers))
    assert LINES - LATER <= set(numbers) <= LINES
