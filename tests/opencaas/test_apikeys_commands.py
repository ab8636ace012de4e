"""``opencaas apikeys`` as an operator runs it: a command line, a server over HTTP, keys that work afterwards."""

import json
import os
import pty
import re
import subprocess
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from click.testing import CliRunner, Result

from opencaas.cli import main
from tests.live import OPENCAAS, LiveServer, environment, live_server
from tests.ports import free_port

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
MASTER = "5f0d4a9e-8a3f-4c53-9d0e-0e6a5b7c1d22"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    data = tmp_path_factory.mktemp("apikeys") / "data"
    with live_server(data, "--workers", "2", env={"OPENCAAS_MASTER_API_KEY": MASTER}) as running:
        yield running


@pytest.fixture
def tenant(server: LiveServer) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:12]}"
    with server.client(auth=server.admin) as admin:
        assert admin.put(f"/{name}").status_code == 201
        yield name


def run(
    server: LiveServer | str, *arguments: str, env: dict[str, str] | None = None, text: str | None = None
) -> Result:
    """Run a command in this process, with the master key unless told otherwise."""
    command, *rest = arguments
    cleared: dict[str, str | None] = {name: None for name in os.environ if name.startswith("OPENCAAS_")}
    shown = {"OPENCAAS_API_KEY": MASTER} if env is None else env
    line = ["apikeys", command, "--server", server if isinstance(server, str) else server.url, *rest]
    return CliRunner(env=cleared | shown).invoke(main, line, input=text)


def status(server: LiveServer, path: str, key: str) -> int:
    return httpx.get(server.url + path, headers={"authorization": f"Bearer {key}"}).status_code


def test_created_key_is_printed_once_and_works(server: LiveServer, tenant: str) -> None:
    created = run(
        server, "create", "--tenant", tenant, "--name", "deploy job", "--permission", "get,HEAD:/gql-apps/",
        "--permission", "READ:/content/", "--regex", "PUT,GET:/x.*", "--graphql", "shop",
    )  # fmt: skip

    key = created.stdout.strip()
    assert (0, "") == (created.exit_code, created.stderr)
    assert re.fullmatch(UUID, key)
    assert 200 == status(server, f"/{tenant}/gql-apps", key)
    assert 401 == status(server, "/", key)
    with server.client(auth=server.admin) as admin:
        stored = admin.get(f"/{tenant}/apikeys/{key}").json()
    assert ("deploy job", False) == (stored["name"], "description" in stored)
    assert [
        {"url": "/gql-apps/", "permissionMode": "PREFIX", "methods": ["GET", "HEAD"]},
        {"url": "/content/", "permissionMode": "PREFIX", "methods": ["GET", "HEAD", "OPTIONS"]},
        {"url": "/x.*", "permissionMode": "REGEX", "methods": ["PUT", "GET"]},
        {"url": "shop", "permissionMode": "GRAPHQL", "methods": ["POST"]},
    ] == stored["permissions"]


def test_global_key_is_made_without_a_tenant(server: LiveServer, tenant: str) -> None:
    user, password = server.admin
    env = {"OPENCAAS_ADMIN_USER": user, "OPENCAAS_ADMIN_PASSWORD": password}

    created = run(server, "create", "--permission", f"ALL:/{tenant}/", "--json", env=env)

    facts = json.loads(created.stdout)
    assert f"{server.url}/caas_admin/apikeys/{facts['key']}" == facts["address"]
    assert 200 == status(server, f"/{tenant}/apikeys", facts["key"])
    assert 403 == status(server, "/caas_admin/apikeys", facts["key"])


def test_key_of_ones_own_choice_is_not_replaced(server: LiveServer, tenant: str) -> None:
    first = run(server, "create", "--tenant", tenant, "--key", "my key/ü", "--permission", "GET:/gql-apps/")
    second = run(server, "create", "--tenant", tenant, "--key", "my key/ü", "--permission", "GET:/")

    assert (0, "my key/ü\n") == (first.exit_code, first.stdout)
    assert (1, "") == (second.exit_code, second.stdout)
    assert "it exists already" in second.stderr


