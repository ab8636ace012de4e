"""``docs/differences.md`` names tests that are there; what no other test holds is held here."""

import ast
import re
from typing import Any

import httpx
import pytest

from content_core.access import AccessControl, KeyStore
from content_core.names import content_collection
from content_core.store import ChangeFeed, Store
from fixtures import PROJECTS
from rest_compat import RestSettings, create_app
from schema_gen.emit import emit_definitions
from schema_gen.export import read_export
from tests.graphql_app.query.workshop import ask, build
from tests.live import LiveServer
from tests.reference import DOCS
from tests.rest_compat.conftest import Notes

PAGE = (DOCS / "differences.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
LOCALE = "locale { identifier }"
REFERENCES = f"""query ($sort: BsonDocument) {{ pageRefs(limit: 100, sort: $sort) {{
  {LOCALE}
  page {{ ... on Product_specialPage {{ formData {{
    pt_picture {{ value {{ ... on Media {{ {LOCALE} }} }} }}
    pt_product {{ value {{ target {{ {LOCALE} ... on Shop_productDataset {{ formData {{
      tt_category {{ value {{ target {{ {LOCALE} }} }} }}
      tt_picture {{ value {{ ... on Media {{ {LOCALE} }} }} }} }} }} }} }} }}
  }} }} }} }} }}"""


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_named_test_exists(path: str, name: str) -> None:
    tree = ast.parse((DOCS.parent / path).read_text(encoding="utf-8"))

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_difference_names_a_test() -> None:
    entries = PAGE.split("\n- ")[1:]

    assert len(entries) > 40
    assert [] == [entry for entry in entries if "\n  Test: `tests/" not in entry]


async def test_document_of_an_unknown_template_is_an_unknown_page(store: Store, database: str) -> None:
    model = read_export(PROJECTS["demo"].export).model
    definition = emit_definitions(model, tenant=database, project="p").definitions["preview"]
    page = {"template": {"uid": "newer", "uidType": "TEMPLATESTORE"}, "formData": {"pt_new": {"value": "shown"}}}
    await store.insert(database, content_collection("p", "preview"), {"_id": "a", "fsType": "PageRef", "page": page})

    answer = await ask(build(definition), store, "{ pageRefs { page { __typename ... on UnknownPage { formData } } } }")

    expected = {"__typename": "UnknownPage", "formData": {"pt_new": {"value": "shown"}}}
    assert {"data": {"pageRefs": [{"page": expected}]}} == answer


async def test_location_begins_with_the_public_address(store: Store, feed: ChangeFeed, database: str) -> None:
    app = create_app(
        store=store,
        access=AccessControl(store, feed, admin_user="a", admin_password="b"),
        keys=KeyStore(store),
        definitions=Notes(),
        settings=RestSettings(public_url="https://caas.example/"),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://inside", auth=("a", "b")
    ) as client:
        await client.put(f"/{database}")
        await client.put(f"/{database}/notes")

        created = await client.post(f"/{database}/notes", json={"_id": "n"})

    assert f"https://caas.example/{database}/notes/n" == created.headers["location"]


def test_references_take_the_language_of_their_root(demo: LiveServer) -> None:
    response = httpx.post(
        demo.facts["graphql_preview"],
        json={"query": REFERENCES, "variables": {"sort": {"locale.language": 1, "_id": 1}}},
        headers={"authorization": f"Bearer {demo.facts['read_api_key']}"},
    )

    pages = response.json()["data"]["pageRefs"]
    found = [(page["locale"]["identifier"], _languages(page)) for page in pages]
    assert [] == [(root, languages) for root, languages in found if {root} != set(languages)]
    assert {"DE", "EN"} == {root for root, languages in found if len(languages) == 5}


def _languages(value: Any) -> list[str]:
    """Collect the language of every document in an answer."""
    if isinstance(value, list):
        return [language for item in value for language in _languages(item)]
    if not isinstance(value, dict):
        return []
    own = [value["locale"]["identifier"]] if "locale" in value else []
    return own + [language for name, item in value.items() if name != "locale" for language in _languages(item)]
