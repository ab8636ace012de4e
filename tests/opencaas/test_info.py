"""``opencaas info`` as a person runs it: a command line, a server over HTTP, keys that may see more or less."""

import json
import os
import pty
import subprocess
import uuid
from typing import Any

import httpx
import pytest

from content_core.names import STATES, content_collection, files_bucket, generated_app
from fixtures import PROJECTS, State, documents, media
from tests.live import OPENCAAS, LiveServer, environment

PROJECT = PROJECTS["demo"]


def run(
    demo: LiveServer, *arguments: str, key: str = "", tenant: str = PROJECT.tenant
) -> subprocess.CompletedProcess[str]:
    line = [str(OPENCAAS), "info", "--server", demo.url, "--tenant", tenant, *arguments]
    env = environment({"OPENCAAS_API_KEY": key or demo.facts["api_key"]})
    return subprocess.run(line, capture_output=True, text=True, env=env, timeout=60, check=False)


def told(demo: LiveServer, *arguments: str, key: str = "") -> dict[str, Any]:
    ended = run(demo, "--json", *arguments, key=key)
    assert 0 == ended.returncode, ended.stderr
    parsed: dict[str, Any] = json.loads(ended.stdout)
    return parsed


def make_key(demo: LiveServer, *permissions: dict[str, Any], name: str = "") -> str:
    key = str(uuid.uuid4())
    document = {"_id": key, "key": key, "name": name, "permissions": list(permissions)}
    httpx.put(f"{demo.url}/{PROJECT.tenant}/apikeys/{key}", json=document, auth=demo.admin).raise_for_status()
    return key


@pytest.mark.parametrize("state", STATES)
def test_addresses_and_counts_of_a_state(demo: LiveServer, state: State) -> None:
    [project] = told(demo)["projects"]

    [info] = [each for each in project["states"] if each["state"] == state]
    kinds: dict[str, int] = {}
    for document in documents("demo", state):
        kinds[document["fsType"]] = kinds.get(document["fsType"], 0) + 1
    assert PROJECT.project == project["project"]
    assert kinds == info["kinds"]
    assert sum(kinds.values()) == info["documents"]
    assert sum(state in file.states for file in media("demo")) == info["files"]
    assert f"{demo.url}/demo/{content_collection(PROJECT.project, state)}" == info["collection"]
    assert f"{demo.url}/demo/{files_bucket(PROJECT.project, state)}" == info["bucket"]
    assert f"{demo.url}/graphql/demo/{generated_app(PROJECT.project, state)}" == info["graphql"]


def test_keys_are_named_and_never_shown(demo: LiveServer) -> None:
    secret = make_key(demo, {"url": f"/{PROJECT.project}.release.content/", "methods": ["GET"]}, name="front end")

    outputs = [run(demo, "--json").stdout, run(demo).stdout, on_terminal(demo)]

    values = [key["key"] for key in keys_of(demo)]
    assert secret in values
    assert all("front end" in output for output in outputs)
    assert [] == [value for value in values for output in outputs if value in output or value[:8] in output]


def test_without_a_terminal_it_is_one_fact_per_line(demo: LiveServer) -> None:
    lines = [line.split("\t") for line in run(demo).stdout.splitlines()]

    assert [PROJECT.project, "preview", "graphql", demo.facts["graphql_preview"]] in lines
    assert {"collection", "documents", "bucket", "graphql", "key"} <= {line[2] for line in lines}


def test_on_a_terminal_it_is_a_table(demo: LiveServer) -> None:
    printed = on_terminal(demo)

    assert "━" in printed
    assert demo.facts["graphql_release"] in printed


def test_a_key_of_the_project_alone_needs_its_name(demo: LiveServer) -> None:
    key = make_key(demo, {"url": f"/{PROJECT.project}.", "methods": ["GET"]})

    without = run(demo, key=key)
    seen = told(demo, "--project", PROJECT.project, key=key)

    assert (1, True) == (without.returncode, "--project" in without.stderr)
    assert ["GraphQL applications", "API keys"] == seen["hidden"]
    assert None is seen["projects"][0]["keys"]
    assert 0 < seen["projects"][0]["states"][0]["documents"]


def test_a_terminal_tells_what_is_hidden_from_what_is_not_there(demo: LiveServer) -> None:
    key = make_key(demo, {"url": f"/{PROJECT.project}.preview.content", "methods": ["GET"]})

    printed = on_terminal(demo, "--project", PROJECT.project, key=key)

    assert "none" not in printed
    assert 3 <= printed.count("not shown to this API key")


def test_an_unknown_project_is_an_error(demo: LiveServer) -> None:
    ended = run(demo, "--project", "nobody")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "nothing of the project nobody" in ended.stderr


def test_an_unknown_tenant_is_an_error(demo: LiveServer) -> None:
    ended = run(demo, tenant="nobody")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert demo.facts["api_key"] not in ended.stderr


@pytest.mark.parametrize("name", ["a/b", "a b", "a___b"])
def test_a_name_that_can_be_no_tenant_is_wrong_usage(demo: LiveServer, name: str) -> None:
    assert 2 == run(demo, tenant=name).returncode


def test_a_server_that_is_none_is_an_error() -> None:
    line = [str(OPENCAAS), "info", "--server", "ftp://127.0.0.1", "--tenant", "demo", "--api-key", "k"]

    ended = subprocess.run(line, capture_output=True, text=True, env=environment(), timeout=60, check=False)

    assert (1, True) == (ended.returncode, "is no server address" in ended.stderr)


def on_terminal(demo: LiveServer, *arguments: str, key: str = "") -> str:
    """What it prints when standard output is a terminal."""
    ours, theirs = pty.openpty()
    env = environment({"OPENCAAS_API_KEY": key or demo.facts["api_key"], "COLUMNS": "200", "TERM": "xterm"})
    line = [str(OPENCAAS), "info", "--server", demo.url, "--tenant", PROJECT.tenant, *arguments]
    process = subprocess.Popen(line, stdout=theirs, stderr=subprocess.DEVNULL, env=env)
    os.close(theirs)
    printed = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        printed += piece
    os.close(ours)
    assert 0 == process.wait(60)
    return printed.decode()


def keys_of(demo: LiveServer) -> list[dict[str, Any]]:
    response = httpx.get(f"{demo.url}/demo/apikeys?rep=s&pagesize=100", auth=demo.admin)
    keys: list[dict[str, Any]] = response.raise_for_status().json()
    return keys
