"""Backup: the drill of the documentation, and that its dump and its comparison can be relied on."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import Int64, decode_file_iter
from pymongo import MongoClient
from pymongo.errors import CollectionInvalid

from content_core.store.embedded import EmbeddedMongo
from tests.live import live_server
from tests.operations.drill import run_drill
from tests.operations.dump import restore_dump, wipe, write_dump
from tests.operations.fingerprint import content_of, differences

Client = MongoClient[dict[str, Any]]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongo]:
    """A MongoDB that may be wiped."""
    with EmbeddedMongo(tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture
def client(own: EmbeddedMongo) -> Iterator[Client]:
    """The MongoDB, empty."""
    with MongoClient[dict[str, Any]](own.uri, w="majority") as opened:
        wipe(opened)
        yield opened


def test_what_was_wiped_is_back(tmp_path: Path) -> None:
    with live_server(tmp_path / "data", command="demo", seconds=180) as server:
        drill = run_drill(server, tmp_path)

    assert [] == drill.lost
    assert [] == drill.seen
    assert {"databases": [], "key": 401, "application": 401} == drill.wiped
    assert drill.documents == drill.restored > 800
    assert drill.things > 300
    assert ["insert", "drop"] == drill.refused


def fill(client: Client) -> None:
    acme = client["acme"]
    acme.create_collection("pages", validator={"title": {"$exists": True}}, collation={"locale": "de", "strength": 2})
    acme["pages"].insert_many([{"_id": number, "title": f"Page {number}", "size": number} for number in range(10)])
    acme["pages"].create_index([("title", 1), ("size", -1)], name="by_title", unique=True)
    acme.create_collection("log", capped=True, size=100_000, max=50)
    acme.create_collection("short", viewOn="pages", pipeline=[{"$match": {"size": {"$lt": 3}}}])
    acme["a%b/c ünï"].insert_many([{"_id": b"\x00\x01", "n": Int64(1)}, {"_id": {"b": 1, "a": 2}}])
    acme["a%b/c ünï"].create_index("n", expireAfterSeconds=10**8, partialFilterExpression={"n": {"$gt": 1}})


def test_options_and_kinds_are_kept(client: Client, tmp_path: Path) -> None:
    fill(client)
    before = content_of(client)

    dumped = write_dump(client, tmp_path / "dump")
    wipe(client)
    gone = content_of(client)
    restored = restore_dump(client, tmp_path / "dump")

    assert {} == gone
    assert [] == differences(before, content_of(client))
    assert dumped == restored == 12
    assert 3 == client["acme"]["short"].count_documents({})


TAMPERING: dict[str, tuple[Callable[[Any], object], str]] = {
    "a number's type": (
        lambda acme: acme["pages"].update_one({"_id": 1}, {"$set": {"size": 1.0}}),
        "changed: acme/pages documents",
    ),
    "the order of members": (
        lambda acme: acme["pages"].replace_one({"_id": 1}, {"size": 1, "title": "Page 1"}),
        "changed: acme/pages documents",
    ),
    "a document less": (lambda acme: acme["pages"].delete_one({"_id": 9}), "changed: acme/pages documents"),
    "an index less": (lambda acme: acme["pages"].drop_index("by_title"), "lost: acme/pages index by_title"),
    "no validator": (lambda acme: acme.command("collMod", "pages", validator={}), "changed: acme/pages is"),
    "another view": (
        lambda acme: acme.command("collMod", "short", viewOn="pages", pipeline=[]),
        "changed: acme/short is",
    ),
    "a collection less": (lambda acme: acme["log"].drop(), "lost: acme/log is"),
    "one more": (lambda acme: acme.create_collection("more"), "new: acme/more is"),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_comparison_notices(client: Client, what: str) -> None:
    fill(client)
    before = content_of(client)
    tamper, line = TAMPERING[what]

    tamper(client["acme"])

    assert line in differences(before, content_of(client))
    assert {name.split()[1].split("/")[0] for name in differences(before, content_of(client))} == {"acme"}


def test_dump_is_of_one_moment(client: Client, tmp_path: Path) -> None:
    first, last = client["acme"]["aaa"], client["acme"]["zzz"]
    first.insert_many([{"_id": number, "text": "x" * 2000} for number in range(-20_000, 0)])
    last.insert_one({"_id": -1})
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        with client.start_session() as session:
            while not stop.is_set():
                with session.start_transaction():
                    first.insert_one({"_id": written}, session=session)
                    last.insert_one({"_id": written}, session=session)
                written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not (before := written):
            stop.wait(0.01)
        write_dump(client, tmp_path / "dump")
        after = written
    finally:
        stop.set()
        writer.join()

    ids = {name: _ids(tmp_path / "dump" / "acme" / f"{name}.bson") for name in ("aaa", "zzz")}
    assert ids["aaa"] == ids["zzz"]
    assert before - 1 <= len(ids["aaa"]) < after


def _ids(file: Path) -> set[int]:
    """Read the ids of a dumped collection that are not negative."""
    with file.open("rb") as stream:
        return {document["_id"] for document in decode_file_iter(stream) if document["_id"] >= 0}


def test_half_a_dump_is_no_dump(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(client)
    whole = Path.open

    def full(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "pages.bson":
            raise OSError(28, "No space left on device")
        return whole(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space"):
        write_dump(client, tmp_path / "dump")
    monkeypatch.undo()

    assert not (tmp_path / "dump").exists()
    assert write_dump(client, tmp_path / "dump") == 12


def test_dump_is_never_overwritten(client: Client, tmp_path: Path) -> None:
    (tmp_path / "dump").mkdir()

    with pytest.raises(FileExistsError):
        write_dump(client, tmp_path / "dump")


def test_nothing_is_restored_over_what_is_there(client: Client, tmp_path: Path) -> None:
    fill(client)
    write_dump(client, tmp_path / "dump")
    client["acme"]["pages"].update_one({"_id": 1}, {"$set": {"title": "Newer"}})

    with pytest.raises(CollectionInvalid):
        restore_dump(client, tmp_path / "dump")

    assert "Newer" == (client["acme"]["pages"].find_one({"_id": 1}) or {})["title"]


def test_copy_of_a_stopped_installation_is_a_backup(tmp_path: Path) -> None:
    with live_server(tmp_path / "data") as server:
        auth = server.admin
        with server.client(auth=auth) as admin:
            for path in ("/acme", "/acme/pages", "/acme/pages/one"):
                admin.put(path).raise_for_status()
        assert server.stop() == 0
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    with live_server(tmp_path / "data") as server, server.client(auth=auth) as admin:
        admin.delete("/acme/pages/one").raise_for_status()
    shutil.rmtree(tmp_path / "data")

    shutil.copytree(tmp_path / "backup", tmp_path / "data")
    with live_server(tmp_path / "data") as server, server.client(auth=auth) as admin:
        assert "one" == admin.get("/acme/pages/one").json()["_id"]
