"""The page about logs: its commands find what it says in what a server wrote."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import read_blocks
from tests.live import eventually, live_server
from tests.tools import requires

COMMANDS = [block.text.strip() for block in read_blocks("operations/logs.md") if block.text.startswith("jq")]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a server wrote about three requests of the admin and one of nobody."""
    home = tmp_path_factory.mktemp("logs")
    with live_server(home / "data", "--workers", "1") as server:
        with server.client(auth=server.admin) as admin:
            for path in ("/acme", "/acme/pages", "/acme/pages/one"):
                admin.put(path, headers={"X-Request-Id": path.replace("/", ".")}).raise_for_status()
        with server.client() as nobody:
            assert nobody.get("/acme").status_code == 401
        assert eventually(lambda: sum('"event":"request"' in line for line in server.log) >= 4)
    file = home / "server.log"
    file.write_text("".join(server.log), encoding="utf-8")
    return file


def run(number: int, log: Path, **variables: str) -> list[str]:
    jq = requires("jq")
    done = subprocess.run(
        ["sh", "-ec", COMMANDS[number]], cwd=log.parent, env={"PATH": f"{jq.parent}:/usr/bin:/bin", **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout.splitlines()


def test_page_has_four_commands() -> None:
    assert 4 == len(COMMANDS)


def test_failures_are_found(log: Path) -> None:
    failed = (
        '{"event":"request","status":500,"method":"GET","path":"/a","incident":"7","request":"r","timestamp":"t"}\n'
    )
    assert [] == run(0, log)

    with_failure = log.parent / "more"
    with_failure.mkdir(exist_ok=True)
    (with_failure / "server.log").write_text(log.read_text("utf-8") + failed, encoding="utf-8")

    assert ["7"] == [json.loads(line)["incident"] for line in run(0, with_failure / "server.log")]


def test_slowest_come_first(log: Path) -> None:
    times = [json.loads(line)["ms"] for line in run(1, log)]

    assert len(times) >= 4
    assert times == sorted(times, reverse=True)


def test_callers_are_counted(log: Path) -> None:
    assert ["3", "admin"] == run(2, log)[0].split()


def test_request_is_found_by_its_id(log: Path) -> None:
    (line,) = run(3, log, REQUEST=".acme.pages")

    assert "/acme/pages" == json.loads(line)["path"]
