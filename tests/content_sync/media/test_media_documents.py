import json
from typing import Any, Self

import pytest

from content_sync.delivery import DeliveryError
from content_sync.media_documents import resolve_media
from content_sync.media_paths import checked_path
from content_sync.model import MediaFile, State
from content_sync.picture_source import PictureFile
from tests.content_sync.media.samples import GID, OTHER, media_document, media_file, picture


class Domain:
    """A delivery that is only asked for addresses."""

    name = "a domain"

    def __init__(self, *, routes: bool = True) -> None:
        self._routes = routes

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *problem: object) -> None:
        pass

    def key(self, file: MediaFile, state: State) -> str:
        return f"{state}/{checked_path(file)}"

    def url(self, file: MediaFile, state: State) -> str:
        return f"https://media.example.org/{self.key(file, state)}"

    def seo_route(self, file: MediaFile) -> str | None:
        return f"/{checked_path(file)}" if self._routes else None

    async def deliver(self, file: MediaFile, state: State) -> bool:
        raise NotImplementedError

    async def prune(self, state: State, keep: Any) -> int:
        raise NotImplementedError


def sized(file: MediaFile, width: int, height: int) -> PictureFile:
    names = ("file_id", "document_id", "resolution", "language", "path", "content_type", "open", "size", "digest")
    return PictureFile(**{name: getattr(file, name) for name in names}, width=width, height=height)


RIDGE = media_file(picture(320, 200))
SMALL = sized(media_file(b"small", resolution="16x9_S", path="Photos/ridge_16x9_S.jpg"), 48, 27)


def test_a_picture_lists_all_its_resolutions() -> None:
    """Members and their order are those of the documentation."""
    resolved = resolve_media(media_document(), [RIDGE, SMALL], Domain(), "preview")

    assert json.dumps(resolved["resolutionsMetaData"]) == json.dumps({
        "ORIGINAL": {
            "fileSize": RIDGE.size, "extension": "jpg", "mimeType": "image/jpeg", "width": 320, "height": 200,
            "url": "https://media.example.org/preview/Photos/ridge.jpg", "seoRoute": "/Photos/ridge.jpg",
        },
        "16x9_S": {
            "fileSize": 5, "extension": "jpg", "mimeType": "image/jpeg", "width": 48, "height": 27,
            "url": "https://media.example.org/preview/Photos/ridge_16x9_S.jpg", "seoRoute": "/Photos/ridge_16x9_S.jpg",
        },
    })  # fmt: skip


def test_states_have_addresses_of_their_own() -> None:
    resolved = resolve_media(media_document(), [RIDGE], Domain(), "release")

    assert resolved["resolutionsMetaData"]["ORIGINAL"]["url"] == "https://media.example.org/release/Photos/ridge.jpg"


def test_nothing_else_changes() -> None:
    document = media_document(
        resolutionsMetaData={"ORIGINAL": {"width": 1, "height": 2, "own": True}, "old": {"url": "x"}}
    )
    before = json.dumps(document)

    resolved = resolve_media(document, [RIDGE], Domain(), "preview")

    assert json.dumps(document) == before
    assert list(resolved) == list(document)
    changed = {name for name in document if resolved[name] != document[name]}
    assert changed == {"resolutionsMetaData"}
    assert resolved["resolutionsMetaData"]["old"] == {"url": "x"}
    assert resolved["resolutionsMetaData"]["ORIGINAL"]["own"] is True


def test_the_size_that_a_document_knows_counts() -> None:
    """It is what the project says, and saves a look into the file."""
    document = media_document(resolutionsMetaData={"ORIGINAL": {"width": 3200, "height": 2133}})

    original = resolve_media(document, [RIDGE], Domain(), "preview")["resolutionsMetaData"]["ORIGINAL"]

    assert (original["width"], original["height"]) == (3200, 2133)


def test_the_same_files_give_the_same_document() -> None:
    document = media_document(resolutionsMetaData={"16x9_S": {}, "ORIGINAL": {}})

    once = resolve_media(document, [RIDGE, SMALL], Domain(), "preview")
    again = resolve_media(document, [SMALL, RIDGE], Domain(), "preview")
    twice = resolve_media(once, [RIDGE, SMALL], Domain(), "preview")

    assert json.dumps(once) == json.dumps(again) == json.dumps(twice)


