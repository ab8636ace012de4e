"""Short ways to choose at random.

The choices of a whole case hang on one number that Hypothesis draws. Drawn one by one by Hypothesis, they would come
out much alike: most of its examples are variations of earlier ones, and a case has thousands of choices.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

__all__ = ["Dice"]

T = TypeVar("T")


class Dice:
    """Draws numbers and picks from sequences.

    Args:
        seed: decides everything.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def number(self, low: int, high: int) -> int:
        """Draw a number, both ends included."""
        return self._random.randint(low, high)

    def chance(self, percent: int) -> bool:
        """Say yes so often."""
        return self._random.randrange(100) < percent

    def pick(self, options: Sequence[T]) -> T:
        """Pick one."""
        return self._random.choice(options)

    def likely(self, options: Sequence[T]) -> T:
        """Pick the first more often than not."""
        return self.pick(options) if self.chance(40) else options[0]

    def several(self, options: Sequence[T], low: int, high: int) -> list[T]:
        """Pick some, different ones, in the order of their coming."""
        return self._random.sample(options, min(self.number(low, high), len(options)))

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Put all in some order."""
        return self._random.sample(options, len(options))
