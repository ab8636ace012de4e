"""How a job shows what it is doing: bars with counts and rates on a terminal, nothing elsewhere."""

from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.progress import TimeElapsedColumn as Elapsed
from rich.text import Text

__all__ = ["BarProgress", "Progress", "SilentProgress"]


class Progress(Protocol):
    """Hears of a job's stages."""

    def begin(self, stage: str) -> None:
        """A stage begins; the one before is over."""

    def advance(self, count: int = 1) -> None:
        """So many elements of the stage are done."""


class SilentProgress:
    """Shows nothing."""

    def begin(self, stage: str) -> None:
        """Do nothing."""

    def advance(self, count: int = 1) -> None:
        """Do nothing."""


class BarProgress:
    """A line for each stage, with its count and rate; use it with ``with``.

    A source is read while it is sent, so nobody knows the end of a stage before it is there.

    Args:
        console: where to draw; nothing is drawn if it is no terminal.
    """

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            SpinnerColumn(finished_text="•"),
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            _RateColumn(),
            Elapsed(),
            console=console,
            disable=not console.is_terminal,
        )
        self._current: TaskID | None = None
        self._count = 0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish the last line and leave the terminal as it is; a second time does nothing."""
        self._finish()
        self._bars.stop()

    def begin(self, stage: str) -> None:
        """Finish the line of the stage before, and start one."""
        self._finish()
        self._current = self._bars.add_task(stage, total=None)
        self._count = 0

    def advance(self, count: int = 1) -> None:
        """Move the line of this stage."""
        self._count += count
        if self._current is not None:
            self._bars.advance(self._current, count)

    def _finish(self) -> None:
        if self._current is not None:
            self._bars.update(self._current, total=self._count, completed=self._count)
            self._bars.stop_task(self._current)
            self._current = None


class _RateColumn(ProgressColumn):
    """Elements a second."""

    def render(self, task: Task) -> Text:
        elapsed = task.finished_time if task.finished else task.elapsed
        rate = task.completed / elapsed if elapsed else 0.0
        return Text(f"{rate:,.0f}/s", style="progress.data.speed")
