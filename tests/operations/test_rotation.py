"""Changing secrets, as docs/operations/secrets.md says."""

import base64
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.blocks import read_blocks
from tests.helm.cluster import Cluster
from tests.live import OPENCAAS, LiveServer, environment, eventually, live_server
from tests.tools import requires

FORMER = "0c2b76ba-64b2-4b4e-8a3a-5a2f2f3f2d11"
NEW = "7f1f8f4e-9a55-4f7c-9f0d-3a1b2c3d4e5f"
PAGE = "operations/secrets.md"


@contextmanager
def serving(home: Path, *, admin: str, token: str, key: str) -> Iterator[LiveServer]:
    env = {"OPENCAAS_ADMIN_PASSWORD": admin, "OPENCAAS_TOKEN_SECRET": token * 40, "OPENCAAS_MASTER_API_KEY": key}
    with live_server(home / "data", env=env) as server:
        yield server


def status(server: LiveServer, path: str = "/acme", **headers: str) -> int:
    with server.client(headers=headers) as client:
        return client.get(path).status_code


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()


def test_secrets_of_a_server_are_changed(tmp_path: Path) -> None:
    with serving(tmp_path, admin="the-former", token="f", key=FORMER) as server:
        with server.client(auth=("admin", "the-former")) as admin:
            admin.put("/acme").raise_for_status()
        with server.client(headers={"Authorization": f"Bearer {FORMER}"}) as holder:
            token = holder.get("/_logic/securetoken?tenant=acme").json()["securetoken"]
        before = status(server, f"/acme?securetoken={token}")
    with serving(tmp_path, admin="the-new", token="n", key=NEW) as server:
        after = {
            "former password": status(server, Authorization=basic("the-former")),
            "new password": status(server, Authorization=basic("the-new")),
            "former token": status(server, f"/acme?securetoken={token}"),
            "former key": status(server, Authorization=f"Bearer {FORMER}"),
            "new key": status(server, Authorization=f"Bearer {NEW}"),
        }
        command = next(
            line for block in read_blocks(PAGE) for line in block.text.splitlines() if "apikeys delete" in line
        )
        command = command.replace("opencaas", str(OPENCAAS), 1).replace("https://caas.company.example", server.url)
        env = environment({"FORMER_KEY": FORMER, "OPENCAAS_ADMIN_PASSWORD": "the-new"})
        subprocess.run(["sh", "-ec", command], env=env, capture_output=True, check=True)
        dead = eventually(lambda: status(server, Authorization=f"Bearer {FORMER}") == 401)

    assert 200 == before
    assert {
        "former password": 401,
        "new password": 200,
        "former token": 401,
        "former key": 200,
        "new key": 200,
    } == after
    assert dead


def test_embedded_installation_makes_new_secrets(tmp_path: Path) -> None:
    with live_server(tmp_path / "data") as server:
        former = server.admin[1]
        with server.client(auth=server.admin) as admin:
            admin.put("/acme").raise_for_status()
    for name in ("admin-password", "token-secret"):
        (tmp_path / "data/secrets" / name).unlink()
    with live_server(tmp_path / "data") as server:
        statuses = [status(server, Authorization=basic(password)) for password in (former, server.admin[1])]

    assert [401, 200] == statuses


@pytest.mark.parametrize("name", ["webAdminPassword", "mongoPassword", "tokenSecret", "masterApiKey"])
def test_what_is_taken_out_of_the_secret_is_made_anew(tmp_path: Path, name: str) -> None:
    with Cluster.start(requires("helm"), tmp_path) as cluster:
        assert cluster.install().returncode == 0
        before = dict(cluster.objects("Secret")["caas-credentials"]["data"])
        cluster.objects("Secret")["caas-credentials"]["data"].pop(name)
        again = cluster.install()
        after = cluster.objects("Secret")["caas-credentials"]["data"]

    assert 0 == again.returncode, again.stderr
    changed = {key for key in before if before[key] != after[key]}
    assert {name} | ({"mongoUri"} if name == "mongoPassword" else set()) == changed
    assert set(before) == set(after)


def test_page_tells_of_every_secret() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / PAGE).read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))

    assert {
        "webAdminPassword", "masterApiKey", "tokenSecret", "metricsPassword", "mongoPassword", "mongoMetricsPassword",
        "mongoRootPassword", "clusterKey",
    } == rows  # fmt: skip
