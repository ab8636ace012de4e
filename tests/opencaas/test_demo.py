"""``opencaas demo``: the main job from the user's side, over HTTP on a socket."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures import State, documents, media
from tests.live import LiveServer, live_server
from tests.opencaas.readme import readme_answer, readme_query

STATES: tuple[State, ...] = ("preview", "release")

NAMES = "{ pageRefs { displayName locale { identifier } } }"
SORTED = """query ($filter: BsonDocument, $sort: BsonDocument) {
  pageRefs(filter: $filter, sort: $sort, skip: %s, limit: %s) {
    displayName locale { identifier }
    page { ... on Product_specialPage { formData { pt_headline { value } } } } } }"""


def ask(demo: LiveServer, query: str, variables: dict[str, Any] | None = None, *, url: str = "") -> httpx.Response:
    return httpx.post(
        url or demo.facts["graphql_preview"],
        json={"query": query, "variables": variables or {}},
        headers={"authorization": f"Bearer {demo.facts['read_api_key']}"},
        timeout=30,
    )


def test_demo_json_has_every_address_and_key_for_its_owner_alone(demo: LiveServer) -> None:
    expected = {
        "url", "tenant", "project", "api_key", "read_api_key", "admin_user", "admin_password",
        "graphql_preview", "graphql_release",
    }  # fmt: skip

    assert expected == set(demo.facts)
    assert 0o600 == (demo.data_dir / "demo.json").stat().st_mode & 0o777


def test_readme_query_gives_the_readme_answer(demo: LiveServer) -> None:
    response = ask(demo, readme_query())

    assert readme_answer() == response.json()
    assert 200 == response.status_code


@pytest.mark.parametrize("state", STATES)
def test_exactly_one_landing_page_is_titled_as_in_the_tutorial(demo: LiveServer, state: str) -> None:
    query = """query ($filter: BsonDocument) { pageRefs(filter: $filter) {
      displayName page { ... on LandingPage { formData { pt_headline { value } } } } } }"""
    titles = ["Produkt Landingpage", "Product Landingpage"]

    found = ask(demo, query, {"filter": {"displayName": {"$in": titles}}}, url=demo.facts[f"graphql_{state}"]).json()

    by_name = {entry["displayName"]: entry["page"]["formData"]["pt_headline"]["value"] for entry in _pages(found)}
    assert {"Produkt Landingpage": "Testsieger 2013", "Product Landingpage": "Test winner 2013"} == by_name
    assert 2 == len(_pages(found))


def test_t4_entries_six_to_ten_in_headline_order(demo: LiveServer) -> None:
    variables = {"filter": {"locale.identifier": "EN"}, "sort": {"page.formData.pt_headline.value": 1}}

    some = _pages(ask(demo, SORTED % (5, 5), variables).json())

    whole = _pages(ask(demo, SORTED % (0, 10), variables).json())
    assert 5 == len(some)
    assert whole[5:] == some
    assert {"EN"} == {entry["locale"]["identifier"] for entry in some}


def test_t4_pages_of_other_templates_are_empty(demo: LiveServer) -> None:
    variables = {"filter": {"locale.identifier": "EN"}, "sort": {"page.formData.pt_headline.value": 1}}

    entries = _pages(ask(demo, SORTED % (0, 100), variables).json())

    headlines = [entry["page"]["formData"]["pt_headline"]["value"] for entry in entries if entry["page"]]
    assert {} in [entry["page"] for entry in entries]
    assert len(headlines) >= 10
    assert sorted(headlines) == headlines


def test_t5_a_dotted_name_in_a_literal_is_a_syntax_error(demo: LiveServer) -> None:
    response = ask(demo, '{ pageRefs(filter: {locale.identifier: "EN"}) { displayName } }')

    assert 400 == response.status_code
    assert ["InvalidSyntax"] == [error["extensions"]["classification"] for error in response.json()["errors"]]


def test_t6_no_key_is_401_and_a_rest_key_403(demo: LiveServer) -> None:
    tenant, project = demo.facts["tenant"], demo.facts["project"]
    rest_only = {
        "_id": "rest-only", "key": "rest-only",
        "permissions": [{"url": f"/{project}.preview.content/", "methods": ["GET"]}, {"url": "/", "methods": ["GET"]}],
    }  # fmt: skip
    httpx.put(f"{demo.url}/{tenant}/apikeys/rest-only", json=rest_only, auth=demo.admin).raise_for_status()
    url, body = demo.facts["graphql_preview"], {"query": NAMES}

    anonymous = httpx.post(url, json=body)
    known = httpx.post(url, json=body, headers={"authorization": 'apikey="rest-only"'})

    assert (401, 403) == (anonymous.status_code, known.status_code)


def test_t7_both_address_forms_give_the_same_answer(demo: LiveServer) -> None:
    tenant, project = demo.facts["tenant"], demo.facts["project"]
    query = "query ($sort: BsonDocument) { pageRefs(sort: $sort) { displayName locale { identifier } } }"

    answers = [
        ask(demo, query, {"sort": {"_id": 1}}, url=f"{demo.url}/graphql/{address}").json()
        for address in (f"{tenant}/{project}-preview-documents", f"{tenant}___{project}-preview-documents")
    ]

    assert answers[0] == answers[1]
    assert 20 == len(_pages(answers[0]))


@pytest.mark.parametrize("header", ["Bearer {}", 'apikey="{}"', "ApiKey={}", "bearer {}"])
def test_both_key_headers_open_graphql(demo: LiveServer, header: str) -> None:
    response = httpx.post(
        demo.facts["graphql_release"],
        json={"query": NAMES},
        headers={"authorization": header.format(demo.facts["read_api_key"])},
    )

    assert 200 == response.status_code


def test_read_key_cannot_change_the_schema(demo: LiveServer) -> None:
    tenant, project = demo.facts["tenant"], demo.facts["project"]

    response = httpx.delete(
        f"{demo.url}/{tenant}/gql-apps/{tenant}___{project}-preview-documents",
        headers={"authorization": f"Bearer {demo.facts['read_api_key']}"},
    )

    assert 403 == response.status_code


@pytest.mark.parametrize(
    "condition",
    [{"$where": "1"}, {"$expr": {"$function": {"body": "f", "args": [], "lang": "js"}}}, {"$or": [{"$where": "1"}]}],
    ids=["where", "function", "nested"],
)
def test_javascript_in_a_filter_is_refused(demo: LiveServer, condition: dict[str, Any]) -> None:
    query = "query ($filter: BsonDocument) { pageRefs(filter: $filter) { displayName } }"

    answer = ask(demo, query, {"filter": condition}).json()

    assert answer["data"] == {"pageRefs": None}
    assert "not allowed" in answer["errors"][0]["message"]


def test_limit_over_the_maximum_is_refused(demo: LiveServer) -> None:
    answer = ask(demo, "{ pageRefs(limit: 101) { displayName } }").json()

    assert answer["data"] == {"pageRefs": None}
    assert "Query variable cannot be greater than 100" in answer["errors"][0]["message"]


def test_hidden_sections_are_in_preview_only(demo: LiveServer) -> None:
    query = "{ pageRefs(limit: 100) { page { children { children { ... on %s { displayed } } } } } }"
    types = ask(demo, '{ __type(name: "BodyContent") { possibleTypes { name } } }').json()["data"]["__type"]
    shown: dict[str, list[bool | None]] = {state: [] for state in STATES}
    for name in (entry["name"] for entry in types["possibleTypes"] if entry["name"].endswith("Section")):
        if name == "Content2Section":
            continue
        for state in STATES:
            answer = ask(demo, query % name, url=demo.facts[f"graphql_{state}"]).json()
            for page in _pages(answer):
                for body in page["page"]["children"] or []:
                    shown[state] += [section["displayed"] for section in body["children"] if "displayed" in section]

    assert False in shown["preview"]
    assert True in shown["preview"]
    assert {None} == set(shown["release"])


def test_demo_starts_again_on_the_same_data_with_the_same_keys(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with live_server(data, command="demo") as first:
        facts = first.facts
    with live_server(data, command="demo") as second:
        same = {name: value for name, value in second.facts.items() if "http" not in value}

        assert {name: value for name, value in facts.items() if "http" not in value} == same
        assert 200 == ask(second, NAMES).status_code


def _pages(answer: dict[str, Any]) -> list[dict[str, Any]]:
    assert "errors" not in answer, answer
    pages: list[dict[str, Any]] = answer["data"]["pageRefs"]
    return pages


@pytest.mark.parametrize("state", STATES)
def test_media_addresses_of_documents_answer_with_the_bytes(demo: LiveServer, state: State) -> None:
    files = {file.file_id: file for file in media("demo") if state in file.states}
    addresses = []
    for document in documents("demo", state, base=demo.url):
        if document["fsType"] == "Media":
            pictures = [meta["url"] for meta in document.get("resolutionsMetaData", {}).values()]
            addresses += pictures or [document["url"]]
    assert len(set(addresses)) == len(files)
    with demo.client(headers={"Authorization": f"Bearer {demo.facts['read_api_key']}"}) as reader:
        for address in set(addresses):
            response = reader.get(address)
            file = files[address.split("/")[-2]]
            assert (200, file.mime_type) == (response.status_code, response.headers["content-type"])
            assert file.path.read_bytes() == response.content
