"""What a keeper answers to Kubernetes."""

from collections.abc import Iterator

import httpx
import pytest

from content_core.store.replica_set_keeper import Condition
from opencaas.replica_set_probe import Probe


@pytest.fixture
def probe() -> Iterator[Probe]:
    with Probe(host="127.0.0.1", port=0, stale_seconds=60) as running:
        yield running


def _get(probe: Probe, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{probe.port}{path}")


def test_keeper_that_has_not_looked_yet_is_not_ready(probe: Probe) -> None:
    answer = _get(probe, "/ready")

    assert (answer.status_code, answer.json()) == (503, {"ready": False, "state": "unknown"})
    assert _get(probe, "/live").status_code == 200


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_ready_is_what_the_last_round_found(probe: Probe, *, ready: bool, status: int) -> None:
    probe.note(Condition(state="secondary", ready=ready, text="a sentence for the log"))
    answer = _get(probe, "/ready")

    assert (answer.status_code, answer.json()) == (status, {"ready": ready, "state": "secondary"})
    assert answer.headers["server"].startswith("opencaas")


def test_keeper_that_hangs_is_neither_live_nor_ready() -> None:
    with Probe(host="127.0.0.1", port=0, stale_seconds=-1) as probe:
        probe.note(Condition(state="primary", ready=True, text=""))

        assert [_get(probe, path).status_code for path in ("/live", "/ready")] == [503, 503]


def test_other_paths_and_methods_are_refused(probe: Probe) -> None:
    assert _get(probe, "/metrics").status_code == 404
    assert httpx.post(f"http://127.0.0.1:{probe.port}/ready").status_code == 501


def test_probe_listens_on_ipv6() -> None:
    with Probe(host="::1", port=0, stale_seconds=60) as probe:
        assert httpx.get(f"http://[::1]:{probe.port}/live").status_code == 200
