"""Runs sync jobs from a command line: once or again and again, until they are done or a signal comes."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any, Final, Self

import click
from rich.console import Console

from content_core.documents import Document
from content_core.errors import ServiceError
from content_core.names import State
from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.delivery import Delivery
from content_sync.job import SyncJob, SyncOptions
from content_sync.model import Source
from content_sync.picture_source import PictureSource
from content_sync.pictures import PictureLimits
from content_sync.progress import BarProgress
from content_sync.renditions import RenditionStore
from content_sync.report import Mode, SyncReport
from content_sync.resolutions import Resolutions, read_resolutions
from content_sync.source import DocumentsSource, ExportSource, FileMemory, SourceError, open_source
from content_sync.watch import changes, look
from opencaas.schema_source import check_names
from opencaas.sync_options import SyncArguments
from opencaas.sync_report import print_report
from schema_gen.errors import GeneratorError
from schema_gen.export.findings import FindingLog
from schema_gen.export.layout import find_root

__all__ = ["Show", "open_client", "run_jobs"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_LONGEST_PAUSE: Final = 60.0


Show = Callable[[SyncReport, Console], None]
"""Shows a report; standard error is given to it."""


def run_jobs(arguments: SyncArguments, mode: Mode, *, show: Show = print_report) -> int:
    """Run a job, or with ``--watch`` one after every change; gives the exit status.

    Args:
        arguments: what the command line says.
        mode: smart or total.
        show: shows what was done, also by a job that was interrupted.

    Raises:
        click.UsageError: the arguments do not fit the source.
        ServiceError: the source cannot be read, or the place of media not be opened.
    """
    gc.freeze()  # what is loaded stays; looking through it again and again would be much of the work
    return asyncio.run(_run(arguments, mode, show))


async def _run(arguments: SyncArguments, mode: Mode, show: Show) -> int:
    if arguments.watching is not None:
        return await _watch(arguments, mode, show)
    with _Interruptible() as stop:
        return await stop.guard(_job(arguments, mode, show), otherwise=1)


async def _watch(arguments: SyncArguments, mode: Mode, show: Show) -> int:
    """Run until a signal comes: that is its good end."""
    with _Interruptible() as stop:
        return await stop.guard(_rounds(arguments, mode, show), otherwise=0)


async def _rounds(arguments: SyncArguments, mode: Mode, show: Show) -> int:
    watching = arguments.watching
    if watching is None:
        return 0
    known = await asyncio.to_thread(look, arguments.source)
    status = await _job(arguments, mode, show)
    while True:
        pause = watching.interval
        while status:  # the server is behind the source: again, less and less often, and at once after a change
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    known = await anext(changes(arguments.source, known, watching))
            pause = min(pause * 2, _LONGEST_PAUSE)
            status = await _round(arguments, mode, show)
        known = await anext(changes(arguments.source, known, watching))
        status = await _round(arguments, "smart", show)


async def _round(arguments: SyncArguments, mode: Mode, show: Show) -> int:
    """Run a job whose failure does not end the watch: a source may be broken for a moment, a server away."""
    try:
        return await _job(arguments, mode, show)
    except (ServiceError, click.UsageError) as error:
        click.echo(f"opencaas: {error.message}", err=True)
        return 1


async def _job(arguments: SyncArguments, mode: Mode, show: Show) -> int:
    check_names(tenant=arguments.tenant, project=arguments.project)
    shown = False

    def told(report: SyncReport, console: Console) -> None:
        nonlocal shown
        shown = True
        show(report, console)

    try:
        with _memory(arguments, mode) as memory:
            return await _job_of(arguments, mode, told, await asyncio.to_thread(_open, arguments, memory))
    except asyncio.CancelledError:
        if not shown and arguments.watching is None:  # a large source takes long to open
            show(SyncReport(mode=mode, dry_run=arguments.dry_run, interrupted=True), Console(stderr=True))
        raise


def _memory(arguments: SyncArguments, mode: Mode) -> AbstractContextManager[FileMemory | None]:
    """What is known of the source's files; a total sync reads them all: it is there for what went past bookkeeping."""
    if arguments.source_memory is None:
        return nullcontext()
    root, context = arguments.source, _base(arguments)
    return FileMemory(arguments.source_memory, root=root, context=context, fresh=mode == "total")


