"""``/_metrics`` of a running server with two workers: the figures are the server's, whoever counted them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from opencaas.metrics.catalog import CATALOG
from tests.live import LiveServer, eventually, live_server
from tests.patience import PATIENCE
from tests.tools import requires

AUTH = ("watcher", "the watcher's password")
SETTINGS = {
    "OPENCAAS_METRICS_USER": AUTH[0],
    "OPENCAAS_METRICS_PASSWORD": AUTH[1],
    "OPENCAAS_METRICS_LEVEL": "collection",
    "OPENCAAS_METRICS_OPERATIONS": "5",
}
SDL = "type Query { notes: [Note] } type Note { text: String }"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("metrics") / "data", "--workers", "2", env=SETTINGS) as running:
        with running.client(auth=running.admin) as admin:
            assert admin.put("/acme").status_code == 201
            assert admin.put("/acme/notes").status_code == 201
            assert admin.put("/acme/notes/one", json={"text": "x"}).status_code == 201
            definition = {
                "_id": "acme___news",
                "descriptor": {"uri": "acme/news", "description": "notes", "enabled": True},
                "schema": SDL,
                "mappings": {"Query": {"notes": {"db": "acme", "collection": "notes"}}},
            }
            assert admin.put("/acme/gql-apps/acme___news", json=definition).status_code == 201
        yield running


def text(server: LiveServer) -> str:
    response = httpx.get(f"{server.url}/_metrics", auth=AUTH)
    assert 200 == response.status_code
    return response.text


def value(server: LiveServer, name: str, **labels: str) -> float:
    """Add up the samples of a name that have these labels; 0 without any."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text(server))
        for sample in family.samples
        if sample.name == name and sample.labels.items() >= labels.items()
    )


def answered(server: LiveServer, type_: str, method: str, code: str = "2xx") -> float:
    return value(server, "http_response_timers_count", type=type_, method=method, code=code)


def ask(server: LiveServer, path: str, times: int = 1, method: str = "GET", **options: object) -> list[int]:
    """Ask over a new connection each time, so that all workers get their share."""
    return [
        httpx.request(method, server.url + path, auth=server.admin, **options).status_code  # type: ignore[arg-type]
        for _ in range(times)
    ]


def query(server: LiveServer, text: str, *, operation: str | None = None) -> int:
    body = {"query": text, "operationName": operation}
    return httpx.post(f"{server.url}/graphql/acme/news", auth=server.admin, json=body).status_code


def test_promtool_finds_nothing_to_complain_about(server: LiveServer) -> None:
    tool = requires("promtool")
    query(server, "query Some { notes { text } }")

    checked = subprocess.run(
        [str(tool), "check", "metrics"], input=text(server), capture_output=True, text=True, check=False, timeout=60
    )

    assert (0, "", "") == (checked.returncode, checked.stdout, checked.stderr)


def test_json_has_all_figures(server: LiveServer) -> None:
    ask(server, "/acme/notes/one", 3)
    response = httpx.get(f"{server.url}/_metrics", auth=AUTH, headers={"accept": "application/json"})
    said = response.json()

    assert "application/json" == response.headers["content-type"]
    assert said["timers"]["DOCUMENT.GET.2xx"]["count"] >= 3
    assert said["timers"]["DOCUMENT.GET.2xx"]["p95"] > 0
    assert said["counters"]["opencaas_http_response_bytes"]["count"] > 0
    assert 1 == said["gauges"]["opencaas_http_requests_in_flight"]["value"]
    assert said["histograms"]['opencaas_database_command_duration{command="find",outcome="done"}']["mean"] > 0


def test_requests_to_all_workers_are_counted_once(server: LiveServer) -> None:
    before = answered(server, "DOCUMENT", "GET")

    assert {200} == set(ask(server, "/acme/notes/one", 40))

    assert eventually(lambda: answered(server, "DOCUMENT", "GET") == before + 40)
    assert answered(server, "DOCUMENT", "GET", "200") == answered(server, "DOCUMENT", "GET")


def test_graphql_has_a_type_of_its_own(server: LiveServer) -> None:
    before, refused = answered(server, "GRAPHQL", "POST"), answered(server, "GRAPHQL", "POST", "401")

    assert 200 == query(server, "{ notes { text } }")
    assert 401 == httpx.post(f"{server.url}/graphql/acme/news", json={"query": "{ notes { text } }"}).status_code

    assert eventually(lambda: answered(server, "GRAPHQL", "POST") == before + 1)
    assert eventually(lambda: answered(server, "GRAPHQL", "POST", "401") == refused + 1)


def test_both_workers_and_their_processes_are_seen(server: LiveServer) -> None:
    assert 2 == value(server, "opencaas_workers")
    for worker in ("0", "1"):
        assert value(server, "process_resident_memory_bytes", worker=worker) > 1e7
        assert value(server, "process_cpu_seconds_total", worker=worker) > 0
        assert value(server, "process_open_fds", worker=worker) > 3


def test_versions_are_named(server: LiveServer) -> None:
    from importlib.metadata import version

    assert 1 == value(server, "opencaas_build_info", version=version("opencaas"))


