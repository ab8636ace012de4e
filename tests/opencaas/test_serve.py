"""``opencaas serve`` as an operator runs it: real processes, real signals."""

import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.live import LiveServer, StartError, eventually, live_server, wait_until_gone
from tests.patience import PATIENCE, Stopwatch, let_pass

SDL = "type Query { notes: [Note] } type Note { text: String }"


def definition(tenant: str, app: str, sdl: str = SDL) -> dict[str, Any]:
    return {
        "_id": f"{tenant}___{app}",
        "descriptor": {"uri": f"{tenant}/{app}", "description": "notes", "enabled": True},
        "schema": sdl,
        "mappings": {"Query": {"notes": {"db": tenant, "collection": "notes"}}},
    }


def api_key(*permissions: dict[str, Any]) -> dict[str, Any]:
    key = str(uuid.uuid4())
    return {"_id": key, "key": key, "name": "test", "permissions": list(permissions)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("serve") / "data", "--workers", "2") as running:
        with running.client(auth=running.admin) as admin:
            assert admin.put("/acme").status_code == 201
        yield running


def test_health_check_is_open(server: LiveServer) -> None:
    response = httpx.get(f"{server.url}/_logic/healthcheck")

    assert {"mongoReachable": True, "mongoPrimaryAvailable": True} == response.json()
    assert response.status_code == 200


def test_strangers_get_401_without_a_body(server: LiveServer) -> None:
    for path in ("/", "/acme", "/acme/gql-apps", "/acme/apikeys", "/graphql/acme/x"):
        response = httpx.request("POST" if path.startswith("/graphql") else "GET", server.url + path)

        assert (401, b"") == (response.status_code, response.content), path


def test_server_listens_on_loopback_only(server: LiveServer) -> None:
    addresses = {
        connection.laddr.ip
        for process in server.family()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }

    assert {"127.0.0.1"} == addresses


def test_no_secret_is_visible_in_command_lines_or_environments(server: LiveServer) -> None:
    password = server.admin[1]

    for process in server.family():
        assert password not in " ".join(process.cmdline())
        assert password not in " ".join(process.environ().values())


def test_secrets_are_readable_by_their_owner_alone(server: LiveServer) -> None:
    assert 0o700 == server.data_dir.stat().st_mode & 0o777
    for path in (server.data_dir / "secrets").iterdir():
        assert 0o600 == path.stat().st_mode & 0o777, path


def test_a_definition_answers_on_every_worker_within_five_seconds(server: LiveServer) -> None:
    with server.client(auth=server.admin) as admin:
        assert 201 == admin.put("/acme/gql-apps/acme___spread", json=definition("acme", "spread")).status_code
        assert _seconds_until_all_say(server, "spread", 200) < 5


def test_a_deleted_definition_is_gone_everywhere_within_five_seconds(server: LiveServer) -> None:
    with server.client(auth=server.admin) as admin:
        admin.put("/acme/gql-apps/acme___brief", json=definition("acme", "brief"))
        assert 204 == admin.delete("/acme/gql-apps/acme___brief").status_code
        assert _seconds_until_all_say(server, "brief", 404) < 5


def test_a_deleted_key_is_dead_on_every_worker_within_a_second(server: LiveServer) -> None:
    key = api_key({"url": "notes-app", "permissionMode": "GRAPHQL", "methods": ["POST"]})
    with server.client(auth=server.admin) as admin:
        admin.put("/acme/gql-apps/acme___notes-app", json=definition("acme", "notes-app"))
        assert 201 == admin.put(f"/acme/apikeys/{key['_id']}", json=key).status_code
        bearer = {"authorization": f"Bearer {key['key']}"}
        assert eventually(lambda: {200} == {_fresh_query(server, "notes-app", bearer).status_code for _ in range(12)})
        assert 204 == admin.delete(f"/acme/apikeys/{key['_id']}").status_code
        let_pass(1)

        answers = {_fresh_query(server, "notes-app", bearer).status_code for _ in range(20)}

    assert {401} == answers


def test_a_worker_that_dies_is_replaced(server: LiveServer) -> None:
    worker = server.workers()[0]

    worker.kill()

    def two_others() -> bool:
        pids = {process.pid for process in server.workers()}
        return len(pids) == 2 and worker.pid not in pids

    assert eventually(two_others)
    assert eventually(lambda: {200} == {_health(server) for _ in range(20)})
    stayed = {process.pid for process in server.workers()}
    time.sleep(3)
    assert stayed == {process.pid for process in server.workers()}


def test_second_server_on_the_same_data_says_so_and_exits_2(server: LiveServer) -> None:
    with pytest.raises(StartError) as caught, live_server(server.data_dir):
        pass

    assert 2 == caught.value.status
    assert "in use" in caught.value.log
    assert "Traceback" not in caught.value.log


