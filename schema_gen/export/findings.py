"""What the reader has to report: findings are collected while reading goes on; a broken file ends only its element."""

from typing import Literal

from schema_gen.model import Finding

__all__ = ["BrokenFileError", "FindingLog", "shown"]


def shown(text: str) -> str:
    """Make a path or name safe to print: what a terminal or a UTF-8 stream cannot show becomes the replacement sign."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


class BrokenFileError(Exception):
    """A file of the export cannot be read; whoever reads the element reports it and goes on with the next.

    Args:
        message: what is wrong and what to do.
        path: the file, relative to the export root.
        line: 1-based, where one line is to blame.
    """

    def __init__(self, message: str, *, path: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line


class FindingLog:
    """Collects findings; the same finding is kept once."""

    def __init__(self) -> None:
        self._findings: set[Finding] = set()
        self._seen: set[tuple[str, ...]] = set()

    def warning(self, message: str, *, path: str = "", line: int | None = None) -> None:
        """Report something that was read tolerantly."""
        self._add("warning", message, path, line)

    def warning_once(self, key: tuple[str, ...], message: str, *, path: str = "", line: int | None = None) -> None:
        """Report the first of many equal things, such as an unknown tag; later ones with the same key are silent."""
        if key not in self._seen:
            self._seen.add(key)
            self.warning(message, path=path, line=line)

    def error(self, message: str, *, path: str = "", line: int | None = None) -> None:
        """Report something that was left out."""
        self._add("error", message, path, line)

    def broken(self, problem: BrokenFileError) -> None:
        """Report a broken file as an error."""
        self.error(problem.message, path=problem.path, line=problem.line)

    def sorted(self) -> tuple[Finding, ...]:
        """All findings, errors first, then by place."""
        return tuple(
            sorted(
                self._findings, key=lambda finding: (finding.severity, finding.path, finding.line or 0, finding.message)
            )
        )

    def _add(self, severity: Literal["warning", "error"], message: str, path: str, line: int | None) -> None:
        self._findings.add(Finding(severity, shown(message), shown(path), line))
