"""The product tutorial (CaaS Connect documentation, 5.1) on its own two documents, and an external MongoDB."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from content_core.names import State, generated_app
from content_core.store.embedded import EmbeddedMongo
from fixtures import PROJECTS
from opencaas.demo import deploy_project, load_project
from tests.live import LiveServer, live_server

PROJECT = PROJECTS["tutorial"]
PASSWORD = "admin-of-the-tutorial"
HEADLINES = {"DE": "Testsieger 2013", "EN": "Test winner 2013"}
NAMES = {"DE": "Produkt Landingpage", "EN": "Product Landingpage"}


@dataclass(frozen=True, slots=True)
class Tutorial:
    server: LiveServer
    key: str

    def ask(self, state: State, query: str, variables: dict[str, Any] | None = None) -> httpx.Response:
        url = f"{self.server.url}/graphql/{PROJECT.tenant}/{generated_app(PROJECT.project, state)}"
        body = {"query": query, "variables": variables}
        return httpx.post(url, json=body, headers={"authorization": f"Bearer {self.key}"})


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tutorial]:
    """A server on a MongoDB that it did not start, with the tutorial's content and API."""
    home = tmp_path_factory.mktemp("tutorial")
    key = str(uuid.uuid4())
    with EmbeddedMongo(home / "mongo") as mongo:
        env = {
            "OPENCAAS_MONGODB_URI": mongo.uri,
            "OPENCAAS_ADMIN_PASSWORD": PASSWORD,
            "OPENCAAS_TOKEN_SECRET": "signs-the-tokens-of-the-tutorial",
            "OPENCAAS_MASTER_API_KEY": key,
        }
        with live_server(home / "data", env=env) as server:
            httpx.put(f"{server.url}/{PROJECT.tenant}", auth=("admin", PASSWORD)).raise_for_status()
            load_project(server.url, key, "tutorial")
            deploy_project(server.url, key, PROJECT)
            yield Tutorial(server, key)


@pytest.fixture(params=["preview", "release"])
def state(request: pytest.FixtureRequest) -> State:
    chosen: State = request.param
    return chosen


def entry(language: str, *, page: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"displayName": NAMES[language], "locale": {"identifier": language}}
    if page:
        told["page"] = {"formData": {"pt_headline": {"value": HEADLINES[language]}}}
    return told


def test_t1_names_and_locales_of_both_documents(tutorial: Tutorial, state: State) -> None:
    response = tutorial.ask(state, "{ pageRefs { displayName locale { identifier } } }")

    assert {"data": {"pageRefs": [entry("DE", page=False), entry("EN", page=False)]}} == response.json()
    assert 200 == response.status_code
    assert "application/graphql-response+json" == response.headers["content-type"]


def test_t2_headlines_of_landing_pages(tutorial: Tutorial, state: State) -> None:
    query = """{ pageRefs { displayName locale { identifier }
      page { ... on LandingPage { formData { pt_headline { value } } } } } }"""

    response = tutorial.ask(state, query)

    assert {"data": {"pageRefs": [entry("DE", page=True), entry("EN", page=True)]}} == response.json()


def test_t3_filter_by_language(tutorial: Tutorial, state: State) -> None:
    query = """query ($filter: BsonDocument) { pageRefs(filter: $filter) { displayName locale { identifier }
      page { ... on LandingPage { formData { pt_headline { value } } } } } }"""

    response = tutorial.ask(state, query, {"filter": {"locale.identifier": "EN"}})

    assert {"data": {"pageRefs": [entry("EN", page=True)]}} == response.json()
