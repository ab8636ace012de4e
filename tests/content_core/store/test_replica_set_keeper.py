"""Replica sets on real ``mongod`` processes with a key file: they begin, grow, lose volumes, restart."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from content_core.store import ChangeEvent, ChangeFeed, Store
from content_core.store.replica_set_keeper import Condition
from tests.buckets import FILES, get, put
from tests.content_core.store.members import SET, Member, Members, members, settled
from tests.live import eventually
from tests.patience import PATIENCE


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Members]:
    """Three members that nobody has initiated."""
    with members(tmp_path, 3) as made:
        yield made


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Members]:
    """A replica set of three with users and one document."""
    with settled(tmp_path, 3) as made:
        with made.client() as client:
            client["shop"]["things"].insert_one({"_id": "kept"})
        yield made


def _config(made: Members) -> dict[str, Any]:
    with made.client("mongoRootUser") as client:
        config: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
        return config


def _term(made: Members) -> int:
    """Count the elections that there have been."""
    with made.client("mongoRootUser") as client:
        term: int = client.admin.command("replSetGetStatus")["term"]
        return term


def _votes(made: Members) -> dict[str, int]:
    return {member["host"]: member["votes"] for member in _config(made)["members"]}


def _stored(made: Members) -> list[Any]:
    with made.client() as client:
        return [document["_id"] for document in client["shop"]["things"].find().sort("_id")]


def _make_primary(made: Members, wanted: Member) -> None:
    """Let a member become primary by holding the others back for as long as that takes."""
    while (primary := made.primary()) is not wanted:
        for member in made.members:
            if member is not primary and member is not wanted:
                _order(made, member, "replSetFreeze", 20)
        _order(made, primary, "replSetStepDown", 20)
        made.until(lambda found: any(condition.primary for condition in found))
    for member in made.members:
        if member is not wanted:
            assert eventually(lambda member=member: _order(made, member, "replSetFreeze", 0))


def _order(made: Members, member: Member, command: str, seconds: int) -> bool:
    """Give an order; a member whose part is about to change refuses some, and even logins."""
    try:
        with made.direct(member) as client:
            client.admin.command(command, seconds)
    except OperationFailure:
        return False
    return True


def _problems(found: list[Condition]) -> list[str]:
    return [condition.text for condition in found if condition.problem]


def test_set_begins_when_all_are_there(tmp_path: Path) -> None:
    with members(tmp_path, 3) as made:
        made.members[2].kill()
        made.until(lambda found: found[0].text.startswith(f"Waits for {made.members[2].host}"))
        for _ in range(3):
            assert [condition.ready for condition in made.look()] == [False, False, False]
        made.members[2].lose_volume()
        made.members[2].start()

        made.until_settled()

        assert _votes(made) == {member.host: 1 for member in made.members}


def test_only_the_first_begins(started: Members) -> None:
    first, *others = started.members
    first.kill()

    texts = {member.keeper.look().text for member in others for _ in range(3)}

    assert {text.split(" to begin")[0] for text in texts if "does not answer" not in text} == {
        f"Waits for {first.host}"
    }


def test_users_have_their_rights_and_no_others(three: Members) -> None:
    with three.client() as client:
        client["shop"]["things"].create_index("size")
        with pytest.raises(OperationFailure, match="not authorized"):
            client.admin.command("createUser", "intruder", pwd="x", roles=["root"])
        with pytest.raises(OperationFailure, match="not authorized"):
            client.admin.command("replSetStepDown", 1)
        with pytest.raises(OperationFailure, match="not authorized"):
            client.admin.command("shutdown")
    with three.client("mongoMetricsUser") as client:
        assert client.admin.command("replSetGetStatus")["set"] == "rs0"
        assert client["shop"].command("dbStats")["db"] == "shop"
        assert client.local["oplog.rs"].find_one() is not None
        with pytest.raises(OperationFailure, match="not authorized"):
            client["shop"]["things"].find_one()


def test_settled_primary_is_left_alone(three: Members) -> None:
    """Each login is a line in MongoDB's log; there is a round every few seconds."""
    primary = three.primary()
    three.until_settled()

    with three.direct(primary) as client:

        def logins() -> int:
            mechanisms = client.admin.command("serverStatus")["security"]["authentication"]["mechanisms"]
            return sum(int(each["authenticate"]["successful"]) for each in mechanisms.values())

        def five_rounds_without() -> bool:
            """Look five times; a member that happens to connect meanwhile logs in as well."""
            before = logins()
            for _ in range(5):
                primary.keeper.look()
            return logins() == before

        assert eventually(five_rounds_without)

        before = logins()
        primary.keeper._rest = None
        primary.keeper.look()
        assert logins() > before


def test_nobody_gets_in_without_a_password(three: Members) -> None:
    (three.secrets / "mongoPassword").write_text("", encoding="utf-8")

    texts = [f"Missing, empty or unreadable in {three.secrets}: mongoPassword"] * 3
    three.until(lambda found: _problems(found) == texts and all(condition.ready for condition in found))


