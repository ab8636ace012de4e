"""Smart sync of files that did not change: they are not read, and the server is repaired all the same."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from content_core.names import content_collection, files_bucket
from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.job import SyncOptions, run_sync
from content_sync.model import Document
from content_sync.report import Mode, SyncReport
from content_sync.source import FileMemory, open_source
from content_sync.source.jsonfiles import DocumentReader
from tests.content_sync.projects import Place, bare, gid, page
from tests.live import LiveServer, live_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("known") / "data") as running:
        yield running


@pytest.fixture
def place(server: LiveServer) -> Place:
    return Place.on(server)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that jobs read."""
    names: list[str] = []
    original = DocumentReader.read

    def noted(self: DocumentReader, file: Any, **options: Any) -> Any:
        names.append(file.name)
        return original(self, file, **options)

    monkeypatch.setattr(DocumentReader, "read", noted)
    return names


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs jobs over a directory, with what earlier ones noted of it."""

    client: SyncClient
    root: Path

    async def __call__(self, mode: Mode = "smart", **options: Any) -> SyncReport:
        cache = self.root.parent / "cache"
        with FileMemory(cache, root=self.root, settled=0, fresh=mode == "total") as memory:
            source = open_source(self.root, base=self.client.server, memory=memory)
            report = await run_sync(source, self.client, BucketDelivery(self.client), SyncOptions(mode=mode, **options))
        assert report.complete, report
        return report


@pytest.fixture
async def run(place: Place, tmp_path: Path) -> AsyncIterator[Runner]:
    """A project of five pages, a file for both languages of each, and a medium."""
    root = tmp_path / "source"
    for number in range(5):
        write(root, number, page(number))
    meta = {"fileSize": 5, "extension": "txt", "mimeType": "text/plain"}
    write(root, 9, page(9, kind="Media", mediaType="FILE", fileName="nine", url=None, fileMetaData=meta))
    (root / "media").mkdir()
    (root / "media" / gid(9)).write_bytes(b"first")
    async with SyncClient(place.url, api_key=place.key, tenant=place.tenant, project=place.project) as client:
        yield Runner(client, root)


def write(root: Path, number: int, documents: list[Document]) -> None:
    (root / "preview").mkdir(parents=True, exist_ok=True)
    (root / "preview" / f"{number}.json").write_text(json.dumps(documents))


def numbers(report: SyncReport) -> tuple[int, int, int, int]:
    counts = report.states["preview"]
    return counts.created, counts.replaced, counts.unchanged, counts.deleted


async def test_an_idle_job_reads_no_file(run: Runner, place: Place, read: list[str]) -> None:
    await run()
    stored = place.stored()
    read.clear()

    report = await run()

    assert [] == read
    assert (0, 0, 12, 0) == numbers(report)
    assert (12, 1, 1) == (
        report.states["preview"].read, report.states["preview"].files_read, report.states["preview"].files_unchanged
    )  # fmt: skip
    assert stored == place.stored()


async def test_a_first_smart_sync_reads_each_file_once_to_compare(run: Runner, place: Place, read: list[str]) -> None:
    """Once for the binaries, which tells enough of the documents; and those that are sent are read for that."""
    await run("total")
    for cached in (run.root.parent / "cache").iterdir():
        cached.unlink()
    read.clear()

    await run()

    assert sorted(set(read)) == sorted(read)
    assert 6 == len(read)


async def test_what_others_did_on_the_server_is_repaired(run: Runner, place: Place, read: list[str]) -> None:
    """The memory is of files; what the server has is asked for each time."""
    await run()
    expected = bare(place.stored())
    collection = content_collection(place.project, "preview")
    place.request("DELETE", f"/{collection}/{page(1)[0]['_id']}")
    place.request("PATCH", f"/{collection}/{page(2)[1]['_id']}", {"changeInfo.revision": 7, "text": "other"})
    place.request("PUT", f"/{collection}/stranger", {"fsType": "PageRef"})
    read.clear()

    report = await run()

    assert (1, 1, 10, 1) == numbers(report)
    assert ["preview/1.json", "preview/2.json"] == read
    assert expected == bare(place.stored())


async def test_a_binary_that_others_deleted_is_sent_again(run: Runner, place: Place) -> None:
    await run()
    place.request("DELETE", f"/{files_bucket(place.project, 'preview')}/{gid(9)}")

    report = await run()

    assert (1, 0) == (report.states["preview"].files_sent, report.states["preview"].files_unchanged)
    assert {gid(9)} == place.files().keys()


async def test_changes_of_files_are_sent(run: Runner, place: Place, read: list[str]) -> None:
    await run()
    write(run.root, 1, [page(1)[0], page(1, revision=2, text="new")[1]])
    write(run.root, 6, page(6))
    (run.root / "preview" / "3.json").unlink()
    (run.root / "media" / gid(9)).write_bytes(b"other")
    read.clear()

    report = await run()

    assert (2, 1, 9, 2) == numbers(report)
    assert {"preview/1.json", "preview/6.json"} == set(read)
    assert 1 == report.states["preview"].files_sent
    assert "new" == place.stored()[page(1)[1]["_id"]]["text"]
    assert not {each["_id"] for each in page(3)} & place.stored().keys()


async def test_a_total_sync_reads_everything(run: Runner, read: list[str]) -> None:
    await run()
    read.clear()

    report = await run("total")

    assert (0, 12, 0, 0) == numbers(report)
    assert {f"preview/{number}.json" for number in (0, 1, 2, 3, 4, 9)} == set(read)


async def test_a_dry_run_tells_the_same_and_writes_nothing(run: Runner, place: Place) -> None:
    await run()
    write(run.root, 1, page(1, revision=2))
    stored = place.stored()
    dry = SyncClient(place.url, api_key=place.key, tenant=place.tenant, project=place.project, dry_run=True)
    async with dry:
        report = await Runner(dry, run.root)()

    assert (0, 2, 10, 0) == numbers(report)
    assert stored == place.stored()
    assert (0, 2, 10, 0) == numbers(await run())


async def test_more_files_than_are_compared_at_once(run: Runner, place: Place, read: list[str]) -> None:
    for number in range(20, 1300):
        write(run.root, number, page(number)[:1])
    await run()
    write(run.root, 600, page(600, revision=2)[:1])
    read.clear()

    report = await run()

    assert (0, 1, 1291, 0) == numbers(report)
    assert {"preview/600.json"} == set(read)
    assert 1292 == len(place.stored())
