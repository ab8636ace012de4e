"""Reading a Dockerfile: its stages and their steps, with variables in place, so that a test can run what it says."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

__all__ = ["DockerfileError", "Stage", "Step", "command_of", "pairs_of", "read_dockerfile"]

KNOWN = frozenset(
    {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "USER", "WORKDIR"}
)


class DockerfileError(Exception):
    """The Dockerfile has something that is not understood here; it is never skipped."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction.

    Attributes:
        line: where it begins, from 1.
        word: ``RUN``, say.
        text: what follows the word, its lines joined.
    """

    line: int
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A ``FROM`` and what follows it.

    Attributes:
        name: by which a later stage copies from it; empty if it has none.
        image: what it builds on, arguments filled in.
        steps: the instructions behind ``FROM``.
    """

    name: str
    image: str
    steps: list[Step] = field(default_factory=list)


def read_dockerfile(path: Path) -> list[Stage]:
    """Read the stages of a Dockerfile.

    Raises:
        DockerfileError: an instruction that is not known here, or one before the first ``FROM`` that is no ``ARG``.
    """
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for step in _steps(path.read_text(encoding="utf-8")):
        if step.word == "FROM":
            image, _, name = step.text.partition(" AS ")
            stages.append(Stage(name.strip(), Template(image).substitute(arguments).strip()))
        elif stages:
            stages[-1].steps.append(step)
        elif step.word == "ARG":
            arguments |= pairs_of(step.text, {})
        else:
            raise DockerfileError(f"line {step.line}: {step.word} before FROM")
    return stages


def pairs_of(text: str, known: Mapping[str, str]) -> dict[str, str]:
    """Read ``A=1 B="two words"`` of an ``ENV``, ``ARG`` or ``LABEL``, with the variables that are known filled in."""
    pairs = re.findall(r"([\w.-]+)=(\"[^\"]*\"|[^\s\"]*)", text)
    if not pairs or re.sub(r"([\w.-]+)=(\"[^\"]*\"|[^\s\"]*)", "", text).strip():
        raise DockerfileError(f"not a list of NAME=value: {text}")
    return {name: Template(value.strip('"')).safe_substitute(known) for name, value in pairs}


def command_of(text: str) -> list[str]:
    """Read the list form of ``CMD``, ``ENTRYPOINT`` and ``HEALTHCHECK CMD``: the form without a shell.

    Raises:
        DockerfileError: it is the shell's form.
    """
    try:
        words = json.loads(text)
    except ValueError as error:
        raise DockerfileError(f"not a JSON list: {text}") from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise DockerfileError(f"not a list of words: {text}")
    return words


def _steps(text: str) -> list[Step]:
    found: list[Step] = []
    joined, began = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or (not joined and not line.strip()):
            continue
        began = began if joined else number
        if line.rstrip().endswith("\\"):
            joined += line.rstrip()[:-1] + " "
            continue
        word, _, rest = (joined + line).strip().partition(" ")
        joined = ""
        if word not in KNOWN:
            raise DockerfileError(f"line {began}: {word} is not understood here")
        found.append(Step(began, word, rest.strip()))
    if joined:
        raise DockerfileError(f"line {began}: the last line goes on")
    return found
