"""What a project needs on a server, against a real one: made once, left alone afterwards, refusals told."""

import asyncio
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from content_core.indexes import CONTENT_INDEXES
from content_core.names import STATES, State, content_collection, files_bucket, generated_app
from content_sync.client import SyncClient
from content_sync.errors import RefusedError
from content_sync.provision import ProvisionError, ProvisionReport, provision
from fixtures import PROJECTS
from schema_gen.emit import emit_definitions
from schema_gen.export import read_export
from tests.live import LiveServer, live_server

PROJECT = PROJECTS["tutorial"]
EVERY_METHOD = ["GET", "PUT", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant of a test's own, and the admin who sees all of it."""

    url: str
    name: str
    admin: tuple[str, str]
    master: str

    def get(self, path: str, **params: Any) -> Any:
        response = httpx.get(f"{self.url}/{self.name}{path}", auth=self.admin, params=params, timeout=30)
        return response.raise_for_status().json()

    def put(self, path: str, body: Any) -> None:
        httpx.put(f"{self.url}/{self.name}{path}", auth=self.admin, json=body, timeout=30).raise_for_status()

    def key(self, *permissions: dict[str, Any]) -> str:
        key = str(uuid.uuid4())
        self.put(f"/apikeys/{key}", {"_id": key, "key": key, "permissions": list(permissions)})
        return key

    def keys(self) -> dict[str, dict[str, Any]]:
        return {key.get("name", ""): key for key in self.get("/apikeys", rep="s", pagesize=100)}

    def snapshot(self) -> Any:
        """All that provisioning could touch, with the versions of everything."""
        homes = [each for state in STATES for each in (content(state), files(state))]
        return [
            self.get("", pagesize=100),
            *(self.get(f"/{home}/_meta") for home in homes),
            *(self.get(f"/{home}/_indexes") for home in homes),
            self.get("/apikeys", pagesize=100),
            self.get("/gql-apps", pagesize=100),
        ]

    def run(
        self,
        key: str | None = None,
        *,
        states: tuple[State, ...] = STATES,
        definitions: dict[State, Any] | None = None,
        dry_run: bool = False,
    ) -> ProvisionReport:
        async def run() -> ProvisionReport:
            async with self.client(key) as client:
                return await provision(client, states=states, definitions=definitions, dry_run=dry_run)

        return asyncio.run(run())

    def client(self, key: str | None = None) -> SyncClient:
        return SyncClient(self.url, api_key=key or self.master, tenant=self.name, project=PROJECT.project)

    def definitions(self) -> dict[State, Any]:
        emission = emit_definitions(read_export(PROJECT.export).model, tenant=self.name, project=PROJECT.project)
        return dict(emission.definitions)


def content(state: State) -> str:
    return content_collection(PROJECT.project, state)


def files(state: State) -> str:
    return files_bucket(PROJECT.project, state)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str]]:
    key = str(uuid.uuid4())
    with live_server(tmp_path_factory.mktemp("provision") / "data", env={"OPENCAAS_MASTER_API_KEY": key}) as running:
        yield running, key


@pytest.fixture
def tenant(server: tuple[LiveServer, str]) -> Tenant:
    """A tenant that is not there yet."""
    running, key = server
    return Tenant(running.url, f"t{uuid.uuid4().hex[:12]}", running.admin, key)


def test_first_run_makes_everything_and_says_so(tenant: Tenant) -> None:
    report = tenant.run(definitions=tenant.definitions())

    # A database; per state a collection with its stream and six indexes, a bucket, an application; six keys.
    assert {"created": 1 + 2 * (1 + 1 + 6 + 1 + 1) + 6} == report.counts()
    assert {content(state) for state in STATES} | {files(state) for state in STATES} <= set(tenant.get("", rep="s"))


def test_second_run_changes_nothing(tenant: Tenant) -> None:
    first = tenant.run(definitions=tenant.definitions())
    before = tenant.snapshot()

    second = tenant.run(definitions=tenant.definitions())

    assert before == tenant.snapshot()
    assert {"present": len(first.items)} == second.counts()
    assert [] == second.lines()


