"""The package set up for the demo's release state, with the key for readers."""

from collections.abc import Iterator

import pytest

from tests.clients.package_driver import Package, running_package
from tests.live import LiveServer, live_server


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("clients") / "data", command="demo") as server:
        yield server


@pytest.fixture(scope="session")
def package(demo: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    config = {
        "apikey": demo.facts["read_api_key"],
        "caasURL": demo.url,
        "navigationServiceURL": "http://127.0.0.1:9/none",
        "tenantID": demo.facts["tenant"],
        "projectID": demo.facts["project"],
        "contentMode": "release",
        "remotes": {},
        "logLevel": 3,
    }
    with running_package(tmp_path_factory.mktemp("node"), config) as started:
        yield started
