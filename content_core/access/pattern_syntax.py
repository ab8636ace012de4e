"""The notation of permission patterns: text to syntax tree, with a reason for everything that is not read."""

from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["Choice", "Node", "PatternError", "Repeat", "Sequence", "Symbol", "parse_pattern"]

_MAX_COUNT: Final = 1000
_MAX_DEPTH: Final = 50
_LAST: Final = 0x10FFFF

_Ranges: TypeAlias = tuple[tuple[int, int], ...]


class PatternError(ValueError):
    """A pattern that cannot be read, or that says more than can be matched in linear time."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One character out of a set."""

    ranges: _Ranges

    def takes(self, character: str) -> bool:
        """Say whether the character is in the set."""
        code = ord(character)
        return any(low <= code <= high for low, high in self.ranges)


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, ``least`` to ``most`` times; None is without end."""

    part: "Node"
    least: int
    most: int | None


Node: TypeAlias = Symbol | Sequence | Choice | Repeat


def _complement(ranges: _Ranges) -> _Ranges:
    result: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            result.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        result.append((start, _LAST))
    return tuple(result)


_DIGIT: Final[_Ranges] = ((0x30, 0x39),)
_WORD: Final[_Ranges] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE: Final[_Ranges] = ((0x09, 0x0D), (0x20, 0x20))
_CLASSES: Final[dict[str, _Ranges]] = {
    "d": _DIGIT,
    "D": _complement(_DIGIT),
    "w": _WORD,
    "W": _complement(_WORD),
    "s": _SPACE,
    "S": _complement(_SPACE),
}
_CONTROLS: Final = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D}
_ANY: Final = Symbol(_complement(((0x0A, 0x0A),)))
_QUANTIFIERS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


def parse_pattern(text: str) -> Node:
    r"""Read a pattern.

    Read are literals, ``.``, classes, ``\d \w \s`` and their opposites (ASCII), groups, ``|``, the quantifiers
    ``* + ? {n} {n,} {n,m}`` (also lazy, which changes nothing for a whole match), and ``^`` and ``$`` at the ends of
    the outermost alternatives.

    Raises:
        PatternError: with the reason.
    """
    reader = _Reader(text)
    node = reader.read_choice()
    if reader.peek():
        raise PatternError("a ')' closes nothing")
    return node


class _Reader:
    """A cursor over the pattern; one method per rule of the notation."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def take(self) -> str:
        character = self.peek()
        self._at += 1
        return character

    def skip(self, expected: str) -> bool:
        if not self._text.startswith(expected, self._at):
            return False
        self._at += len(expected)
        return True

    def read_choice(self) -> Node:
        options = [self._read_sequence()]
        while self.skip("|"):
            options.append(self._read_sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _read_sequence(self) -> Node:
        if not self._depth:
            self.skip("^")
        parts: list[Node] = []
        while (character := self.peek()) and character not in "|)":
            if character == "$":
                self._read_end()
                break
            parts.append(self._read_quantified())
        return Sequence(tuple(parts))

    def _read_end(self) -> None:
        self.take()
        if self._depth or self.peek() not in {"", "|"}:
            raise PatternError("'$' stands elsewhere than at the end; write '\\$' for the character")

    def _read_quantified(self) -> Node:
        part = self._read_part()
        quantifier = self.peek()
        if quantifier in _QUANTIFIERS:
            self.take()
            least, most = _QUANTIFIERS[quantifier]
        elif quantifier == "{":
            self.take()
            least, most = self._read_counts()
        else:
            return part
        self.skip("?")
        if self.peek() and self.peek() in "*+?{":
            raise PatternError("a quantifier follows a quantifier")
        return Repeat(part, least, most)

    def _read_counts(self) -> tuple[int, int | None]:
        least = self._read_number()
        most: int | None = least
        if self.skip(","):
            most = None if self.peek() == "}" else self._read_number()
        if not self.skip("}"):
            raise PatternError("a '{' is not a count; write '\\{' for the character")
        if most is not None and most < least:
            raise PatternError("a count ends before it begins")
        return least, most

    def _read_number(self) -> int:
        start = self._at
        while self.peek() and self.peek() in "0123456789":
            self._at += 1
        digits = self._text[start : self._at]
        if not digits:
            raise PatternError("a '{' is not a count; write '\\{' for the character")
        if len(digits) > 4 or int(digits) > _MAX_COUNT:
            raise PatternError(f"a count is over {_MAX_COUNT}")
        return int(digits)

    def _read_part(self) -> Node:
        character = self.take()
        match character:
            case "(":
                return self._read_group()
            case "[":
                return self._read_class()
            case "\\":
                return Symbol(self._read_escape())
            case ".":
                return _ANY
            case "*" | "+" | "?":
                raise PatternError(f"nothing stands before '{character}'")
            case "{":
                raise PatternError("a '{' is not a count; write '\\{' for the character")
            case "^":
                raise PatternError("'^' stands elsewhere than at the beginning; write '\\^' for the character")
        return Symbol(((ord(character), ord(character)),))

    def _read_group(self) -> Node:
        if self.skip("?") and not self.skip(":"):
            raise PatternError("groups that begin with '(?' are not read, except '(?:'")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise PatternError(f"its groups are nested deeper than {_MAX_DEPTH}")
        node = self.read_choice()
        if not self.skip(")"):
            raise PatternError("a '(' is not closed")
        self._depth -= 1
        return node

    def _read_escape(self) -> _Ranges:
        character = self.take()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _CONTROLS:
            return ((_CONTROLS[character], _CONTROLS[character]),)
        if not character:
            raise PatternError("it ends with a '\\'")
        if character.isalnum():
            raise PatternError(f"'\\{character}' is not read")
        return ((ord(character), ord(character)),)

    def _read_class(self) -> Node:
        negated = self.skip("^")
        ranges: list[tuple[int, int]] = []
        while not self.skip("]"):
            ranges.extend(self._read_class_item())
        if not ranges:
            raise PatternError("a '[]' is empty; write '\\]' for the character")
        return Symbol(_complement(tuple(ranges)) if negated else tuple(ranges))

    def _read_class_item(self) -> _Ranges:
        low = self._read_class_character()
        if self.peek() != "-" or self._text.startswith("-]", self._at):
            return low
        self.take()
        high = self._read_class_character()
        if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0][0] != high[0][1]:
            raise PatternError("a range in a '[…]' has a class at one end")
        if high[0][0] < low[0][0]:
            raise PatternError("a range in a '[…]' ends before it begins")
        return ((low[0][0], high[0][0]),)

    def _read_class_character(self) -> _Ranges:
        character = self.take()
        if character == "\\":
            return self._read_escape()
        if not character:
            raise PatternError("a '[' is not closed")
        if character in "[]" or (character == "&" and self.peek() == "&"):
            raise PatternError(f"'{character}' inside a '[…]' must be written '\\{character}'")
        return ((ord(character), ord(character)),)
