"""The application that GraphQL is measured with, written by hand over the content of ``content.py``; its queries."""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from benchmarks.content import COLLECTION, TENANT
from content_core.documents import Document

__all__ = ["DEFINITION", "FLAT", "NESTED", "PAGE", "PATH", "QUERIES", "QUERY_TEXTS", "SDL", "QueryName", "Read"]

QueryName: TypeAlias = Literal["flat", "nested", "refs", "page"]

SDL: Final = """
type Query {
  pages(lang: String!, skip: Int = 0, limit: Int = 20): [PageRef]
  page(route: String!): [PageRef]
}
type PageRef { identifier: String displayName: String route: String locale: Locale page: Page }
type Locale { identifier: String language: String country: String }
type Page { name: String template: Template formData: JournalForm children: [Body] }
type Template { uid: String }
type JournalForm { pt_title: TextField }
type Body { name: String children: [Story] }
type Story { identifier: String displayName: String template: Template formData: StoryForm }
type StoryForm { st_title: TextField st_body: TextField st_image: PictureField st_item: ItemField }
type TextField { value: String }
type PictureField { value: Media }
type ItemField { value: ItemRef }
type ItemRef { target: Item }
type Media { identifier: String displayName: String resolutionsMetaData: Resolutions }
type Resolutions { ORIGINAL: Resolution Teaser: Resolution }
type Resolution { url: String width: Int height: Int }
type Item { identifier: String displayName: String route: String formData: ItemForm }
type ItemForm { tt_title: TextField tt_summary: TextField tt_photo: PictureField }
"""

_PLACE: Final[Document] = {"db": TENANT, "collection": COLLECTION}
_LOADER: Final[Document] = {"batching": True, "caching": True, "maxBatchSize": 200}


def _reference(key: str) -> Document:
    find = {"identifier": {"$fk": key}, "locale.language": {"$arg": "rootDoc.locale.language"}}
    return {**_PLACE, "find": find, "limit": 1, "dataLoader": _LOADER}


DEFINITION: Final[Document] = {
    "_id": f"{TENANT}___journal",
    "descriptor": {
        "uri": f"{TENANT}/journal",
        "name": "journal",
        "description": "Measured",
        "enabled": True,
    },
    "schema": SDL,
    "mappings": {
        "Query": {
            "pages": {
                **_PLACE,
                "find": {"fsType": "PageRef", "locale.language": {"$arg": "lang"}},
                "sort": {"_id": 1},
                "skip": {"$arg": "skip"},
                "limit": {"$arg": "limit"},
            },
            "page": {**_PLACE, "find": {"route": {"$arg": "route"}}, "limit": 1},
        },
        "PictureField": {"value": _reference("value.identifier")},
        "ItemRef": {"target": _reference("target.identifier")},
    },
}
PATH: Final = f"/graphql/{TENANT}/journal"
"""Where the application answers."""

QUERY_TEXTS: Final[dict[QueryName, str]] = {
    "flat": """{
  pages(lang: "en", limit: 20) {
    displayName route locale { identifier } page { formData { pt_title { value } } }
  }
}""",
    "nested": """{
  pages(lang: "en", limit: 20) {
    displayName route locale { identifier }
    page {
      name formData { pt_title { value } }
      children { name children { identifier displayName formData { st_title { value } st_body { value } } } }
    }
  }
}""",
    "refs": """{
  pages(lang: "en", limit: 10) {
    displayName route
    page { children { children { displayName formData {
      st_title { value }
      st_image { value { identifier resolutionsMetaData { ORIGINAL { url width height } } } }
      st_item { value { target {
        displayName formData { tt_title { value } tt_photo { value { resolutionsMetaData { Teaser { url } } } } }
      } } }
    } } } }
  }
}""",
    "page": """{
  page(route: "/en/journal/7") {
    displayName
    page {
      formData { pt_title { value } }
      children { name children { formData { st_title { value } st_body { value } } } }
    }
  }
}""",
}
QUERIES: Final[tuple[QueryName, ...]] = tuple(QUERY_TEXTS)


@dataclass(frozen=True, slots=True)
class Read:
    """What a query that follows no references reads: a find whose documents are the answer already.

    Attributes:
        field: the root field of the answer.
        filter: which documents.
        projection: just what the query selects.
        limit: how many at most, in the order of their ids.
    """

    field: str
    filter: Document
    projection: Document
    limit: int


def _projection(*paths: str) -> dict[str, Any]:
    return {"_id": 0, **dict.fromkeys(paths, 1)}


_PAGES: Final[Document] = {"fsType": "PageRef", "locale.language": "en"}
FLAT: Final = Read(
    "pages",
    _PAGES,
    _projection("displayName", "route", "locale.identifier", "page.formData.pt_title.value"),
    20,
)
NESTED: Final = Read(
    "pages",
    _PAGES,
    _projection(
        "displayName",
        "route",
        "locale.identifier",
        "page.name",
        "page.formData.pt_title.value",
        "page.children.name",
        *(
            f"page.children.children.{name}"
            for name in ("identifier", "displayName", "formData.st_title.value", "formData.st_body.value")
        ),
    ),
    20,
)
PAGE: Final = Read(
    "page",
    {"route": "/en/journal/7"},
    _projection(
        "displayName",
        "page.formData.pt_title.value",
        "page.children.name",
        "page.children.children.formData.st_title.value",
        "page.children.children.formData.st_body.value",
    ),
    1,
)
