"""The embedded MongoDB through first starts, restarts, kills and accidents, with a real mongod."""

import json
import os
import shutil
import signal
import socketserver
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from content_core.documents import Document
from content_core.errors import DataDirInUseError, EmbeddedMongoError
from content_core.store.child_process import is_running
from content_core.store.data_dir import DataDir
from content_core.store.embedded import EmbeddedMongo
from tests.patience import PATIENCE

_SERVER = textwrap.dedent("""
    import os, signal, sys, time
    from pathlib import Path
    from content_core.store.embedded import EmbeddedMongo

    last = sys.argv[2]

    def progress(step):
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)

    mongo = EmbeddedMongo(Path(sys.argv[1]))
    print(mongo.start(progress), mongo.pid, flush=True)
    time.sleep(600)
""")


class _Occupant(socketserver.TCPServer):
    """A program that has taken the port meanwhile, and hangs up on whoever calls."""

    allow_reuse_address = True


def _insert(uri: str, number: int) -> None:
    with MongoClient[Document](uri) as client:
        client["shop"]["things"].insert_one({"_id": number})


def _numbers(uri: str) -> list[int]:
    with MongoClient[Document](uri) as client:
        return sorted(document["_id"] for document in client["shop"]["things"].find())


def _port(uri: str) -> int:
    return urlsplit(uri).port or 0


@pytest.fixture
def started(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    with EmbeddedMongo(tmp_path) as mongo:
        yield mongo


def test_data_and_port_survive_a_restart(started: EmbeddedMongo) -> None:
    uri = started.uri
    _insert(uri, 1)
    started.stop()

    assert uri == started.start()
    assert _numbers(uri) == [1]


def test_starting_twice_changes_nothing(started: EmbeddedMongo) -> None:
    pid = started.pid

    assert started.uri == started.start()
    assert pid == started.pid


def test_stop_is_clean_and_frees_the_directory(started: EmbeddedMongo, tmp_path: Path) -> None:
    pid = started.pid
    assert pid is not None
    started.stop()
    started.stop()

    entries = [json.loads(line) for line in (tmp_path / "mongod.log").read_text(encoding="utf-8").splitlines()]
    assert entries[-1]["attr"] == {"exitCode": 0}
    assert not is_running(pid)
    assert not started.running
    with pytest.raises(EmbeddedMongoError, match="not started"):
        _ = started.uri
    with DataDir(tmp_path):
        pass


def test_everything_secret_is_private(started: EmbeddedMongo, tmp_path: Path) -> None:
    password = urlsplit(started.uri).password
    assert password is not None
    secret = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "secrets").iterdir()}

    assert secret == {"mongodb-app": 0o600, "mongodb-keyfile": 0o600, "mongodb-root": 0o600}
    assert started.pid is not None
    assert password not in " ".join(psutil.Process(started.pid).cmdline())
    assert password not in (tmp_path / "mongod.log").read_text(encoding="utf-8")
    modes = {path.name for path in tmp_path.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert modes == set()


def test_only_loopback_is_listened_on(mongo: EmbeddedMongo) -> None:
    assert mongo.pid is not None
    process = psutil.Process(mongo.pid)
    listening = {c.laddr for c in process.net_connections("all") if c.status == psutil.CONN_LISTEN}

    assert {("127.0.0.1", _port(mongo.uri))} == listening
    assert not Path(f"/tmp/mongodb-{_port(mongo.uri)}.sock").exists()


def test_without_the_password_nothing_is_shown(mongo: EmbeddedMongo) -> None:
    with (
        MongoClient[Document]("127.0.0.1", _port(mongo.uri), directConnection=True) as client,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        client["shop"]["things"].find_one()


def test_server_user_does_not_administer(mongo: EmbeddedMongo) -> None:
    with MongoClient[Document](mongo.uri) as client, pytest.raises(OperationFailure, match="not authorized"):
        client.admin.command("createUser", "intruder", pwd="x", roles=["root"])


def test_server_side_javascript_is_off(mongo: EmbeddedMongo) -> None:
    with MongoClient[Document](mongo.uri) as client, pytest.raises(OperationFailure, match="no globalScriptEngine"):
        client["shop"]["things"].find_one({"$where": "true"})


def test_largest_documents_fit(mongo: EmbeddedMongo) -> None:
    """With half the cache MongoDB refuses them as too large a transaction."""
    with MongoClient[Document](mongo.uri) as client:
        for number in range(3):
            client["large"]["things"].insert_one({"_id": number, "text": "x" * 16_000_000})

        assert client["large"]["things"].count_documents({}) == 3
        client.drop_database("large")


def test_mongod_that_was_killed_starts_again(started: EmbeddedMongo) -> None:
    uri = started.uri
    _insert(uri, 1)
    assert started.pid is not None
    os.kill(started.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(started.pid)], timeout=PATIENCE)
    assert not started.running

    assert uri == started.start()
    assert _numbers(uri) == [1]


def test_second_server_is_refused(started: EmbeddedMongo, tmp_path: Path) -> None:
    with pytest.raises(DataDirInUseError, match=f"in use by process {os.getpid()}"):
        EmbeddedMongo(tmp_path).start()

    assert started.running


def test_lock_of_the_caller_is_left_to_the_caller(tmp_path: Path) -> None:
    with DataDir(tmp_path) as data:
        with EmbeddedMongo(data):
            pass

        assert data.held


def test_killed_server_leaves_no_mongod_and_starts_again_at_once(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _SERVER, tmp_path, "none"], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        uri, pid = server.stdout.readline().decode().split()
        _insert(uri, 1)
        server.kill()
        server.wait()
        with EmbeddedMongo(tmp_path) as again:
            assert not is_running(int(pid))
            assert uri == again.uri
            assert _numbers(uri) == [1]


def test_mongod_that_outlived_its_server_is_seen_off(started: EmbeddedMongo, tmp_path: Path) -> None:
    """As on a system that does not tell children of their parent's end."""
    former = started._process
    assert former is not None
    _insert(started.uri, 1)
    started._process = None
    started._data.release()

    with EmbeddedMongo(tmp_path) as again:
        assert former.wait(PATIENCE) == 0
        assert _numbers(again.uri) == [1]


def test_former_mongod_that_nobody_remembers_is_waited_for(started: EmbeddedMongo, tmp_path: Path) -> None:
    """The server may have been killed before it could note the process id."""
    former = started._process
    assert former is not None
    _insert(started.uri, 1)
    started._process = None
    started._data.forget("mongod.pid")
    started._data.release()
    former.terminate()

    with EmbeddedMongo(tmp_path) as again:
        assert former.wait(PATIENCE) == 0
        assert _numbers(again.uri) == [1]


def test_process_id_of_a_stranger_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        (tmp_path / "mongod.pid").write_text(str(stranger.pid), encoding="ascii")
        with EmbeddedMongo(tmp_path):
            assert stranger.poll() is None
        stranger.kill()


def test_directory_that_cannot_be_read_is_an_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "mongod.port").mkdir()

    with pytest.raises(EmbeddedMongoError, match=f"The data directory {tmp_path} cannot be used") as caught:
        EmbeddedMongo(tmp_path).start()
    assert "writable" in (caught.value.hint or "")
    with DataDir(tmp_path):
        pass


