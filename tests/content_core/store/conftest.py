"""What the tests of the store share: both drivers."""

import pytest

from content_core.store.drivers import DriverName
from tests.calls import CallCounter


@pytest.fixture(params=["motor", "pymongo"])
def driver(request: pytest.FixtureRequest) -> DriverName:
    """Both drivers: the default and the one that may replace it."""
    name: DriverName = request.param
    return name


@pytest.fixture
def counter() -> CallCounter:
    """A counter of the calls of the main client."""
    return CallCounter()