async def _job_of(arguments: SyncArguments, mode: Mode, show: Show, source: DocumentsSource | ExportSource) -> int:
    project = arguments.project or source.project
    if project is None:
        raise click.UsageError("the source does not say the project's GID; give it with --project")
    check_names(tenant=arguments.tenant, project=project)
    states = _states(arguments, source)
    resolutions = _resolutions(source)
    store = RenditionStore(arguments.renditions, max_bytes=arguments.rendition_bytes)
    console = Console(stderr=True)
    options = SyncOptions(
        mode=mode,
        states=states,
        definitions=await asyncio.to_thread(_definitions, source, arguments.tenant, project, states),
        parallel=arguments.parallel,
        bulk_documents=arguments.bulk_documents,
        bulk_bytes=arguments.bulk_bytes,
        allow_empty=arguments.allow_empty,
        despite_skipped=arguments.despite_skipped,
        some_languages=bool(arguments.languages),
    )
    async with open_client(arguments, project) as client, _delivery(arguments, client, resolutions) as delivery:
        with BarProgress(console) as progress:
            limits = PictureLimits(pixels=arguments.picture_pixels)
            pictures = PictureSource(source, store=store, resolutions=resolutions, limits=limits)
            job = SyncJob(pictures, client, delivery, options, progress=progress)
            try:
                await job.run()
            except asyncio.CancelledError:
                progress.close()
                show(job.report, console)
                raise
        await asyncio.to_thread(store.trim)
    if arguments.watching is None or not _dull(job.report):
        show(job.report, console)
    # Who watches reads again what cannot be read when it changes, and not before.
    good = job.report.complete if arguments.watching is None else job.report.arrived
    return 0 if good else 1


def _dull(report: SyncReport) -> bool:
    return report.complete and not report.changes


def _base(arguments: SyncArguments) -> str:
    return arguments.public_url or arguments.server


def _open(arguments: SyncArguments, memory: FileMemory | None) -> DocumentsSource | ExportSource:
    state = arguments.states[0] if len(arguments.states) == 1 else None
    try:
        source = open_source(
            arguments.source,
            state=state,
            languages=arguments.languages,
            base=_base(arguments),
            tenant=arguments.tenant,
            project=arguments.project,
            memory=memory,
        )
    except SourceError as error:
        raise click.UsageError(error.advice) from error
    for skipped in arguments.left_out:
        source.skips.add(skipped.what, skipped.why, broken=skipped.broken)
    return source


def _states(arguments: SyncArguments, source: Source) -> Sequence[State]:
    held = source.states()
    if missing := [state for state in arguments.states if state not in held]:
        raise click.UsageError(f"--state: the source holds no {', '.join(missing)} content")
    return arguments.states or held


def _resolutions(source: DocumentsSource | ExportSource) -> Resolutions | None:
    """What an export says of its pictures; other sources have what their documents list."""
    if not source.resolutions():
        return None
    findings = FindingLog()
    resolutions = read_resolutions(source.root, findings=findings)
    for finding in findings.sorted():
        click.echo(str(finding), err=True)
    return resolutions


def _definitions(
    source: DocumentsSource | ExportSource, tenant: str, project: str, states: Sequence[State]
) -> dict[State, Document] | None:
    """The GraphQL applications of an export, for the states that have none; content does not wait for them."""
    try:
        find_root(source.root)
        from schema_gen.emit import emit_definitions  # noqa: PLC0415 - takes long to load, and most do without it
        from schema_gen.export import read_export  # noqa: PLC0415

        reading = read_export(source.root)
        emission = emit_definitions(reading.model, tenant=tenant, project=project)
    except GeneratorError:
        return None
    return {state: emission.definitions[state] for state in states}


def open_client(arguments: SyncArguments, project: str) -> SyncClient:
    """Open the client that a job's arguments ask for.

    Raises:
        SyncError: the address of the server is none, or the key can be none.
    """
    return SyncClient(
        arguments.server,
        api_key=arguments.api_key,
        tenant=arguments.tenant,
        project=project,
        timeout=arguments.timeout,
        retrying=arguments.retrying,
        connections=arguments.parallel + 1,
        dry_run=arguments.dry_run,
    )


@asynccontextmanager
async def _delivery(
    arguments: SyncArguments, client: SyncClient, resolutions: Resolutions | None
) -> AsyncIterator[Delivery]:
    spared = resolutions.untagged if resolutions is not None else frozenset()
    if not arguments.s3:
        async with BucketDelivery(client, public_url=arguments.public_url, spared=spared) as buckets:
            yield buckets
        return
    from content_sync.s3 import S3Delivery, S3Place  # noqa: PLC0415 - it takes as long to load as all the rest

    place = replace(S3Place(bucket=arguments.s3["bucket"]), **arguments.s3)
    async with S3Delivery(
        place,
        project=client.project,
        spared=spared,
        dry_run=arguments.dry_run,
        parallel=arguments.parallel,
        attempts=arguments.retrying.attempts,
        seconds=arguments.timeout,
    ) as bucket:
        yield bucket


class _Interruptible:
    """Turns SIGINT and SIGTERM into the cancellation of what it guards."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[int] | None = None
        self._stopped = False

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._loop.add_signal_handler(number, self._stop)
        return self

    def __exit__(self, *_problem: object) -> None:
        for number in _SIGNALS:
            self._loop.remove_signal_handler(number)

    async def guard(self, work: Coroutine[Any, Any, int], *, otherwise: int) -> int:
        """Run something; gives its result, or after a signal another one."""
        self._task = self._loop.create_task(work)
        try:
            return await self._task
        except asyncio.CancelledError:
            if self._stopped:
                return otherwise
            raise

    def _stop(self) -> None:
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