def test_every_figure_of_the_catalog_is_shown(server: LiveServer) -> None:
    families = {family.name: family for family in text_string_to_metric_families(text(server))}

    for name, figure in CATALOG.items():
        family = families[f"opencaas_{name}" + ("_seconds" if figure.kind == "duration" else "")]
        assert (figure.help, {"count": "counter", "gauge": "gauge", "duration": "histogram"}[figure.kind]) == (
            family.documentation,
            family.type,
        )
        assert {frozenset(sample.labels) - {"le"} for sample in family.samples} <= {frozenset(figure.labels)}


def test_event_loop_lag_is_measured(server: LiveServer) -> None:
    assert eventually(lambda: value(server, "opencaas_event_loop_lag_seconds_count") > 4)


def test_database_commands_and_connections_are_counted(server: LiveServer) -> None:
    before = value(server, "opencaas_database_command_duration_seconds_count", command="find", outcome="done")

    ask(server, "/acme/notes/one", 10)

    done = value(server, "opencaas_database_command_duration_seconds_count", command="find", outcome="done")
    assert done >= before + 10
    assert value(server, "opencaas_database_connections") > 0
    assert value(server, "opencaas_database_checkout_duration_seconds_count") > 10
    assert eventually(lambda: value(server, "opencaas_database_connections_in_use") == 0)


def test_graphql_operations_are_told_by_application_name_and_root_fields(server: LiveServer) -> None:
    assert 200 == query(server, "query Named { notes { text } }")

    assert eventually(
        lambda: (
            value(
                server,
                "opencaas_graphql_operation_duration_seconds_count",
                app="acme/news",
                operation="Named",
                query="notes",
                status="200",
            )
            == 1
        )
    )


def test_names_that_clients_invent_do_not_blow_the_figures_up(server: LiveServer) -> None:
    for number in range(30):
        query(server, f"query Invented{number} {{ notes {{ text }} }}")
        ask(server, f"/invented{number}/x/y")
        httpx.get(f"{server.url}/invented{number}/x", headers={"authorization": "Bearer nobody"})
        httpx.request(f"BREW{number}", f"{server.url}/acme/notes")

    said = text(server)
    operations = {
        sample.labels["operation"]
        for family in text_string_to_metric_families(said)
        if family.name == "opencaas_graphql_operation_duration_seconds"
        for sample in family.samples
    }
    assert len(operations) <= 2 * 5 + 1
    assert "_other_" in operations
    assert "invented" not in said
    assert "BREW" not in said
    assert value(server, "opencaas_figures_dropped_total") == 0


def test_one_database_and_one_collection_have_timers_of_their_own(server: LiveServer) -> None:
    ask(server, "/acme/notes", 3)

    def counts(path: str) -> dict[str, float]:
        timers = httpx.get(server.url + path, auth=AUTH).json()["timers"]
        return {name: timer["count"] for name, timer in timers.items()}

    assert eventually(lambda: counts("/acme/notes/_metrics?rep=s").get("COLLECTION.GET.200", 0) >= 3)
    assert counts("/acme/_metrics?rep=s")["DB.PUT"] >= 1
    assert 404 == httpx.get(f"{server.url}/nobody/_metrics", auth=AUTH).status_code


def test_metrics_user_opens_nothing_else(server: LiveServer) -> None:
    for path in ("/", "/acme", "/acme/notes/one", "/acme/apikeys", "/graphql/acme/news"):
        assert 401 == httpx.request("POST" if "graphql" in path else "GET", server.url + path, auth=AUTH).status_code


def test_figures_hold_no_names_of_documents_keys_or_secrets(server: LiveServer) -> None:
    ask(server, "/acme/notes/very-private-document")
    ask(server, "/acme/apikeys/1e0909b7-46e8-4bf4-9b39-5fd9f1cd7c2d")
    said = text(server) + httpx.get(f"{server.url}/_metrics?rep=s", auth=AUTH).text

    for secret in ("very-private-document", "1e0909b7", AUTH[1], server.admin[1]):
        assert secret not in said


def test_what_a_dead_worker_counted_stays_and_what_it_had_open_goes(server: LiveServer) -> None:
    ask(server, "/acme/notes/one", 20)
    before = answered(server, "DOCUMENT", "GET")
    checkouts = value(server, "opencaas_database_checkout_duration_seconds_count")
    for worker in server.workers():
        worker.kill()

    def back() -> bool:
        try:
            return value(server, "opencaas_workers") == 2
        except httpx.HTTPError:
            return False

    assert eventually(back)
    assert answered(server, "DOCUMENT", "GET") >= before
    assert value(server, "opencaas_database_checkout_duration_seconds_count") >= checkouts
    assert value(server, "opencaas_database_connections") < 30
    assert eventually(lambda: value(server, "opencaas_http_requests_in_flight") == 1)  # the one that asks


def test_a_server_that_drains_says_so_and_answers(tmp_path: Path) -> None:
    with live_server(tmp_path / "data", env={"OPENCAAS_DRAIN_SECONDS": "3"}) as server:
        assert eventually(lambda: httpx.get(f"{server.url}/_logic/ready").status_code == 200)
        server.process.terminate()
        assert eventually(lambda: any('"draining"' in line for line in server.log))
        with server.held():
            ready = httpx.get(f"{server.url}/_logic/ready")
            assert (503, {"definitionsLoaded": True, "accepting": False}) == (ready.status_code, ready.json())
            assert 200 == httpx.get(f"{server.url}/_logic/live").status_code
            assert 200 == httpx.get(server.url, auth=server.admin).status_code
        assert 0 == server.process.wait(PATIENCE)
