"""Sync jobs against a real server: what arrives, what goes, what stays."""

import asyncio
import io
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.errors import RefusedError, UnreachableError
from content_sync.job import SyncOptions, run_sync
from content_sync.ledger import Ledger
from content_sync.model import Skipped
from content_sync.report import Mode, SyncReport
from content_sync.retry import Retrying
from tests.content_sync.projects import Place, ValueSource, bare, medium, page, pages
from tests.live import LiveServer, live_server

IMPATIENT = Retrying(attempts=3, first_delay=0.01, longest_delay=0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("job") / "data") as running:
        yield running


@pytest.fixture
def place(server: LiveServer) -> Place:
    return Place.on(server)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs jobs on one project."""

    client: SyncClient

    async def __call__(self, source: ValueSource, mode: Mode = "smart", **options: Any) -> SyncReport:
        chosen = SyncOptions(mode=mode, **options)
        return await run_sync(source, self.client, BucketDelivery(self.client), chosen)


def client_of(place: Place, **changes: Any) -> SyncClient:
    options: dict[str, Any] = {"api_key": place.key, "tenant": place.tenant, "retrying": IMPATIENT} | changes
    return SyncClient(options.pop("server", place.url), project=place.project, **options)


@pytest.fixture
async def run(place: Place) -> AsyncIterator[Runner]:
    async with client_of(place) as client:
        yield Runner(client)


# smart sync


async def test_smart_sync_fills_an_empty_project(run: Runner, place: Place) -> None:
    """Both states, all languages, more than one request, and every document as the source has it."""
    source = ValueSource({"preview": pages(130), "release": pages(20, displayed=None)})
    before = time.time_ns() // 1_000_000

    report = await run(source, bulk_documents=50)

    assert report.complete, report
    assert (260, 0, 0, 0) == _numbers(report)
    assert bare(source.content["preview"]) == bare(place.stored())
    assert bare(source.content["release"]) == bare(place.stored("release"))
    assert all(document["changeInfo"]["lastSynced"] >= before for document in place.stored().values())


async def test_smart_sync_writes_nothing_when_nothing_changed(run: Runner, place: Place) -> None:
    source = ValueSource({"preview": pages(120)})
    await run(source)
    stored = place.stored()

    report = await run(source)

    assert (0, 0, 240, 0) == _numbers(report)
    assert 0 == report.changes
    assert stored == place.stored()


async def test_smart_sync_sends_what_is_missing_or_differs_and_deletes_the_rest(run: Runner, place: Place) -> None:
    """Also a revision that went back, as after a restored backup."""
    await run(ValueSource({"preview": [*page(1, revision=5), *page(2), *page(3), *page(4, revision=9)]}))
    untouched = {key: value for key, value in place.stored().items() if value["uid"] == "page_2"}
    source = ValueSource({"preview": [*page(1, revision=6, new=1), *page(2), *page(4, revision=8), *page(5)]})

    report = await run(source)

    assert (2, 4, 2, 2) == _numbers(report)
    assert bare(source.content["preview"]) == bare(place.stored())
    assert untouched == {key: value for key, value in place.stored().items() if value["uid"] == "page_2"}


async def test_documents_without_a_revision_are_compared_by_content(run: Runner, place: Place) -> None:
    await run(ValueSource({"preview": [*page(1, revision=None, text="a"), *page(2, revision=None)]}))

    report = await run(ValueSource({"preview": [*page(1, revision=None, text="b"), *page(2, revision=None)]}))

    assert (0, 2, 2, 0) == _numbers(report)
    assert {"b", None} == {document.get("text") for document in place.stored().values()}


async def test_a_language_that_is_gone_is_stale(run: Runner, place: Place) -> None:
    await run(ValueSource({"preview": pages(3)}))
    german = [document for document in pages(3) if document["_id"].endswith("de_DE")]

    report = await run(ValueSource({"preview": german}))

    assert 3 == report.states["preview"].deleted
    assert {document["_id"] for document in german} == place.stored().keys()


async def test_documents_of_other_kinds_are_left_alone(run: Runner, place: Place) -> None:
    await run(ValueSource({"preview": pages(1)}))
    path = f"/{place.project}.preview.content"
    place.request("POST", path, [{"_id": "own", "fsType": "Own"}, {"_id": "note"}, {"fsType": "PageRef"}])

    await run(ValueSource({"preview": pages(2)}))

    assert {"own", "note"} | {document["_id"] for document in pages(2)} == place.stored().keys()


async def test_hidden_sections_stay_in_preview_and_leave_release(run: Runner, place: Place) -> None:
    shown, hidden = {"fsType": "Section", "uid": "s1"}, {"fsType": "Section", "uid": "s2"}
    preview = page(1, children=[shown | {"displayed": True}, hidden | {"displayed": False}])
    source = ValueSource({"preview": preview, "release": page(1, children=[shown])})

    await run(source)

    (first, *_), (released, *_) = place.stored().values(), place.stored("release").values()
    assert [True, False] == [section["displayed"] for section in first["children"]]
    assert [shown] == released["children"]


async def test_a_project_without_release_sends_preview_only(run: Runner, place: Place) -> None:
    report = await run(ValueSource({"preview": pages(2)}))

    assert ["preview"] == list(report.states)
    assert f"{place.project}.release.content" not in place.request("GET", "", rep="s", pagesize=100)


# total sync


async def test_total_sync_writes_everything_and_deletes_older_stamps(run: Runner, place: Place) -> None:
    """A document that no job wrote stays, until a smart sync compares ids."""
    await run(ValueSource({"preview": pages(110)}), "total")
    stamps = {key: value["changeInfo"]["lastSynced"] for key, value in place.stored().items()}
    place.request("POST", f"/{place.project}.preview.content", [{"_id": "foreign", "fsType": "PageRef"}])
    source = ValueSource({"preview": pages(3)})
    await asyncio.sleep(0.002)

    report = await run(source, "total")

    assert (0, 6, 0, 214) == _numbers(report)
    stored = place.stored()
    assert {"foreign"} | {document["_id"] for document in pages(3)} == stored.keys()
    del stored["foreign"]
    assert all(stamps[key] < value["changeInfo"]["lastSynced"] for key, value in stored.items())

    await run(source)
    assert "foreign" not in place.stored()


async def test_total_sync_deletes_nothing_when_something_failed(run: Runner, place: Place) -> None:
    await run(ValueSource({"preview": pages(3)}), "total")
    broken = {"_id": "broken.de_DE", "fsType": "PageRef", "identifier": "broken", "$set": 1}

    report = await run(ValueSource({"preview": [*pages(2), broken]}), "total")

    assert not report.complete
    assert ["broken.de_DE"] == [failure.what for failure in report.failures]
    assert "not everything could be sent" == report.states["preview"].stale_kept
    assert {document["_id"] for document in pages(3)} == place.stored().keys()


# what must not be lost


@pytest.mark.parametrize("mode", ["smart", "total"])
async def test_an_empty_source_deletes_nothing_unless_told_so(run: Runner, place: Place, mode: Mode) -> None:
    await run(ValueSource({"preview": pages(2)}))
    await asyncio.sleep(0.002)

    kept = await run(ValueSource({"preview": []}), mode)
    assert ("the source holds no documents", 4) == (kept.states["preview"].stale_kept, len(place.stored()))

    report = await run(ValueSource({"preview": []}), mode, allow_empty=True)
    assert (4, {}) == (report.states["preview"].deleted, place.stored())


@pytest.mark.parametrize("mode", ["smart", "total"])
async def test_what_the_source_left_out_is_not_deleted_unless_told_so(run: Runner, place: Place, mode: Mode) -> None:
    await run(ValueSource({"preview": pages(2)}))
    await asyncio.sleep(0.002)
    source = ValueSource({"preview": pages(1)}, left_out=(Skipped("page_1.json", "no JSON"),))

    kept = await run(source, mode)
    assert ("the source left something out", 4) == (kept.states["preview"].stale_kept, len(place.stored()))
    assert kept.complete

    await run(source, mode, despite_skipped=True)
    assert 2 == len(place.stored())


@pytest.mark.parametrize("mode", ["smart", "total"])
async def test_kinds_that_the_source_lacks_altogether_are_kept(run: Runner, place: Place, mode: Mode) -> None:
    """As with an export without its media store."""
    documents, file = medium(7, b"seven")
    await run(ValueSource({"preview": [*documents, *pages(2)]}, {"preview": [file]}))
    await asyncio.sleep(0.002)

    report = await run(ValueSource({"preview": pages(1)}), mode)

    assert 2 == report.states["preview"].deleted
    assert "the source holds nothing of the kind Media" == report.states["preview"].stale_kept
    assert {document["_id"] for document in [*documents, *pages(1)]} == place.stored().keys()
    assert {file.file_id} == place.files().keys()

    await run(ValueSource({"preview": pages(1)}), mode, allow_empty=True)
    assert (2, {}) == (len(place.stored()), place.files())


@pytest.mark.parametrize("mode", ["smart", "total"])
async def test_stale_documents_of_other_languages_stay_if_some_are_synced(
    run: Runner, place: Place, mode: Mode
) -> None:
    await run(ValueSource({"preview": pages(3)}))
    await asyncio.sleep(0.002)
    german = [document for document in pages(2) if document["_id"].endswith("de_DE")]

    report = await run(ValueSource({"preview": german}), mode, some_languages=True)

    assert 1 == report.states["preview"].deleted
    assert 5 == len(place.stored())


async def test_documents_that_cannot_be_sent_are_told_one_by_one(run: Runner, place: Place) -> None:
    """Everything else arrives, also what travelled in the same request."""
    unfit: list[dict[str, Any]] = [
        {"fsType": "PageRef"},
        {"_id": "kind.de", "fsType": "Other"},
        {"_id": "info.de", "fsType": "Media", "changeInfo": 3},
        {"_id": "operator.de", "fsType": "Dataset", "$inc": {"a": 1}},
        page(0)[0],
    ]

    report = await run(ValueSource({"preview": [*pages(5), *unfit]}))

    told = {failure.what: failure.why for failure in report.failures}
    assert {"None", "kind.de", "info.de", "operator.de", page(0)[0]["_id"]} == told.keys()
    assert "another document" in told[page(0)[0]["_id"]]
    assert "400" in told["operator.de"]
    assert {document["_id"] for document in pages(5)} == place.stored().keys()
    assert 5 == report.as_json()["failed"]


async def test_documents_over_the_limit_of_the_server_are_told(run: Runner, place: Place) -> None:
    large = page(9, text="x" * 17_000_000)[:1]

    report = await run(ValueSource({"preview": [*pages(2), *large]}))

    assert [large[0]["_id"]] == [failure.what for failure in report.failures]
    assert "413" in report.failures[0].why
    assert "OPENCAAS_MAX_DEFINITION_BYTES" in report.failures[0].why
    assert 4 == len(place.stored())


async def test_documents_over_the_limit_of_mongodb_are_told(run: Runner, place: Place) -> None:
    """Numbers take more room there than in JSON."""
    large = page(9, numbers=[1] * 1_500_000)[:1]

    report = await run(ValueSource({"preview": [*pages(2), *large]}))

    assert [large[0]["_id"]] == [failure.what for failure in report.failures]
    assert "16 MiB" in report.failures[0].why
    assert 4 == len(place.stored())


async def test_a_full_disk_ends_the_job_with_a_word(run: Runner, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await run(ValueSource({"preview": pages(1)}))

    def full(*_ignored: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Ledger, "read", full)
    report = await run(ValueSource({"preview": pages(2, revision=2)}))

    assert report.error is not None
    assert "disk is full" in report.error.message
    assert not report.complete
    assert 2 == len(place.stored())


# media


async def test_media_arrive_once_and_go_when_they_are_stale(run: Runner, place: Place) -> None:
    (documents, file), (others, other) = medium(1, b"one"), medium(2, b"two")
    both = ValueSource({"preview": [*documents, *others]}, {"preview": [file, other]})

    first = (await run(both)).states["preview"]
    again = (await run(both, "total")).states["preview"]
    last = (await run(replace(both, content={"preview": documents}, files={"preview": [file]}))).states["preview"]

    assert (2, 0, 0) == (first.files_sent, first.files_unchanged, first.files_deleted)
    assert (0, 2, 0) == (again.files_sent, again.files_unchanged, again.files_deleted)
    assert (0, 1, 1) == (last.files_sent, last.files_unchanged, last.files_deleted)
    assert {file.file_id} == place.files().keys()
    (stored, _) = place.stored().values()
    assert f"{place.url}/{place.tenant}/{place.project}.preview.files/{file.file_id}/binary" == stored["url"]


@pytest.mark.parametrize("changed", [b"", b"shor", b"other", b"longer than it was", b"x" * 300_000])
async def test_media_that_change_on_their_way_are_told_and_not_stored(
    run: Runner, place: Place, changed: bytes
) -> None:
    documents, file = medium(7, b"first")
    other_documents, other = medium(8, b"other")
    changing = replace(file, open=lambda: io.BytesIO(changed))

    report = await run(ValueSource({"preview": [*documents, *other_documents]}, {"preview": [changing, other]}))

    assert [file.file_id] == [failure.what for failure in report.failures]
    assert "changed" in report.failures[0].why
    assert {other.file_id} == place.files().keys()
    again = await run(ValueSource({"preview": [*documents, *other_documents]}, {"preview": [file, other]}))
    assert again.complete
    assert {file.file_id, other.file_id} == place.files().keys()


async def test_media_that_cannot_be_opened_are_told_and_nothing_is_deleted(run: Runner, place: Place) -> None:
    documents, file = medium(7, b"seven")
    await run(ValueSource({"preview": [*documents, *pages(3)]}, {"preview": [file]}))

    def gone() -> Any:
        raise FileNotFoundError(2, "No such file")

    lost = replace(file, open=gone, digest="00" * 32)
    report = await run(ValueSource({"preview": documents}, {"preview": [lost]}))

    assert [file.file_id] == [failure.what for failure in report.failures]
    assert 8 == len(place.stored())
    assert {file.file_id} == place.files().keys()


# dry runs


@pytest.mark.parametrize("mode", ["smart", "total"])
async def test_dry_run_tells_what_would_be_done_and_does_nothing(run: Runner, place: Place, mode: Mode) -> None:
    documents, file = medium(7, b"seven")
    await run(ValueSource({"preview": [*page(1), *page(2)]}))
    stored = place.stored()
    source = ValueSource({"preview": [*page(1, revision=2), *page(3), *documents]}, {"preview": [file]})
    async with client_of(place, dry_run=True) as client:
        report = await Runner(client)(source, mode)

    assert report.dry_run
    assert (4, 2, 0, 2) == _numbers(report)
    assert 1 == report.states["preview"].files_sent
    assert (stored, {}) == (place.stored(), place.files())


async def test_dry_run_on_an_empty_tenant_makes_nothing(place: Place) -> None:
    async with client_of(place, dry_run=True) as client:
        report = await Runner(client)(ValueSource({"preview": pages(2)}))

    assert report.complete, report
    assert (4, 0, 0, 0) == _numbers(report)
    assert [] == [name for name in place.request("GET", "", rep="s", pagesize=100) if place.project in str(name)]


# who may not, and what is away


async def test_a_wrong_key_ends_the_job(place: Place) -> None:
    async with client_of(place, api_key="no-such-key") as client:
        report = await Runner(client)(ValueSource({"preview": pages(1)}))

    assert isinstance(report.error, RefusedError)
    assert 401 == report.error.answered
    assert "no-such-key" not in str(report.as_json())


async def test_a_wrong_tenant_ends_the_job(place: Place) -> None:
    async with client_of(place, tenant="elsewhere") as client:
        report = await Runner(client)(ValueSource({"preview": pages(1)}))

    assert report.error is not None
    assert not report.complete


async def test_a_server_that_is_away_ends_the_job(place: Place) -> None:
    async with client_of(place, server="http://127.0.0.1:9") as client:
        report = await Runner(client)(ValueSource({"preview": pages(1)}))

    assert isinstance(report.error, UnreachableError)
    assert 2 == report.repeated
    assert place.key not in str(report.as_json())


def _numbers(report: SyncReport) -> tuple[int, int, int, int]:
    counts = report.states["preview"]
    return counts.created, counts.replaced, counts.unchanged, counts.deleted
