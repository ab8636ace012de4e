"""``opencaas replica-set`` as processes beside real ``mongod`` processes."""

import json
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.content_core.store.members import SECRETS, SET, Member, Members, members, settled
from tests.live import OPENCAAS, environment, eventually
from tests.patience import PATIENCE, Stopwatch


@dataclass(slots=True)
class RunningKeeper:
    """``opencaas replica-set keep`` beside a member."""

    member: Member
    process: subprocess.Popen[str]
    url: str
    log: Path

    @property
    def primary_file(self) -> Path:
        return self.member.directory / "primary"

    def get(self, path: str) -> tuple[int, Any]:
        answer = httpx.get(self.url + path)
        return answer.status_code, answer.json()


def _variables(made: Members, member: Member) -> dict[str, str]:
    """Set what the chart sets in the container, so that a person needs no flags there."""
    given = {
        "NAME": SET,
        "HOST": member.host,
        "MEMBERS": str(made.list_file),
        "CREDENTIALS": str(made.secrets),
        "MONGOD": member.host,
        "INTERVAL": "0.3",
        "TIMEOUT": "2",
        "ELECTION_TIMEOUT": "2",
        "PROBE_PORT": "0",
        "PRIMARY_FILE": str(member.directory / "primary"),
    }
    return environment({f"OPENCAAS_REPLICA_SET_{name}": value for name, value in given.items()})


def _start(stack: ExitStack, made: Members, member: Member) -> RunningKeeper:
    log = member.directory / "keeper.log"
    process = subprocess.Popen(
        [OPENCAAS, "replica-set", "keep"],
        env=_variables(made, member),
        stdout=subprocess.PIPE,
        stderr=stack.enter_context(log.open("a", encoding="utf-8")),
        text=True,
    )
    stack.callback(_end, process)
    assert process.stdout is not None
    ready = process.stdout.readline()
    assert ready.startswith("ready http://127.0.0.1:")
    return RunningKeeper(member, process, ready.split()[1], log)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[Members, Sequence[RunningKeeper]]]:
    """Three members, each with a keeper, that have become a set."""
    with members(tmp_path, 3) as made, ExitStack() as stack:
        keepers = [_start(stack, made, member) for member in made.members]
        assert eventually(lambda: all(keeper.get("/ready")[0] == 200 for keeper in keepers))
        assert eventually(lambda: "All expected members" in "".join(keeper.log.read_text() for keeper in keepers))
        yield made, keepers


def _run(made: Members, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [OPENCAAS, "replica-set", *arguments],
        env=_variables(made, made.members[0]),
        capture_output=True,
        text=True,
        check=False,
    )


def test_keepers_make_a_set_and_tell_nobody_the_secrets(kept: tuple[Members, Sequence[RunningKeeper]]) -> None:
    made, keepers = kept
    with made.client() as client:
        client["shop"]["things"].insert_one({"_id": 1})

    secrets = [text for name, text in SECRETS.items() if "Password" in name]
    secrets.append((made.secrets / "clusterKey").read_text(encoding="utf-8")[:40])
    for keeper in keepers:
        assert keeper.member.process is not None
        shown = [
            keeper.log.read_text(encoding="utf-8"),
            (keeper.member.directory / "mongod.log").read_text(encoding="utf-8"),
            *psutil.Process(keeper.process.pid).cmdline(),
            *psutil.Process(keeper.process.pid).environ().values(),
            *psutil.Process(keeper.member.process.pid).cmdline(),
        ]
        assert not [text for text in shown for secret in secrets if secret in text]


def test_probe_follows_mongod(kept: tuple[Members, Sequence[RunningKeeper]]) -> None:
    _made, keepers = kept
    keeper = keepers[0]
    assert keeper.get("/live") == (200, {"live": True})
    assert keeper.get("/else")[0] == 404

    keeper.member.kill()

    assert eventually(lambda: keeper.get("/ready") == (503, {"ready": False, "state": "unreachable"}))
    assert keeper.get("/live")[0] == 200
    keeper.member.start()
    assert eventually(lambda: keeper.get("/ready")[0] == 200)


