"""The tables of parameters in the chart's README, made from values.yaml: ``python -m tests.helm.parameter_table``.

A value's meaning is the comment above it (``# -- text``); a comment above a map explains the map as a whole.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.helm.rendering import CHART, read_yaml

__all__ = ["README", "Parameter", "read_parameters", "rendered", "write"]

README: Final = CHART / "README.md"

_DOCUMENTED: Final = "## Parameters of the platform documents"
_ALL: Final = "## All parameters"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of the chart.

    Attributes:
        path: its names with dots between them.
        default: its default as the table shows it.
        meaning: what values.yaml says about it.
    """

    path: str
    default: str
    meaning: str


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


def _explained(text: str) -> Iterator[tuple[str, str]]:
    """Yield path and comment of each value, in the order of the file."""
    stack: list[tuple[int, str]] = []
    comment = ""
    for line in text.splitlines():
        if match := re.match(r" *# -- (.+)", line):
            comment = match[1]
        elif match := re.match(r"( *)([\w-]+):", line):
            stack = [entry for entry in stack if entry[0] < len(match[1])] + [(len(match[1]), match[2])]
            if comment:
                yield ".".join(name for _, name in stack), comment
            comment = ""


def read_parameters(values: Path = CHART / "values.yaml") -> list[Parameter]:
    """Read every value that has a comment."""
    text = values.read_text(encoding="utf-8")
    (tree,) = read_yaml(text)
    found = []
    for path, meaning in _explained(text):
        value = tree
        for name in path.split("."):
            value = value[name]
        found.append(Parameter(path, _shown(value), meaning))
    return found


def rendered(readme: str, *, documented: Mapping[str, tuple[str, ...]]) -> str:
    """Put both tables into the README's text; what stands before and between them stays.

    Args:
        readme: the text as it is.
        documented: the parameters that the platform documents name, by chapter of the newer one.
    """
    parameters = {each.path: each for each in read_parameters()}
    first = ["| parameter | default | meaning | chapter |", "| --- | --- | --- | --- |"]
    for chapter, paths in documented.items():
        for path in paths:
            described = parameters.get(path) or _part(path, parameters)
            first.append(f"| `{path}` | `{described.default}` | {_cell(described.meaning)} | {chapter} |")
    second = ["| parameter | default | meaning |", "| --- | --- | --- |"]
    second += [f"| `{each.path}` | `{_cell(each.default)}` | {_cell(each.meaning)} |" for each in parameters.values()]
    return _replaced(_replaced(readme, _DOCUMENTED, first), _ALL, second)


def _part(path: str, parameters: Mapping[str, Parameter]) -> Parameter:
    """Describe a value that is explained with the map around it."""
    outer, _, name = path.rpartition(".")
    around = parameters[outer]
    return Parameter(path, _shown(json.loads(around.default)[name]), f"{around.meaning}: {name}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _replaced(readme: str, heading: str, table: list[str]) -> str:
    pattern = re.compile(
        rf"(?<=^{re.escape(heading)}\n)((?:(?!\n\||\n## ).)*?\n\n)(?:\|[^\n]*\n)*", re.DOTALL | re.MULTILINE
    )
    text, count = pattern.subn(lambda match: match[1] + "\n".join(table) + "\n", readme)
    if count != 1:
        raise SystemExit(f"the README has no {heading!r}")
    return text


def write() -> None:
    """Write both tables anew."""
    from tests.helm.test_parameters import DOCUMENTED

    README.write_text(rendered(README.read_text(encoding="utf-8"), documented=DOCUMENTED), encoding="utf-8")


if __name__ == "__main__":
    write()