@pytest.mark.parametrize("state", STATES)
def test_indexes_have_the_documented_names_and_fields(tenant: Tenant, state: State) -> None:
    tenant.run()

    listed = {index["_id"]: list(index["key"].items()) for index in tenant.get(f"/{content(state)}/_indexes", rep="s")}
    assert {name: [(field, 1) for field in fields] for name, fields in CONTENT_INDEXES.items()} == {
        name: keys for name, keys in listed.items() if name != "_id_"
    }


@pytest.mark.parametrize("state", STATES)
def test_collections_have_the_stream_crud(tenant: Tenant, state: State) -> None:
    tenant.run()

    listing = tenant.get(f"/{content(state)}", pagesize=0)

    kinds = [{"operationType": kind} for kind in ("insert", "update", "replace", "delete")]
    assert [{"uri": "crud", "stages": [{"$match": {"$or": kinds}}]}] == listing["streams"]
    assert f"/{tenant.name}/{content(state)}/_streams/crud" == listing["_links"]["crud"]["href"]


def test_own_streams_and_properties_of_a_collection_stay(tenant: Tenant) -> None:
    own = {"uri": "mine", "stages": [{"$match": {"operationType": "delete"}}]}
    tenant.put("", {})
    tenant.put(f"/{content('preview')}", {"owner": "us", "streams": [own]})

    tenant.run()

    properties = tenant.get(f"/{content('preview')}/_meta")
    assert ["mine", "crud"] == [stream["uri"] for stream in properties["streams"]]
    assert (own, "us") == (properties["streams"][0], properties["owner"])


def test_six_keys_open_what_the_documents_say(tenant: Tenant) -> None:
    tenant.run()

    keys = tenant.keys()
    gid, read = PROJECT.project, {"GET", "HEAD", "OPTIONS"}
    write = read | {"PUT", "POST", "PATCH", "DELETE"}
    opened = {
        name: {(entry["url"], entry["permissionMode"], frozenset(entry["methods"])) for entry in key["permissions"]}
        for name, key in keys.items()
    }
    expected: dict[str, Any] = {}
    for state, mark in (("preview", " (Preview)"), ("release", "")):
        paths = [f"/{gid}.{state}.{kind}/" for kind in ("content", "files")]
        expected[f"Project {gid} Read{mark}"] = {(path, "PREFIX", frozenset(read)) for path in paths}
        expected[f"Project {gid} Read/Write{mark}"] = {(path, "PREFIX", frozenset(write)) for path in paths}
        app = f"{tenant.name}___{gid}-{state}-documents"
        expected[f"Project {gid} GraphQL{mark}"] = {(app, "GRAPHQL", frozenset({"POST"}))}
    assert expected == opened
    assert all(key["_id"] == key["key"] == str(uuid.UUID(key["key"], version=4)) for key in keys.values())
    assert 6 == len({key["key"] for key in keys.values()})


def test_graphql_key_opens_the_new_application(tenant: Tenant) -> None:
    tenant.run(definitions=tenant.definitions())
    key = tenant.keys()[f"Project {PROJECT.project} GraphQL (Preview)"]["key"]
    address = f"{tenant.url}/graphql/{tenant.name}/{generated_app(PROJECT.project, 'preview')}"

    response = httpx.post(address, json={"query": "{ pageRefs { _id } }"}, headers={"authorization": f"Bearer {key}"})

    assert {"data": {"pageRefs": []}} == response.json()


def test_reports_never_hold_the_value_of_a_key(tenant: Tenant) -> None:
    report = tenant.run()

    told = json.dumps(report.as_json()) + "\n".join(report.lines()) + repr(report)
    values = [key["key"] for key in tenant.keys().values()]
    assert 6 == len(values)
    assert [] == [value for value in [*values, tenant.master] if value in told]


def test_jobs_at_the_same_time_make_each_key_once(tenant: Tenant) -> None:
    async def together() -> None:
        async with tenant.client() as one, tenant.client() as two, tenant.client() as three:
            await asyncio.gather(*(provision(client, states=STATES) for client in (one, two, three)))

    asyncio.run(together())

    names = [key["name"] for key in tenant.get("/apikeys", rep="s", pagesize=100)]
    assert 6 == len(names) == len(set(names))


