"""The JavaScript Content API library, as published, against the demo: what a front end does with it."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients.package_driver import ClientError, Package
from tests.live import LiveServer, eventually

GUST = "2925a08e-b868-583a-b279-cab6b2ed9ccc"
HOME = "7e882c4e-a80b-5e2a-ae92-43ed4bd86e6c"
CHEAP_PRODUCTS = ["Cirrus", "Cumulus", "Shower"]
PRODUCTS = [
    {"field": "fsType", "operator": "$eq", "value": "Dataset"},
    {"field": "entityType", "operator": "$eq", "value": "product"},
]


def names(answer: dict[str, Any]) -> list[str]:
    return [item["data"]["tt_name"] for item in answer["items"]]


@pytest.mark.parametrize(("locale", "name"), [("en_GB", "Gust"), ("de_DE", "Böe")])
def test_fetch_element_gives_the_language_asked_for(package: Package, locale: str, name: str) -> None:
    element = package.call("fetchElement", id=GUST, locale=locale)

    assert (name, locale, "Dataset") == (element["data"]["tt_name"], element["locale"], element["type"])
    assert (99, f"{GUST}.{locale}") == (element["data"]["tt_price"], element["previewId"])


def test_fetch_element_resolves_pictures_and_datasets(package: Package) -> None:
    data = package.call("fetchElement", id=GUST, locale="en_GB")["data"]

    assert ("Image", "umbrella_boe") == (data["tt_picture"]["type"], _file_stem(data["tt_picture"]))
    assert ("Dataset", "category") == (data["tt_category"]["type"], data["tt_category"]["entityType"])
    assert [("Dataset", "person")] * 2 == [(maker["type"], maker["entityType"]) for maker in data["tt_makers"]]


def test_fetch_element_resolves_references_of_references(package: Package) -> None:
    page = package.call("fetchElement", id=HOME, locale="en_GB")

    quote = next(card for card in page["data"]["pt_highlights"] if card["sectionType"] == "quote")
    person = quote["data"]["st_person"]
    assert ("Image", "village_rain") == (page["data"]["pt_stage"]["type"], _file_stem(page["data"]["pt_stage"]))
    assert ("Dataset", "Image") == (person["type"], person["data"]["tt_portrait"]["type"])


def test_reference_depth_of_the_package_is_kept(package: Package) -> None:
    shallow = package.configured(maxReferenceDepth=1).call("fetchElement", id=HOME, locale="en_GB")

    quote = next(card for card in shallow["data"]["pt_highlights"] if card["sectionType"] == "quote")
    assert "Dataset" == quote["data"]["st_person"]["type"]
    assert quote["data"]["st_person"]["data"]["tt_portrait"].startswith("[REFERENCED-ITEM-")


def test_fetch_element_of_a_remote_project_takes_its_locale(package: Package, demo: LiveServer) -> None:
    remotes = {"shop": {"id": demo.facts["project"], "locale": "de_DE"}}

    element = package.configured(remotes=remotes).call("fetchElement", id=GUST, remoteProject="shop")

    assert "Böe" == element["data"]["tt_name"]


def test_unknown_element_is_not_found(package: Package) -> None:
    with pytest.raises(ClientError, match="could not be found") as caught:
        package.call("fetchElement", id="nothing-here", locale="en_GB")

    assert 404 == caught.value.status


def test_unknown_key_is_not_authorized(package: Package) -> None:
    with pytest.raises(ClientError, match="no access") as caught:
        package.configured(apikey="no-such-key").call("fetchElement", id=GUST, locale="en_GB")

    assert 401 == caught.value.status


@pytest.mark.parametrize("mode", ["preview", "release"])
def test_content_mode_chooses_the_state(package: Package, mode: str) -> None:
    answer = package.configured(contentMode=mode).call(
        "fetchByFilter", filters=PRODUCTS, locale="en_GB", additionalParams={"count": True}
    )

    assert {"preview": 14, "release": 13}[mode] == answer["size"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"operator": "$lt", "value": 80}, CHEAP_PRODUCTS),
        ({"operator": "$lte", "value": 79}, CHEAP_PRODUCTS),
        ({"operator": "$gt", "value": 189}, ["Thunderstruck", "Twosome"]),
        ({"operator": "$gte", "value": 229}, ["Thunderstruck", "Twosome"]),
        ({"operator": "$in", "value": [49, 490]}, ["Cumulus", "Thunderstruck"]),
    ],
    ids=lambda value: value["operator"] if isinstance(value, dict) else "",
)
def test_comparisons_select(package: Package, condition: dict[str, Any], expected: list[str]) -> None:
    price = {"field": "formData.tt_price.value", **condition}

    answer = package.call(
        "fetchByFilter", filters=[*PRODUCTS, price], locale="en_GB", sort=[{"name": "formData.tt_name.value"}]
    )

    assert expected == names(answer)


@pytest.mark.parametrize(
    ("condition", "size"),
    [
        ({"field": "displayName", "operator": "$ne", "value": "Gust"}, 12),
        ({"field": "displayName", "operator": "$nin", "value": ["Gust", "Nimbus"]}, 11),
        ({"field": "displayName", "operator": "$regex", "value": "^(S|C)"}, 6),
        (
            {
                "operator": "$or",
                "filters": [
                    {"field": "displayName", "operator": "$eq", "value": "Gust"},
                    {"field": "displayName", "operator": "$eq", "value": "Nimbus"},
                ],
            },
            2,
        ),
        (
            {
                "operator": "$nor",
                "filters": [
                    {"field": "displayName", "operator": "$eq", "value": "Gust"},
                    {"field": "displayName", "operator": "$eq", "value": "Nimbus"},
                ],
            },
            11,
        ),
        (
            {
                "operator": "$and",
                "filters": [
                    {"field": "displayName", "operator": "$eq", "value": "Gust"},
                    {"field": "formData.tt_price.value", "operator": "$eq", "value": 99},
                ],
            },
            1,
        ),
        (
            {
                "field": "formData.tt_features.value.identifier",
                "operator": "$all",
                "value": ["stormproof", "automatic"],
            },
            1,
        ),
    ],
    ids=lambda value: value["operator"] if isinstance(value, dict) else "",
)
def test_every_operator_of_the_query_builder_selects(package: Package, condition: dict[str, Any], size: int) -> None:
    answer = package.call(
        "fetchByFilter", filters=[*PRODUCTS, condition], locale="en_GB", additionalParams={"count": True}
    )

    assert size == answer["size"] == len(answer["items"])


def test_refused_query_is_a_bad_request(package: Package) -> None:
    negated = {"field": "displayName", "operator": "$not", "filter": {"operator": "$eq", "value": "Gust"}}

    with pytest.raises(ClientError) as caught:  # the package builds {"$not": {…}}, which MongoDB does not know
        package.call("fetchByFilter", filters=[*PRODUCTS, negated], locale="en_GB")

    assert 400 == caught.value.status


def test_filter_without_any_condition_is_a_bad_request(package: Package) -> None:
    with pytest.raises(ClientError) as caught:
        package.call("fetchByFilter", filters=[])

    assert 400 == caught.value.status


def test_sort_by_several_fields(package: Package) -> None:
    order = [
        {"name": "formData.tt_category.value.target.identifier"},
        {"name": "formData.tt_price.value", "order": "desc"},
    ]

    items = package.call("fetchByFilter", filters=PRODUCTS, locale="en_GB", sort=order)["items"]

    keys = [(item["data"]["tt_category"]["id"], -item["data"]["tt_price"]) for item in items]
    assert 13 == len(keys)
    assert sorted(keys) == keys


def test_pages_follow_each_other(package: Package) -> None:
    def page(number: int) -> Any:
        return package.call(
            "fetchByFilter",
            filters=PRODUCTS,
            locale="en_GB",
            page=number,
            pagesize=5,
            sort=[{"name": "formData.tt_price.value"}],
            additionalParams={"count": True},
        )

    pages = [page(number) for number in (1, 2, 3)]

    assert [5, 5, 3] == [len(answer["items"]) for answer in pages]
    assert [(13, 3)] * 3 == [(answer["size"], answer["totalPages"]) for answer in pages]
    prices = [item["data"]["tt_price"] for answer in pages for item in answer["items"]]
    assert sorted(prices) == prices
    assert [] == page(4)["items"]


def test_keys_leave_only_what_was_asked_for(package: Package) -> None:
    answer = package.call(
        "fetchByFilter",
        filters=PRODUCTS,
        locale="en_GB",
        pagesize=1,
        sort=[{"name": "displayName"}],
        additionalParams={"keys": [{"identifier": 1}, {"displayName": 1}]},
    )

    assert {"_id", "identifier", "displayName"} == set(answer["items"][0])
    assert "Cirrus" == answer["items"][0]["displayName"]


def test_without_a_locale_every_language_comes(package: Package) -> None:
    answer = package.call("fetchByFilter", filters=PRODUCTS, additionalParams={"count": True})

    assert 26 == answer["size"]


def test_project_properties_come_with_resolved_global_pages(package: Package) -> None:
    properties = package.call("fetchProjectProperties", locale="en_GB")

    data = properties["data"]
    assert ("It stays dry below us", 214) == (data["ps_claim"], data["ps_rain_days"])
    assert "© Schirmling, in any weather" == data["ps_footer"]["gc_copyright"]
    assert ("Image", "logo") == (data["ps_logo"]["type"], _file_stem(data["ps_logo"]))


def test_secure_token_opens_what_its_key_opens(package: Package, demo: LiveServer) -> None:
    token = package.call("fetchSecureToken")

    tenant, project = demo.facts["tenant"], demo.facts["project"]
    address = f"{demo.url}/{tenant}/{project}.release.content/{GUST}.en_GB"
    assert 200 == httpx.get(address, params={"securetoken": token}).status_code
    assert 401 == httpx.get(address, params={"securetoken": f"{token}x"}).status_code
    assert 403 == httpx.get(f"{demo.url}/{tenant}/gql-apps", params={"securetoken": token}).status_code
    assert demo.facts["read_api_key"] not in token


def test_secure_token_for_an_unknown_key_is_not_authorized(package: Package) -> None:
    with pytest.raises(ClientError, match="no access") as caught:
        package.configured(apikey="no-such-key").call("fetchSecureToken")

    assert 401 == caught.value.status


# --- how the package's own tests write ------------------------------------------------------------------------------


@pytest.fixture
def collection(package: Package, demo: LiveServer) -> Iterator[str]:
    address = f"{demo.url}/{demo.facts['tenant']}/{uuid.uuid4()}.release.content"
    created = package.fetch(address, method="PUT", headers=_headers(demo))
    assert (201, "") == (created["status"], created["body"])
    yield address
    version = package.fetch(address, headers=_headers(demo))["body"]["_etag"]["$oid"]
    deleted = package.fetch(address, method="DELETE", headers={**_headers(demo), "If-Match": version})
    assert (204, "") == (deleted["status"], deleted["body"])
    assert 404 == package.fetch(address, headers=_headers(demo))["status"]


def test_collection_made_without_a_body_shows_its_version(package: Package, demo: LiveServer, collection: str) -> None:
    answer = package.fetch(collection, headers=_headers(demo))

    assert answer["headers"]["etag"] == answer["body"]["_etag"]["$oid"]
    assert 0 == answer["body"]["_returned"]
    assert "_embedded" not in answer["body"]


def test_document_put_without_an_id_in_its_body(package: Package, demo: LiveServer, collection: str) -> None:
    document = '{"fsType": "Dataset", "identifier": "d1"}'

    written = package.fetch(f"{collection}/d1.en_GB", method="PUT", headers=_headers(demo), body=document)

    read = package.fetch(f"{collection}/d1.en_GB", headers=_headers(demo))
    assert (201, "d1.en_GB") == (written["status"], read["body"]["_id"])
    deleted = package.fetch(
        f"{collection}/d1.en_GB", method="DELETE", headers={**_headers(demo), "If-Match": read["body"]["_etag"]["$oid"]}
    )
    assert 204 == deleted["status"]


def test_bulk_post_is_read_back_by_the_package(package: Package, demo: LiveServer, collection: str) -> None:
    locale = '{"language": "en", "country": "GB", "identifier": "EN"}'
    bodies = [
        f'{{"_id": "{name}.en_GB", "identifier": "{name}", "fsType": "Dataset", "schema": "s", "entityType": "e",'
        f' "formData": {{}}, "locale": {locale}}}'
        for name in ("a", "b", "c")
    ]

    written = package.fetch(collection, method="POST", headers=_headers(demo), body=f"[{', '.join(bodies)}]")

    assert (200, 3) == (written["status"], written["body"]["_embedded"]["rh:result"][0]["inserted"])
    project = collection.rsplit("/", 1)[1].removesuffix(".release.content")
    reader = package.configured(projectID=project, apikey=demo.facts["api_key"])
    found = reader.call("fetchByFilter", filters=[PRODUCTS[0]], locale="en_GB", sort=[{"name": "identifier"}])
    assert ["a", "b", "c"] == [item["id"] for item in found["items"]]


# --- change events --------------------------------------------------------------------------------------------------


def test_caas_event_stream_passes_changes_on(package: Package, demo: LiveServer, collection: str) -> None:
    stages = [{"$match": {"operationType": {"$in": ["insert", "replace", "update", "delete"]}}}]
    defined = package.fetch(
        collection,
        method="PATCH",
        headers=_headers(demo),
        body=json.dumps({"streams": [{"uri": "crud", "stages": stages}]}),
    )
    assert 200 == defined["status"]
    project = collection.rsplit("/", 1)[1].removesuffix(".release.content")
    reader = package.configured(projectID=project, apikey=demo.facts["api_key"])

    assert reader.listen("changes").startswith("text/event-stream")
    _await_first_event(reader, demo, collection)
    for method, body in (("PUT", {"n": 1}), ("PUT", {"n": 2}), ("PATCH", {"n": 3}), ("DELETE", None)):
        version = package.fetch(f"{collection}/a.en_GB", headers=_headers(demo))["headers"].get("etag", "")
        content = {"body": json.dumps(body)} if body else {}
        headers = {**_headers(demo), "If-Match": version}
        written = package.fetch(f"{collection}/a.en_GB", method=method, headers=headers, **content)
        assert written["status"] in {200, 201, 204}, written
    heard: list[Any] = []

    def complete() -> bool:
        heard.extend(event for event in reader.heard("changes") if event["documentKey"]["_id"] == "a.en_GB")
        return len(heard) >= 4

    assert eventually(complete)

    assert ["insert", "replace", "update", "delete"] == [event["operationType"] for event in heard]
    assert [1, 2, 3] == [event["fullDocument"]["n"] for event in heard[:3]]


def _await_first_event(reader: Package, demo: LiveServer, collection: str) -> None:
    """Write until something is heard: the package does not tell when its WebSocket is open."""

    def knock() -> bool:
        reader.fetch(f"{collection}/knock", method="PUT", headers=_headers(demo), body="{}")
        return bool(reader.heard("changes"))

    assert eventually(knock)


def _headers(demo: LiveServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {demo.facts['api_key']}", "Content-Type": "application/json"}


def _file_stem(image: dict[str, Any]) -> str:
    route: str = image["resolutions"]["ORIGINAL"]["seoRoute"]
    return route.rsplit("/", 1)[1].partition(".")[0]
