"""A sync job from its beginning to its end: provisioning, then for each state media, documents, what is stale, a note.

Each step may be repeated without harm, so a job that was killed is continued by running it again: media before the
documents that name them, documents before the deletion of those that nobody needs any more.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from content_core.errors import ServiceError
from content_core.names import LAST_SYNC
from content_sync.client import SyncClient
from content_sync.delivery import Delivery
from content_sync.errors import RefusedError, SyncError
from content_sync.flight import together
from content_sync.ledger import Ledger
from content_sync.media_documents import resolve_media
from content_sync.model import Document, Source, State
from content_sync.plan import KINDS, Planner, now_in_milliseconds
from content_sync.progress import Progress, SilentProgress
from content_sync.provision import provision
from content_sync.report import Mode, StateReport, SyncReport
from content_sync.send import Sender
from content_sync.stale import Scope, Stock

__all__ = ["SyncJob", "SyncOptions", "run_sync"]

_NAMES: Final[Mapping[Mode, str]] = {"smart": "smart sync", "total": "total sync"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How a job works.

    Attributes:
        mode: smart sends what is missing or has another revision, total sends all.
        states: which states; without any, all that the source holds.
        definitions: definitions of GraphQL applications that are deployed where there are none.
        parallel: the most requests in flight.
        bulk_documents: most documents of one request.
        bulk_bytes: most bytes of one request; a larger document travels alone.
        allow_empty: delete stale documents also if the source holds none at all, or none of their kind.
        despite_skipped: delete stale documents also if the source left something out.
        some_languages: the source was told to leave languages out: what it has none of is not stale.
    """

    mode: Mode
    states: Sequence[State] = ()
    definitions: Mapping[State, Document] | None = None
    parallel: int = 4
    bulk_documents: int = 200
    bulk_bytes: int = 4_000_000
    allow_empty: bool = False
    despite_skipped: bool = False
    some_languages: bool = False


async def run_sync(
    source: Source,
    client: SyncClient,
    delivery: Delivery,
    options: SyncOptions,
    *,
    progress: Progress | None = None,
) -> SyncReport:
    """Bring a server in step with a source.

    Args:
        source: the content.
        client: the project on its server, open; with ``dry_run`` nothing is written.
        delivery: where binaries go, open.
        options: how.
        progress: hears of everything that is done.

    Returns:
        What was done, also when the job ended early: what ended it is in ``error``.
    """
    job = SyncJob(source, client, delivery, options, progress=progress)
    await job.run()
    return job.report