def test_list_shows_beginnings_unless_told_otherwise(server: LiveServer, tenant: str) -> None:
    keys = [
        run(server, "create", "--tenant", tenant, "--name", name, "--permission", "GET:/a/", "--graphql", "x").stdout
        for name in ("one\x1b[31m", "two")
    ]

    short = run(server, "list", "--tenant", tenant)
    whole = run(server, "list", "--tenant", tenant, "--show-keys")
    as_json = run(server, "list", "--tenant", tenant, "--json", "--show-keys")

    assert [0, 0, 0] == [answer.exit_code for answer in (short, whole, as_json)]
    assert not any(key.strip() in short.stdout for key in keys)
    assert sorted(f"{key.strip()[:8]}…" for key in keys) == [line.split("\t")[0] for line in short.stdout.splitlines()]
    assert sorted(key.strip() for key in keys) == [line.split("\t")[0] for line in whole.stdout.splitlines()]
    assert {"one?[31m\tGET:/a/ graphql=x", "two\tGET:/a/ graphql=x"} == {
        line.partition("\t")[2] for line in short.stdout.splitlines()
    }
    assert sorted(key.strip() for key in keys) == [key["key"] for key in json.loads(as_json.stdout)]
    assert MASTER[:8] in run(server, "list").stdout
    assert MASTER not in run(server, "list", "--json").stdout


def test_list_is_a_table_on_a_terminal(server: LiveServer, tenant: str) -> None:
    run(server, "create", "--tenant", tenant, "--name", "[bold]shop", "--permission", "GET:/a/")
    leader, follower = pty.openpty()
    line = [str(OPENCAAS), "apikeys", "list", "--server", server.url, "--tenant", tenant]
    process = subprocess.Popen(line, stdout=follower, env=environment({"OPENCAAS_API_KEY": MASTER, "COLUMNS": "120"}))
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 4096):
            shown += part
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(leader)

    assert 0 == process.wait(60)
    assert "[bold]shop" in shown.decode()
    assert "│" in shown.decode()


def test_list_reads_all_pages(server: LiveServer, tenant: str) -> None:
    bodies = [{"_id": f"k{number:03}", "key": f"k{number:03}", "permissions": []} for number in range(230)]
    with server.client(auth=server.admin) as admin:
        assert admin.post(f"/{tenant}/apikeys", json=bodies).status_code == 200

    listed = run(server, "list", "--tenant", tenant, "--show-keys").stdout.splitlines()

    assert [body["_id"] for body in bodies] == listed


def test_deleted_key_is_dead(server: LiveServer, tenant: str) -> None:
    one, two, three = (
        run(server, "create", "--tenant", tenant, "--permission", "GET:/gql-apps/").stdout.strip() for _ in range(3)
    )

    deleted = run(server, "delete", "--tenant", tenant, one)
    piped = run(server, "delete", "--tenant", tenant, "-", text=f"{two}\n\n{three}\n")
    again = run(server, "delete", "--tenant", tenant, one, "--json")

    assert (0, f"deleted {one[:8]}…\n") == (deleted.exit_code, deleted.stdout)
    assert (0, 2) == (piped.exit_code, len(piped.stdout.splitlines()))
    assert (1, [{"key": f"{one[:8]}…", "deleted": False}]) == (again.exit_code, json.loads(again.stdout))
    with server.client(auth=server.admin) as admin:
        assert 0 == admin.get(f"/{tenant}/apikeys").json()["_returned"]