def test_set_grows_from_three_to_five(three: Members) -> None:
    old = _votes(three)
    new = three.add(2)
    for member in new:
        member.start()
    three.expect(three.members)
    seen = [old]

    def done(_found: list[Condition]) -> bool:
        votes = _votes(three)
        if votes not in seen:
            seen.append(votes)
        return len(votes) == 5 and all(votes.values())

    three.until(done)

    first, second = (member.host for member in new)
    assert list(old.values()) == [1, 1, 1]
    assert seen[1:] == [
        old | {first: 0},
        old | {first: 1},
        old | {first: 1, second: 0},
        old | {first: 1, second: 1},
    ]
    for member in new:
        with three.direct(member) as client:
            assert client["shop"]["things"].find_one() == {"_id": "kept"}
    assert all(not member["tags"] and member["priority"] == 1 for member in _config(three)["members"])


def test_member_that_is_away_is_waited_for(three: Members) -> None:
    (new,) = three.add(1)
    three.expect(three.members)

    text = f"{new.host} is to join: {new.host} does not answer"
    three.until(lambda found: text in _problems(found))

    assert new.host not in _votes(three)
    new.start()
    three.until_settled()
    assert _votes(three)[new.host] == 1


@pytest.mark.parametrize("places", [[0], [2], [0, 1]], ids=["the first", "the last", "all but one"])
def test_member_without_its_volume_joins_again(three: Members, places: list[int]) -> None:
    before = _config(three)
    lost = [three.members[place] for place in places]
    for member in lost:
        member.kill()
        member.lose_volume()
    for member in lost:
        member.start()

    three.until_settled()

    assert _config(three)["settings"]["replicaSetId"] == before["settings"]["replicaSetId"]
    for member in lost:
        with three.direct(member) as client:
            assert client["shop"]["things"].find_one() == {"_id": "kept"}


def test_first_without_volume_begins_no_second_set(three: Members) -> None:
    """All are down; the first comes back empty, and first alone, then with others that are just starting."""
    before = _config(three)
    first, second, third = three.members
    for member in three.members:
        member.stop()
    first.lose_volume()
    first.start()
    three.until(lambda found: found[0].text.startswith(f"Waits for {second.host}"))
    assert [first.keeper.look().state for _ in range(5)] == ["outside"] * 5

    second.start()
    three.until(lambda found: "in a set already" in found[0].text or f"Waits for {third.host}" in found[0].text)
    third.start()
    three.until_settled()

    assert _config(three)["settings"]["replicaSetId"] == before["settings"]["replicaSetId"]
    assert _stored(three) == ["kept"]


def test_everything_restarts(three: Members) -> None:
    for member in three.members:
        member.kill()
    assert {condition.state for condition in three.look()} == {"unreachable"}
    for member in three.members:
        member.start()

    three.until_settled()

    assert _stored(three) == ["kept"]


def test_wrong_password_of_the_administrator_is_told(three: Members) -> None:
    password = three.secrets / "mongoRootPassword"
    former = password.read_text(encoding="utf-8")
    for member in three.members:
        member.keeper._roots.clear()  # as after a restart of the keepers, with the secret changed meanwhile
    password.write_text("wrong", encoding="utf-8")

    text = "The administrator's name or password is not that of the database"
    three.until(lambda found: _problems(found) == [text] and all(condition.ready for condition in found))

    password.write_text(former, encoding="utf-8")
    three.until_settled()


def test_changed_passwords_are_taken_over(three: Members) -> None:
    for name in ("mongoRootPassword", "mongoPassword", "mongoMetricsPassword"):
        (three.secrets / name).write_text("changed", encoding="utf-8")

    three.until(lambda found: any(text.text == "Made or changed users: caas, exporter" for text in found))
    three.until_settled()

    assert _stored(three) == ["kept"]
    with three.client("mongoMetricsUser") as client:
        client.admin.command("replSetGetStatus")
    three.until(lambda _found: _votes(three))


def test_another_name_leaves_the_former_user(three: Members) -> None:
    """The way to change a password without a moment in which nobody can log in."""
    with three.client() as former:
        (three.secrets / "mongoUser").write_text("caas2", encoding="utf-8")
        (three.secrets / "mongoPassword").write_text("second", encoding="utf-8")
        three.until(lambda found: any(text.text == "Made or changed users: caas2" for text in found))

        assert former["shop"]["things"].find_one() == {"_id": "kept"}
        assert _stored(three) == ["kept"]


def test_member_with_another_key_stays_outside(three: Members) -> None:
    (new,) = three.add(1)
    new.key_file = three.root / "other"
    new.key_file.write_text("another" * 10, encoding="utf-8")
    new.key_file.chmod(0o400)
    new.start()
    three.expect(three.members)

    text = f"{new.host} is to join: {new.host} does not take the key of the members"
    three.until(lambda found: text in _problems(found))

    assert new.host not in _votes(three)


