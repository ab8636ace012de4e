"""Content to measure with: pages with pictures and products in two languages, always the same for the same size.

Per language: pages of six sections, each with a text and a picture and every second with a product; products with a
picture of their own; pictures in three resolutions. A page takes about 9 kB. The words mean nothing.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from content_core.documents import Document, Json
from content_core.names import State, content_collection, document_id
from schema_gen.emit import emit_definitions
from schema_gen.model import ContentModel, FormField, Language, Resolution, Template, TemplateKind, TemplateRef

__all__ = ["APP", "COLLECTION", "TENANT", "Size", "build_definition", "make_documents"]

TENANT: Final = "bench"
PROJECT: Final = "7d1b3f60-52c4-4f0e-8a39-0c6e7c1f9b21"
STATE: Final[State] = "preview"
COLLECTION: Final = content_collection(PROJECT, STATE)

LANGUAGES: Final = (Language("EN", "en", "GB", master=True), Language("DE", "de", "DE"))
RESOLUTIONS: Final = (Resolution("ORIGINAL"), Resolution("Teaser", 480, 320), Resolution("Banner", 1600, 500))

PAGE: Final = Template(
    TemplateKind.PAGE, "journal", bodies=("content",), fields=(FormField("pt_title", "CMS_INPUT_TEXT"),)
)
SECTION: Final = Template(
    TemplateKind.SECTION,
    "story",
    fields=(
        FormField("st_title", "CMS_INPUT_TEXT"),
        FormField("st_body", "CMS_INPUT_DOM"),
        FormField("st_image", "FS_REFERENCE"),
        FormField("st_item", "FS_DATASET", templates=(TemplateRef("table", "catalogue.item"),)),
    ),
)
TABLE: Final = Template(
    TemplateKind.TABLE,
    "catalogue.item",
    schema="catalogue",
    entity_type="item",
    fields=(
        FormField("tt_title", "CMS_INPUT_TEXT"),
        FormField("tt_summary", "CMS_INPUT_DOM"),
        FormField("tt_photo", "FS_REFERENCE"),
    ),
)

_SECTIONS: Final = 6
_NAMES: Final = uuid.UUID(PROJECT)
_WORDS: Final = (
    "rain", "umbrella", "street", "harbour", "morning", "tram", "kettle", "paper",
    "window", "garden", "cloud", "bicycle", "market", "bridge", "lantern", "river",
    "story", "copper", "velvet", "signal", "winter", "orchard", "granite", "whistle",
    "ferry", "pepper", "ribbon", "meadow", "anchor", "thunder", "candle", "quiet",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How much content there is per language: pages, products, pictures."""

    pages: int = 2_500
    datasets: int = 2_000
    media: int = 1_000


def build_definition() -> Document:
    """Generate the definition of the application that serves the content."""
    model = ContentModel(
        page_templates=(PAGE,),
        section_templates=(SECTION,),
        table_templates=(TABLE,),
        languages=LANGUAGES,
        resolutions=RESOLUTIONS,
        project=PROJECT,
        project_name="Measurements",
    )
    return emit_definitions(model, tenant=TENANT, project=PROJECT, states=(STATE,)).definitions[STATE]


APP: Final = build_definition()["descriptor"]["uri"]
"""The address of the application, below ``/graphql/``."""


def make_documents(size: Size) -> Iterator[Document]:
    """Make all documents; pages share their pictures and products between the languages."""
    for language in LANGUAGES:
        yield from (_make_media(number, language) for number in range(size.media))
        yield from (_make_dataset(number, language, size) for number in range(size.datasets))
        yield from (_make_page(number, language, size) for number in range(size.pages))


def _make_media(number: int, language: Language) -> Document:
    identifier = _gid("media", number)
    return _head("media", number, language) | {
        "fsType": "Media",
        **_element(f"picture_{number}", identifier, "MEDIASTORE_LEAF"),
        "displayName": _text(random.Random(number), 20),
        "fileName": f"picture_{number}",
        "languageDependent": False,
        "mediaType": "PICTURE",
        "description": None,
        "resolutionsMetaData": {
            resolution.name: {
                "fileSize": 20_000 + number,
                "extension": "jpg",
                "mimeType": "image/jpeg",
                "width": resolution.width or 2_400,
                "height": resolution.height or 1_600,
                "url": f"https://media.example/{TENANT}/{identifier}.{resolution.name}/binary",
            }
            for resolution in RESOLUTIONS
        },
        "metaFormData": {},
    }