def test_primary_hands_over_at_the_end(kept: tuple[Members, Sequence[RunningKeeper]]) -> None:
    made, keepers = kept
    primary = next(keeper for keeper in keepers if keeper.get("/ready")[1]["state"] == "primary")
    assert [keeper is primary for keeper in keepers] == [keeper.primary_file.exists() for keeper in keepers]

    with made.client() as client:
        with Stopwatch() as watch:
            primary.process.send_signal(signal.SIGTERM)
            assert primary.process.wait(PATIENCE) == 0
            client["shop"]["things"].insert_one({"_id": 1})
        assert watch.seconds < 30

    assert not primary.primary_file.exists()
    others = [keeper for keeper in keepers if keeper is not primary]
    assert eventually(lambda: [keeper for keeper in others if keeper.primary_file.exists()])


def test_status_tells_members_and_what_is_wrong(tmp_path: Path) -> None:
    with settled(tmp_path, 3) as made:
        good = _run(made, "status", "--json")
        assert good.returncode == 0, good.stderr
        told = json.loads(good.stdout)
        assert (told["name"], told["healthy"], told["missing"], told["unexpected"]) == (SET, True, [], [])
        assert [member["host"] for member in told["members"]] == [member.host for member in made.members]
        assert sorted(member["state"] for member in told["members"]) == ["PRIMARY", "SECONDARY", "SECONDARY"]
        assert {member["version"].split(".")[0] for member in told["members"]} == {told["compatibility"].split(".")[0]}
        assert all(member["votes"] == 1 and member["lag_seconds"] < 20 for member in told["members"])

        made.members[2].kill()
        (extra,) = made.add(1)
        made.expect([*made.members[:2], extra])

        def noticed() -> subprocess.CompletedProcess[str] | None:
            run = _run(made, "status")
            return run if "not reachable" in run.stdout else None

        bad = eventually(noticed)
        assert bad.returncode == 1
        told = json.loads(bad.stdout)
        assert (told["missing"], told["unexpected"]) == ([extra.host], [made.members[2].host])
        assert told["members"][2]["version"] is None


def test_wrong_password_is_told(tmp_path: Path) -> None:
    with settled(tmp_path, 1) as made:
        (made.secrets / "mongoRootPassword").write_text("wrong", encoding="utf-8")

        refused = _run(made, "status")

        assert refused.returncode == 1
        assert refused.stderr == f"opencaas: {made.members[0].host} does not take user and password of root\n"


def test_member_is_removed_when_nobody_expects_it(tmp_path: Path) -> None:
    with settled(tmp_path, 3) as made:
        last = made.members[2]
        expected = _run(made, "remove", last.host)
        assert expected.returncode == 1
        assert "is among the expected members" in expected.stderr

        made.expect(made.members[:2])
        unknown = _run(made, "remove", "127.0.0.1:1")
        assert unknown.returncode == 1
        assert "127.0.0.1:1 is no member of the set rs0" in unknown.stderr

        removed = _run(made, "remove", last.host)
        assert removed.returncode == 0, removed.stderr
        told = json.loads(_run(made, "status").stdout)
        assert [member["host"] for member in told["members"]] == [member.host for member in made.members[:2]]


def test_primary_is_removed_after_it_stepped_down(tmp_path: Path) -> None:
    with settled(tmp_path, 3) as made:
        primary = made.primary()
        others = [member for member in made.members if member is not primary]
        made.expect(others)

        removed = _run(made, "remove", primary.host)

        assert removed.returncode == 0, removed.stderr
        assert made.until(lambda found: [condition.state for condition in found].count("primary")) == 1
        assert not primary.keeper.look().primary


def test_member_that_is_needed_for_a_majority_stays(tmp_path: Path) -> None:
    with settled(tmp_path, 3) as made:
        primary = made.primary()
        away, wanted = [member for member in made.members if member is not primary]
        away.kill()
        made.expect([primary, away])
        assert eventually(lambda: "Of the 2 voting members" in _run(made, "remove", wanted.host).stderr)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        (["--probe-host", "192.0.2.1", "--probe-port", "1"], "192.0.2.1:1 cannot be listened on"),
        (["--primary-file", "/nowhere/primary"], "The file /nowhere/primary cannot be written"),
    ],
    ids=["address", "file"],
)
def test_keeper_says_what_it_cannot_use(tmp_path: Path, flag: list[str], message: str) -> None:
    (tmp_path / "members").write_text("a:1\n", encoding="utf-8")
    required = ["--name", SET, "--host", "a:1", "--members", "members", "--credentials", ".", "--mongod", "127.0.0.1:1"]

    refused = subprocess.run(
        [OPENCAAS, "replica-set", "keep", *required, "--timeout", "0.5", *flag],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(f"opencaas: {message}")