def test_member_of_another_set_is_refused(three: Members, tmp_path: Path) -> None:
    (stranger,) = three.add(1)
    expected = three.list_file.read_text(encoding="utf-8")
    three.members.remove(stranger)
    other = Members(three.root, [stranger])
    other.expect([stranger])
    stranger.start()
    other.until_settled()

    three.members.append(stranger)
    three.list_file.write_text(expected + stranger.host + "\n", encoding="utf-8")
    text = f"{stranger.host} is to join, but has data of another set; its volume has to be emptied by a person"
    three.until(lambda found: text in _problems(found))

    three.members.remove(stranger)  # a client that knows both sets might take either
    stranger.kill()
    assert stranger.host not in _votes(three)


def test_hand_over_prefers_members_that_come_later(three: Members) -> None:
    """Members restart from the last to the first: who comes later is not about to restart."""
    first, middle, _last = three.members
    _make_primary(three, middle)

    assert middle.keeper.hand_over()
    assert not first.keeper.hand_over()

    three.until(lambda found: found[2].primary)


def test_hand_over_takes_a_former_member_if_no_later_one_can(three: Members) -> None:
    """The later member is up, but may not be elected: whoever else can is better than nobody."""
    first, middle, last = three.members
    _make_primary(three, middle)
    with three.direct(last) as client:
        client.admin.command("replSetFreeze", 60)

    assert middle.keeper.hand_over()

    three.until(lambda found: found[0].primary)
    assert first.keeper.look().primary


def test_removed_member_comes_back_with_its_data(three: Members) -> None:
    last = three.members[2]
    config = _config(three)
    if three.primary() is last:
        last.keeper.hand_over()
        three.until(lambda found: found[0].primary or found[1].primary)
        config = _config(three)
    three.expect(three.members[:2])
    with three.client("mongoRootUser") as client:
        config["members"] = [member for member in config["members"] if member["host"] != last.host]
        client.admin.command("replSetReconfig", config | {"version": config["version"] + 1})
    three.until(lambda found: found[2].text == "This member has data of a set and waits to be let in")

    three.expect(three.members)
    three.until_settled()

    assert _votes(three)[last.host] == 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_rolling_restart_elects_twice_at_most(three: Members, place: int) -> None:
    """From the last member to the first, as Kubernetes does it; no acknowledged write is lost, none fails."""
    with three.client("mongoRootUser") as client:
        config = _config(three)
        config["settings"]["electionTimeoutMillis"] = 10_000  # a busy machine is no reason for an election
        client.admin.command("replSetReconfig", config | {"version": config["version"] + 1})
    _make_primary(three, three.members[place])
    before = _term(three)
    acknowledged: list[int] = []
    stop = threading.Event()

    def write() -> None:
        with three.client(wTimeoutMS=30_000) as client:
            while not stop.wait(0.005):
                client["shop"]["written"].insert_one({"_id": len(acknowledged)})
                acknowledged.append(len(acknowledged))

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            for member in reversed(three.members):
                member.keeper.hand_over()
                member.stop()
                member.start()
                three.until_settled()
        finally:
            stop.set()
        writing.result(60)

    assert 1 <= _term(three) - before <= 2
    with three.client() as client:
        stored = {document["_id"] for document in client["shop"]["written"].find()}
    assert len(acknowledged) > 10
    assert set(acknowledged) <= stored


async def test_server_does_all_its_work_as_its_user(three: Members) -> None:
    """Documents, indexes, files, transactions, the change stream of the whole deployment, dropping."""
    hosts = ",".join(member.host for member in three.members)
    password = (three.secrets / "mongoPassword").read_text(encoding="utf-8")
    store = Store.open(f"mongodb://caas:{password}@{hosts}/?replicaSet={SET}&authSource=admin")
    feed = ChangeFeed(store)
    heard: list[ChangeEvent] = []
    feed.subscribe(heard.append, on_gap=lambda: None)
    try:
        await feed.start()
        assert await store.create_collection("work", "things")
        await store.create_index("work", "things", name="size", keys=[("size", 1)])
        await store.insert("work", "things", {"_id": 1, "size": 2})
        await store.replace("work", "things", {"_id": 1, "size": 3})
        assert await store.get("work", "things", 1) == {"_id": 1, "size": 3}
        assert [index["name"] for index in await store.list_indexes("work", "things")] == ["_id_", "size"]
        await store.create_collection("work", FILES)
        await put(store.bucket("work", FILES), "a", b"first")
        await put(store.bucket("work", FILES), "a", b"second")
        assert await get(store, "work", "a") == b"second"
        assert "work" in await store.database_names()
        assert await store.drop_index("work", "things", "size")
        await store.drop_database("work")
        assert "work" not in await store.database_names()
        assert (await store.health()).primary
        async with asyncio.timeout(PATIENCE):
            while "dropDatabase" not in {event.operation for event in heard}:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.05)
    finally:
        await feed.stop()
        await store.close()
