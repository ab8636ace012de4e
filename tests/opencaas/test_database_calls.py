"""How often a generated API asks the database: once for the pages, once for each level of references below them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from content_core.access import AccessControl
from content_core.names import content_collection, generated_app
from content_core.store import ChangeFeed, Store
from content_core.store.embedded import EmbeddedMongo
from fixtures import PROJECTS, documents
from graphql_app.app import create_app
from graphql_app.registry import Registry
from graphql_app.settings import GraphQLSettings
from schema_gen.emit import emit_definitions
from schema_gen.export import read_export
from tests.calls import CallCounter

PROJECT = PROJECTS["demo"]
ADMIN = ("admin", "of-this-test")

QUERY = """query ($filter: BsonDocument) { pageRefs(filter: $filter, limit: 40) {
  _id locale { identifier }
  page {
    ... on Product_specialPage { formData { pt_product { value { target { ...Product } } } } }
    children { children {
      ... on Text_pictureSection { formData { st_picture { value { ...Picture } } } }
      ... on Product_teaserSection { formData { st_product { value { target { ...Product } } } } } } } } } }
fragment Picture on Media { _id locale { identifier } resolutionsMetaData { ORIGINAL { url } } }
fragment Product on Shop_productDataset { _id locale { identifier }
  formData { tt_name { value } tt_picture { value { ...Picture } } } }"""


@pytest.fixture
async def counter() -> CallCounter:
    return CallCounter()


@pytest.fixture
async def client(
    mongo: EmbeddedMongo, database: str, feed: ChangeFeed, counter: CallCounter
) -> AsyncIterator[httpx.AsyncClient]:
    """The demo's preview API over a store whose calls are counted."""
    store = Store.open(mongo.uri, event_listeners=[counter])
    collection = content_collection(PROJECT.project, "preview")
    await store.bulk_replace(database, collection, list(documents("demo", "preview", base="http://caas.test")))
    model = read_export(PROJECT.export).model
    definition = emit_definitions(model, tenant=database, project=PROJECT.project).definitions["preview"]
    settings = GraphQLSettings()
    registry = Registry(store, feed, settings)
    await registry.activate(await registry.prepare(database, definition), "0" * 24)
    access = AccessControl(store, feed, admin_user=ADMIN[0], admin_password=ADMIN[1])
    app = create_app(store=store, access=access, registry=registry, settings=settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://caas.test", auth=ADMIN) as opened:
        yield opened
    await registry.stop()
    access.close()
    await store.close()


async def test_pages_pictures_products_and_their_pictures_take_three_calls(
    client: httpx.AsyncClient, database: str, counter: CallCounter
) -> None:
    templates = {"page.template.uid": {"$in": ["product_special", "story", "landing"]}}
    counter.clear()

    response = await client.post(
        f"/graphql/{database}/{generated_app(PROJECT.project, 'preview')}",
        json={"query": QUERY, "variables": {"filter": templates}},
    )

    answer = response.json()
    assert "errors" not in answer
    assert ["find", "find", "find"] == [call.command for call in counter.calls]
    pages = answer["data"]["pageRefs"]
    assert {"DE", "EN"} == {page["locale"]["identifier"] for page in pages}
    assert len({page["_id"].partition(".")[0] for page in pages}) >= 20
    pictures = [picture for page in pages for picture in _named(page, "resolutionsMetaData")]
    assert len(pictures) > 20


async def test_a_level_whose_documents_are_all_known_takes_no_call(
    client: httpx.AsyncClient, database: str, counter: CallCounter
) -> None:
    """The picture of the special page is that of its product, and was fetched for the page already."""
    query = """query ($filter: BsonDocument) { pageRefs(filter: $filter) { page {
      ... on Product_specialPage { formData {
      pt_picture { value { ... on Media { _id } } }
      pt_product { value { target { ... on Shop_productDataset {
        formData { tt_picture { value { ... on Media { _id } } } } } } } } } } } } }"""
    counter.clear()

    response = await client.post(
        f"/graphql/{database}/{generated_app(PROJECT.project, 'preview')}",
        json={"query": query, "variables": {"filter": {"uid": "special_gassi", "locale.identifier": "EN"}}},
    )

    form = response.json()["data"]["pageRefs"][0]["page"]["formData"]
    assert form["pt_picture"]["value"] == form["pt_product"]["value"]["target"]["formData"]["tt_picture"]["value"]
    assert 2 == len(counter.calls)


async def test_resolved_documents_have_the_language_of_their_page(client: httpx.AsyncClient, database: str) -> None:
    response = await client.post(
        f"/graphql/{database}/{generated_app(PROJECT.project, 'preview')}", json={"query": QUERY, "variables": {}}
    )

    pages = response.json()["data"]["pageRefs"]
    for page in pages:
        languages = {found["locale"]["identifier"] for found in _named(page, "locale")}
        assert {page["locale"]["identifier"]} == languages


def _named(value: Any, member: str) -> list[dict[str, Any]]:
    """Find every object below a value that has a member."""
    if isinstance(value, list):
        return [found for element in value for found in _named(element, member)]
    if not isinstance(value, dict):
        return []
    here = [value] if member in value else []
    return here + [found for element in value.values() for found in _named(element, member)]
