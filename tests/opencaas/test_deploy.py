"""``opencaas deploy`` as a job runs it: an export on disk, a server over HTTP, first the API and then the content."""

import json
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from content_core.names import State, content_collection, generated_app
from fixtures import PROJECTS
from tests.live import OPENCAAS, LiveServer, environment, live_server
from tests.patience import PATIENCE

DEMO = PROJECTS["demo"]
FORM = "TemplateStore/PageTemplates/campaigns/product_special/GomSource.xml"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that is not there before the first job."""

    server: LiveServer
    name: str
    key: str

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        target = ["--server", self.server.url, "--tenant", self.name, "--project", DEMO.project]
        env = environment({"OPENCAAS_API_KEY": self.key, "HOME": str(self.server.data_dir.parent)} | variables)
        line = [str(OPENCAAS), *arguments, *target]
        return subprocess.run(line, capture_output=True, text=True, env=env, timeout=180, check=False)

    def deploy(self, *arguments: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Deploy; gives the report's parts, the API's and the content's, which stand in one line."""
        told = self.report("deploy", *arguments)
        assert {"deploy", "schema", "content"} == told.keys()
        assert told["deploy"] == told["content"]["outcome"]
        return told["schema"], told["content"]

    def report(self, *arguments: str) -> dict[str, Any]:
        ended = self.run(*arguments)
        assert 0 == ended.returncode, ended.stdout + ended.stderr
        [line] = ended.stdout.splitlines()
        told: dict[str, Any] = json.loads(line)
        return told

    def stored(self) -> tuple[Any, Any]:
        """The API and the documents, as they are."""
        path = f"/{content_collection(DEMO.project, 'preview')}"
        return self.get("/gql-apps"), self.get(path, pagesize=100, rep="s", sort='{"_id":1}')

    def get(self, path: str, **params: Any) -> Any:
        response = httpx.get(f"{self.server.url}/{self.name}{path}", auth=self.server.admin, params=params, timeout=30)
        return response.json()

    def size(self, state: State) -> int | None:
        size: int | None = self.get(f"/{content_collection(DEMO.project, state)}/_size").get("_size")
        return size

    def names(self, state: State) -> set[str]:
        """What GraphQL answers."""
        response = httpx.post(
            f"{self.server.url}/graphql/{self.name}/{generated_app(DEMO.project, state)}",
            json={"query": "{ pageRefs(limit: 100) { displayName } }"},
            headers={"authorization": f"Bearer {self.key}"},
            timeout=30,
        )
        return {page["displayName"] for page in response.json()["data"]["pageRefs"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str]]:
    key = str(uuid.uuid4())
    with live_server(tmp_path_factory.mktemp("deploy") / "data", env={"OPENCAAS_MASTER_API_KEY": key}) as running:
        yield running, key


@pytest.fixture
def tenant(server: tuple[LiveServer, str]) -> Tenant:
    return Tenant(server[0], f"t{uuid.uuid4().hex[:12]}", server[1])


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A copy of the demo's export that a test may change."""
    return shutil.copytree(DEMO.export, tmp_path / "export")


def rename_field(export: Path) -> None:
    """Change the API so that existing queries break."""
    path = export / FORM
    text = path.read_text("utf-8")
    assert 'name="pt_headline"' in text
    path.write_text(text.replace('name="pt_headline"', 'name="pt_title"'), "utf-8")


def test_an_empty_server_gets_places_api_and_content(tenant: Tenant, export: Path) -> None:
    schema, sync = tenant.deploy(str(export))

    outcomes = {state: told["outcome"] for state, told in schema["states"].items()}
    assert {"preview": "created", "release": "created"} == outcomes
    assert f"database {tenant.name}" in schema["provisioned"]["created"]
    assert ("smart", "complete", ["preview"]) == (sync["sync"], sync["outcome"], list(sync["states"]))
    assert [] == sync["provisioned"]["created"]
    assert sync["states"]["preview"]["documents"]["created"] == tenant.size("preview")
    assert "Produkt Landingpage" in tenant.names("preview")
    assert set() == tenant.names("release")


def test_a_second_deploy_writes_nothing(tenant: Tenant, export: Path) -> None:
    tenant.deploy(str(export))
    before = tenant.stored()

    schema, sync = tenant.deploy(str(export))

    assert {"unchanged"} == {told["outcome"] for told in schema["states"].values()}
    documents = sync["states"]["preview"]["documents"]
    assert (0, 0, 0) == (documents["created"], documents["replaced"], documents["deleted"])
    assert before == tenant.stored()