def test_a_deleted_key_is_made_anew(tenant: Tenant) -> None:
    tenant.run()
    name = f"Project {PROJECT.project} Read"
    before = tenant.keys()
    httpx.delete(f"{tenant.url}/{tenant.name}/apikeys/{before[name]['key']}", auth=tenant.admin).raise_for_status()

    report = tenant.run()

    after = tenant.keys()
    assert [f"created API key {name}"] == report.lines()
    assert before[name]["key"] != after[name]["key"]
    assert {key: value for key, value in before.items() if key != name} == {
        key: value for key, value in after.items() if key != name
    }


def test_deployed_applications_stay_as_they_are(tenant: Tenant) -> None:
    definitions = tenant.definitions()
    tenant.run(definitions=definitions)
    before = tenant.get("/gql-apps")
    newer = {
        state: definition | {"schema": definition["schema"] + "\ntype Newer { text: String }\n"}
        for state, definition in definitions.items()
    }

    tenant.run(definitions=newer)

    assert before == tenant.get("/gql-apps")


def test_one_state_alone_gets_no_collections_of_the_other(tenant: Tenant) -> None:
    tenant.run(states=("preview",), definitions=tenant.definitions())

    names = tenant.get("", rep="s")
    assert [content("preview"), files("preview")] == sorted(name for name in names if name.startswith(PROJECT.project))
    assert [f"{tenant.name}/{generated_app(PROJECT.project, 'preview')}"] == [
        app["descriptor"]["uri"] for app in tenant.get("/gql-apps", rep="s")
    ]


def test_dry_run_makes_nothing_and_lists_what_is_missing(tenant: Tenant) -> None:
    report = tenant.run(definitions=tenant.definitions(), dry_run=True)

    response = httpx.get(f"{tenant.url}/{tenant.name}", auth=tenant.admin)
    assert 404 == response.status_code
    assert {"missing": 1 + 2 * (1 + 1 + 6 + 1 + 1) + 6} == report.counts()


def test_what_is_refused_is_told_and_does_not_end_the_run(tenant: Tenant) -> None:
    tenant.put("", {})
    key = tenant.key({"url": f"/{PROJECT.project}.", "methods": EVERY_METHOD})

    report = tenant.run(key, definitions=tenant.definitions())

    refused = {item.what.split(" of ")[0]: item.why for item in report.of("refused")}
    apps = {f"GraphQL application {tenant.name}/{generated_app(PROJECT.project, state)}" for state in STATES}
    assert {"API keys", *apps} == refused.keys()
    assert all("403" in why for why in refused.values())
    assert {"created": 18, "refused": 3} == report.counts()
    assert key not in str(report)


def test_without_a_place_for_content_the_run_ends(tenant: Tenant) -> None:
    tenant.put("", {})
    key = tenant.key({"url": "/", "methods": ["GET"]})

    with pytest.raises(ProvisionError, match=f"no collection {content('preview')}, and it cannot be made"):
        tenant.run(key)


def test_a_database_that_may_not_be_made_ends_the_run(tenant: Tenant) -> None:
    other = Tenant(tenant.url, "caas_admin", tenant.admin, tenant.master)
    key = other.key({"url": f"/{tenant.name}", "methods": ["GET"]})

    with pytest.raises(ProvisionError, match=f"no database {tenant.name}, and it cannot be made"):
        tenant.run(key)


def test_a_key_of_another_tenant_is_refused(tenant: Tenant) -> None:
    with pytest.raises(RefusedError, match="401"):
        tenant.run(str(uuid.uuid4()))


def test_an_index_of_the_same_name_with_other_fields_is_told(tenant: Tenant) -> None:
    tenant.put("", {})
    tenant.put(f"/{content('preview')}", {})
    tenant.put(f"/{content('preview')}/_indexes/idx_route", {"keys": {"path": 1}})

    report = tenant.run()

    assert [(f"index idx_route of {content('preview')}", "an index of this name has other fields: path")] == [
        (item.what, item.why) for item in report.of("refused")
    ]


def test_requests_of_a_second_run_are_few(tenant: Tenant) -> None:
    tenant.run(definitions=tenant.definitions())
    asked: list[str] = []

    async def run() -> None:
        async with tenant.client() as client:
            client._client.event_hooks["request"].append(lambda request: _note(asked, request))
            await provision(client, states=STATES, definitions=tenant.definitions())

    asyncio.run(run())

    assert {"GET"} == {line.split()[0] for line in asked}
    assert len(asked) <= 12


async def _note(asked: list[str], request: httpx.Request) -> None:
    asked.append(f"{request.method} {request.url.path}")
