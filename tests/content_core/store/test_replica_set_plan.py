"""Changes of a replica set, decided from what MongoDB says about it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_core.store.replica_set_plan import Add, Change, Promote, Stay, first_config, plan_change, with_change

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _config(hosts: list[str]) -> dict[str, Any]:
    return {**first_config("rs0", hosts, election_timeout=10), "version": 4}


def _status(states: dict[str, str], lags: dict[str, float] | None = None) -> dict[str, Any]:
    def member(host: str, state: str) -> dict[str, Any]:
        return {"name": host, "stateStr": state, "optimeDate": _NOW - timedelta(seconds=(lags or {}).get(host, 0))}

    return {"members": [member(host, state) for host, state in states.items()]}


def _plan(config: dict[str, Any], status: dict[str, Any], expected: list[str]) -> Change:
    return plan_change(config, status, expected, max_lag=10)


def test_first_configuration_lets_all_vote() -> None:
    config = first_config("rs0", ["a:1", "b:1"], election_timeout=2.5)

    assert config == {
        "_id": "rs0",
        "members": [{"_id": 0, "host": "a:1"}, {"_id": 1, "host": "b:1"}],
        "settings": {"electionTimeoutMillis": 2500},
    }


def test_missing_member_is_added_in_order() -> None:
    assert _plan(_config(["a:1"]), _status({"a:1": "PRIMARY"}), ["a:1", "b:1", "c:1"]) == Add("b:1")


@pytest.mark.parametrize(
    ("state", "lag", "expected"),
    [
        ("SECONDARY", 0.0, Promote("b:1")),
        ("SECONDARY", 10.0, Promote("b:1")),
        ("SECONDARY", 11.0, Stay(waiting_for="b:1")),
        ("STARTUP2", 0.0, Stay(waiting_for="b:1")),
        ("(not reachable/healthy)", 0.0, Stay(waiting_for="b:1")),
    ],
)
def test_joining_member_votes_when_it_has_caught_up(state: str, lag: float, expected: Change) -> None:
    config = with_change(_config(["a:1"]), Add("b:1"))
    status = _status({"a:1": "PRIMARY", "b:1": state}, {"b:1": lag})

    assert expected == _plan(config, status, ["a:1", "b:1", "c:1"])


def test_member_that_the_status_does_not_know_is_waited_for() -> None:
    config = with_change(_config(["a:1"]), Add("b:1"))

    assert _plan(config, _status({"a:1": "PRIMARY"}), ["a:1", "b:1"]) == Stay(waiting_for="b:1")


def test_unexpected_member_stays() -> None:
    status = _status({"a:1": "PRIMARY", "b:1": "SECONDARY"})

    assert _plan(_config(["a:1", "b:1"]), status, ["a:1"]) == Stay(unexpected=("b:1",))


def test_promotion_keeps_what_an_operator_has_set() -> None:
    config = with_change(_config(["a:1", "b:1"]), Add("c:1"))
    config["members"][0] |= {"priority": 5, "tags": {"zone": "north"}}
    config["members"][2]["tags"]["zone"] = "south"

    changed = with_change(config, Promote("c:1"))

    assert changed["version"] == 6
    assert changed["members"] == [
        {"_id": 0, "host": "a:1", "priority": 5, "tags": {"zone": "north"}},
        {"_id": 1, "host": "b:1"},
        {"_id": 2, "host": "c:1", "votes": 1, "priority": 1, "tags": {"zone": "south"}},
    ]


def test_member_without_a_vote_of_an_operator_stays_without() -> None:
    config = _config(["a:1", "b:1"])
    config["members"][1] |= {"votes": 0, "priority": 0}

    assert _plan(config, _status({"a:1": "PRIMARY", "b:1": "SECONDARY"}), ["a:1", "b:1"]) == Stay()


def test_number_of_a_former_member_is_not_used_twice_at_once() -> None:
    config = _config(["a:1", "b:1", "c:1"])
    del config["members"][1]

    assert with_change(config, Add("d:1"))["members"][-1]["_id"] == 3


@given(start=st.integers(1, 4), target=st.integers(1, 7))
def test_growth_ends_and_changes_one_member_at_a_time(start: int, target: int) -> None:
    hosts = [f"h{number}:1" for number in range(7)]
    config = _config(hosts[:start])
    expected = hosts[:target]
    for _ in range(20):
        status = _status({member["host"]: "SECONDARY" for member in config["members"]} | {hosts[0]: "PRIMARY"})
        change = _plan(config, status, expected)
        if isinstance(change, Stay):
            break
        former = {member["host"]: member for member in config["members"]}
        config = with_change(config, change)
        changed = [member["host"] for member in config["members"] if former.get(member["host"]) != member]
        assert changed == [change.host]
        assert former.keys() <= {member["host"] for member in config["members"]}

    assert [member["host"] for member in config["members"]] == hosts[: max(start, target)]
    assert all(member.get("votes", 1) == 1 for member in config["members"])
    assert change == Stay(unexpected=tuple(hosts[target:start]))
