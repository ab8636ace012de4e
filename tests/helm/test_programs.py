"""What the containers start: commands that the program knows, and the server, the job and the scripts as they are run.

Images can't be run here, so the rendered commands run with the rendered environment as processes of this machine, on a
real MongoDB.
"""

import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import httpx
import pytest

from content_core.store.embedded import EmbeddedMongo
from opencaas.cli import main
from tests.helm.rendering import Chart, Object, Rendering
from tests.live import OPENCAAS, environment, live_server

EXPORT: Final = Path(__file__).parents[2] / "fixtures" / "tutorial" / "export"
VALUES: Final[dict[str, Any]] = {
    "restApi": {"pageSize": {"default": 2, "max": 120}},
    "deploy": {
        "enabled": True,
        "tenant": "chart",
        "project": "c0ffee00-0000-4000-8000-000000000001",
        "source": {"existingClaim": "exports"},
    },
}


def parse(arguments: list[str]) -> None:
    """Read a command line as the program does, without running anything; raises what it would complain of."""
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        name, *arguments = arguments
        below = command.get_command(context, name)
        assert below is not None, f"opencaas has no {name}"
        command, context = below, click.Context(below, parent=context)
    command.make_context(command.name, list(arguments), parent=context.parent)


def values_of(rendering: Rendering, given: dict[str, Any]) -> dict[str, str]:
    """Put what the chart's secret holds in the place of references to it, as Kubernetes does."""
    return {
        name: b64decode(rendering.one("Secret", value[1])["data"][value[2]]).decode()
        if isinstance(value, tuple)
        else value
        for name, value in given.items()
    }


def run_script(container: Object, given: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the script of a container with some variables."""
    assert container["command"] == ["python3", "-I", "-c"]
    return subprocess.run(
        [sys.executable, "-I", "-c", *container["args"]],
        env=environment(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass(frozen=True, slots=True)
class Release:
    """A rendering whose server runs."""

    rendering: Rendering
    url: str
    secret: dict[str, str]


@pytest.fixture(scope="module")
def release(chart: Chart, mongo: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The server of a release, started as its container starts it, on the test's MongoDB."""
    rendering = chart.render(VALUES)
    secret = {
        name: b64decode(value).decode() for name, value in rendering.one("Secret", "caas-credentials")["data"].items()
    }
    container = rendering.container("Deployment", "caas-rest-api")
    assert [*container["command"], *container.get("args", ())] == ["opencaas", "serve"]
    given = values_of(rendering, rendering.environment("Deployment", "caas-rest-api"))
    given |= {"OPENCAAS_MONGODB_URI": mongo.uri, "OPENCAAS_HOST": "127.0.0.1", "OPENCAAS_DRAIN_SECONDS": "0"}
    with live_server(tmp_path_factory.mktemp("release") / "data", env=given) as running:
        yield Release(rendering, running.url, secret)


def test_commands_are_those_of_the_program(scenario: Rendering, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags by the command line, the rest by the environment: nothing unknown, nothing missing, nothing mistyped."""
    started = []
    for label, _, container in scenario.containers():
        if container.get("command", [""])[0] != "opencaas":
            continue
        with monkeypatch.context() as container_only:
            for variable in container.get("env", ()):
                container_only.setenv(variable["name"], variable.get("value", "from-elsewhere"))
            parse([*container["command"][1:], *container.get("args", ())])
        started.append(label.rpartition("/")[2])

    assert "rest-api" in started
    assert ("keeper" in started) == bool(scenario.of("StatefulSet"))


def test_rendered_server_answers_with_its_settings(release: Release) -> None:
    admin = (release.secret["webAdminUser"], release.secret["webAdminPassword"])
    metrics = (release.secret["metricsUser"], release.secret["metricsPassword"])
    master = {"Authorization": f'apikey="{release.secret["masterApiKey"]}"'}
    with httpx.Client(base_url=release.url) as client:
        assert client.get("/", params={"pagesize": 120}, auth=admin).status_code == 200
        assert client.get("/", params={"pagesize": 121}, auth=admin).status_code == 400
        assert client.get("/", headers=master).status_code == 200
        assert client.get("/_metrics", auth=metrics).status_code == 200
        assert client.get("/").status_code == 401


def test_probes_are_answered(release: Release) -> None:
    container = release.rendering.container("Deployment", "caas-rest-api")
    paths = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}

    assert {path: httpx.get(release.url + path).status_code for path in paths} == dict.fromkeys(paths, 200)


def test_release_passes_its_own_check(release: Release) -> None:
    """What ``helm test`` runs inside the cluster."""
    pod = release.rendering.one("Pod", "caas-test-connection")["spec"]
    given = {
        each["name"]: release.secret[each["valueFrom"]["secretKeyRef"]["key"]]
        for each in pod["containers"][0]["env"][1:]
    }
    done = run_script(pod["containers"][0], given | {"SERVER": release.url})

    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout


def test_check_sees_a_wrong_password(release: Release) -> None:
    pod = release.rendering.one("Pod", "caas-test-connection")["spec"]
    names = ("ADMIN_USER", "ADMIN_PASSWORD", "METRICS_USER", "METRICS_PASSWORD")
    done = run_script(pod["containers"][0], dict.fromkeys(names, "wrong") | {"SERVER": release.url})

    assert done.returncode != 0
    assert done.stdout.count("FAILED") == 2


def waiting(release: Release, kind: str, name: str, container: str) -> Object:
    """Return a container that waits before the others start."""
    (found,) = (
        each for each in release.rendering.template(kind, name)["spec"]["initContainers"] if each["name"] == container
    )
    return dict(found)


def test_server_waits_for_mongodb(release: Release, mongo: EmbeddedMongo) -> None:
    script = waiting(release, "Deployment", "caas-rest-api", "wait-for-mongodb")
    away = "mongodb://caas:secret99@127.0.0.1:1/?replicaSet=rs0"
    ready, gone, wrong = (
        run_script(script, {"WAIT_SECONDS": "0", "OPENCAAS_MONGODB_URI": uri})
        for uri in (mongo.uri, away, "postgres://x")
    )

    assert ready.returncode == 0, ready.stderr
    assert gone.returncode == 1
    assert "MongoDB is not ready" in gone.stderr
    assert "secret99" not in gone.stderr
    assert wrong.returncode == 1
    assert "the URI of MongoDB is wrong" in wrong.stderr


def test_job_waits_for_the_server(release: Release) -> None:
    (job,) = release.rendering.names("Job")
    script = waiting(release, "Job", job, "wait-for-server")
    ready, gone = (
        run_script(script, {"WAIT_SECONDS": "0", "SERVER": url}) for url in (release.url, "http://127.0.0.1:1")
    )

    assert ready.returncode == 0, ready.stderr
    assert gone.returncode == 1


def test_job_deploys_a_project(release: Release) -> None:
    (job,) = release.rendering.names("Job")
    container = release.rendering.container("Job", job, "deploy")
    given = values_of(release.rendering, release.rendering.environment("Job", job, "deploy"))
    places = {"/source/": str(EXPORT), "http://caas-rest-api": release.url}
    done = subprocess.run(
        [str(OPENCAAS), *(places.get(argument, argument) for argument in container["args"])],
        env=environment(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    master = {"Authorization": f'apikey="{release.secret["masterApiKey"]}"'}
    path = f"/chart/{VALUES['deploy']['project']}.preview.content/_size"
    assert httpx.get(release.url + path, headers=master).json()["_size"] > 0
