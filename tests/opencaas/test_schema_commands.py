"""``opencaas schema`` as a deploy job runs it: a command line, an export on disk, a server over HTTP."""

import itertools
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema, validate_schema

from fixtures import PROJECTS
from schema_gen.scalars import SCALAR_DECLARATIONS
from tests.live import OPENCAAS, LiveServer, environment, live_server

DEMO = PROJECTS["demo"]
REAL_EXPORT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fcecom-reference-export"
PROJECT = "3f1b6b0e-6a53-4c55-9a0f-0f0f5f1d2c3b"
TENANT = "acme"


def opencaas(*arguments: str, key: str = "") -> subprocess.CompletedProcess[str]:
    extra = {"OPENCAAS_API_KEY": key} if key else {}
    return subprocess.run(
        [str(OPENCAAS), *arguments], capture_output=True, text=True, env=environment(extra), timeout=120, check=False
    )


def build(export: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return opencaas("schema", "build", str(export), "--tenant", TENANT, "--project", PROJECT, *arguments)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A copy of the demo export that a test may change."""
    return shutil.copytree(DEMO.export, tmp_path / "export")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("schema") / "data", "--workers", "2") as running:
        content = {"url": "/p-", "methods": ["GET"]}  # a definition may map only what its writer may read
        permissions = [{"url": "/gql-apps/", "methods": ["GET", "PUT"]}, content]
        key = {"_id": "deployer", "key": "deployer", "permissions": permissions}
        with running.client(auth=running.admin) as admin:
            admin.put(f"/{TENANT}").raise_for_status()
            admin.put(f"/{TENANT}/apikeys/deployer", json=key).raise_for_status()
        yield running


class Deployer:
    """Deploys to a project of its own, so that tests do not meet."""

    def __init__(self, server: LiveServer, project: str) -> None:
        self.server = server
        self.project = project

    def run(self, command: str, export: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        options = ("--server", self.server.url, "--tenant", TENANT, "--project", self.project, *arguments)
        return opencaas("schema", command, str(export), *options, key="deployer")

    def etags(self) -> list[str]:
        with self.server.client(auth=self.server.admin) as admin:
            paths = [
                f"/{TENANT}/gql-apps/{TENANT}___{self.project}-{state}-documents" for state in ("preview", "release")
            ]
            return [str(admin.get(path).json().get("_etag")) for path in paths]

    def ask(self, query: str) -> httpx.Response:
        url = f"{self.server.url}/graphql/{TENANT}/{self.project}-preview-documents"
        return httpx.post(url, json={"query": query}, auth=self.server.admin)


@pytest.fixture
def deployer(server: LiveServer, request: pytest.FixtureRequest) -> Deployer:
    return Deployer(server, f"p-{abs(hash(request.node.name))}")


def form_of(export: Path, template: str) -> Path:
    (path,) = [found for found in export.rglob("GomSource.xml") if found.parent.name == template]
    return path


# build


def test_build_prints_the_schema_of_a_real_export() -> None:
    if not REAL_EXPORT.is_dir():
        pytest.skip("no shared/data beside the repository")

    result = build(REAL_EXPORT, "--sdl")

    schema = build_schema(SCALAR_DECLARATIONS + "\n" + result.stdout)
    assert 0 == result.returncode
    assert [] == validate_schema(schema)
    for suffix, number in (("Page", 6), ("Section", 9), ("Link", 6)):
        template_types = [
            name for name in schema.type_map
            if name.endswith(suffix) and not name.startswith("Unknown") and f"{name}FormData" in schema.type_map
            and not name.endswith("GCAPage")
        ]  # fmt: skip
        assert number == len(template_types), template_types
    properties: Any = schema.type_map["ProjectProperties"]
    assert "ps_logo_text" in properties.fields["formData"].type.fields
    assert "warning:" in result.stderr
    assert "dom_content_link" in result.stderr


def test_build_gives_identical_bytes_twice() -> None:
    assert build(DEMO.export).stdout == build(DEMO.export).stdout


def test_build_gives_both_definitions_and_with_state_one() -> None:
    both = json.loads(build(DEMO.export).stdout)
    one = json.loads(build(DEMO.export, "--state", "release").stdout)

    ids = [f"{TENANT}___{PROJECT}-{state}-documents" for state in ("preview", "release")]
    assert ids == [definition["_id"] for definition in both]
    assert both[1] == one


def test_build_takes_the_project_from_nowhere_but_says_so() -> None:
    result = opencaas("schema", "build", str(DEMO.export), "--tenant", TENANT)

    assert (2, "") == (result.returncode, result.stdout)
    assert "--project" in result.stderr


def test_build_writes_to_a_file(tmp_path: Path) -> None:
    result = build(DEMO.export, "--sdl", "-o", str(tmp_path / "schema.graphql"))

    assert (0, "") == (result.returncode, result.stdout)
    assert "type LandingPage implements Page" in (tmp_path / "schema.graphql").read_text(encoding="utf-8")


def test_build_with_gca_template_names_those_in_use(export: Path) -> None:
    shutil.rmtree(export / "GlobalStore" / "GlobalContentArea")

    result = build(export, "--sdl", "--gca-template", "landing")

    assert "type LandingGCAPage " in result.stdout
    assert "type StoryGCAPage " not in result.stdout


def test_build_refuses_an_unknown_gca_template() -> None:
    result = build(DEMO.export, "--gca-template", "nowhere")

    assert 2 == result.returncode
    assert "nowhere" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("--project", "a b"), "--project"), (("--tenant", "a/b"), "--tenant"), (("--tenant", "a___b"), "--tenant")],
)
def test_build_refuses_names_that_cannot_be(arguments: tuple[str, str], named: str) -> None:
    result = build(DEMO.export, *arguments)

    assert 2 == result.returncode
    assert named in result.stderr


# broken exports


def _remove_templates(export: Path) -> None:
    shutil.rmtree(export / "TemplateStore")


def _tear_xml(export: Path) -> None:
    form_of(export, "landing").write_text("<CMS_MODULE>\n  <CMS_INPUT_TEXT\n", encoding="utf-8")


def _add_doctype(export: Path) -> None:
    path = form_of(export, "landing")
    text = path.read_text(encoding="utf-8").partition("?>")[2]
    path.write_text(f'<!DOCTYPE x [<!ENTITY a "b">]>{text}', encoding="utf-8")


def _double_a_uid(export: Path) -> None:
    home = form_of(export, "landing").parent
    shutil.copytree(home, home.parent / "landing_again")


def _lose_a_file(export: Path) -> None:
    (form_of(export, "landing").parent / "StoreElement.xml").unlink()


@pytest.mark.parametrize(
    ("harm", "status", "named"),
    [
        (_remove_templates, 2, "TemplateStore"),
        (_tear_xml, 1, "landing/GomSource.xml:"),
        (_add_doctype, 1, "landing/GomSource.xml:"),
        (_double_a_uid, 1, "landing_again"),
        (_lose_a_file, 1, "landing"),
    ],
    ids=["no-export", "torn-xml", "doctype", "two-of-one-uid", "half-an-element"],
)
def test_broken_export_is_named_with_its_place(export: Path, harm: Any, status: int, named: str) -> None:
    harm(export)

    result = build(export)

    assert (status, "") == (result.returncode, result.stdout)
    assert named in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("path", ["nowhere", "README.md"])
def test_what_is_no_export_is_wrong_usage(tmp_path: Path, path: str) -> None:
    (tmp_path / "README.md").write_text("no export", encoding="utf-8")

    result = build(tmp_path / path)

    assert (2, "") == (result.returncode, result.stdout)
    assert path in result.stderr
    assert "Traceback" not in result.stderr


def test_lenient_leaves_the_broken_element_out(export: Path) -> None:
    _tear_xml(export)

    result = build(export, "--sdl", "--lenient")

    assert 0 == result.returncode
    assert "type LandingPage " not in result.stdout
    assert "type Product_specialPage " in result.stdout


# diff and deploy


def test_first_deploy_creates_both_apis(deployer: Deployer) -> None:
    result = deployer.run("deploy", DEMO.export)

    assert 0 == result.returncode, result.stderr
    assert "preview: created" in result.stdout
    assert "release: created" in result.stdout
    assert 200 == deployer.ask("{ pageRefs { displayName } }").status_code


def test_second_deploy_writes_nothing(deployer: Deployer) -> None:
    deployer.run("deploy", DEMO.export)
    before = deployer.etags()

    result = deployer.run("deploy", DEMO.export)

    assert 0 == result.returncode
    assert "preview: unchanged, nothing written" in result.stdout
    assert before == deployer.etags()


def test_deploy_of_one_state_leaves_the_other_alone(deployer: Deployer) -> None:
    deployer.run("deploy", DEMO.export, "--state", "preview")

    assert "None" != deployer.etags()[0]
    assert "None" == deployer.etags()[1]


def test_new_field_is_added_by_a_deploy(deployer: Deployer, export: Path) -> None:
    deployer.run("deploy", export)
    _edit(form_of(export, "landing"), "</CMS_MODULE>", '<CMS_INPUT_NUMBER name="pt_new"/></CMS_MODULE>')

    result = deployer.run("deploy", export)

    assert "added: LandingPageFormData.pt_new" in result.stdout
    assert 0 == result.returncode
    query = "{ pageRefs { page { ... on LandingPage { formData { pt_new { value } } } } } }"
    assert 200 == deployer.ask(query).status_code


def test_removed_field_is_refused_and_changes_nothing(deployer: Deployer, export: Path) -> None:
    deployer.run("deploy", export)
    before = deployer.etags()
    _edit(form_of(export, "landing"), 'name="pt_headline"', 'name="pt_heading"')

    result = deployer.run("deploy", export)

    assert 1 == result.returncode
    assert "breaking: Field LandingPageFormData.pt_headline was removed." in result.stdout
    assert "--allow-breaking" in result.stderr
    assert before == deployer.etags()


def test_removed_field_is_deployed_when_allowed(deployer: Deployer, export: Path) -> None:
    deployer.run("deploy", export)
    _edit(form_of(export, "landing"), 'name="pt_headline"', 'name="pt_heading"')

    result = deployer.run("deploy", export, "--allow-breaking")

    query = "{ pageRefs { page { ... on LandingPage { formData { pt_headline { value } } } } } }"
    assert 0 == result.returncode
    assert 400 == deployer.ask(query).status_code


def test_diff_exits_1_on_a_breaking_change_alone(deployer: Deployer, export: Path) -> None:
    deployer.run("deploy", export)
    _edit(form_of(export, "landing"), "</CMS_MODULE>", '<CMS_INPUT_NUMBER name="pt_new"/></CMS_MODULE>')
    safe = deployer.run("diff", export, "--state", "preview")
    _edit(form_of(export, "landing"), 'name="pt_headline"', 'name="pt_heading"')

    breaking = deployer.run("diff", export, "--state", "preview")

    assert (0, 1) == (safe.returncode, breaking.returncode)
    assert "added: LandingPageFormData.pt_new" in safe.stdout
    assert "breaking: Field LandingPageFormData.pt_headline was removed." in breaking.stdout


def test_diff_of_what_is_deployed_finds_nothing(deployer: Deployer) -> None:
    deployer.run("deploy", DEMO.export)

    result = deployer.run("diff", DEMO.export, "--state", "release")

    assert (0, "release: unchanged\n") == (result.returncode, result.stdout)


def test_deploy_over_content_that_the_key_may_not_read_is_refused(server: LiveServer) -> None:
    """Else a key for definitions alone could open every collection of its tenant by GraphQL."""
    result = Deployer(server, "elsewhere").run("deploy", DEMO.export)

    assert 1 == result.returncode
    assert "403" in result.stderr
    assert "elsewhere.preview.content" in result.stderr
    assert 404 == Deployer(server, "elsewhere").ask("{ pageRefs { _id } }").status_code


def test_unknown_key_is_explained_without_repeating_it(server: LiveServer) -> None:
    result = opencaas(
        "schema", "deploy", str(DEMO.export), "--server", server.url, "--tenant", TENANT, "--project", PROJECT,
        key="not-a-key-of-ours",
    )  # fmt: skip

    assert 1 == result.returncode
    assert "401" in result.stderr
    assert "not-a-key-of-ours" not in result.stderr


def test_server_that_is_not_there_is_explained(tmp_path: Path) -> None:
    result = opencaas(
        "schema", "deploy", str(DEMO.export), "--server", "http://127.0.0.1:1", "--tenant", TENANT,
        "--project", PROJECT, key="k",
    )  # fmt: skip

    assert 1 == result.returncode
    assert "cannot reach the server" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_query_fails_during_deploys(deployer: Deployer, export: Path) -> None:
    """Fifty queries a second while the schema is swapped back and forth, on two workers."""
    deployer.run("deploy", export)
    query = "{ pageRefs { displayName page { ... on LandingPage { formData { pt_headline { value } } } } } }"
    answers: list[int] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(auth=deployer.server.admin) as client:
            url = f"{deployer.server.url}/graphql/{TENANT}/{deployer.project}-preview-documents"
            while not over.is_set():
                started = time.monotonic()
                answers.append(client.post(url, json={"query": query}).status_code)
                time.sleep(max(0.0, 0.1 - (time.monotonic() - started)))

    askers = [threading.Thread(target=ask) for _ in range(5)]
    for asker in askers:
        asker.start()
    try:
        for number in itertools.count():
            if number >= 4 and len(answers) > 100:
                break
            field = f'<CMS_INPUT_NUMBER name="pt_more_{number}"/></CMS_MODULE>'
            _edit(form_of(export, "landing"), "</CMS_MODULE>", field)
            assert 0 == deployer.run("deploy", export).returncode
    finally:
        over.set()
        for asker in askers:
            asker.join()

    assert {200} == set(answers)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
