"""Sends a state's documents and binaries, a few requests at a time; what is refused is tried once more by itself."""

import time
from collections.abc import Generator, Iterable, Sequence
from typing import Final

from content_core.errors import ServiceError
from content_sync.client import SyncClient
from content_sync.delivery import Delivery, DeliveryError
from content_sync.errors import AnswerError, RefusedError, SyncError, UnreachableError
from content_sync.flight import fly
from content_sync.ledger import Ledger
from content_sync.model import MediaFile, State
from content_sync.plan import Batch, Parcel
from content_sync.progress import Progress
from content_sync.report import Failure, StateReport, SyncReport

__all__ = ["Sender"]

_HOPELESS: Final = frozenset({401, 403, 404, 405, 415})
"""Answers that every further request would get, too."""

_AT_ONCE: Final = 20
_MOMENT: Final = 0.02
"""Seconds, and files, after which binaries are passed on; one after the other, so that not too many wait for it."""

_PATIENCE: Final = 10
"""After so many failures of the other side in a row a job gives up."""


class Sender:
    """Sends what belongs to one state.

    Args:
        client: the project on its server.
        delivery: where binaries go.
        state: the state.
        report: hears of failures.
        ledger: hears of files.
        progress: hears of everything that is done.
        parallel: the most requests in flight.
    """

    def __init__(
        self,
        client: SyncClient,
        delivery: Delivery,
        *,
        state: State,
        report: SyncReport,
        ledger: Ledger,
        progress: Progress,
        parallel: int,
    ) -> None:
        self._client = client
        self._delivery = delivery
        self._state = state
        self._report = report
        self._counts: StateReport = report.states[state]
        self._ledger = ledger
        self._progress = progress
        self._parallel = parallel
        self._in_a_row = 0

    async def media(self, files: Iterable[MediaFile]) -> None:
        """Deliver binaries.

        Raises:
            ServiceError: it is of no use to go on.
        """
        await fly(_handfuls(files), self._deliver_all, limit=self._parallel)

    async def documents(self, batches: Generator[Batch, None, None]) -> None:
        """Write documents.

        Raises:
            ServiceError: it is of no use to go on.
        """
        await fly(batches, self._write, limit=self._parallel)

    async def _deliver_all(self, files: Sequence[MediaFile]) -> None:
        keyed: list[tuple[MediaFile, str]] = []
        for file in files:
            try:
                keyed.append((file, self._delivery.key(file, self._state)))
            except DeliveryError as error:  # of this file alone
                self._fail(file.file_id, error.advice)
        self._ledger.keep(keyed)
        self._counts.files_read += len(files)
        for file, _ in keyed:
            await self._deliver(file)
        self._progress.advance(len(files) - len(keyed))

    async def _deliver(self, file: MediaFile) -> None:
        try:
            sent = await self._delivery.deliver(file, self._state)
        except OSError as error:
            self._fail(file.file_id, f"its bytes cannot be read: {error.strerror or error}")
        except ServiceError as error:
            self._give_up_on(error)
            self._fail(file.file_id, error.advice)
        else:
            self._in_a_row = 0
            self._counts.files_sent += sent
            self._counts.files_unchanged += not sent
            self._counts.bytes_sent += file.size if sent else 0
        self._progress.advance()

    async def _write(self, batch: Batch) -> None:
        self._counts.read += batch.read
        self._counts.unchanged += batch.unchanged
        self._report.fail(batch.failures)
        if batch.parcels and self._client.dry_run:
            known = sum(self._ledger.knows(parcel.document_id) for parcel in batch.parcels)
            self._count(len(batch.parcels) - known, known, batch.size)
        elif batch.parcels:
            for parcel in await self._refused(batch.parcels):
                await self._write_alone(parcel)
        self._progress.advance(batch.read)

    async def _refused(self, parcels: list[Parcel]) -> list[Parcel]:
        """Write documents together; gives those that the server did not take."""
        try:
            outcome = await self._client.bulk_post(self._collection, [parcel.body for parcel in parcels])
        except RefusedError as error:  # of one document, perhaps; none of them was written
            if error.answered in _HOPELESS:
                raise
            return parcels
        size = sum(len(parcel.body) for number, parcel in enumerate(parcels) if number not in outcome.failed)
        self._count(outcome.inserted, outcome.replaced, size)
        return [parcels[number] for number in sorted(outcome.failed)]

    async def _write_alone(self, parcel: Parcel) -> None:
        try:
            outcome = await self._client.bulk_post(self._collection, [parcel.body])
        except RefusedError as error:
            self._give_up_on(error)
            self._fail(parcel.document_id, error.advice)
            return
        self._in_a_row = 0
        self._count(outcome.inserted, outcome.replaced, 0 if outcome.failed else len(parcel.body))
        for failed in outcome.failed.values():
            self._fail(parcel.document_id, f"the server answered {failed.status}: {failed.message}".rstrip(": "))

    def _give_up_on(self, error: ServiceError) -> None:
        """Raise an error again, if the next element would fare no better."""
        if isinstance(error, UnreachableError | AnswerError):
            raise error
        if isinstance(error, RefusedError):
            if error.answered in _HOPELESS:
                raise error
            if error.answered < 500:
                return
        elif "reason" not in error.details:  # not the other side's
            return
        self._in_a_row += 1
        if self._in_a_row >= _PATIENCE:
            raise error

    def _fail(self, what: str, why: str) -> None:
        self._report.fail([Failure(what, why.removeprefix(f"{what}: "))])

    def _count(self, created: int, replaced: int, size: int) -> None:
        self._counts.created += created
        self._counts.replaced += replaced
        self._counts.bytes_sent += size

    @property
    def _collection(self) -> str:
        return self._client.collection(self._state)


def _handfuls(files: Iterable[MediaFile]) -> Generator[list[MediaFile], None, None]:
    """Read files, a few at once: as many as there are in a moment, for some take long to be read or made."""
    handful: list[MediaFile] = []
    began = time.monotonic()
    try:
        for file in files:
            handful.append(file)
            if len(handful) == _AT_ONCE or time.monotonic() - began > _MOMENT:
                yield handful
                handful, began = [], time.monotonic()
    except OSError as error:
        raise SyncError(f"the source cannot be read: {error}") from error
    if handful:
        yield handful