class SyncJob:
    """One run, whose report can be read at any time.

    Args:
        source: the content.
        client: the project on its server, open.
        delivery: where binaries go, open.
        options: how.
        progress: hears of everything that is done.
    """

    def __init__(
        self,
        source: Source,
        client: SyncClient,
        delivery: Delivery,
        options: SyncOptions,
        *,
        progress: Progress | None = None,
    ) -> None:
        self.report = SyncReport(mode=options.mode, dry_run=client.dry_run, despite_skipped=options.despite_skipped)
        self._source = source
        self._client = client
        self._delivery = delivery
        self._options = options
        self._progress = progress or SilentProgress()

    async def run(self) -> None:
        """Run; ends with an entry in the report when something of ours goes wrong, and early when it is cancelled."""
        began, repeated = time.perf_counter(), self._client.repeated
        self.report.interrupted = True
        try:
            states = self._options.states or self._source.states()
            await self._provision(states)
            for state in states:
                self.report.states[state] = StateReport()
                failed = self.report.failed
                with Ledger() as ledger:
                    await self._sync(state, ledger)
                self.report.skipped = self._source.skipped()
                if self.report.failed == failed and not self.report.unreadable:
                    await self._note(state)
            self.report.interrupted = False
        except ServiceError as error:
            self.report.error = error
            self.report.interrupted = False
        except sqlite3.Error as error:
            hint = "make room in the directory of temporary files, or name another one with SQLITE_TMPDIR"
            self.report.error = SyncError(f"the job cannot keep its notes: {error}", hint=hint)
            self.report.interrupted = False
        finally:
            self.report.skipped = self._source.skipped()
            self.report.repeated = self._client.repeated - repeated
            self.report.seconds = time.perf_counter() - began

    async def _provision(self, states: Sequence[State]) -> None:
        self._progress.begin("provisioning")
        done = await provision(
            self._client, states=states, definitions=self._options.definitions, dry_run=self._client.dry_run
        )
        self.report.provisioned = done.as_json()

    async def _sync(self, state: State, ledger: Ledger) -> None:
        options, failed = self._options, self.report.failed
        stock = Stock(self._client, state, ledger=ledger, progress=self._progress, parallel=options.parallel)
        sender = Sender(
            self._client, self._delivery, state=state, report=self.report, ledger=ledger, progress=self._progress,
            parallel=options.parallel,
        )  # fmt: skip
        media = sender.media(self._source.media(state))
        if options.mode == "smart" or self._client.dry_run:
            self._progress.begin(f"{state}: comparing, media")
            await together(stock.read(), media)
        else:
            self._progress.begin(f"{state}: media")
            await media
        self._progress.begin(f"{state}: documents")
        planner = self._planner(state, ledger)
        await sender.documents(planner.plan(self._source.portions(state)))
        counts = self.report.states[state]
        if reason := self._reason_to_keep(counts, self.report.failed - failed):
            counts.stale_kept = reason
            return
        self._progress.begin(f"{state}: stale documents")
        scope = Scope(
            kinds=frozenset(KINDS if options.allow_empty else ledger.kinds),
            locales=frozenset(ledger.locales) if options.some_languages else None,
        )
        if options.mode == "smart" or self._client.dry_run:
            deleted = await stock.delete_unread(scope, stamped=options.mode == "total")
        else:
            deleted = await stock.delete_older(planner.started, scope)
        counts.deleted = deleted.count
        if deleted.kept:
            counts.stale_kept = f"the source holds nothing of the kind {', '.join(sorted(deleted.kept))}"
        if "Media" not in scope.kinds or options.some_languages:
            return
        self._progress.begin(f"{state}: stale media")
        counts.files_deleted = await self._delivery.prune(state, ledger)
        self._progress.advance(counts.files_deleted)

    async def _note(self, state: State) -> None:
        """Note in the collection's metadata that its content is complete: servers show when that was.

        The time is the server's own. A source that is empty by mistake brings nothing, and is not noted.
        """
        counts = self.report.states[state]
        if not counts.read and not self._options.allow_empty:
            return
        note = {"$currentDate": {f"{LAST_SYNC}.completed": True}, f"{LAST_SYNC}.mode": self._options.mode}
        try:
            await self._client.patch(self._client.path(self._client.collection(state)), note)
        except RefusedError as error:
            counts.not_noted = error.message

    def _planner(self, state: State, ledger: Ledger) -> Planner:
        def resolve(document: Document) -> Document:
            identifier = document.get("identifier")
            if document.get("fsType") != "Media" or not isinstance(identifier, str):
                return document
            return resolve_media(document, ledger.files_of(identifier), self._delivery, state)

        return Planner(
            mode=self._options.mode,
            ledger=ledger,
            started=now_in_milliseconds(),
            resolve=resolve,
            documents=self._options.bulk_documents,
            size=self._options.bulk_bytes,
        )

    def _reason_to_keep(self, counts: StateReport, failed: int) -> str | None:
        """Why nothing may be deleted; what could not be read or sent must not look as if it had been removed."""
        if failed:
            return "not everything could be sent"
        if not counts.read and not self._options.allow_empty:
            return "the source holds no documents"
        if self._source.skipped() and not self._options.despite_skipped:
            return "the source left something out"
        return None
