"""The catalog has every figure that a room tells, with its labels; the operators' page has every name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencaas.metrics.catalog import CATALOG

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("content_core", "graphql_app", "opencaas", "rest_compat", "schema_gen")
KINDS = ("count", "gauge", "duration")
STAGES = {"access", "body", "parse", "compile", "read", "shape", "handle"}


def calls(*functions: str) -> Iterator[tuple[str, ast.Call]]:
    """Find the calls of functions of ``observe``, with the place of each."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="observe"), attr=name)) if name in functions:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def first(call: ast.Call) -> str:
    argument = call.args[0]
    assert isinstance(argument, ast.Constant)
    assert isinstance(argument.value, str)
    return argument.value


@pytest.mark.parametrize("kind", KINDS)
def test_what_rooms_tell_is_in_the_catalog(kind: str) -> None:
    told = list(calls(kind))

    assert told
    for place, call in told:
        figure = CATALOG[first(call)]
        assert kind == figure.kind, place
        assert {keyword.arg for keyword in call.keywords} == set(figure.labels), place


def test_stages_have_the_names_that_are_published() -> None:
    stages = list(calls("stage"))

    assert stages
    for place, call in stages:
        assert first(call) in STAGES, place


def test_help_texts_are_sentences() -> None:
    for figure in CATALOG.values():
        assert figure.help[0].isupper()
        assert figure.help.endswith(".")


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_the_page_for_operators_names_every_figure(name: str) -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    suffix = {"count": "_total", "gauge": "", "duration": "_seconds"}[CATALOG[name].kind]

    assert f"`opencaas_{name}{suffix}`" in page


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_the_page_for_operators_names_every_stage(stage: str) -> None:
    assert f"`{stage}`" in (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
