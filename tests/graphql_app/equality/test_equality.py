"""Compiled or not, merged or not, the answer is the same: random applications, documents and operations.

``OPENCAAS_EQUALITY_EXAMPLES`` sets how many operations are compared.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from tests.graphql_app.equality.case import Case, Desk, cases

_OPERATIONS: Final = 8
"""Operations of each application; each of them is an example."""

_EXAMPLES: Final = int(os.environ.get("OPENCAAS_EQUALITY_EXAMPLES", "2000"))


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """One event loop for all examples; opening a store for each would take longer than to ask it."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.timeout(600 + _EXAMPLES)
def test_every_way_gives_the_same_answer(mongo: EmbeddedMongo, loop: asyncio.Runner) -> None:
    async def open_desk() -> tuple[Store, Desk]:
        store = Store.open(mongo.uri)
        return store, Desk(store, "equality")

    store, desk = loop.run(open_desk())

    @settings(max_examples=-(-_EXAMPLES // _OPERATIONS), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases(operations=_OPERATIONS))
    def compare(case: Case) -> None:
        loop.run(desk.check(case))

    try:
        compare()
    finally:
        loop.run(store.drop_database("equality"))
        loop.run(store.close())
    tally = desk.tally
    assert tally.asked >= _EXAMPLES * 0.9  # Hypothesis may come upon an example twice
    assert tally.answered > 0.95 * tally.asked
    assert tally.with_data > 0.5 * tally.answered
