"""What a sync job did: counts for each state, what was left out and what could not be sent; for people and machines."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from content_core.errors import ServiceError
from content_sync.model import Skipped, State

__all__ = ["Failure", "Mode", "StateReport", "SyncReport"]

Mode = Literal["smart", "total"]

_LISTED: Final = 1_000
"""How many failures are kept; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be sent, and the reason."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(slots=True)
class StateReport:
    """The counts of one state.

    Attributes:
        read: documents of the source.
        created: documents that are new on the server.
        replaced: documents that were there before.
        unchanged: documents that were not sent, because the server has them.
        deleted: stale documents that were removed.
        files_read: binaries of the source.
        files_sent: binaries that were sent.
        files_unchanged: binaries that the place of delivery has already.
        files_deleted: stale binaries that were removed.
        bytes_sent: of JSON and of binaries.
        stale_kept: why stale documents and binaries stayed, or some of them.
        not_noted: why the server does not know that the job was done.
    """

    read: int = 0
    created: int = 0
    replaced: int = 0
    unchanged: int = 0
    deleted: int = 0
    files_read: int = 0
    files_sent: int = 0
    files_unchanged: int = 0
    files_deleted: int = 0
    bytes_sent: int = 0
    stale_kept: str | None = None
    not_noted: str | None = None

    @property
    def changes(self) -> int:
        """How many writes it took, or would take."""
        return self.created + self.replaced + self.deleted + self.files_sent + self.files_deleted

    def as_json(self) -> dict[str, Any]:
        """The counts."""
        counts = {
            "documents": {
                name: getattr(self, name) for name in ("read", "created", "replaced", "unchanged", "deleted")
            },
            "media": {name: getattr(self, f"files_{name}") for name in ("read", "sent", "unchanged", "deleted")},
            "bytes_sent": self.bytes_sent,
        }
        reasons = {"stale_kept": self.stale_kept, "not_noted": self.not_noted}
        return counts | {name: reason for name, reason in reasons.items() if reason}


@dataclass(slots=True, kw_only=True)
class SyncReport:
    """What a job did, or with ``dry_run`` what it would do.

    Attributes:
        mode: smart or total.
        dry_run: whether nothing was written.
        states: the counts of each state, in the order of the work.
        skipped: what the source left out.
        failures: what could not be sent, up to a thousand.
        failed: how many could not be sent.
        error: what ended the job before its end.
        interrupted: whether a signal ended it.
        repeated: how many requests were sent again.
        seconds: how long it took.
        provisioned: what was made on the server before, as JSON values.
        despite_skipped: whether the job was told to do without what was left out.
    """

    mode: Mode
    dry_run: bool = False
    despite_skipped: bool = False
    states: dict[State, StateReport] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    failures: list[Failure] = field(default_factory=list)
    failed: int = 0
    error: ServiceError | None = None
    interrupted: bool = False
    repeated: int = 0
    seconds: float = 0.0
    provisioned: Any = None

    @property
    def arrived(self) -> bool:
        """Whether everything arrived that could be read."""
        return not self.failed and self.error is None and not self.interrupted

    @property
    def complete(self) -> bool:
        """Whether everything arrived; content that cannot be read did not, unless the job was told to do without."""
        return self.arrived and not self.unreadable

    @property
    def unreadable(self) -> bool:
        """Whether the source holds content that cannot be read, and the job was not told to do without."""
        return not self.despite_skipped and any(each.broken for each in self.skipped)

    @property
    def changes(self) -> int:
        """How many writes it took, or would take, provisioning aside."""
        return sum(state.changes for state in self.states.values())

    def fail(self, failures: Iterable[Failure]) -> None:
        """Add what could not be sent."""
        for failure in failures:
            self.failed += 1
            if len(self.failures) < _LISTED:
                self.failures.append(failure)

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON value."""
        outcome = "interrupted" if self.interrupted else "complete" if self.complete else "failed"
        found: dict[str, Any] = {"sync": self.mode, "outcome": outcome, "seconds": round(self.seconds, 3)}
        if self.dry_run:
            found["dry_run"] = True
        found["states"] = {state: counts.as_json() for state, counts in self.states.items()}
        if self.provisioned is not None:
            found["provisioned"] = self.provisioned
        found["repeated_requests"] = self.repeated
        found["skipped"] = [
            {"what": each.what, "why": each.why} | ({"broken": True} if each.broken else {}) for each in self.skipped
        ]
        found["failed"] = self.failed
        found["failures"] = [{"what": each.what, "why": each.why} for each in self.failures]
        if self.error is not None:
            found["error"] = {"code": self.error.code, "message": self.error.message}
        return found