def test_a_route_of_the_source_stays_where_the_delivery_has_none() -> None:
    document = media_document(resolutionsMetaData={"ORIGINAL": {"seoRoute": "/Photos/ridge.jpg"}})

    resolved = resolve_media(document, [RIDGE], Domain(routes=False), "preview")

    assert resolved["resolutionsMetaData"]["ORIGINAL"]["seoRoute"] == "/Photos/ridge.jpg"


def test_a_delivery_makes_no_routes_where_none_leads_to_the_file() -> None:
    resolved = resolve_media(media_document(), [RIDGE], Domain(routes=False), "preview")

    assert "seoRoute" not in resolved["resolutionsMetaData"]["ORIGINAL"]


def test_a_file_has_one_address() -> None:
    file = media_file(resolution=None, path="Lists/packing.pdf", content_type="application/pdf")
    document = media_document(kind="FILE", url="", fileMetaData={"encoding": "UTF-8", "extension": "old"})

    resolved = resolve_media(document, [file], Domain(), "release")

    assert resolved["url"] == "https://media.example.org/release/Lists/packing.pdf"
    assert resolved["fileMetaData"] == {
        "fileSize": 5, "extension": "pdf", "mimeType": "application/pdf", "encoding": "UTF-8",
    }  # fmt: skip
    assert "resolutionsMetaData" not in resolved


@pytest.mark.parametrize("language", ["de_DE", "en_GB"])
def test_each_language_has_its_own_binary(language: str) -> None:
    files = [media_file(language=each, path=f"Photos/{each}/map.png") for each in ("de_DE", "en_GB")]

    resolved = resolve_media(media_document(language=language), files, Domain(), "preview")

    url = resolved["resolutionsMetaData"]["ORIGINAL"]["url"]
    assert url == f"https://media.example.org/preview/Photos/{language}/map.png"


def test_all_languages_share_a_binary() -> None:
    english, german = (
        resolve_media(media_document(language=each), [RIDGE], Domain(), "preview") for each in ("en_GB", "de_DE")
    )

    assert english["resolutionsMetaData"] == german["resolutionsMetaData"]


def test_a_language_without_a_country_finds_its_binary() -> None:
    file = media_file(language="de", path="Photos/karte.jpg")

    resolved = resolve_media(media_document(language="de"), [file], Domain(), "preview")

    assert resolved["resolutionsMetaData"]["ORIGINAL"]["url"].endswith("/karte.jpg")


@pytest.mark.parametrize(
    ("document", "files"),
    [
        pytest.param({"fsType": "PageRef", "identifier": GID}, [RIDGE], id="no medium"),
        pytest.param(media_document(), [], id="no files"),
        pytest.param(media_document(), [media_file(gid=OTHER)], id="files of another medium"),
        pytest.param(media_document(), [media_file(language="ja_JP")], id="files of another language"),
        pytest.param(
            {"fsType": "Media", "identifier": GID, "locale": None}, [media_file(language="de")], id="no locale"
        ),
    ],
)
def test_other_documents_are_given_back(document: dict[str, Any], files: list[MediaFile]) -> None:
    assert resolve_media(document, files, Domain(), "preview") is document


def test_a_file_without_an_address_is_not_listed() -> None:
    bad = media_file(path="../ridge.jpg")
    with pytest.raises(DeliveryError):
        Domain().url(bad, "preview")

    resolved = resolve_media(media_document(), [bad, SMALL], Domain(), "preview")

    assert list(resolved["resolutionsMetaData"]) == ["16x9_S"]


@pytest.mark.parametrize("content_type", ["image/svg+xml", "image/jpeg"])
def test_a_size_that_nobody_knows_is_null(content_type: str) -> None:
    file = media_file(b"<svg/>", content_type=content_type, path="Logos/logo.svg")

    original = resolve_media(media_document(), [file], Domain(), "preview")["resolutionsMetaData"]["ORIGINAL"]

    assert (original["width"], original["height"]) == (None, None)