def pack(export: Path, kind: str) -> Path:
    """Pack an export, below a directory of its own name as people do it."""
    return Path(shutil.make_archive(str(export.parent / "packed"), kind, export.parent, export.name))


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_a_packed_export_is_deployed_like_a_directory(tenant: Tenant, export: Path, kind: str) -> None:
    packed = pack(export, kind)

    schema, sync = tenant.deploy(str(packed))
    again = tenant.deploy(str(export))

    outcomes = {state: told["outcome"] for state, told in schema["states"].items()}
    assert {"preview": "created", "release": "created"} == outcomes
    assert (tenant.size("preview"), 0) == (sync["states"]["preview"]["documents"]["created"], sync["failed"])
    assert {"unchanged"} == {told["outcome"] for told in again[0]["states"].values()}
    documents, media = (again[1]["states"]["preview"][name] for name in ("documents", "media"))
    assert (0, 0, 0) == (documents["created"], documents["replaced"], documents["deleted"])
    assert (0, 0) == (media["sent"], media["deleted"])


def test_a_packed_export_leaves_nothing_behind(tenant: Tenant, export: Path, tmp_path: Path) -> None:
    packed = pack(export, "zip")
    (tmp_path / "temporary").mkdir()

    ended = tenant.run("deploy", str(packed), TMPDIR=str(tmp_path / "temporary"))

    assert 0 == ended.returncode
    assert [] == list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_before_the_content_is_told_and_leaves_nothing_behind(
    export: Path, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "temporary").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address, port = silent.getsockname()
        target = ["--server", f"http://{address}:{port}", "--tenant", "acme", "--project", DEMO.project]
        job = subprocess.Popen(
            [str(OPENCAAS), "deploy", str(pack(export, "zip")), *target],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment({"OPENCAAS_API_KEY": "k", "TMPDIR": str(tmp_path / "temporary"), "HOME": str(tmp_path)}),
        )
        with silent.accept()[0]:  # it was asked, and is not going to answer
            unpacked = list((tmp_path / "temporary").iterdir())
            job.send_signal(number)
            told, said = job.communicate(timeout=PATIENCE)

    assert 1 == len(unpacked)
    assert [] == list((tmp_path / "temporary").iterdir())
    assert (1, {"deploy": "interrupted"}) == (job.returncode, json.loads(told))
    assert said.endswith("\nAborted!\n")
    assert "Traceback" not in said


def test_sync_of_a_packed_export_has_its_resolutions_and_definitions(tenant: Tenant, export: Path) -> None:
    """Both are read from the files of the export, which lie somewhere else while a job runs."""
    told = tenant.report("sync", "smart", str(pack(export, "zip")))
    media = told["states"]["preview"]["media"]

    assert {"preview"} == told["states"].keys()
    assert [] == told["skipped"]
    assert "Produkt Landingpage" in tenant.names("preview")
    again = tenant.report("sync", "smart", str(export))
    assert (media["sent"], 0, 0) == (
        again["states"]["preview"]["media"]["unchanged"],
        again["states"]["preview"]["media"]["sent"],
        again["states"]["preview"]["media"]["deleted"],
    )


def test_an_archive_of_documents_has_no_api(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "content" / "preview").mkdir(parents=True)
    (tmp_path / "content" / "preview" / "a.json").write_text('{"_id": "a", "fsType": "PageRef"}')
    packed = pack(tmp_path / "content", "zip")

    ended = tenant.run("deploy", str(packed))

    assert (2, "", True) == (ended.returncode, ended.stdout, str(packed) in ended.stderr)


