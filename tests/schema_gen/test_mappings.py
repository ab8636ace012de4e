from typing import Any

import pytest

from content_core.documents import Document
from schema_gen import ContentModel
from tests.schema_gen.examples import all_components, emit, fields, page, table, worked_example

SOURCE = {"db": "acme", "collection": "7c1e.preview.content"}
LISTED = {"sort": {"$arg": ["sort", {"_id": 1}]}, "skip": {"$arg": "skip"}, "limit": {"$arg": "limit"}}
LOADED = {"limit": 1, "dataLoader": {"batching": True, "caching": True, "maxBatchSize": 100}}
ROOT_LOCALE = {
    "locale.language": {"$arg": ["rootDoc.locale.language", None]},
    "locale.country": {"$arg": ["rootDoc.locale.country", None]},
}


def _mappings(model: ContentModel) -> Document:
    mappings: Document = emit(model).definitions["preview"]["mappings"]
    return mappings


def _listing(condition: Document) -> Document:
    return SOURCE | {"find": {"$and": [condition, {"$arg": ["filter", {}]}]}} | LISTED


def _reference(path: str, fs_type: Any) -> Document:
    return SOURCE | {"find": {"identifier": {"$fk": path}, "fsType": fs_type} | ROOT_LOCALE} | LOADED


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("pageRefs", _listing({"fsType": "PageRef"})),
        ("datasets", _listing({"fsType": "Dataset"})),
        ("medias", _listing({"fsType": "Media"})),
        ("projectProperties", _listing({"fsType": "ProjectProperties"})),
        ("gcaPages", _listing({"fsType": "GCAPage"})),
        ("pageRefs_StoryPage", _listing({"fsType": "PageRef", "page.template.uid": "story"})),
        (
            "datasets_Shop_productDataset",
            _listing({"fsType": "Dataset", "schema": "shop", "entityType": "product"}),
        ),
        ("gcaPages_StoryGCAPage", _listing({"fsType": "GCAPage", "template.uid": "story"})),
        ("pageRef", SOURCE | {"find": {"fsType": "PageRef", "_id": {"$arg": "id"}}, "limit": 1}),
        ("dataset", SOURCE | {"find": {"fsType": "Dataset", "_id": {"$arg": "id"}}, "limit": 1}),
        ("media", SOURCE | {"find": {"fsType": "Media", "_id": {"$arg": "id"}}, "limit": 1}),
        (
            "byRoute",
            SOURCE
            | {
                "find": {
                    "fsType": {"$in": ["PageRef", "Dataset"]},
                    "$or": [{"route": {"$arg": "route"}}, {"routes.route": {"$arg": "route"}}],
                },
                "sort": {"_id": 1},
                "limit": 1,
            },
        ),
    ],
)
def test_root_field_reads_the_project_collection(field: str, expected: Document) -> None:
    assert expected == _mappings(all_components())["Query"][field]


@pytest.mark.parametrize(
    ("type_name", "expected"),
    [
        (
            "ReferenceField",
            {"value": _reference("value.identifier", {"$in": ["PageRef", "Media"]}), "reference": "value"},
        ),
        ("DatasetFieldValue", {"target": _reference("target.identifier", "Dataset"), "reference": "target"}),
        (
            "DatasetIndexRecord",
            {"value": _reference("value.target.identifier", "Dataset"), "reference": "value.target"},
        ),
        ("ShopDatasetFieldValue", {"target": _reference("target.identifier", "Dataset"), "reference": "target"}),
        (
            "ShopDatasetIndexRecord",
            {"value": _reference("value.target.identifier", "Dataset"), "reference": "value.target"},
        ),
        ("ImageMap", {"resolvedMedia": _reference("media.identifier", "Media")}),
        ("PermissionField", {"raw": "value"}),
        ("OptionListField", {"raw": "value"}),
    ],
)
def test_references_are_resolved_beside_their_raw_form(type_name: str, expected: Document) -> None:
    assert expected == _mappings(all_components())[type_name]


def test_projection_finds_the_datasets_of_its_table() -> None:
    assert _mappings(worked_example())["Content2Section"]["datasets"] == SOURCE | {
        "find": {"fsType": "Dataset", "schema": {"$fk": "schema"}, "entityType": {"$fk": "entityType"}} | ROOT_LOCALE,
        "sort": {"_id": 1},
        "skip": {"$arg": "skip"},
        "limit": {"$arg": "limit"},
        "dataLoader": LOADED["dataLoader"],
    }


def test_tables_with_several_templates_are_listed_by_template() -> None:
    twin = table("shop.short", schema="shop", entity_type="product")
    mappings = _mappings(ContentModel(table_templates=(table("shop.product"), twin)))

    conditions = [
        mappings["Query"][f"datasets_Shop_productDataset{number}"]["find"]["$and"][0] for number in ("", "_2")
    ]
    assert [condition["template.uid"] for condition in conditions] == ["shop.product", "shop.short"]


def test_renamed_fields_read_their_original_names() -> None:
    form = fields(**{"16x9": "CMS_INPUT_TEXT", "plain": "CMS_INPUT_TEXT", "a b": "CMS_INPUT_TEXT"})
    model = ContentModel(page_templates=(page("p", *form),), settings_template="p", metadata_template="p")

    mappings = _mappings(model)

    for form_type in ("PPageFormData", "ProjectPropertiesFormData", "PMetaFormData"):
        assert mappings[form_type] == {"_16x9": "16x9", "a_b": "a b"}


def test_resolutions_read_their_original_names() -> None:
    assert _mappings(worked_example())["ResolutionsMetaData"] == {"_16x9_S": "16x9_S"}


def test_types_that_the_schema_lacks_have_no_mapping() -> None:
    mappings = _mappings(ContentModel())

    assert sorted(mappings) == [
        "BodyContent",
        "Content2Section",
        "Dataset",
        "GCAPage",
        "Page",
        "Query",
        "Routed",
    ]


def test_mappings_share_no_parts() -> None:
    """A consumer that changes one place, to escape keys for instance, changes no other."""
    places: dict[int, str] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict | list):
            assert id(value) not in places, f"{path} is {places[id(value)]}"
            places[id(value)] = path
            for key, member in value.items() if isinstance(value, dict) else enumerate(value):
                walk(member, f"{path}.{key}")

    walk(_mappings(all_components()), "mappings")
