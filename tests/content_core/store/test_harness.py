"""What the tests themselves stand on: the programs they need and the counting of calls."""

import pytest

from content_core.store import FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from tests import tools
from tests.calls import Call, CallCounter
from tests.tools import requires


def test_present_tool_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tools._PROGRAMS, "node", ("no-such-node", "sh"))

    assert requires("node").name == "sh"


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_absent_tool_skips_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setitem(tools._PROGRAMS, "node", ("no-such-node",))
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match="node is not installed"):
        requires("node")


async def test_counter_sees_each_round_trip(mongo: EmbeddedMongo, database: str) -> None:
    counter = CallCounter()
    store = Store.open(mongo.uri, event_listeners=[counter])
    await store.bulk_replace(database, "c", [{"_id": number} for number in range(5)])
    await store.find(database, "c", FindQuery(filter={}, batch_size=2))
    await store.aggregate(database, "c", [])
    await store.close()

    more = Call("getMore", database, "c")
    assert counter.calls == [Call("find", database, "c"), more, more, Call("aggregate", database, "c")]
    counter.clear()
    assert counter.calls == []
