"""The three reads that the query ``refs`` needs: pages, what their sections refer to, and the products' pictures."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from content_core.documents import Document

__all__ = ["first_level", "pages_level", "second_level"]

_SECTION: Final = "page.children.children"
_RESOLUTION: Final = "resolutionsMetaData"


def pages_level() -> dict[str, Any]:
    """Make the find of ten pages."""
    paths = ("displayName", "formData.st_title.value", "formData.st_image.value.identifier")
    return {
        "filter": {"fsType": "PageRef", "locale.language": "en"},
        "projection": {
            "_id": 0,
            "displayName": 1,
            "route": 1,
            **{f"{_SECTION}.{path}": 1 for path in (*paths, "formData.st_item.value.target.identifier")},
        },
        "sort": [("_id", 1)],
        "limit": 10,
    }


def first_level(pages: Iterable[Document]) -> dict[str, Any]:
    """Make the find of the pictures and products that sections refer to."""
    wanted = (
        "fsType",
        "displayName",
        f"{_RESOLUTION}.ORIGINAL",
        "formData.tt_title.value",
        "formData.tt_photo.value.identifier",
    )
    return _find((identifier for page in pages for identifier in _targets(page)), *wanted)


def second_level(targets: Iterable[Document]) -> dict[str, Any]:
    """Make the find of the products' pictures."""
    products = (target for target in targets if target["fsType"] == "Dataset")
    pictures = (product["formData"]["tt_photo"]["value"]["identifier"] for product in products)
    return _find(pictures, f"{_RESOLUTION}.Teaser.url")


def _targets(page: Document) -> Iterator[str]:
    for section in page["page"]["children"][0]["children"]:
        form = section["formData"]
        yield form["st_image"]["value"]["identifier"]
        if "st_item" in form:
            yield form["st_item"]["value"]["target"]["identifier"]


def _find(identifiers: Iterable[str], *wanted: str) -> dict[str, Any]:
    return {
        "filter": {"identifier": {"$in": list(dict.fromkeys(identifiers))}, "locale.language": "en"},
        "projection": {"_id": 0, "identifier": 1, **dict.fromkeys(wanted, 1)},
    }
