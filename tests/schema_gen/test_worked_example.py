"""The specification's worked example from the model to the answer, on a real MongoDB."""

from typing import Any

import pytest

from content_core.documents import Document
from content_core.store import Store
from graphql_app.schema.build import ExecutableApp
from schema_gen import emit_definitions
from tests.graphql_app.query.workshop import ask, build
from tests.schema_gen.examples import worked_example

PROJECT = "7c1e"
LOCALES = {"DE": ("de", "DE"), "EN": ("en", "GB")}

QUERY = """
query ($filter: BsonDocument) { pageRefs(filter: $filter) { displayName page {
  ... on LandingPage {
    formData {
      pt_headline { value }
      pt_image { value { ... on Media { _id resolutionsMetaData { ORIGINAL { url width } } } } reference { uid } } }
    children { name children { ... on TeaserSection { formData { st_text { value } } } } } }
  ... on Product_specialPage {
    formData { pt_product { value { target { _id
      ... on Shop_productDataset { formData { tt_name { value } tt_price { value } } } } } } } } } } }
"""


def _entry(component: str, value: Any) -> Document:
    return {"fsType": component, "value": value}


def _document(identifier: str, locale: str, **members: Any) -> Document:
    language, country = LOCALES[locale]
    return {
        "_id": f"{identifier}.{language}_{country}",
        "identifier": identifier,
        "locale": {"identifier": locale, "language": language, "country": country},
        **members,
    }


def _template(uid: str, fs_type: str = "PageTemplate") -> Document:
    return {"fsType": fs_type, "uid": uid, "uidType": "TEMPLATESTORE"}


def _documents(locale: str) -> list[Document]:
    english = locale == "EN"
    teaser = {
        "fsType": "Section",
        "template": _template("teaser", "SectionTemplate"),
        "formData": {"st_text": _entry("CMS_INPUT_DOM", "<div>Fresh</div>" if english else "<div>Frisch</div>")},
    }
    landing = {
        "template": _template("landing"),
        "formData": {
            "pt_headline": _entry("CMS_INPUT_TEXT", "Our breads" if english else "Unsere Brote"),
            "pt_image": _entry("FS_REFERENCE", {"fsType": "Media", "identifier": "bb01", "uid": "bread"}),
        },
        "children": [{"fsType": "Body", "name": "content", "children": [teaser]}],
    }
    target = {"fsType": "Dataset", "schema": "shop", "entityType": "product", "identifier": "cc01"}
    special = {
        "template": _template("product_special"),
        "formData": {"pt_product": _entry("FS_DATASET", {"fsType": "DatasetReference", "target": target})},
        "children": [],
    }
    product = {
        "schema": "shop",
        "entityType": "product",
        "formData": {
            "tt_name": _entry("CMS_INPUT_TEXT", "Rye loaf" if english else "Roggenbrot"),
            "tt_price": _entry("CMS_INPUT_NUMBER", 3.5),
        },
        "routes": [{"pageRef": "aa11", "route": f"/{locale}/rye"}],
    }
    picture = {"ORIGINAL": {"url": "https://cdn/bread.png", "width": 800}, "16x9_S": {"url": "https://cdn/bread_s.png"}}
    return [
        _document("aa01", locale, fsType="PageRef", displayName=f"Home {locale}", page=landing, route=f"/{locale}/"),
        _document("aa11", locale, fsType="PageRef", displayName=f"Rye {locale}", page=special),
        _document("bb01", locale, fsType="Media", mediaType="PICTURE", resolutionsMetaData=picture),
        _document("cc01", locale, fsType="Dataset", **product),
    ]


@pytest.fixture
async def app(store: Store, database: str) -> ExecutableApp:
    """The generated application of the preview state, with its documents in the database."""
    documents = [document for locale in LOCALES for document in _documents(locale)]
    await store.bulk_replace(database, f"{PROJECT}.preview.content", documents)
    return build(emit_definitions(worked_example(), tenant=database, project=PROJECT).definitions["preview"])


async def test_worked_example_gives_its_answer(app: ExecutableApp, store: Store) -> None:
    answer = await ask(app, store, QUERY, {"filter": {"locale.identifier": "EN"}})

    assert answer == {
        "data": {
            "pageRefs": [
                {
                    "displayName": "Home EN",
                    "page": {
                        "formData": {
                            "pt_headline": {"value": "Our breads"},
                            "pt_image": {
                                "value": {
                                    "_id": "bb01.en_GB",
                                    "resolutionsMetaData": {"ORIGINAL": {"url": "https://cdn/bread.png", "width": 800}},
                                },
                                "reference": {"uid": "bread"},
                            },
                        },
                        "children": [
                            {"name": "content", "children": [{"formData": {"st_text": {"value": "<div>Fresh</div>"}}}]}
                        ],
                    },
                },
                {
                    "displayName": "Rye EN",
                    "page": {
                        "formData": {
                            "pt_product": {
                                "value": {
                                    "target": {
                                        "_id": "cc01.en_GB",
                                        "formData": {"tt_name": {"value": "Rye loaf"}, "tt_price": {"value": 3.5}},
                                    }
                                }
                            }
                        }
                    },
                },
            ]
        }
    }


