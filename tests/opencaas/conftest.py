"""One demo server for all tests that only read from it."""

from collections.abc import Iterator

import pytest

from tests.live import LiveServer, live_server


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """``opencaas demo`` on a fresh data directory."""
    with live_server(tmp_path_factory.mktemp("demo") / "data", command="demo", seconds=120) as running:
        yield running
