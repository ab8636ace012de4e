"""Collects what a source left out, each thing once and not without end."""

from content_sync.model import Skipped
from schema_gen.export.findings import BrokenFileError, shown

__all__ = ["SkipLog"]


class SkipLog:
    """What was left out, in the order in which it was met.

    Args:
        limit: how many are kept; further ones are counted.
    """

    def __init__(self, limit: int) -> None:
        self.heard = 0
        """How often something was reported, the same things again included."""
        self._limit = limit
        self._found: dict[Skipped, None] = {}
        self._topics: set[tuple[str, ...]] = set()
        self._more = 0
        self._more_broken = False

    def add(self, what: str, why: str, *, line: int | None = None, broken: bool = False) -> None:
        """Report one thing; the same thing again, as when a source is read twice, counts once."""
        self.heard += 1
        place = shown(f"{what}:{line}" if line else what)
        skipped = Skipped(place, shown(why), broken)
        if skipped in self._found:
            return
        if len(self._found) < self._limit:
            self._found[skipped] = None
        else:
            self._more += 1
            self._more_broken |= broken

    def once(self, topic: tuple[str, ...], what: str, why: str, *, line: int | None = None) -> None:
        """Report the first of many equal things, such as an unknown tag."""
        if topic not in self._topics and len(self._topics) < self._limit:
            self._topics.add(topic)
            self.add(what, why, line=line)

    def broken(self, problem: BrokenFileError) -> None:
        """Report a file that cannot be read."""
        self.add(problem.path, problem.message, line=problem.line, broken=True)

    def all(self) -> tuple[Skipped, ...]:
        """Everything so far; the last one counts what is over the limit."""
        if not self._more:
            return tuple(self._found)
        return (
            *self._found,
            Skipped("further ones", f"{self._more} more were left out and are not listed", self._more_broken),
        )
