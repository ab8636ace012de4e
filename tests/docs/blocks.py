"""Reads the fenced blocks of a documentation page: what is to be run, and what is printed beneath it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.reference import DOCS

__all__ = ["Block", "Command", "Query", "read_blocks", "read_commands", "read_queries"]

_FENCE = re.compile(r"^```(?P<words>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the words after the fence (the first names the language), and its text."""

    page: str
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def place(self) -> str:
        """Where it stands, as the id of a test."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Query:
    """A ``graphql`` block, the ``json variables`` block that may follow, and the ``json`` block of the answer.

    ``graphql release`` asks the release API; ``json 400`` is an answer with that status, not 200.
    """

    query: Block
    variables: Block | None
    answer: Block

    @property
    def state(self) -> str:
        return self.query.words[1] if len(self.query.words) > 1 else "preview"

    @property
    def status(self) -> int:
        return int(self.answer.words[1]) if len(self.answer.words) > 1 else 200


@dataclass(frozen=True, slots=True)
class Command:
    """An ``sh`` block, and the ``http`` block with the answer that may follow."""

    command: Block
    answer: Block | None


def read_blocks(page: str) -> list[Block]:
    """Read the fenced blocks of a page in ``docs``."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, tuple(found["words"].split()), found["text"])
        for found in _FENCE.finditer(text)
    ]


def read_queries(page: str) -> list[Query]:
    """Read the queries of a page that have an answer beneath them."""
    return list(_pair_queries(read_blocks(page)))


def _pair_queries(blocks: list[Block]) -> Iterator[Query]:
    for place, block in enumerate(blocks):
        if block.language != "graphql":
            continue
        following = blocks[place + 1 : place + 3]
        variables = following.pop(0) if following and following[0].words == ("json", "variables") else None
        if following and following[0].language == "json":
            yield Query(block, variables, following[0])


def read_commands(page: str) -> list[Command]:
    """Read the ``sh`` blocks of a page, all of them: later ones build on what earlier ones did."""
    ended = [*read_blocks(page), None]
    return [
        Command(block, following if following is not None and following.language == "http" else None)
        for block, following in pairwise(ended)
        if block is not None and block.language == "sh"
    ]
