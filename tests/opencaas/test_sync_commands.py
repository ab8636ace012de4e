"""``opencaas sync`` as a deploy job runs it: a command line, files on disk, a server, and signals at any time."""

import json
import os
import pty
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from content_core.documents import Document
from content_sync.report import SyncReport
from opencaas import sync_run
from opencaas.sync_commands import smart
from opencaas.sync_options import sync_arguments
from tests.content_sync.projects import Place, bare, medium, page, pages
from tests.live import OPENCAAS, LiveServer, environment, eventually, live_server
from tests.patience import PATIENCE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("sync") / "data") as running:
        yield running


@pytest.fixture
def place(server: LiveServer) -> Place:
    return Place.on(server)


@dataclass(frozen=True, slots=True)
class Command:
    """The command with its source, on one project."""

    place: Place
    source: Path

    def line(self, mode: str, *arguments: str, **changes: str) -> list[str]:
        options = {"server": self.place.url, "tenant": self.place.tenant, "project": self.place.project} | changes
        flags = [text for name, value in options.items() if value for text in (f"--{name}", value)]
        return [str(OPENCAAS), "sync", mode, str(self.source), *flags, *arguments]

    def env(self, key: str = "") -> dict[str, str]:
        return environment({"OPENCAAS_API_KEY": key or self.place.key, "HOME": str(self.home)})

    @property
    def home(self) -> Path:
        """Where the command keeps what it may lose."""
        return self.source.with_name("home")

    def noted(self) -> set[str]:
        """The names of files that the command noted something about."""
        found: set[str] = set()
        for place in (self.home / ".cache/opencaas/sources").glob("*"):
            with closing(sqlite3.connect(place)) as database:
                found |= {Path(os.fsdecode(name)).name for (name,) in database.execute("SELECT name FROM files")}
        return found

    def run(self, mode: str, *arguments: str, key: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.line(mode, *arguments, **changes), capture_output=True, text=True, env=self.env(key), timeout=120,
            check=False,
        )  # fmt: skip

    @contextmanager
    def started(self, mode: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        with subprocess.Popen(
            self.line(mode, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env()
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def write(self, documents: list[Document], state: str = "preview") -> None:
        """Make these the source's documents of a state, each in a file of its own."""
        folder = self.source / state
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for document in documents:
            (folder / f"{document['_id']}.json").write_text(json.dumps(document), encoding="utf-8")

    def write_file(self, name: str, data: bytes) -> None:
        (self.source / "media").mkdir(parents=True, exist_ok=True)
        (self.source / "media" / name).write_bytes(data)


@pytest.fixture
def command(place: Place, tmp_path: Path) -> Command:
    return Command(place, tmp_path / "source")


def report(result: subprocess.CompletedProcess[str]) -> Any:
    (line,) = result.stdout.splitlines()
    return json.loads(line)


def counts(result: subprocess.CompletedProcess[str], state: str = "preview") -> Any:
    found = report(result)["states"][state]["documents"]
    return found["created"], found["replaced"], found["unchanged"], found["deleted"]


def media_documents(count: int) -> list[Document]:
    return [
        document | {"fileMetaData": {"extension": "bin"}, "languageDependent": False}
        for number in range(count)
        for document in medium(50_000 + number, b"")[0]
    ]


# jobs


def test_smart_then_nothing_then_total(command: Command) -> None:
    command.write(pages(30))
    command.write(pages(10), "release")

    first, second, third = command.run("smart"), command.run("smart"), command.run("total")

    assert [0, 0, 0] == [first.returncode, second.returncode, third.returncode], first.stderr
    assert [(60, 0, 0, 0), (0, 0, 60, 0), (0, 60, 0, 0)] == [counts(each) for each in (first, second, third)]
    assert (20, 0, 0, 0) == counts(first, "release")
    assert bare(pages(30)) == bare(command.place.stored())


def test_what_files_hold_is_noted_and_what_others_did_is_repaired(command: Command) -> None:
    """As long as it takes for the files to be older than any clock is coarse."""
    command.write(pages(5))
    written = time.monotonic()
    first = command.run("smart")
    assert set() == command.noted() or time.monotonic() - written > 2
    time.sleep(max(0.0, 2.2 - (time.monotonic() - written)))
    names = {f"{document['_id']}.json" for document in pages(5)}

    assert [(10, 0, 0, 0), (0, 0, 10, 0)] == [counts(first), counts(command.run("smart"))]
    assert names == command.noted()
    document_id = page(1)[0]["_id"]
    command.place.request("DELETE", f"/{command.place.project}.preview.content/{document_id}")
    assert [(1, 0, 9, 0), (0, 10, 0, 0)] == [counts(command.run("smart")), counts(command.run("total"))]
    assert bare(pages(5)) == bare(command.place.stored())


def test_notes_can_be_elsewhere_and_nowhere(command: Command) -> None:
    command.write(pages(2))
    command.home.write_text("no directory")
    elsewhere = command.source.with_name("elsewhere")

    results = [command.run("smart"), command.run("smart", "--source-memory", str(elsewhere))]

    assert [(4, 0, 0, 0), (0, 0, 4, 0)] == [counts(result) for result in results]
    assert 1 == len(list(elsewhere.iterdir()))


def test_state_chooses(command: Command) -> None:
    command.write(pages(3))
    command.write(pages(2), "release")

    result = command.run("smart", "--state", "release")

    assert (0, ["release"]) == (result.returncode, list(report(result)["states"]))


def test_dry_run_writes_nothing(command: Command) -> None:
    command.write(pages(3))

    result = command.run("total", "--dry-run")

    assert (0, (6, 0, 0, 0)) == (result.returncode, counts(result))
    assert report(result)["dry_run"]
    assert command.place.project not in str(command.place.request("GET", "", rep="s", pagesize=100))


def test_what_could_not_be_sent_is_listed_with_status_1(command: Command) -> None:
    command.write([*pages(3), page(9, text="x" * 16_500_000)[0]])

    result = command.run("smart")

    assert 1 == result.returncode
    assert [page(9)[0]["_id"]] == [failure["what"] for failure in report(result)["failures"]]
    assert page(9)[0]["_id"] in result.stderr
    assert "Traceback" not in result.stderr
    assert 6 == len(command.place.stored())


def test_content_that_cannot_be_read_ends_with_1(command: Command) -> None:
    """Everything else arrives, nothing is deleted, and nobody is told that the content is complete."""
    command.write(pages(2))
    command.run("smart")
    command.write(pages(1, revision=2))
    (command.source / "preview" / "broken.json").write_text('{"_id": ', encoding="utf-8")

    failed = command.run("smart")
    done_without = command.run("smart", "--despite-skipped")

    assert (1, "failed") == (failed.returncode, report(failed)["outcome"])
    assert [("preview/broken.json:1", True)] == [(each["what"], each["broken"]) for each in report(failed)["skipped"]]
    assert "cannot be read: preview/broken.json:1" in failed.stderr
    assert "--despite-skipped" in failed.stderr
    assert (0, 2, 0, 0) == counts(failed)
    assert (0, "complete") == (done_without.returncode, report(done_without)["outcome"])
    assert (0, 0, 2, 2) == counts(done_without)


def test_a_place_of_media_that_is_away_is_reported_like_everything_else(command: Command) -> None:
    command.write(pages(1))
    nowhere = ("--s3-bucket", "b", "--s3-region", "r", "--s3-endpoint-url", "http://127.0.0.1:9", "--retries", "0")
    access = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}

    ended = subprocess.run(
        command.line("smart", *nowhere), capture_output=True, text=True, env=command.env() | access, timeout=PATIENCE,
        check=False,
    )  # fmt: skip

    assert (1, "failed") == (ended.returncode, report(ended)["outcome"])
    assert "127.0.0.1:9" in report(ended)["error"]["message"]
    assert "127.0.0.1:9" in ended.stderr


def test_a_wrong_key_and_a_wrong_tenant_fail_without_saying_the_key(command: Command) -> None:
    command.write(pages(1))

    wrong_key = command.run("smart", key="some-other-secret")
    wrong_tenant = command.run("smart", tenant="elsewhere")

    for result in (wrong_key, wrong_tenant):
        assert (1, "failed") == (result.returncode, report(result)["outcome"])
        for secret in ("some-other-secret", command.place.key):
            assert secret not in result.stdout + result.stderr
    assert "the API key is unknown" in wrong_key.stderr


def test_a_server_that_is_away_fails(command: Command) -> None:
    command.write(pages(1))

    result = command.run("smart", "--retries", "1", server="http://127.0.0.1:9")

    assert 1 == result.returncode
    assert "cannot reach the server at http://127.0.0.1:9" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--state", "release"], "holds no release content"),
        (["--watch", "--dry-run"], "not both"),
        (["--s3-region", "eu-central-1"], "--s3-bucket"),
        (["--s3-bucket", "b", "--public-url", "http://x"], "--cdn-domain"),
        (["--project", "a/b"], "is no GID"),
        (["--parallel", "0"], "--parallel"),
        (["--state", "draft"], "--state"),
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str], said: str) -> None:
    command.write(pages(1))

    result = command.run("smart", *arguments)

    assert (2, "") == (result.returncode, result.stdout)
    assert said in result.stderr


