"""Compiled or not, merged or not, the answer is the same: random applications, documents and operations.

``OPENCAAS_EQUALITY_EXAMPLES`` sets how many operations are compared.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from content_core.errors import ServiceError
from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from tests.graphql_app.equality.case import Case, Desk, make_case
from tests.graphql_app.equality.smaller import make_smaller

_OPERATIONS: Final = 8
"""Operations of each application; each of them is an example."""

_EXAMPLES: Final = int(os.environ.get("OPENCAAS_EQUALITY_EXAMPLES", "2000"))
_COMPILED: Final = 0.9
"""If fewer of the operations that run were answered by a compiled function, little would be compared."""


@contextmanager
def opened_desk(mongo: EmbeddedMongo) -> Iterator[tuple[asyncio.Runner, Desk]]:
    """Open one event loop and one store for all examples: opening them takes longer than an example."""

    async def open_desk() -> tuple[Store, Desk]:
        store = Store.open(mongo.uri)
        return store, Desk(store, "equality")

    with asyncio.Runner() as runner:
        store, desk = runner.run(open_desk())
        try:
            yield runner, desk
        finally:
            runner.run(store.drop_database("equality"))
            runner.run(store.close())


async def compare(desk: Desk, case: Case) -> None:
    """Compare the answers to a case's operations; a failure is told of the smallest case that still fails."""
    try:
        await desk.check(case)
    except AssertionError:
        await desk.check(await make_smaller(case, lambda smaller: differs(desk, smaller)))
        raise


async def differs(desk: Desk, case: Case) -> bool:
    try:
        await desk.check(case)
    except AssertionError:
        return True
    except ServiceError:
        return False
    return False


# Where a null cuts off fields that have not begun, graphql-core leaves their coroutines behind.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(600 + _EXAMPLES)
def test_every_way_gives_the_same_answer(mongo: EmbeddedMongo) -> None:
    with opened_desk(mongo) as (runner, desk):

        @settings(
            max_examples=-(-_EXAMPLES // _OPERATIONS),
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a number's size says nothing about its case's
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(seed=st.integers(0, 2**63))
        def compare_seed(seed: int) -> None:
            runner.run(compare(desk, make_case(seed, operations=_OPERATIONS)))

        compare_seed()
    tally = desk.tally
    assert tally.asked >= _EXAMPLES
    assert tally.answered > 0.95 * tally.asked
    assert tally.with_data > 0.4 * tally.answered
    assert tally.compiled > _COMPILED * tally.answered, tally.fallbacks[:10]