def _make_dataset(number: int, language: Language, size: Size) -> Document:
    choose = random.Random(number)
    identifier = _gid("dataset", number)
    route = f"/{language.language}/catalogue/{number}"
    return _head("dataset", number, language) | {
        "fsType": "Dataset",
        "schema": TABLE.schema,
        "entityType": TABLE.entity_type,
        "identifier": identifier,
        "displayName": _text(choose, 20),
        "template": _template("TableTemplate", TABLE, "TEMPLATESTORE_SCHEMA"),
        "formData": _form(TABLE, _text(choose, 30), _text(choose, 600), _picture(choose, language, size)),
        "route": route,
        "routes": [{"pageRef": _gid("page", 0), "route": route}],
    }


def _make_page(number: int, language: Language, size: Size) -> Document:
    choose = random.Random(number)
    identifier = _gid("page", number)
    route = f"/{language.language}/journal/{number}"
    sections = [_make_section(place, identifier, language, size, choose) for place in range(_SECTIONS)]
    body = {"fsType": "Body", "name": "content", "identifier": _gid(identifier, 0), "children": sections}
    return _head("page", number, language) | {
        "fsType": "PageRef",
        **_element(f"journal_{number}", identifier, "SITESTORE_LEAF"),
        "displayName": _text(choose, 20),
        "route": route,
        "url": route,
        "metaFormData": {},
        "page": {
            "fsType": "Page",
            **_element(f"journal_{number}_content", _gid(identifier, 1), "PAGESTORE"),
            "displayName": _text(choose, 20),
            "template": _template("PageTemplate", PAGE, "TEMPLATESTORE"),
            "formData": _form(PAGE, _text(choose, 40)),
            "metaFormData": {},
            "children": [body],
        },
    }


def _make_section(place: int, page: str, language: Language, size: Size, choose: random.Random) -> Document:
    values = [_text(choose, 40), _text(choose, 400), _picture(choose, language, size)]
    if place % 2:
        target = {
            "fsType": "Dataset",
            "schema": TABLE.schema,
            "entityType": TABLE.entity_type,
            "identifier": _gid("dataset", choose.randrange(size.datasets)),
        }
        values.append({"fsType": "DatasetReference", "target": target})
    return {
        "fsType": "Section",
        "name": "story",
        "displayName": "Story",
        "identifier": _gid(page, 10 + place),
        "displayed": True,
        "template": _template("SectionTemplate", SECTION, "TEMPLATESTORE"),
        "formData": _form(SECTION, *values),
    }


def _head(kind: str, number: int, language: Language) -> Document:
    """Give what every document has."""
    return {
        "_id": document_id(_gid(kind, number), language.language, language.country),
        "changeInfo": {"date": "2026-11-01T09:30Z", "revision": number, "lastSynced": 1_793_000_000_000 + number},
        "locale": {"identifier": language.abbreviation, "country": language.country, "language": language.language},
    }


def _element(uid: str, identifier: str, uid_type: str) -> Document:
    return {"name": uid, "identifier": identifier, "uid": uid, "uidType": uid_type}


def _template(kind: str, template: Template, uid_type: str) -> Document:
    return {
        "fsType": kind,
        "name": template.uid,
        "displayName": template.uid,
        "identifier": _gid(template.uid, 0),
        "uid": template.uid,
        "uidType": uid_type,
    }


def _form(template: Template, *values: Json) -> Document:
    """Fill a form; a field for which no value is left stays away, as in documents of an older template."""
    return {
        field.name: {"fsType": field.component, "name": field.name, "value": value}
        for field, value in zip(template.fields, values, strict=False)
    }


def _picture(choose: random.Random, language: Language, size: Size) -> dict[str, Any]:
    number = choose.randrange(size.media)
    identifier = _gid("media", number)
    return {
        "fsType": "Media",
        **_element(f"picture_{number}", identifier, "MEDIASTORE_LEAF"),
        "mediaType": "PICTURE",
        "url": "https://caas.example/"
        f"{TENANT}/{COLLECTION}/{document_id(identifier, language.language, language.country)}",
    }


def _gid(kind: str, number: int) -> str:
    return str(uuid.uuid5(_NAMES, f"{kind} {number}"))


def _text(choose: random.Random, length: int) -> str:
    return " ".join(choose.choices(_WORDS, k=length // 4))[:length]