def test_a_source_without_documents_or_project_ends_with_2(command: Command) -> None:
    command.source.mkdir()
    nothing = command.run("smart")
    command.write(pages(1))
    nobody = command.run("smart", project="")

    assert [2, 2] == [nothing.returncode, nobody.returncode]
    assert "no documents" in nothing.stderr
    assert "--project" in nobody.stderr


def test_a_terminal_sees_counts_rates_and_a_table(command: Command) -> None:
    command.write(pages(20))
    leader, follower = pty.openpty()
    heard: list[bytes] = []

    def listen() -> None:
        while True:
            try:
                heard.append(os.read(leader, 65_536))
            except OSError:
                return

    env = command.env() | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command.line("smart"), stdout=follower, stderr=follower, env=env) as process:
        os.close(follower)
        listener = threading.Thread(target=listen)
        listener.start()
        assert 0 == process.wait(60)
    listener.join(PATIENCE)
    os.close(leader)
    text = b"".join(heard).decode()

    assert "preview: documents" in text
    assert "40/40" in text
    assert "/s" in text
    assert "documents read" in text
    assert ".preview.content" in text[text.index("created: ") :]
    assert "{" not in text


# ends before the end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_job_with_a_report(command: Command, number: signal.Signals) -> None:
    command.write(pages(1500))
    with command.started("total", "--parallel", "1", "--bulk-documents", "1") as process:
        assert eventually(lambda: _is_filling(command.place))
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE)

    assert 1 == process.returncode
    assert "interrupted" == json.loads(stdout)["outcome"]
    assert 0 < json.loads(stdout)["states"]["preview"]["documents"]["created"] < 3000
    assert "run it again to go on" in stderr
    assert "Traceback" not in stderr


