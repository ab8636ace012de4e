"""A demo server for the examples of the documentation, and the directory from which their commands are run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer, live_server


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """``opencaas demo``, whose data directory is ``.opencaas`` as it is for readers."""
    with live_server(tmp_path_factory.mktemp("docs") / ".opencaas", command="demo", seconds=120) as running:
        yield running


@pytest.fixture(scope="session")
def workplace(demo: LiveServer) -> Path:
    """Where ``opencaas demo`` was started."""
    return demo.data_dir.parent