@pytest.mark.parametrize(
    ("arguments", "env", "message"),
    [
        (["list"], {}, "credentials are missing"),
        (["list", "--api-key", "a", "--password", "b"], {}, "not both"),
        (["create"], None, "would open nothing"),
        (["create", "--permission", "/a/"], None, "METHODS:PATH"),
        (["create", "--permission", "GET:"], None, "METHODS:PATH"),
        (["create", "--permission", "READ,FETCH:/a/"], None, "'FETCH' is no method"),
        (["create", "--permission", "GET:a/"], None, "does not begin with /"),
        (["create", "--key", "", "--graphql", "x"], None, "--key"),
        (["delete"], None, "KEY"),
        (["rename"], None, "rename"),
    ],
)
def test_wrong_usage_is_2(arguments: list[str], env: dict[str, str] | None, message: str) -> None:
    result = run("http://127.0.0.1:9", *arguments, env=env)

    assert (2, "") == (result.exit_code, result.stdout)
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "--api-key", "unknown"], "401"),
        (["list", "--password", "wrong"], "401"),
        (["list", "--tenant", "nobody"], "404"),
        (["list", "--tenant", "a b"], "400: illegal database name"),
        (["list", "--tenant", "admin"], "403"),
        (["create", "--tenant", "nobody", "--graphql", "x"], "404"),
        (["create", "--regex", "GET:(", "--permission", "GET:/"], "is not a pattern"),
        (["create", "--graphql", "x", "--graphql", "x"], "twice"),
        (["delete", "unknown-key"], "not found unk…"),
        (["delete", "--tenant", "nobody", "x"], "404"),
    ],
)
def test_refusal_is_1_with_the_reason(server: LiveServer, arguments: list[str], message: str) -> None:
    result = run(server, *arguments)

    assert 1 == result.exit_code
    assert message in result.stderr
    assert isinstance(result.exception, SystemExit)
    assert "" == result.stdout


def test_flag_wins_over_the_environment(server: LiveServer) -> None:
    user, password = server.admin

    by_login = run(server, "list", "--user", user, "--password", password, env={"OPENCAAS_API_KEY": "unknown"})
    by_key = run(server, "list", "--api-key", MASTER, env={"OPENCAAS_ADMIN_PASSWORD": "wrong"})

    assert (0, 0) == (by_login.exit_code, by_key.exit_code)


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_arguments: object) -> None:
        pass


def test_what_is_no_server_is_1_without_a_traceback() -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    with HTTPServer(("127.0.0.1", 0), _Stranger) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        results = [
            run(address, "list")
            for address in (closed, f"http://127.0.0.1:{other.server_port}", "nonsense", "http://[")
        ]
        other.shutdown()
        thread.join()

    assert [1, 1, 1, 1] == [result.exit_code for result in results]
    assert all(isinstance(result.exception, SystemExit) for result in results)


def test_master_key_opens_everything_on_a_running_server(server: LiveServer, tenant: str) -> None:
    headers = {"authorization": f'apikey="{MASTER}"'}
    with server.client(headers=headers) as client:
        answers = [
            client.get("/"),
            client.get("/caas_admin/apikeys"),
            client.get(f"/{tenant}/apikeys"),
            client.put(f"/{tenant}x"),
        ]

    assert [200, 200, 200, 201] == [answer.status_code for answer in answers]


def test_token_of_one_worker_is_good_on_all(server: LiveServer, tenant: str) -> None:
    key = run(server, "create", "--tenant", tenant, "--permission", "GET:/gql-apps/").stdout.strip()
    answer = httpx.get(f"{server.url}/_logic/securetoken?tenant={tenant}", headers={"authorization": f"Bearer {key}"})
    token = answer.json()["securetoken"]

    # A connection each, so that any of the workers may take it.
    statuses = {httpx.get(f"{server.url}/{tenant}/gql-apps?securetoken={token}").status_code for _ in range(20)}

    assert {200} == statuses
    assert token not in "".join(server.log)
    assert key not in "".join(server.log)


def test_token_secret_is_in_no_command_line_and_no_environment(server: LiveServer) -> None:
    secret = (server.data_dir / "secrets" / "token-secret").read_text(encoding="ascii").strip()

    for process in server.family():
        assert secret not in " ".join(process.cmdline())
        assert secret not in " ".join(process.environ().values())