def test_a_signal_while_the_source_is_opened_ends_with_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive takes long to unpack."""
    reports: list[SyncReport] = []
    shown = threading.Event()

    def opening(*_ignored: object, **_too: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        shown.wait(PATIENCE)

    def show(report: SyncReport, _console: object) -> None:
        reports.append(report)
        shown.set()

    line = ["--server", "http://127.0.0.1:9", "--api-key", "k", "--tenant", "t", "--project", "p"]
    with smart.make_context("smart", [str(tmp_path), *line, "--source-memory", str(tmp_path)]) as context:
        given = context.params
    monkeypatch.setattr(sync_run, "open_source", opening)

    status = sync_run.run_jobs(sync_arguments(tmp_path, given), "smart", show=show)

    assert 1 == status
    assert ["interrupted"] == [each.as_json()["outcome"] for each in reports]


@pytest.mark.timeout(300)
def test_killed_jobs_are_continued_by_the_next_one(command: Command, server: LiveServer) -> None:
    """Ten kills at random moments, each over another version of the content; then one run to the end.

    A moment is a number of requests that the server has answered, which is random however quick the machine is. A job
    sends some 300 of them.
    """
    chance = random.Random(20)
    media = media_documents(30)
    names = sorted({document["identifier"] for document in media})
    command.write([*pages(300, revision=1000), *media])
    for name in names:
        command.write_file(name, chance.randbytes(50_000))
    assert 0 == command.run("total").returncode
    killed = 0
    for round_number in range(10):
        first = round_number * 20
        command.write(
            [*(each for number in range(first, first + 400) for each in page(number, revision=round_number)), *media]
        )
        for name in names:
            command.write_file(name, chance.randbytes(50_000))
        mode = chance.choice(("smart", "total"))
        with command.started(mode, "--parallel", "2", "--bulk-documents", "3") as process:
            moment = len(server.log) + chance.randrange(1, 250)
            eventually(lambda log=server.log, moment=moment, job=process: len(log) >= moment or job.poll() is not None)
            process.kill()
            process.wait()
            killed += process.returncode == -signal.SIGKILL

    result = command.run("smart")

    assert 0 == result.returncode, result.stderr
    assert killed >= 5
    wanted = [each for number in range(180, 580) for each in page(number, revision=9)]
    stored = command.place.stored()
    assert {document["_id"] for document in [*wanted, *media]} == stored.keys()
    assert bare(wanted).items() <= bare(stored).items()
    files = command.place.files()
    assert names == sorted(files)
    home = f"{command.place.url}/{command.place.tenant}/{command.place.project}.preview.files"
    with httpx.Client(auth=command.place.admin) as client:
        for name in names:
            stored_bytes = client.get(f"{home}/{name}/binary").content
            assert (command.source / "media" / name).read_bytes() == stored_bytes
    assert (0, 0, len(stored), 0) == counts(command.run("smart"))


# watching


def test_watch_keeps_source_and_server_in_step(command: Command) -> None:
    command.write(pages(2))
    with command.started("smart", "--watch", "--watch-interval", "0.1") as process:
        assert eventually(lambda: _ids(command.place) == {each["_id"] for each in pages(2)})

        command.write(pages(4))
        assert eventually(lambda: _ids(command.place) == {each["_id"] for each in pages(4)})

        command.write([*pages(1), *page(2, revision=7)])
        wanted = {each["_id"] for each in [*pages(1), *page(2)]}
        assert eventually(lambda: _ids(command.place) == wanted)
        assert process.poll() is None
        assert process.stdout is not None
        lines: list[dict[str, Any]] = []
        while not lines or not lines[-1]["states"]["preview"]["documents"]["deleted"]:  # the last job is at its end
            lines.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=PATIENCE)

    assert 0 == process.returncode, stderr
    lines += [json.loads(line) for line in stdout.splitlines()]
    assert ["complete"] * len(lines) == [line["outcome"] for line in lines]
    assert bare([*pages(1), *page(2, revision=7)]) == bare(command.place.stored())


def test_watch_survives_a_source_that_is_broken_for_a_moment(command: Command) -> None:
    command.write(pages(2))
    with command.started("smart", "--watch", "--watch-interval", "0.1") as process:
        assert eventually(lambda: len(_ids(command.place)) == 4)
        shutil.rmtree(command.source / "preview")
        time.sleep(1.5)
        assert process.poll() is None
        assert 4 == len(_ids(command.place))
        command.write(pages(3))
        assert eventually(lambda: len(_ids(command.place)) == 6)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(PATIENCE)


def _ids(place: Place) -> set[str]:
    try:
        return set(place.stored())
    except httpx.HTTPStatusError:  # not there yet
        return set()


def _is_filling(place: Place) -> bool:
    return len(_ids(place)) > 20
