"""The peer: the measured schema as a careful user of Strawberry writes it, with typed classes, DataLoaders and Motor.

``python -m benchmarks.graphql_strawberry MONGODB_URI`` prints ``ready`` and its address, and serves until SIGTERM.
"""

import sys
from collections import defaultdict
from typing import Any, TypeAlias

import strawberry
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.schema.config import StrawberryConfig

from benchmarks.bare_server import serve
from benchmarks.content import COLLECTION, TENANT
from content_core.documents import Document

__all__ = ["App"]

Key: TypeAlias = tuple[str, str]
"""Identifier and language of a document."""

Content: TypeAlias = "AsyncIOMotorCollection[Document]"


class Context(dict[str, Any]):
    """What a request has at hand."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self.content = content
        self.documents: DataLoader[Key, Document | None] = DataLoader(load_fn=self._load)

    async def _load(self, keys: list[Key]) -> list[Document | None]:
        wanted: defaultdict[str, list[str]] = defaultdict(list)
        for identifier, language in keys:
            wanted[language].append(identifier)
        found: dict[Key, Document] = {}
        for language, identifiers in wanted.items():
            find = {"identifier": {"$in": identifiers}, "locale.language": language}
            for document in await self.content.find(find).to_list(None):
                found[document["identifier"], language] = document
        return [found.get(key) for key in keys]


Info: TypeAlias = strawberry.Info[Context, None]


@strawberry.type
class Locale:
    identifier: str | None
    language: str | None
    country: str | None


@strawberry.type
class Template:
    uid: str | None


@strawberry.type
class TextField:
    value: str | None


@strawberry.type
class Resolution:
    url: str | None
    width: int | None
    height: int | None


@strawberry.type
class Resolutions:
    ORIGINAL: Resolution | None
    Teaser: Resolution | None


@strawberry.type
class Media:
    identifier: str | None
    displayName: str | None  # noqa: N815  # the schema's own name, as all like it below
    resolutionsMetaData: Resolutions | None  # noqa: N815


@strawberry.type
class PictureField:
    key: strawberry.Private[Key | None]

    @strawberry.field
    async def value(self, info: Info) -> Media | None:
        document = await info.context.documents.load(self.key) if self.key else None
        return _media(document) if document else None


@strawberry.type
class ItemForm:
    tt_title: TextField | None
    tt_summary: TextField | None
    tt_photo: PictureField | None


@strawberry.type
class Item:
    identifier: str | None
    displayName: str | None  # noqa: N815
    route: str | None
    formData: ItemForm | None  # noqa: N815


@strawberry.type
class ItemRef:
    key: strawberry.Private[Key]

    @strawberry.field
    async def target(self, info: Info) -> Item | None:
        document = await info.context.documents.load(self.key)
        return _item(document) if document else None


@strawberry.type
class ItemField:
    value: ItemRef | None


@strawberry.type
class StoryForm:
    st_title: TextField | None
    st_body: TextField | None
    st_image: PictureField | None
    st_item: ItemField | None


@strawberry.type
class Story:
    identifier: str | None
    displayName: str | None  # noqa: N815
    template: Template | None
    formData: StoryForm | None  # noqa: N815


@strawberry.type
class Body:
    name: str | None
    children: list[Story | None] | None


@strawberry.type
class JournalForm:
    pt_title: TextField | None


@strawberry.type
class Page:
    name: str | None
    template: Template | None
    formData: JournalForm | None  # noqa: N815
    children: list[Body | None] | None


@strawberry.type
class PageRef:
    identifier: str | None
    displayName: str | None  # noqa: N815
    route: str | None
    locale: Locale | None
    page: Page | None


@strawberry.type
class Query:
    @strawberry.field
    async def pages(self, info: Info, lang: str, skip: int = 0, limit: int = 20) -> list[PageRef | None] | None:
        find = {"fsType": "PageRef", "locale.language": lang}
        cursor = info.context.content.find(find).sort("_id", 1).skip(skip).limit(limit)
        return [_page_ref(document) for document in await cursor.to_list(None)]

    @strawberry.field
    async def page(self, info: Info, route: str) -> list[PageRef | None] | None:
        found = await info.context.content.find({"route": route}).limit(1).to_list(None)
        return [_page_ref(document) for document in found]


def _page_ref(document: Document) -> PageRef:
    page, locale = document["page"], document["locale"]
    return PageRef(
        identifier=document["identifier"],
        displayName=document["displayName"],
        route=document["route"],
        locale=Locale(**locale),
        page=Page(
            name=page["name"],
            template=Template(uid=page["template"]["uid"]),
            formData=JournalForm(pt_title=_text(page["formData"], "pt_title")),
            children=[_body(body, locale["language"]) for body in page["children"]],
        ),
    )


def _body(body: Document, language: str) -> Body:
    return Body(name=body["name"], children=[_story(section, language) for section in body["children"]])


def _story(section: Document, language: str) -> Story:
    form = section["formData"]
    return Story(
        identifier=section["identifier"],
        displayName=section["displayName"],
        template=Template(uid=section["template"]["uid"]),
        formData=StoryForm(
            st_title=_text(form, "st_title"),
            st_body=_text(form, "st_body"),
            st_image=_picture(form, "st_image", language),
            st_item=_item_field(form, "st_item", language),
        ),
    )


def _item_field(form: Document, name: str, language: str) -> ItemField | None:
    if name not in form:
        return None
    value = form[name]["value"]
    return ItemField(value=ItemRef(key=(value["target"]["identifier"], language)) if value else None)


def _item(document: Document) -> Item:
    form, language = document["formData"], document["locale"]["language"]
    return Item(
        identifier=document["identifier"],
        displayName=document["displayName"],
        route=document["route"],
        formData=ItemForm(
            tt_title=_text(form, "tt_title"),
            tt_summary=_text(form, "tt_summary"),
            tt_photo=_picture(form, "tt_photo", language),
        ),
    )


def _media(document: Document) -> Media:
    found = document["resolutionsMetaData"]
    return Media(
        identifier=document["identifier"],
        displayName=document["displayName"],
        resolutionsMetaData=Resolutions(ORIGINAL=_resolution(found, "ORIGINAL"), Teaser=_resolution(found, "Teaser")),
    )


def _resolution(found: Document, name: str) -> Resolution | None:
    facts = found.get(name)
    return Resolution(url=facts["url"], width=facts["width"], height=facts["height"]) if facts else None


def _text(form: Document, name: str) -> TextField | None:
    return TextField(value=form[name]["value"]) if name in form else None


def _picture(form: Document, name: str, language: str) -> PictureField | None:
    if name not in form:
        return None
    value = form[name]["value"]
    return PictureField(key=(value["identifier"], language) if value else None)


class App(GraphQL[Context, None]):
    """Strawberry's ASGI view; every request has loaders of its own."""

    def __init__(self, uri: str) -> None:
        super().__init__(strawberry.Schema(Query, config=StrawberryConfig(auto_camel_case=False)))
        self._uri = uri
        self._content: Content | None = None

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        del request, response
        if self._content is None:  # the client belongs to the event loop
            client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(self._uri)
            self._content = client[TENANT][COLLECTION]
        return Context(self._content)


if __name__ == "__main__":
    serve(App(sys.argv[1]))