@pytest.mark.parametrize("step", ["lock", "files", "listening", "initiated", "root", "users"])
def test_interrupted_first_start_is_begun_anew(tmp_path: Path, step: str) -> None:
    killed = subprocess.run([sys.executable, "-c", _SERVER, tmp_path, step], stdout=subprocess.PIPE, check=False)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, b"")

    with EmbeddedMongo(tmp_path) as mongo:
        _insert(mongo.uri, 1)

        assert _numbers(mongo.uri) == [1]


def test_files_of_a_first_start_cut_short_are_made_anew(tmp_path: Path) -> None:
    with DataDir(tmp_path) as data:
        data.write("mongod.unfinished", "")
        (data.directory("mongodb") / "WiredTiger.wt").write_text("half a file", encoding="ascii")

    with EmbeddedMongo(tmp_path) as mongo:
        assert mongo.running


def test_broken_data_is_never_made_anew(started: EmbeddedMongo, tmp_path: Path) -> None:
    started.stop()
    (tmp_path / "mongodb" / "WiredTiger.turtle").write_text("nonsense", encoding="ascii")
    (tmp_path / "mongodb" / "WiredTiger.wt").write_text("nonsense", encoding="ascii")

    with pytest.raises(EmbeddedMongoError, match="mongod did not start") as caught:
        started.start()
    assert "mongod.log" in (caught.value.hint or "")
    assert (tmp_path / "mongodb" / "WiredTiger.wt").read_text(encoding="ascii") == "nonsense"


def test_taken_port_is_exchanged_for_another(started: EmbeddedMongo) -> None:
    uri = started.uri
    _insert(uri, 1)
    started.stop()
    with _Occupant(("127.0.0.1", _port(uri)), socketserver.BaseRequestHandler) as occupant:
        threading.Thread(target=occupant.serve_forever, daemon=True).start()
        moved = started.start()
        occupant.shutdown()

        assert _port(uri) != _port(moved)
        _insert(moved, 2)
    started.stop()
    assert moved == started.start()
    assert _numbers(moved) == [1, 2]


def test_port_that_is_remembered_wrongly_is_mended(started: EmbeddedMongo, tmp_path: Path) -> None:
    """A kill between the move of the replica set and the next start may leave the two disagreeing."""
    _insert(started.uri, 1)
    started.stop()
    (tmp_path / "mongod.port").write_text("nonsense", encoding="ascii")

    assert _numbers(started.start()) == [1]


def test_data_of_a_newer_mongodb_is_refused(started: EmbeddedMongo, tmp_path: Path) -> None:
    started.stop()
    (tmp_path / "mongod.version").write_text("99.1.0", encoding="ascii")

    with pytest.raises(EmbeddedMongoError, match=r"was written by MongoDB 99\.1\.0; .* is MongoDB \d+") as caught:
        started.start()
    assert "99.1 or newer" in (caught.value.hint or "")


def test_secrets_of_other_data_are_an_error_with_advice(started: EmbeddedMongo, tmp_path: Path) -> None:
    started.stop()
    shutil.rmtree(tmp_path / "secrets")

    with pytest.raises(EmbeddedMongoError, match="secrets in the data directory are not those") as caught:
        started.start()
    assert "DATA_DIR/secrets" in (caught.value.hint or "")
    assert not started.running