def test_content_that_fails_after_the_api_is_told_in_the_same_line(tenant: Tenant, export: Path) -> None:
    nowhere = ("--s3-bucket", "none", "--s3-endpoint-url", "http://127.0.0.1:9", "--retries", "0")

    ended = tenant.run("deploy", str(export), *nowhere, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")

    [line] = ended.stdout.splitlines()
    told = json.loads(line)
    assert (1, "failed") == (ended.returncode, told["deploy"])
    assert "created" == told["schema"]["states"]["preview"]["outcome"]
    assert "127.0.0.1:9" in told["error"]["message"]


def test_an_api_that_cannot_be_deployed_is_told_in_one_line(tenant: Tenant, export: Path) -> None:
    ended = tenant.run("deploy", str(export), OPENCAAS_API_KEY="somebody else's")

    told = json.loads(ended.stdout)
    assert (1, "failed") == (ended.returncode, told.pop("deploy"))
    assert {"error"} == told.keys()
    assert told["error"]["message"] in ended.stderr
    assert "401" in told["error"]["message"]


def test_total_sends_everything_again(tenant: Tenant, export: Path) -> None:
    first = tenant.deploy(str(export))[1]["states"]["preview"]["documents"]

    sync = tenant.deploy(str(export), "--total")[1]

    assert "total" == sync["sync"]
    assert first["created"] == sync["states"]["preview"]["documents"]["replaced"]


def test_a_breaking_change_is_refused_and_no_content_comes(tenant: Tenant, export: Path) -> None:
    tenant.deploy(str(export))
    before = tenant.stored()
    rename_field(export)

    ended = tenant.run("deploy", str(export), "--total")

    [line] = ended.stdout.splitlines()
    told = json.loads(line)
    schema = told["schema"]
    assert 1 == ended.returncode
    assert ("refused", False) == (told["deploy"], "content" in told)
    assert "existing queries would break" in ended.stderr
    assert "refused" == schema["outcome"]
    assert any("pt_headline" in change for change in schema["states"]["preview"]["breaking"])
    assert before == tenant.stored()


def test_a_breaking_change_that_is_meant_goes_through(tenant: Tenant, export: Path) -> None:
    tenant.deploy(str(export))
    rename_field(export)

    schema, sync = tenant.deploy(str(export), "--allow-breaking")

    assert "replaced" == schema["states"]["preview"]["outcome"]
    assert "complete" == sync["outcome"]


def test_a_dry_run_writes_nothing(tenant: Tenant, export: Path) -> None:
    schema, sync = tenant.deploy(str(export), "--dry-run")

    response = httpx.get(f"{tenant.server.url}/{tenant.name}", auth=tenant.server.admin)
    assert 404 == response.status_code
    assert (True, True) == (schema["dry_run"], sync["dry_run"])
    assert "created" == schema["states"]["preview"]["outcome"]
    assert 0 < sync["states"]["preview"]["documents"]["created"]


def test_one_state_alone(tenant: Tenant, export: Path) -> None:
    schema, sync = tenant.deploy(str(export), "--state", "release")

    assert (["release"], ["release"]) == (list(schema["states"]), list(sync["states"]))
    assert (None, True) == (tenant.size("preview"), bool(tenant.size("release")))


def test_watching_is_wrong_usage(tenant: Tenant, export: Path) -> None:
    ended = tenant.run("deploy", str(export), "--watch")

    assert (2, True) == (ended.returncode, "opencaas sync" in ended.stderr)


def test_what_is_no_export_is_wrong_usage(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert 2 == tenant.run("deploy", str(tmp_path / "empty")).returncode


def test_a_broken_element_ends_the_job_before_it_writes(tenant: Tenant, export: Path) -> None:
    (export / FORM).write_text("<CMS_MODULE>", "utf-8")

    ended = tenant.run("deploy", str(export))

    response = httpx.get(f"{tenant.server.url}/{tenant.name}", auth=tenant.server.admin)
    assert (1, 404) == (ended.returncode, response.status_code)
    assert "--lenient" in ended.stderr


def test_a_project_without_settings_template_comes_without_an_error(tenant: Tenant, export: Path) -> None:
    shutil.rmtree(export / "GlobalStore" / "ProjectProperties")
    references = export / "Global" / "FS_ProjectReferences.txt"
    references.write_text(references.read_text("utf-8").replace("[ProjectPropertiesTemplate]", "[others]"), "utf-8")

    sync = tenant.deploy(str(export))[1]
    again = tenant.report("sync", "smart", str(export))

    [project] = json.loads(tenant.run("info", "--json").stdout)["projects"]
    assert ("complete", "complete") == (sync["outcome"], again["outcome"])
    assert "ProjectProperties" not in project["states"][0]["kinds"]
    assert 0 < project["states"][0]["kinds"]["PageRef"]


def test_keys_are_in_no_output(tenant: Tenant, export: Path) -> None:
    ended = tenant.run("deploy", str(export))

    values = [key["key"] for key in tenant.get("/apikeys", rep="s", pagesize=100)]
    assert 6 == len(values)
    assert [] == [value for value in [*values, tenant.key] if value in ended.stdout + ended.stderr]
