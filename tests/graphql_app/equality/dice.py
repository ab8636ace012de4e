"""Short ways to draw from Hypothesis; whatever is written first is the simplest, so failures shrink towards it."""

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

__all__ = ["Dice"]

T = TypeVar("T")


class Dice:
    """Draws numbers and picks from sequences; a few large pools are quicker than many small strategies."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        """Draw a number, both ends included; the low end is the simplest."""
        drawn: int = self._draw(st.integers(low, high)) if high > low else low
        return drawn

    def chance(self, percent: int) -> bool:
        """Say yes so often; no is the simplest."""
        return self.number(0, 99) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """Pick one; the first is the simplest."""
        return options[self.number(0, len(options) - 1)]

    def several(self, options: Sequence[T], low: int, high: int) -> list[T]:
        """Pick some, different ones, in the order of their coming."""
        left = list(options)
        return [left.pop(self.number(0, len(left) - 1)) for _ in range(min(self.number(low, high), len(left)))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Put all in some order."""
        return self.several(options, len(options), len(options))
