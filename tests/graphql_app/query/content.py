"""A small generated application, shaped like those of a FirstSpirit project, and content for it."""

from typing import Any

from content_core.documents import Document

__all__ = ["LANGUAGES", "SDL", "content_definition", "make_content"]

LANGUAGES = (("de", "DE"), ("en", "GB"))
COLLECTION = "7c1e.preview.content"

SDL = """
type Locale { identifier: String country: String language: String }
type PageRef { _id: String fsType: String identifier: String displayName: String locale: Locale page: Page }
type Page { name: String formData: PageFormData children: [Body] }
type Body { name: String children: [Section] }
type Section { name: String formData: SectionFormData }
type PageFormData { pt_image: ReferenceField pt_product: DatasetField pt_related: [DatasetField] }
type SectionFormData { st_image: ReferenceField }
type ReferenceField { fsType: String value: ReferenceTarget }
union ReferenceTarget = PageRef | Media
type DatasetField { value: DatasetFieldValue }
type DatasetFieldValue { target: Dataset }
type Dataset { _id: String displayName: String formData: DatasetFormData }
type DatasetFormData { tt_image: ReferenceField tt_home: ReferenceField }
type Media { _id: String identifier: String fileName: String }
type Query {
  pageRefs(filter: BsonDocument, sort: BsonDocument, skip: Int = 0, limit: Int = 20): [PageRef]
  medias(filter: BsonDocument, sort: BsonDocument, skip: Int = 0, limit: Int = 20): [Media] }
"""


def content_definition(tenant: str) -> Document:
    """Build the definition for one tenant."""

    def every(fs_type: str) -> Document:
        return {
            "db": tenant,
            "collection": COLLECTION,
            "find": {"$and": [{"fsType": fs_type}, {"$arg": ["filter", {}]}]},
            "sort": {"$arg": ["sort", {"_id": 1}]},
            "skip": {"$arg": "skip"},
            "limit": {"$arg": "limit"},
        }

    def referenced(path: str, fs_type: Any) -> Document:
        return {
            "db": tenant,
            "collection": COLLECTION,
            "find": {
                "identifier": {"$fk": path},
                "fsType": fs_type,
                "locale.language": {"$arg": ["rootDoc.locale.language", None]},
                "locale.country": {"$arg": ["rootDoc.locale.country", None]},
            },
            "limit": 1,
            "dataLoader": {"batching": True, "caching": True, "maxBatchSize": 100},
        }

    return {
        "_id": f"{tenant}___7c1e-preview-documents",
        "descriptor": {"uri": f"{tenant}/7c1e-preview-documents"},
        "schema": SDL,
        "mappings": {
            "Query": {"pageRefs": every("PageRef"), "medias": every("Media")},
            "ReferenceTarget": {
                "$typeResolver": {
                    "PageRef": "field-eq(field=fsType, value='\"PageRef\"')",
                    "Media": "field-eq(field=fsType, value='\"Media\"')",
                }
            },
            "ReferenceField": {"value": referenced("value.identifier", {"$in": ["PageRef", "Media"]})},
            "DatasetFieldValue": {"target": referenced("target.identifier", "Dataset")},
        },
    }


def make_content(pages: int = 20) -> list[Document]:
    """Make pages with a picture, a section's picture and a product, and products with a picture, in two languages."""
    documents: list[Document] = []
    for language, country in LANGUAGES:
        locale = {"identifier": language.upper(), "language": language, "country": country}

        def add(fs_type: str, identifier: str, locale: Document = locale, **members: Any) -> None:
            documents.append(
                {
                    "_id": f"{identifier}.{locale['language']}_{locale['country']}",
                    "fsType": fs_type,
                    "identifier": identifier,
                    "locale": locale,
                }
                | members
            )

        for n in range(pages):
            products = [_product(n), _product((n + 1) % pages)]
            page = {
                "name": f"p{n}",
                "formData": {
                    "pt_image": _reference(f"image{n}"),
                    "pt_product": products[0],
                    "pt_related": products,
                },
                "children": [
                    {
                        "name": "content",
                        "children": [{"name": "s", "formData": {"st_image": _reference(f"teaser{n % 3}")}}],
                    }
                ],
            }
            add("PageRef", f"page{n:02}", displayName=f"Page {n} {language}", page=page)
            add("Media", f"image{n}", fileName=f"image{n}-{language}")
            add("Media", f"picture{n}", fileName=f"picture{n}-{language}")
            forms = {"tt_image": _reference(f"picture{n}"), "tt_home": _reference(f"page{n:02}")}
            add("Dataset", f"product{n}", displayName=f"Product {n} {language}", formData=forms)
        for n in range(3):
            add("Media", f"teaser{n}", fileName=f"teaser{n}-{language}")
    return documents


def _reference(identifier: str) -> Document:
    return {"fsType": "FS_REFERENCE", "value": {"fsType": "Reference", "identifier": identifier}}


def _product(n: int) -> Document:
    return {"fsType": "FS_DATASET", "value": {"target": {"identifier": f"product{n}"}}}
