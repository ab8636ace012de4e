"""Regular expressions of permissions, matched in linear time.

A pattern comes from an API key and runs on every request, so it must never backtrack. It is read into a
position automaton (Glushkov) whose state sets are the bits of one integer; a match costs one step per character,
whatever the pattern. What such an automaton cannot say (look-around, back-references, possessive quantifiers,
flags) is refused when the key is written. A match is always a match of the whole text.
"""

from functools import lru_cache
from typing import Final

from content_core.access.pattern_syntax import Choice, Node, PatternError, Repeat, Sequence, Symbol, parse_pattern

__all__ = ["MAX_PATTERN", "MAX_TEXT", "Pattern", "PatternError", "compile_pattern"]

MAX_PATTERN: Final = 1000
"""Characters that a pattern may have."""

MAX_TEXT: Final = 2048
"""Characters that a text may have; a longer one matches nothing."""

_MAX_POSITIONS: Final = 1000
_MAX_STEPS: Final = 10_000
_MAX_REMEMBERED: Final = 1024

_Fragment = tuple[bool, int, int]
"""Of a part of the pattern: whether it matches nothing at all, its first positions, its last positions."""


class Pattern:
    """A compiled pattern.

    Transitions that were taken are remembered, up to a bound; so the usual request costs one look-up per character.
    """

    __slots__ = ("_first", "_follow", "_last", "_masks", "_nullable", "_remembered", "_symbols")

    def __init__(self, node: Node) -> None:
        builder = _Builder()
        self._nullable, self._first, self._last = builder.build(node)
        self._symbols = tuple(builder.symbols)
        self._follow = tuple(builder.follow)
        self._masks: dict[str, int] = {}
        self._remembered: dict[tuple[int, str], tuple[int, bool]] = {}

    def matches(self, text: str) -> bool:
        """Say whether the pattern matches the whole text."""
        if len(text) > MAX_TEXT:
            return False
        state, accepted = self._first, self._nullable
        for character in text:
            state, accepted = self._step(state, character)
            if not state and not accepted:
                return False
        return accepted

    def _step(self, state: int, character: str) -> tuple[int, bool]:
        """Take one character: the positions that may come next, and whether the text may end here."""
        known = self._remembered.get((state, character))
        if known is not None:
            return known
        hits = state & self._mask(character)
        following = 0
        for position in _bits(hits):
            following |= self._follow[position]
        taken = (following, bool(hits & self._last))
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[state, character] = taken
        return taken

    def _mask(self, character: str) -> int:
        """Give the positions that take a character."""
        mask = self._masks.get(character)
        if mask is None:
            mask = sum(1 << position for position, symbol in enumerate(self._symbols) if symbol.takes(character))
            if len(self._masks) >= _MAX_REMEMBERED:
                self._masks.clear()
            self._masks[character] = mask
        return mask


class _Builder:
    """Numbers the symbols of a pattern and collects which may follow which."""

    def __init__(self) -> None:
        self.symbols: list[Symbol] = []
        self.follow: list[int] = []
        self._steps = 0

    def build(self, node: Node) -> _Fragment:
        self._steps += 1
        if self._steps > _MAX_STEPS or len(self.symbols) > _MAX_POSITIONS:
            raise PatternError("it is too large once its repetitions are written out")
        match node:
            case Symbol():
                self.symbols.append(node)
                self.follow.append(0)
                position = 1 << (len(self.symbols) - 1)
                return False, position, position
            case Sequence(parts):
                return self._join([self.build(part) for part in parts])
            case Choice(options):
                built = [self.build(option) for option in options]
                return any(nullable for nullable, _, _ in built), _union(built, 1), _union(built, 2)
            case Repeat():
                return self._repeat(node)

    def _repeat(self, node: Repeat) -> _Fragment:
        if node.most is None:
            parts = [self.build(node.part) for _ in range(max(node.least, 1))]
            nullable, first, last = parts[-1]
            self._connect(last, first)
            parts[-1] = (nullable or node.least == 0, first, last)
            return self._join(parts)
        parts = [self.build(node.part) for _ in range(node.most)]
        return self._join(
            [(part[0] or index >= node.least, part[1], part[2]) for index, part in enumerate(parts)],
        )

    def _join(self, parts: list[_Fragment]) -> _Fragment:
        whole: _Fragment = (True, 0, 0)
        for nullable, first, last in parts:
            self._connect(whole[2], first)
            whole = (
                whole[0] and nullable,
                whole[1] | first if whole[0] else whole[1],
                whole[2] | last if nullable else last,
            )
        return whole

    def _connect(self, last: int, first: int) -> None:
        for position in _bits(last):
            self.follow[position] |= first


def _union(fragments: list[_Fragment], part: int) -> int:
    union = 0
    for fragment in fragments:
        union |= fragment[part]
    return union


def _bits(value: int) -> list[int]:
    positions = []
    while value:
        lowest = value & -value
        positions.append(lowest.bit_length() - 1)
        value ^= lowest
    return positions


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """Read a pattern.

    Raises:
        PatternError: with the reason, for the person who wrote it.
    """
    if len(text) > MAX_PATTERN:
        raise PatternError(f"it is longer than {MAX_PATTERN} characters")
    return Pattern(parse_pattern(text))