def test_taken_port_is_named_without_a_traceback(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(StartError) as caught, live_server(tmp_path / "data", "--port", port):
            pass

    assert 1 == caught.value.status
    assert port in caught.value.log
    assert "Traceback" not in caught.value.log


def test_external_mongodb_needs_its_own_secrets(tmp_path: Path) -> None:
    with pytest.raises(StartError) as caught, live_server(tmp_path / "data", "--mongodb-uri", "mongodb://127.0.0.1:1/"):
        pass

    assert 2 == caught.value.status
    assert "OPENCAAS_ADMIN_PASSWORD and OPENCAAS_TOKEN_SECRET" in caught.value.log


@pytest.mark.parametrize("uri", ["mongodb://caas:hidden@127.0.0.1:1/", "nonsense://hidden"])
def test_external_mongodb_that_cannot_be_reached_is_explained(tmp_path: Path, uri: str) -> None:
    env = {"OPENCAAS_MONGODB_URI": uri, "OPENCAAS_ADMIN_PASSWORD": "x", "OPENCAAS_TOKEN_SECRET": "y"}

    with pytest.raises(StartError) as caught, live_server(tmp_path / "data", env=env):
        pass

    assert 1 == caught.value.status
    assert "the server cannot start: " in caught.value.log
    assert "hidden" not in caught.value.log
    assert "Traceback" not in caught.value.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_everything_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    with live_server(tmp_path / "data") as running:
        family = running.family()

        status = running.stop(number)

        assert 0 == status
        assert [] == wait_until_gone(family)


def test_running_request_is_finished_at_sigterm(tmp_path: Path) -> None:
    """A definition that takes a while to build is still stored and acknowledged."""
    fields = " ".join(f"f{number}: String" for number in range(40))
    sdl = SDL + "".join(f" type T{number} {{ {fields} }}" for number in range(2000))
    watcher = ("watcher", "the watcher's password")
    env = {"OPENCAAS_METRICS_USER": watcher[0], "OPENCAAS_METRICS_PASSWORD": watcher[1]}
    with live_server(tmp_path / "data", env=env) as running, running.client(auth=running.admin) as admin:
        admin.put("/acme")
        answers: list[int] = []

        def two_in_flight() -> bool:
            """Whether there is a request besides this one."""
            return "opencaas_http_requests_in_flight 2.0\n" in httpx.get(f"{running.url}/_metrics", auth=watcher).text

        def send() -> None:
            answers.append(admin.put("/acme/gql-apps/acme___big", json=definition("acme", "big", sdl)).status_code)

        sender = threading.Thread(target=send)
        sender.start()
        assert eventually(two_in_flight)
        status = running.stop()
        sender.join(PATIENCE)

    assert (0, [201]) == (status, answers)


def test_data_and_secrets_survive_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with live_server(data) as running, running.client(auth=running.admin) as admin:
        admin.put("/acme")
        admin.put("/acme/gql-apps/acme___kept", json=definition("acme", "kept"))
        first = running.admin
    with live_server(data) as running:
        assert first == running.admin
        assert 200 == _fresh_query(running, "kept").status_code


def test_kill_9_loses_nothing_acknowledged_and_leaves_no_process(tmp_path: Path) -> None:
    data = tmp_path / "data"
    kept: list[tuple[str, dict[str, Any]]] = []
    with live_server(data, "--workers", "2") as running:
        family = running.family()
        with running.client(auth=running.admin) as admin:
            admin.put("/acme")
        writers = [threading.Thread(target=_write_until_it_fails, args=(running, kept, name)) for name in "abcd"]
        for writer in writers:
            writer.start()
        assert eventually(lambda: len(kept) > 40)
        running.process.kill()
        for writer in writers:
            writer.join(PATIENCE)
        assert [] == wait_until_gone(family)

    with live_server(data) as running, running.client(auth=running.admin) as admin:
        for path, body in kept:
            stored = admin.get(path).json()
            assert body == {name: stored.get(name) for name in body}, path
        assert {200} == {
            _fresh_query(running, path.partition("___")[2]).status_code for path, _ in kept if "gql-apps" in path
        }


def _write_until_it_fails(running: LiveServer, kept: list[tuple[str, dict[str, Any]]], name: str) -> None:
    with running.client(auth=running.admin) as admin:
        for number in range(10_000):
            app = f"{name}{number}"
            key = api_key({"url": f"/{app}/", "methods": ["GET"]})
            for path, body in (
                (f"/acme/gql-apps/acme___{app}", definition("acme", app)),
                (f"/acme/apikeys/{key['_id']}", key),
            ):
                try:
                    response = admin.put(path, json=body)
                except httpx.HTTPError:
                    return
                if response.status_code == 201:
                    kept.append((path, body))


def _seconds_until_all_say(running: LiveServer, app: str, status: int) -> float:
    """Query until both workers answer with a status, and stay with it."""
    with Stopwatch() as watch:
        assert eventually(lambda: {status} == {_fresh_query(running, app).status_code for _ in range(20)})
        seconds = watch.seconds
    assert {status} == {_fresh_query(running, app).status_code for _ in range(20)}
    return seconds


def _fresh_query(running: LiveServer, app: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """Query on a connection of its own, so that any of the workers may take it."""
    auth = None if headers else running.admin
    body = {"query": "{ notes { text } }"}
    return httpx.post(f"{running.url}/graphql/acme/{app}", json=body, headers=headers, auth=auth)


def _health(running: LiveServer) -> int:
    try:
        return httpx.get(f"{running.url}/_logic/healthcheck").status_code
    except httpx.HTTPError:
        return 0