@pytest.mark.parametrize(
    ("expected", "query"),
    [
        ({"pageRefs": [{"_id": "aa01.de_DE"}]}, "{ pageRefs(limit: 1) { _id } }"),
        (
            {"pageRefs_LandingPage": [{"_id": "aa01.de_DE"}, {"_id": "aa01.en_GB"}]},
            "{ pageRefs_LandingPage { _id } }",
        ),
        (
            {"datasets_Shop_productDataset": [{"_id": "cc01.de_DE"}]},
            "{ datasets_Shop_productDataset(limit: 1) { _id } }",
        ),
        ({"pageRef": {"_id": "aa11.en_GB"}}, '{ pageRef(id: "aa11.en_GB") { _id } }'),
        ({"pageRef": None}, '{ pageRef(id: "bb01.en_GB") { _id } }'),
        ({"media": {"_id": "bb01.de_DE"}}, '{ media(id: "bb01.de_DE") { _id } }'),
        (
            {"byRoute": {"__typename": "Shop_productDataset", "_id": "cc01.en_GB"}},
            '{ byRoute(route: "/EN/rye") { __typename ... on Dataset { _id } } }',
        ),
        (
            {"byRoute": {"__typename": "PageRef", "_id": "aa01.de_DE"}},
            '{ byRoute(route: "/DE/") { __typename ... on PageRef { _id } } }',
        ),
        (
            {"medias": [{"resolutionsMetaData": {"_16x9_S": {"url": "https://cdn/bread_s.png"}}}]},
            "{ medias(limit: 1) { resolutionsMetaData { _16x9_S { url } } } }",
        ),
    ],
)
async def test_root_field_finds_its_documents(app: ExecutableApp, store: Store, expected: Document, query: str) -> None:
    assert {"data": expected} == await ask(app, store, query)


async def test_filter_cannot_widen_the_kind_of_document(app: ExecutableApp, store: Store) -> None:
    query = "query ($f: BsonDocument) { pageRefs(filter: $f) { _id } }"

    assert {"data": {"pageRefs": []}} == await ask(app, store, query, {"f": {"fsType": "Media"}})


async def test_projection_lists_the_datasets_of_the_page_language(
    app: ExecutableApp, store: Store, database: str
) -> None:
    projection = {"fsType": "Content2Section", "schema": "shop", "entityType": "product"}
    page = {"template": _template("landing"), "children": [{"fsType": "Body", "children": [projection]}]}
    await store.replace(database, f"{PROJECT}.preview.content", _document("ff01", "DE", fsType="PageRef", page=page))

    answer = await ask(
        app,
        store,
        """{ pageRef(id: "ff01.de_DE") { page { children { children { ... on Content2Section {
             datasets(limit: 5) { _id } } } } } } }""",
    )

    (section,) = answer["data"]["pageRef"]["page"]["children"][0]["children"]
    assert section == {"datasets": [{"_id": "cc01.de_DE"}]}


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"fsType": "Media", "identifier": None, "brokenReference": True},
        {"fsType": "GCAPage", "identifier": "aa01-gca"},
        {"fsType": "Media", "identifier": "zz99", "remoteProject": "other"},
    ],
    ids=["empty", "broken", "gca", "remote"],
)
async def test_reference_without_target_is_null_and_shows_its_raw_form(
    app: ExecutableApp, store: Store, database: str, value: Document | None
) -> None:
    page = {"template": _template("landing"), "formData": {"pt_image": _entry("FS_REFERENCE", value)}}
    await store.replace(database, f"{PROJECT}.preview.content", _document("ee01", "EN", fsType="PageRef", page=page))

    answer = await ask(
        app,
        store,
        """{ pageRef(id: "ee01.en_GB") { page { ... on LandingPage { formData { pt_image {
             value { __typename } reference { fsType identifier } } } } } } }""",
    )

    raw = value and {"fsType": value["fsType"], "identifier": value["identifier"]}
    assert answer == {
        "data": {"pageRef": {"page": {"formData": {"pt_image": {"value": None, "reference": raw}}}}},
    }
